"""Where ``uv pip install`` and ``uv add`` would install.

Written after ``crates/uv/src/commands/pip/install.rs``, ``uv-python/src/discovery.rs``
(``python_executables``, ``EnvironmentPreference``) and ``virtualenv.rs``. uv has no user site,
reads nothing of pip's configuration, looks only into the environment itself, and needs a cache it
can write. The interpreter is asked for, or inherited from ``python -m uv``, or that of the active
environment, of ``.venv`` upward, of a virtual environment on PATH.
"""

from __future__ import annotations

import os
import re
from typing import Iterator, NamedTuple

from ..facts.interpreter import Interpreter, read_interpreter, scheme_folders
from ..facts.search_path import home_folder, listed, module_origin, upward
from ..facts.writability import why_not_replaceable, why_not_writable
from ..shell.option_grammar import UV, Line, read_line
from ..shell.reach import Invocation, find_programs, interpreter_at
from . import SCRIPTS_MISSING, SITE, Verdict
from .local_candidates import LOCKS, LocalFolders, Request, compare, read_request, unpacked
from .removals import removal

_TRUE = ("1", "true", "yes", "on", "y", "t")
_NAMES = ("python3", "python")
_VERSION = re.compile(r"^(?:python|cpython|pypy)?@?[<>=~!]*\d+(?:\.\d+)*\S*$")
_MOST_FOLDERS = 200

_TABLES = LOCKS + r"|pyproject\.toml$|setup\.(py|cfg)$|.*\.py$"
"""Files that uv reads by their names (``RequirementsSource::from_requirements_file``)."""


class _Run(NamedTuple):
    """One uv command, with its line read."""

    invocation: Invocation
    line: Line
    kernel: Interpreter

    def absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.invocation.cwd, path))

    def on(self, name: str) -> bool:
        """Tell whether a switch that has a variable is on."""
        if self.line.has("no-" + name):
            return False
        variable = "UV_" + name.upper().replace("-", "_")
        return self.line.has(name) or self.invocation.environ.get(variable, "").lower() in _TRUE

    def request(self, skip: int) -> Request:
        """Return what is asked for, after *skip* words of the line."""
        files = self.line.all("requirement")
        others = (*self.line.all("editable"), *self.line.all("group"))
        words = self.line.positional[skip:]
        if self.line.positional[:2] == ["pip", "sync"]:  # its words are files
            words, files = [], words
        return read_request(words, files, others, self.invocation.cwd, _TABLES)

    def interpreter_at(self, path: str) -> Interpreter | None:
        invocation = self.invocation
        return interpreter_at(path, self.kernel, invocation.environ, invocation.cwd)


class _Choice(NamedTuple):
    """The interpreter uv works on, or None and the outcome of a refusal."""

    interpreter: Interpreter | None
    reason: str
    outcome: str = SITE


def decide_uv(invocation: Invocation, kernel: Interpreter) -> Verdict:
    """Return what this uv command would do in a process of the kernel."""
    line = read_line(invocation.words, UV)
    parent = invocation.interpreter
    if parent is not None and module_origin("uv", invocation.search_path(parent)) is None:
        return Verdict("no-installer", "%s has no module named uv" % parent.executable)
    if folder := line.last("directory"):
        invocation = invocation._replace(cwd=os.path.join(invocation.cwd, folder))
    run = _Run(invocation, line, kernel)
    if line.positional[:1] == ["tool"]:
        return _tool(run)
    return _pip_install(run) if line.positional[:1] == ["pip"] else _add(run)


def _pip_install(run: _Run) -> Verdict:
    line, invocation = run.line, run.invocation
    if line.has("user"):
        return Verdict("fails", "uv has no --user: it knows no user site")
    if line.problem:
        return Verdict("fails", "uv: " + line.problem)
    request = run.request(2)
    if request.problem:
        return Verdict("fails", request.problem)
    if refusal := _cache_refusal(run):
        return Verdict(*refusal)
    target, prefix = line.last("target"), line.last("prefix")
    choice = _choose_interpreter(run, any_serves=bool(target or prefix))
    interpreter = choice.interpreter
    if interpreter is None:
        return Verdict(choice.outcome, choice.reason, names=request.names)
    if any(value and any(value in w for w in invocation.uncertain) for value in (target, prefix)):
        return Verdict("unknown", "the folder depends on something only a run can know")
    scheme, outcome = interpreter.scheme(invocation.environ), SITE
    if target:
        outcome, base = "target-dir", run.absolute(target)
        scheme = scheme_folders(base, base)
    elif prefix:
        outcome, base = "prefix", run.absolute(prefix)
        scheme = scheme_folders(interpreter.site_below(base), base)
    elif interpreter.externally_managed() and not run.on("break-system-packages"):
        reason = "%s is externally managed (PEP 668)" % interpreter.prefix
        return Verdict("refused-externally-managed", reason, None, interpreter, names=request.names)
    if invocation.removes:
        folders = list(dict.fromkeys((scheme["purelib"], scheme["platlib"])))
        verdict = removal(request.names, folders, interpreter, invocation.elevated)
        return verdict._replace(interpreter=interpreter, names=request.names)
    verdict = _contents(run, request, scheme)
    if verdict.outcome == SITE:
        option = "--target" * bool(target) or "--prefix" * bool(prefix)
        reason = "%s from the command line" % option if option else choice.reason
        verdict = verdict._replace(outcome=outcome, reason=reason)
    return verdict._replace(interpreter=interpreter, names=request.names)


def _cache_refusal(run: _Run) -> tuple[str, str] | None:
    environ = run.invocation.environ
    if run.on("no-cache"):
        return None
    home = environ.get("XDG_CACHE_HOME") or os.path.join(home_folder(environ), ".cache")
    cache = run.line.last("cache-dir") or environ.get("UV_CACHE_DIR") or os.path.join(home, "uv")
    refusal = why_not_writable(os.path.join(run.invocation.cwd, cache), run.invocation.elevated)
    return (refusal[0], "uv cannot write its cache: " + refusal[1]) if refusal else None


def _choose_interpreter(run: _Run, any_serves: bool) -> _Choice:
    """Choose as ``find_python_installation`` does.

    *any_serves* is true for ``--target`` and ``--prefix``, which touch no environment.
    """
    environ = run.invocation.environ
    asked = run.line.last("python") or environ.get("UV_PYTHON") or ""
    if asked and any(asked in word for word in run.invocation.uncertain):
        return _Choice(None, "--python depends on something only a run can know", "unknown")
    if asked and ("/" in asked or not _VERSION.match(asked)):
        return _named(run, asked, "--python" if run.line.last("python") else "UV_PYTHON")
    version = tuple(int(part) for part in re.findall(r"\d+", asked)[:2])
    system = run.line.has("system") or environ.get("UV_SYSTEM_PYTHON", "").lower() in _TRUE
    if system and not run.line.has("no-system"):
        return _system(run, version)
    parent = run.invocation.interpreter
    if parent is not None and _fits(parent, version):
        return _Choice(parent, "`python -m uv` works on its own interpreter")
    return _active(run, version) or _on_path(run, version, any_serves)


def _fits(interpreter: Interpreter, version: tuple[int, ...]) -> bool:
    return interpreter.version[: len(version)] == version


def _named(run: _Run, asked: str, source: str) -> _Choice:
    """Resolve a path, a folder or the name of a program."""
    environ, cwd = run.invocation.environ, run.invocation.cwd
    path = os.path.join(cwd, asked)
    if os.path.isdir(path):
        path = os.path.join(path, "bin", "python")
    elif not os.path.isfile(path):
        hits = find_programs(asked, environ, cwd) if "/" not in asked else []
        path = hits[0] if hits else ""
    interpreter = run.interpreter_at(path) if path else None
    if interpreter is None:
        return _Choice(None, "%s names no interpreter: %s" % (source, asked), "fails")
    return _Choice(interpreter, "%s names it" % source)


def _system(run: _Run, version: tuple[int, ...]) -> _Choice:
    for path in _programs(run.invocation.environ, run.invocation.cwd):
        interpreter = run.interpreter_at(path)
        if interpreter and not interpreter.in_venv and _fits(interpreter, version):
            return _Choice(interpreter, "--system takes the first system interpreter on PATH")
    return _Choice(None, "uv finds no system interpreter", "fails")


def _active(run: _Run, version: tuple[int, ...]) -> _Choice | None:
    """Take the environment that is active or that the folder lies in, where one fits."""
    for folder, reason in _environments(run.invocation.environ, run.invocation.cwd):
        python = os.path.join(folder, "bin", "python")
        interpreter = run.interpreter_at(python) if os.path.isfile(python) else None
        if interpreter is None and reason.startswith("VIRTUAL_ENV"):
            return _Choice(None, "VIRTUAL_ENV names %s, which has no interpreter" % folder, "fails")
        if interpreter is not None and _fits(interpreter, version):
            return _Choice(interpreter, reason)
    return None


def _on_path(run: _Run, version: tuple[int, ...], any_serves: bool) -> _Choice:
    for path in _programs(run.invocation.environ, run.invocation.cwd):
        python = run.interpreter_at(path)
        if python and (python.in_venv or any_serves) and _fits(python, version):
            return _Choice(python, "uv takes the environment of %s, found on PATH" % path)
    reason = "uv finds no virtual environment and takes a system interpreter only by name"
    return _Choice(None, reason, "fails")


def _environments(environ: dict[str, str], cwd: str) -> Iterator[tuple[str, str]]:
    """Yield the environments that are active or lie in the folder, in uv's order."""
    if active := environ.get("VIRTUAL_ENV"):
        yield os.path.join(cwd, active), "VIRTUAL_ENV names it"
    conda = environ.get("CONDA_PREFIX")
    # a base environment counts as a system interpreter
    name = environ.get("CONDA_DEFAULT_ENV", "")
    if conda and not (name in ("base", "root") and os.path.basename(conda) != name):
        yield conda, "CONDA_PREFIX names it"
    for folder in upward(cwd):
        if os.path.isfile(os.path.join(folder, "pyvenv.cfg")):
            yield folder, "the folder lies in a virtual environment"
            return
        local = os.path.join(folder, ".venv")
        if os.path.isfile(os.path.join(local, "pyvenv.cfg")):
            yield local, "%s is the nearest .venv" % local
            return


def _programs(environ: dict[str, str], cwd: str) -> Iterator[str]:
    """Yield uv's own interpreters, then those on PATH, folder by folder."""
    managed = environ.get("UV_PYTHON_INSTALL_DIR")
    data = environ.get("XDG_DATA_HOME") or os.path.join(home_folder(environ), ".local", "share")
    managed = managed or os.path.join(data, "uv", "python")
    for name in reversed(listed(managed)):
        path = os.path.join(managed, name, "bin", "python3")
        if name.startswith("cpython-") and os.path.isfile(path):
            yield path
    for folder in environ.get("PATH", os.defpath).split(os.pathsep)[:_MOST_FOLDERS]:
        for name in _NAMES:
            if hits := find_programs(os.path.join(folder or ".", name), environ, cwd):
                yield hits[0]
                break


def _contents(run: _Run, request: Request, scheme: dict[str, str]) -> Verdict:
    """Look at what stands in the environment and what could be written there."""
    site, elevated = scheme["purelib"], run.invocation.elevated
    line, invocation = run.line, run.invocation
    links = line.all("find-links")
    links += [part for part in invocation.environ.get("UV_FIND_LINKS", "").split(",") if part]
    offline = run.on("no-index")
    compared = compare(
        request,
        list(dict.fromkeys((site, scheme["platlib"]))),
        LocalFolders(links, invocation.cwd, line.last("prerelease") == "allow"),
        offline=offline,
        upgrade=line.has("upgrade"),
        again=line.has("reinstall"),
        links_decide=True,
        links_are_taken=offline,
    )
    if compared.missing:
        return Verdict("fails", "no local folder has %s" % compared.missing)
    if compared.met:
        return Verdict("already-satisfied", "%s has it already" % site, site)
    if line.has("dry-run") or line.has("check"):
        return Verdict("no-change", "a dry run installs nothing")
    for copy in compared.replaced:
        if os.path.isfile(copy.metadata):  # without RECORD uv goes on, with a bare file it stops
            text = "%s in %s was installed by distutils" % (copy.name, copy.folder)
            return Verdict("refused-cannot-uninstall", text)
        if refusal := why_not_replaceable(copy, elevated):
            return Verdict(*refusal)
    files = unpacked(compared.chosen)
    for name in files.folders:
        if refusal := why_not_writable(scheme[name], elevated, files.size):
            return Verdict(*refusal)
    if (refusal := why_not_writable(scheme["scripts"], elevated)) and files.scripts:
        return Verdict(*refusal, path=site, notes=(SCRIPTS_MISSING,))
    return Verdict(SITE, "", site, removed=tuple(copy.folder for copy in compared.replaced))


def _tool(run: _Run) -> Verdict:
    """``uv tool install`` makes an environment for each tool (``uv-tool/src/lib.rs``)."""
    environ = run.invocation.environ
    data = environ.get("XDG_DATA_HOME") or os.path.join(home_folder(environ), ".local", "share")
    names = run.request(2).names
    place = environ.get("UV_TOOL_DIR") or os.path.join(data, "uv", "tools")
    folder = os.path.join(place, *names[:1])
    python = read_interpreter(os.path.join(folder, "bin", "python"))
    site = python.scheme(environ)["purelib"] if python else folder
    return Verdict(SITE, "uv makes an environment for each tool", site, python, names=names)


def _add(run: _Run) -> Verdict:
    """``uv add`` and ``uv sync`` work on the project around the folder, on its own ``.venv``."""
    line, environ = run.line, run.invocation.environ
    if line.last("script"):
        return Verdict("no-change", "`uv add --script` writes into the script only")
    start = os.path.join(run.invocation.cwd, line.last("project") or ".")
    parents = upward(os.path.normpath(start))
    folder = next((f for f in parents if os.path.isfile(os.path.join(f, "pyproject.toml"))), None)
    if folder is None:
        return Verdict("fails", "there is no pyproject.toml in this folder or above it")
    place = os.path.join(folder, environ.get("UV_PROJECT_ENVIRONMENT") or ".venv")
    if line.has("active") and environ.get("VIRTUAL_ENV"):
        place = environ["VIRTUAL_ENV"]
    if line.has("no-sync") or line.has("frozen"):
        return Verdict("no-change", "the project is changed, its environment is not")
    names = run.request(1).names
    interpreter = read_interpreter(os.path.join(place, "bin", "python"))
    reason = "uv works on %s of the project in %s" % (place, folder)
    if interpreter is None:
        return Verdict("unknown", reason + ", which it would have to make first", names=names)
    site = interpreter.scheme(environ)["purelib"]
    if refusal := why_not_writable(site, run.invocation.elevated):
        return Verdict(*refusal)
    return Verdict(SITE, reason, site, interpreter, names=names)
