"""Where ``uv pip install`` and ``uv add`` would install.

Written after ``crates/uv/src/commands/pip/install.rs``. uv has no user site, reads nothing of
pip's configuration, looks only into the environment itself, and needs a cache it can write.
"""

from __future__ import annotations

import os

from ..facts.search_path import home_folder, module_origin
from ..facts.writability import why_not_replaceable, why_not_writable
from ..shell.option_grammar import UV, Line, read_line
from . import SITE, Verdict
from .local_candidates import best_local, read_request, standing
from .uv_discovery import choose_interpreter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..facts.interpreter_files import Interpreter
    from ..shell.invocation import Invocation
    from .local_candidates import Request

__all__ = ["decide_uv"]

_TRUE = ("1", "true", "yes", "on", "y", "t")


def decide_uv(invocation: Invocation, kernel: Interpreter) -> Verdict:
    """Return what this uv command would do in a process of the kernel."""
    line = read_line(invocation.words, UV)
    if invocation.interpreter is not None:
        path = invocation.interpreter.search_path(
            invocation.environ, invocation.cwd, invocation.first, invocation.no_user_site
        )
        if module_origin("uv", path) is None:
            python = invocation.interpreter.executable
            return Verdict("no-installer", "%s has no module named uv" % python)
    folder = line.last("directory")
    if folder:
        invocation = invocation._replace(cwd=os.path.join(invocation.cwd, folder))
    if line.positional[:1] == ["add"]:
        return _add(invocation, line)
    return _pip_install(invocation, line, kernel)


def _request(invocation: Invocation, line: Line, skip: int) -> Request:
    return read_request(
        line.positional[skip:], line.all("requirement"), line.all("editable"), invocation.cwd
    )


def _on(line: Line, environ: dict[str, str], name: str) -> bool:
    if line.has("no-" + name):
        return False
    variable = "UV_" + name.upper().replace("-", "_")
    return line.has(name) or environ.get(variable, "").lower() in _TRUE


def _cache_obstacle(invocation: Invocation, line: Line) -> tuple[str, str] | None:
    environ = invocation.environ
    if _on(line, environ, "no-cache"):
        return None
    home = environ.get("XDG_CACHE_HOME") or os.path.join(home_folder(environ), ".cache")
    cache = line.last("cache-dir") or environ.get("UV_CACHE_DIR") or os.path.join(home, "uv")
    stop = why_not_writable(os.path.join(invocation.cwd, cache), invocation.elevated)
    return (stop[0], "uv cannot write its cache: " + stop[1]) if stop else None


def _pip_install(invocation: Invocation, line: Line, kernel: Interpreter) -> Verdict:
    environ, cwd = invocation.environ, invocation.cwd
    if line.has("user"):
        return Verdict("fails", "uv has no --user: it knows no user site")
    if line.problem:
        return Verdict("fails", "uv: " + line.problem)
    request = _request(invocation, line, 2)
    if request.problem:
        return Verdict("fails", request.problem)
    stop = _cache_obstacle(invocation, line)
    if stop:
        return Verdict(*stop)
    target, prefix = line.last("target"), line.last("prefix")
    choice = choose_interpreter(invocation, line, kernel, any_serves=bool(target or prefix))
    if isinstance(choice[0], str):
        return Verdict(choice[0], choice[1], names=request.names)
    interpreter, reason = choice
    if any(value and any(value in w for w in invocation.uncertain) for value in (target, prefix)):
        return Verdict("unknown", "the folder depends on something only a run can know")
    scheme = interpreter.scheme(environ)
    outcome = SITE
    if target:
        outcome, scheme = "target-dir", _flat(os.path.normpath(os.path.join(cwd, target)))
    elif prefix:
        outcome, base = "prefix", os.path.normpath(os.path.join(cwd, prefix))
        site = interpreter.site_below(base)
        scheme = {"purelib": site, "platlib": site, "scripts": os.path.join(base, "bin")}
    elif interpreter.externally_managed() and not _on(line, environ, "break-system-packages"):
        return Verdict(
            "refused-externally-managed",
            "%s is externally managed (PEP 668)" % interpreter.prefix,
            interpreter=interpreter,
            names=request.names,
        )
    verdict = _contents(invocation, line, request, scheme, outcome, reason)
    return verdict._replace(interpreter=interpreter, names=request.names)


def _flat(folder: str) -> dict[str, str]:
    return {"purelib": folder, "platlib": folder, "scripts": os.path.join(folder, "bin")}


def _contents(
    invocation: Invocation,
    line: Line,
    request: Request,
    scheme: dict[str, str],
    outcome: str,
    reason: str,
) -> Verdict:
    """Look at what stands in the environment and what could be written there."""
    environ, cwd = invocation.environ, invocation.cwd
    links = line.all("find-links")
    links += [part for part in environ.get("UV_FIND_LINKS", "").split(",") if part]
    offline = _on(line, environ, "no-index")
    pre = line.last("prerelease") == "allow"
    upgrade, again = line.has("upgrade"), line.has("reinstall")
    site = scheme["purelib"]
    met = bool(request.wanted) and not (request.files or request.opaque)
    chosen, replaced = list(request.files), []
    for wanted in request.wanted:
        found, holds = standing(wanted, list(dict.fromkeys((site, scheme["platlib"]))))
        best = best_local(wanted, links, cwd, pre) if links else None
        if offline and best is None and not (holds and not upgrade):
            return Verdict("fails", "no local folder has %s" % wanted.name)
        newer = upgrade and (best is None or found is None or best.version != found.version)
        if holds and not newer and not again:
            continue
        met = False
        if best is not None and offline:
            chosen.append(best)
        if found:
            replaced.append(found)
    if met:
        return Verdict("already-satisfied", "%s has it already" % site, site)
    if line.has("dry-run") or line.has("check"):
        return Verdict("no-change", "a dry run installs nothing")
    for found in replaced:
        if os.path.isfile(found.metadata):  # without RECORD uv goes on, with a bare file it stops
            text = "%s in %s was installed by distutils" % (found.name, found.folder)
            return Verdict("refused-cannot-uninstall", text)
        stop = why_not_replaceable(found, invocation.elevated)
        if stop:
            return Verdict(*stop)
    size = sum(candidate.size() for candidate in chosen)
    contents = [candidate.inside() for candidate in chosen]
    folders = {scheme["platlib"] if platlib else site for _, platlib in contents} or {site}
    for folder in sorted(folders):
        stop = why_not_writable(folder, invocation.elevated, size)
        if stop:
            return Verdict(*stop)
    stop = why_not_writable(scheme["scripts"], invocation.elevated)
    if stop and any(scripts for scripts, _ in contents):
        note = "the modules would be left behind without their scripts"
        return Verdict(*stop, path=site, notes=(note,))
    removed = tuple(found.folder for found in replaced)
    return Verdict(outcome, reason, site, removed=removed)


def _add(invocation: Invocation, line: Line) -> Verdict:
    """``uv add`` works on the project that the folder lies in, and on its own ``.venv``."""
    environ, folder = invocation.environ, invocation.cwd
    if line.last("project"):
        folder = os.path.join(folder, line.last("project") or "")
    if line.last("script"):
        return Verdict("no-change", "`uv add --script` writes into the script only")
    request = _request(invocation, line, 1)
    for _ in range(64):
        if os.path.isfile(os.path.join(folder, "pyproject.toml")):
            break
        parent = os.path.dirname(folder)
        if parent == folder:
            return Verdict("fails", "there is no pyproject.toml in this folder or above it")
        folder = parent
    place = os.path.join(folder, environ.get("UV_PROJECT_ENVIRONMENT") or ".venv")
    if line.has("active") and environ.get("VIRTUAL_ENV"):
        place = environ["VIRTUAL_ENV"]
    from ..facts.interpreter_files import read_interpreter

    found = read_interpreter(os.path.join(place, "bin", "python"))
    reason = "`uv add` works on %s of the project in %s" % (place, folder)
    if line.has("no-sync") or line.has("frozen"):
        return Verdict("no-change", "the project is changed, its environment is not")
    if found is None:
        return Verdict(
            "unknown", reason + ", which it would have to make first", names=request.names
        )
    site = found.scheme(environ)["purelib"]
    stop = why_not_writable(site, invocation.elevated)
    if stop:
        return Verdict(*stop)
    return Verdict(SITE, reason, site, found, names=request.names)
