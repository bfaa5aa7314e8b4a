"""What ``pip install`` would do, by the rules of the release that would run.

In pip's own order: which pip, its options, what refuses the command, where it would install, what
is there already, what would be replaced and written. Written after ``commands/install.py``
(``run``, ``decide_user_install``), ``cli/base_command.py``, ``cli/main_parser.py``,
``locations/__init__.py``, ``resolution/resolvelib`` (what counts as satisfied, what is taken away),
``operations/install/wheel.py`` (scripts come last), ``req/req_uninstall.py`` and ``utils/misc.py``
of pip 9 to 26. pip itself can be asked: the command that makes it say its decision is built here.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple, Sequence, Tuple

from ..facts import writability
from ..facts.interpreter import Interpreter, read_interpreter, scheme_folders
from ..facts.search_path import Installed, home_folder, module_origin, read_text
from ..shell.option_grammar import PIP, read_line
from ..shell.reach import Invocation
from . import DEFAULTS_TO_USER, SCRIPTS_MISSING, SITE, Verdict
from . import local_candidates as local
from .local_candidates import Candidate, Compared, LocalFolders, Request
from .pip_settings import PipOptions, parse_ini, read_pip_options
from .removals import removal

Refusal = Tuple[str, str]
_SHADOWED_BY_OLD_PIP = (
    *("random", "copy", "json", "re", "logging", "string", "tempfile", "types", "socket", "ssl"),
    *("email", "http", "optparse", "hashlib", "zipfile", "shutil", "platform", "queue", "locale"),
    *("collections", "configparser", "subprocess", "textwrap", "calendar"),
)
"""Modules of the standard library that pip imports after it has started."""
_OLDEST_THAT_STARTS = (((3, 12), (23, 1)), ((3, 10), (19, 2)))
"""From this Python on, the first pip that starts at all (each pair was tried)."""
_STAYS = ("", "")
"""The answer for a copy that pip leaves alone and installs beside."""


class _Pip(NamedTuple):
    """The pip that would be imported."""

    folder: str = ""
    text: str = ""
    """Its version as it stands there."""
    version: tuple[int, ...] = ()
    problem: Refusal | None = None
    """Outcome and reason where it would not even start."""


class _Run(NamedTuple):
    """One command of one pip."""

    invocation: Invocation
    pip: _Pip
    interpreter: Interpreter
    """The one that pip works on."""
    options: PipOptions
    notes: tuple[str, ...] = ()

    def absolute(self, path: str) -> str:
        # pip expands no tilde here: that of a configuration file is a folder called `~`
        return os.path.normpath(os.path.join(self.invocation.cwd, path))

    def user_site_allowed(self) -> bool:
        invocation = self.invocation
        return bool(self.interpreter.user_site_allowed(invocation.environ, invocation.no_user_site))


class _Place(NamedTuple):
    """The folders that are chosen, and the word for them."""

    scheme: dict[str, str]
    outcome: str
    reason: str


def decide_pip(invocation: Invocation, kernel: Interpreter) -> Verdict:
    """Return what ``pip install`` would do, started as *invocation* says."""
    interpreter = invocation.interpreter
    if interpreter is None:
        return Verdict("unknown", "the interpreter behind this pip is not known")
    pip = _find_pip(invocation, interpreter)
    if pip.problem:
        verdict = Verdict(*pip.problem)
    else:
        options = read_pip_options(invocation, interpreter.prefix, pip.version)
        if (run := _sent_elsewhere(_Run(invocation, pip, interpreter, options))) is None:
            named = options.value("python")
            verdict = Verdict("fails", "pip cannot find the interpreter %s" % named)
        else:
            interpreter = run.interpreter
            verdict = _refusal(run) or (_remove if invocation.removes else _install)(run)
            verdict = verdict._replace(notes=(*verdict.notes, *run.notes))
    return verdict._replace(interpreter=interpreter, version=pip.text or None)


def _find_pip(invocation: Invocation, interpreter: Interpreter) -> _Pip:
    """Find the pip that is imported and read its version."""
    if (origin := module_origin("pip", invocation.search_path(interpreter))) is None:
        return _Pip(problem=("no-installer", "%s has no module named pip" % interpreter.executable))
    package = os.path.join(origin, "pip")
    text = read_text(os.path.join(package, "__init__.py"), 16 * 1024) or ""
    match = re.search(r"__version__\s*=\s*['\"]([^'\"]+)", text)
    if not os.path.isfile(os.path.join(package, "__main__.py")) and os.path.isdir(package):
        return _Pip(problem=("no-installer", "%s has no part that can be run" % package))
    if not match:
        return _Pip(problem=("fails", "a local %s is in the way of the installer" % package))
    version = tuple(int(part) for part in re.findall(r"\d+", match.group(1))[:3])
    pip = _Pip(origin, match.group(1), version)
    reason = _why_no_start(pip, invocation, interpreter)
    return pip._replace(problem=("fails", reason) if reason else None)


def _why_no_start(pip: _Pip, invocation: Invocation, interpreter: Interpreter) -> str:
    """Say why this pip stops before it reads its command line; empty where it does not."""
    for since, oldest in _OLDEST_THAT_STARTS:
        if interpreter.version >= since and pip.version < oldest:
            return "pip %s cannot start on Python %d.%d" % (pip.text, *interpreter.version)
    if pip.version < (20,) and invocation.first == invocation.cwd:
        for name in _SHADOWED_BY_OLD_PIP:
            if os.path.isfile(os.path.join(invocation.cwd, name + ".py")):
                return "pip %s imports %s.py of the folder it is started in" % (pip.text, name)
    return ""


def _sent_elsewhere(run: _Run) -> _Run | None:
    """Follow ``--python`` (``identify_python_interpreter``); None where it leads nowhere."""
    options = run.options
    if not (other := options.value("python")) or options.problem:
        return run
    path = os.path.join(run.invocation.cwd, other)
    if os.path.isdir(path):
        path = os.path.join(path, "bin", "python")
    interpreter = read_interpreter(os.path.normpath(path)) if os.path.exists(path) else None
    if interpreter is None:
        return None
    note = "%s sends pip to %s" % (options.source("python"), interpreter.prefix)
    options = read_pip_options(run.invocation, interpreter.prefix, run.pip.version)
    return run._replace(interpreter=interpreter, options=options, notes=(note,))


def _refusal(run: _Run) -> Verdict | None:
    """Apply the rules that stop pip before it looks for a place."""
    options = run.options
    if options.problem:
        return Verdict("fails", options.problem)
    if options.flag("require-virtualenv") and not run.interpreter.in_venv:
        reason = "a virtual environment is required by " + options.source("require-virtualenv")
        return Verdict("refused-require-virtualenv", reason)
    if options.line.positional[:1] == ["download"]:
        return Verdict("no-change", "`pip download` installs nothing")
    for name in ("target", "prefix", "root"):
        value = options.value(name)
        if value and any(value in word for word in run.invocation.uncertain):
            return Verdict("unknown", "--%s depends on something only a run can know" % name)
    if options.user and options.value("target"):
        if run.pip.version >= (20,):
            return Verdict("refused-option-conflict", "--user and --target cannot be combined")
        return Verdict("fails", "--user cannot be combined with --target")
    if _is_externally_managed(run):
        marker = os.path.join(run.interpreter.stdlib, "EXTERNALLY-MANAGED")
        return Verdict("refused-externally-managed", "%s exists (PEP 668)" % marker)
    if options.user and options.value("prefix"):
        return Verdict("refused-option-conflict", "--user and --prefix cannot be combined")
    return _user_site_refusal(run) if options.user else None


def _is_externally_managed(run: _Run) -> bool:
    """Whether this pip asks for PEP 668's marker, and it is in force."""
    options = run.options
    if run.pip.version < (23,) or options.flag("break-system-packages"):
        return False
    if any(options.value(name) for name in ("target", "prefix", "root")):
        return False
    if options.flag("dry-run") and options.value("report"):
        return False
    return run.interpreter.externally_managed()


def _user_site_refusal(run: _Run) -> Verdict | None:
    """Apply what an explicit ``--user`` meets (``decide_user_install``)."""
    venv = (run.interpreter.venv or {}) if run.interpreter.in_venv else {}
    # pip reads the value with its letters as they are, site.py in lower case
    closed = venv.get("include-system-site-packages") == "false"
    reason = ""
    if closed and run.pip.version >= (20,):
        reason = "the user site is not visible in this virtual environment"
    elif run.pip.version >= (25, 3) and not run.user_site_allowed():
        reason = "the user site is switched off for this interpreter"
    return Verdict("refused-user-site-unavailable", reason) if reason else None


def _remove(run: _Run) -> Verdict:
    """Look for what is named where pip looks for it."""
    line, invocation = run.options.line, run.invocation
    files = run.options.values("requirement")
    request = local.read_request(line.positional[1:], files, (), invocation.cwd)
    if request.problem:
        return Verdict("fails", request.problem, names=request.names)
    verdict = removal(request.names, _search_path(run), run.interpreter, invocation.elevated)
    return verdict._replace(names=request.names)


def _install(run: _Run) -> Verdict:
    """Choose the place, then look at what stands there."""
    options = run.options
    target, prefix, root = (options.value(name) for name in ("target", "prefix", "root"))
    if target:
        path = run.absolute(target)
        if os.path.exists(path) and not os.path.isdir(path):
            return Verdict("fails", "%s exists and is not a folder" % path)
        if prefix:
            return Verdict("fails", "--target and --prefix cannot be combined")
        scheme = scheme_folders(path, path)
        place = _Place(scheme, "target-dir", "--target from %s" % options.source("target"))
    elif prefix:
        base = run.absolute(prefix)
        # from 26.3 on Debian's own scheme is not used here
        site = run.interpreter.site_below(base, debian_local=run.pip.version < (26, 3))
        scheme = scheme_folders(site, base)
        place = _Place(scheme, "prefix", "--prefix from %s" % options.source("prefix"))
    else:
        place = _default_place(run, root)
    if root:
        scheme = {name: run.absolute(root) + path for name, path in place.scheme.items()}
        place = _Place(scheme, "root-dir", "--root from %s goes in front" % options.source("root"))
    return _judge_contents(run, place)


def _default_place(run: _Run, root: str | None) -> _Place:
    """Choose between the interpreter's own folders and the user site."""
    invocation, options = run.invocation, run.options
    scheme = run.interpreter.scheme(invocation.environ)
    reason = "the default place of %s" % run.interpreter.executable
    if moved := _distutils_override(run):
        scheme = {**scheme, **moved}
        reason = "a configuration file of distutils names the folder"
    user = options.user
    if user:
        reason = "the user site was asked for by %s" % options.source("user")
    elif user is None and run.pip.version >= (20,) and run.user_site_allowed():
        front = run.absolute(root) if root else ""
        places = dict.fromkeys(front + scheme[name] for name in ("purelib", "platlib"))
        elevated = invocation.elevated
        closed = [place for place in places if not writability.looks_writable(place, elevated)]
        user = bool(closed)
        if user:
            reason = DEFAULTS_TO_USER % writability.describe_access(closed[0])["detail"]
    if user:
        scheme = run.interpreter.user_scheme(invocation.environ, invocation.cwd)
        return _Place(scheme, "user-site", reason)
    return _Place(scheme, SITE, reason)


def _distutils_override(run: _Run) -> dict[str, str]:
    """Return scheme folders that configuration files of distutils move, or nothing.

    pip asks distutils before 21.3 everywhere, and before 26.1 on Python older than 3.10.
    """
    interpreter, version, cwd = run.interpreter, run.pip.version, run.invocation.cwd
    if version >= (26, 1) or (version >= (21, 3) and interpreter.version >= (3, 10)):
        return {}
    files = (
        os.path.join(interpreter.stdlib, "distutils", "distutils.cfg"),
        os.path.join(home_folder(run.invocation.environ), ".pydistutils.cfg"),
        os.path.join(cwd, "setup.cfg"),
    )
    entries = [entry for path in files for entry in parse_ini(path) if entry[0] == "install"]
    settings = {k: v and os.path.join(cwd, os.path.expanduser(v)) for _, k, v in entries}
    prefix, home = settings.get("prefix"), settings.get("home")
    moved: dict[str, str] = {}
    if prefix:
        moved = scheme_folders(interpreter.site_below(prefix), prefix)
    elif home:
        moved = scheme_folders(os.path.join(home, "lib", "python"), home)
    for name in ("purelib", "platlib", "scripts"):
        moved[name] = settings.get("install-" + name) or moved.get(name, "")
    if settings.get("install-lib"):
        moved.update(purelib=settings["install-lib"], platlib=settings["install-lib"])
    return {name: folder for name, folder in moved.items() if folder}


def _judge_contents(run: _Run, place: _Place) -> Verdict:
    """Return the verdict on *place* after a look at what is asked for and what stands there."""
    options, line = run.options, run.options.line
    files = options.values("requirement")
    kinds = ("editable", "group", "requirements-from-script")
    others = [value for kind in kinds for value in options.values(kind)]
    tables = local.LOCKS if run.pip.version >= (26, 1) else ""
    request = local.read_request(line.positional[1:], files, others, run.invocation.cwd, tables)
    if request.problem:
        return Verdict("fails", request.problem, names=request.names)
    return _judge_request(run, place, request)._replace(names=request.names)


def _judge_request(run: _Run, place: _Place, request: Request) -> Verdict:
    path = _search_path(run)
    compared = _compare(run, request, path)
    if compared.missing:
        return Verdict("fails", "no local folder has %s" % compared.missing)
    if compared.met:
        name = request.wanted[0].name
        copy, _ = local.standing(request.wanted[0], path)
        where = copy.folder if copy else None
        return Verdict("already-satisfied", "%s is already satisfied in %s" % (name, where), where)
    if run.options.flag("dry-run"):
        return Verdict("no-change", "a dry run installs nothing")
    removed, notes = [], []
    for copy in compared.replaced:
        refusal = _refusal_to_replace(copy, run, place)
        if refusal == _STAYS:
            notes.append("the copy of %s in %s stays" % (copy.name, copy.folder))
            continue
        refusal = refusal or writability.why_not_replaceable(copy, run.invocation.elevated)
        if refusal:
            return Verdict(*refusal)
        removed.append(copy.folder)
    verdict = _written(run, place, compared.chosen)
    kept = run.options.value("target") and not run.options.flag("upgrade")
    if verdict.outcome == place.outcome and kept:
        verdict = verdict._replace(kept_old=_holds(place.scheme["purelib"], request))
    return verdict._replace(removed=tuple(removed), notes=(*notes, *verdict.notes))


def _search_path(run: _Run) -> list[str]:
    invocation = run.invocation
    # from 20.3 on `python -m pip` takes its folder off sys.path again
    if invocation.first == invocation.cwd and run.pip.version >= (20, 3):
        invocation = invocation._replace(first=None)
    return invocation.search_path(run.interpreter)


def _compare(run: _Run, request: Request, path: list[str]) -> Compared:
    options = run.options
    upgrade, offline = options.flag("upgrade"), options.flag("no-index")
    ignore = options.flag("ignore-installed") or bool(options.value("target"))
    links = LocalFolders(options.values("find-links"), run.invocation.cwd, options.flag("pre"))
    compared = local.compare(
        request,
        path,
        links,
        offline=offline,
        upgrade=upgrade,
        again=ignore or options.flag("force-reinstall"),
        links_decide=offline,  # only without an index is the newest version known
        links_are_taken=offline or not upgrade,
    )
    return compared._replace(replaced=()) if ignore else compared


def _refusal_to_replace(copy: Installed, run: _Run, place: _Place) -> Refusal | None:
    """Return outcome and reason of a refusal, ``_STAYS``, or None where the copy is taken away."""
    interpreter, folder = run.interpreter, copy.folder
    if place.outcome == "user-site" and not _below(folder, place.scheme["purelib"]):
        # what lies in the global site is shadowed, which does not work in a virtual environment
        own = interpreter.scheme(run.invocation.environ)["purelib"]
        if interpreter.in_venv and _below(folder, own):
            return "fails", "the user site would come after %s, which has %s" % (folder, copy.name)
        return _STAYS
    # Debian's own pip never touches what Debian's package manager owns
    of_debian = _below(folder, "/usr") and not _below(folder, "/usr/local")
    debian_pip = _below(run.pip.folder, "/usr/lib/python3/dist-packages")
    outside = interpreter.in_venv and not _below(folder, interpreter.prefix)
    if outside or (not interpreter.in_venv and debian_pip and of_debian):
        return _STAYS
    if not copy.removable:
        text = "%s %s in %s has no list of its files" % (copy.name, copy.version, folder)
        return "refused-cannot-uninstall", text
    return None


def _below(path: str, folder: str) -> bool:
    path, folder = os.path.realpath(path), os.path.realpath(folder)
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _holds(site: str, request: Request) -> bool:
    modules = (name.replace("-", "_") for name in request.names)
    return any(module_origin(module, [site]) is not None for module in modules)


def _written(run: _Run, place: _Place, chosen: Sequence[Candidate]) -> Verdict:
    """Return what stops the files from being written, where it can be seen beforehand."""
    elevated, scheme = run.invocation.elevated, place.scheme
    files = local.unpacked(chosen)
    for name in files.folders:
        if refusal := writability.why_not_writable(scheme[name], elevated, files.size):
            return Verdict(*refusal)
    notes: tuple[str, ...] = ()
    refusal = writability.why_not_writable(scheme["scripts"], elevated)
    if refusal and refusal[0] == "refused-permission":
        if files.scripts:
            # scripts come last: the modules and their metadata are there by then, and stay
            return Verdict(*refusal, path=scheme["purelib"], notes=(SCRIPTS_MISSING,))
        if not files.known:
            notes = ("scripts could not be written: " + refusal[1],)
    site = scheme["platlib" if files.folders == ("platlib",) else "purelib"]
    return Verdict(place.outcome, place.reason, site, notes=notes)


_NAME = "safeinstall-asks-for-what-is-not-there"
_PLACES = [
    "user",
    "no-user",
    "target",
    "prefix",
    "root",
    "python",
    "isolated",
    "break-system-packages",
]
_LINES = (
    ("externally-managed", "refused-externally-managed"),
    ("find an activated virtualenv", "refused-require-virtualenv"),
    ("an not combine", "refused-option-conflict"),
    ("an not perform a '--user'", "refused-user-site-unavailable"),
    ("No module named pip", "no-installer"),
    ("no such option", "fails"),
    ("Permission denied", "refused-permission"),
    ("due to --prefix or --target", "elsewhere"),
    ("Non-user install", "site"),
    ("User install by explicit request", "user-site"),
    ("Defaulting to user installation", "user-site"),
)
_ANY_PLACE = ("root-dir", "fails", "refused-permission")
_FITTING = {
    "site": (*_ANY_PLACE, "env-site", "wrong-interpreter", "refused-cannot-uninstall"),
    "elsewhere": (*_ANY_PLACE, "target-dir", "prefix"),
    "user-site": (*_ANY_PLACE, "user-site"),
}
"""The outcomes that each of pip's words about a place goes with."""


class Answer(NamedTuple):
    """What pip said."""

    outcome: str
    """A word of ``Prediction.outcome``; ``site`` or ``elsewhere`` where pip names no folder."""
    sentence: str
    """The line of pip's output that decided."""


def question(python: str, options: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the argument list that asks the pip of *python*.

    *options* are those of the command in question; only what decides the place is kept.
    """
    given = read_line(["install", *options], PIP).options
    named = [("--" + name, value) for name, value in given if name in _PLACES]
    kept = ["%s=%s" % (name, value) if value else name for name, value in named]
    before = [option for option in kept if option.startswith(("--python", "--isolated"))]
    after = [option for option in kept if option not in before]
    fixed = ("-vv", "--no-index", "--no-deps", "--no-cache-dir", "--disable-pip-version-check")
    return (python, "-m", "pip", *before, "install", *fixed, *after, _NAME)


def read_answer(output: str) -> Answer:
    """Find the deciding line in what pip printed (both streams); else ``unknown``."""
    lines = output[:200_000].splitlines()
    for text, outcome in _LINES:
        for line in lines:
            if text in line:
                return Answer(outcome, line.strip())
    return Answer("unknown", "pip did not say where it would install")


def agrees(outcome: str, answer: Answer) -> bool | None:
    """Tell whether pip's own words fit a predicted *outcome*; None where they do not tell.

    pip says nothing about permissions it has not met yet, nor about what is already there.
    """
    if "unknown" in (answer.outcome, outcome) or outcome in ("already-satisfied", "no-change"):
        return None
    return outcome in _FITTING.get(answer.outcome, (answer.outcome,))
