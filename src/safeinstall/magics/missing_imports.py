"""A module that is not there: the line that installs it, or the truth about it.

An exception and facts in, one remark out (`remark`); `remark_about` collects the facts of this
process. Nothing is ever installed from here.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import linecache
import os
import re
import sys
import traceback
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from safeinstall.distributions import InstalledIndex
from safeinstall.environment import Environment, shown
from safeinstall.frontend import NOTEBOOK, Frontend
from safeinstall.request import names

_INSTALL_HINT: Final = re.compile(
    r"\b(?:pip3?|conda|mamba|uv(?: pip)?|poetry|pdm)\s+(?:install|add)\s+(?:-{1,2}[\w-]+\s+)*"
    r"['\"`]?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9])(?P<extras>\[[A-Za-z0-9_,. -]+\])?"
)
_OPTIONAL: Final = re.compile(r"[Mm]issing optional dependency '(?P<name>[A-Za-z0-9._-]+)'")
_MODULE: Final = re.compile(r"No module named '?(?P<name>[\w.]+)'?")
_LACKED: Final = re.compile(r"cannot import name '(\w+)' from '([\w.]+)' \(unknown location\)")
"""What Python says of a namespace package (PEP 420)."""
_MOST_LINES: Final = 30
"""Of one import."""
_LONGEST: Final = 12
"""Exceptions looked at along `__cause__` and `__context__`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """What an import did not find."""

    module: str
    """The dotted name."""
    hint: str = ""
    """The requirement that an error message tells to install, or empty."""

    @property
    def top(self) -> str:
        """The first part of the name: what is installed or not."""
        return self.module.split(".")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is true of the missing module on this machine, each empty when it is not."""

    python: str
    """Major and minor version of the kernel's Python."""
    found_now: str = ""
    """The file an import would use by now."""
    loaded: bool = False
    """True when its top-level package is loaded in this kernel."""
    own_file: str = ""
    """A file or folder of that name in the notebook's surroundings, not on the import path."""
    own_folder: str = ""
    """The folder that would have to be on the import path for it."""
    installed: str = ""
    """Name and version of the installed distribution that should bring it."""
    other_interpreter: str = ""
    """Another environment that has it."""
    environment: str = ""
    """The kernel's environment, as shown."""
    own_package: str = ""
    """The file or folder of the user's own that the top-level name stands for in this kernel."""
    in_python: bool = False
    """True where the top-level name is in this Python's own library and can be imported."""
    built_without: bool = False
    """True for a module of this Python's own library."""
    failed: frozenset[str] = frozenset()
    """Canonical names whose install has already failed in this kernel."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One line below a traceback."""

    kind: str
    """Stable: `install`, `stale`, `run-again`, `stdlib`, `own-file`, `broken`, `elsewhere`, `slip`,
    `unknown`, `no-submodule`."""
    sentence: str
    command: str = ""
    """The line to type, or empty."""
    wanted: str = ""
    """The requirement that the line installs, or empty."""
    if_known: str = ""
    """The sentence, should an index know a name that no table does."""


def missing_from(error: BaseException | None) -> Missing | None:
    """Return what is missing according to an exception and its causes, or None.

    The innermost missing module counts; a requirement named in any message along the way wins over
    a guess.
    """
    module, hint = "", ""
    for each in _chain(error):
        if not isinstance(each, ImportError):
            continue
        text = str(each)[:4000]
        if lacked := _LACKED.search(text):
            dotted = f"{lacked[2]}.{lacked[1]}"
            module = dotted if names.distribution_of(dotted) else module
        named = _INSTALL_HINT.search(text) or _OPTIONAL.search(text)
        if named and not hint:
            hint = named["name"] + (named.groupdict().get("extras") or "")
        if (found := _MODULE.search(text)) or isinstance(each, ModuleNotFoundError):
            name = each.name or (found["name"] if found else "")
            if name and all(part.isidentifier() for part in name.split(".")):
                module = _dotted(name, each)
        elif named and not module:
            module = named["name"].replace("-", "_")
    return Missing(module=module, hint=hint) if module else None


def _dotted(name: str, error: BaseException) -> str:
    """Return the module that the failed statement wanted, where its first part says too little.

    Python names `google` alone where there is no namespace yet, whatever was wanted of it.
    """
    if "." in name or names.distribution_of(name):
        return name
    wanted = (
        f"{getattr(statement, 'module', None) or ''}.{alias.name}".strip(".")
        for statement in _failed_statement(error)
        if isinstance(statement, ast.Import | ast.ImportFrom)
        for alias in statement.names
    )
    known = (each for each in wanted if each.startswith(f"{name}.") and names.distribution_of(each))
    return next(known, name)


def _failed_statement(error: BaseException) -> list[ast.stmt]:
    """Return the statement that raised, read from the line on where it begins."""
    frames = list(traceback.walk_tb(error.__traceback__))
    text = ""
    for further in range(_MOST_LINES if frames else 0):
        frame, line = frames[-1]
        text += linecache.getline(frame.f_code.co_filename, line + further)
        try:
            return ast.parse(text.strip()).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return []


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen and len(seen) < _LONGEST:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def remark(missing: Missing, facts: Facts, frontend: Frontend = NOTEBOOK) -> Remark | None:
    """Return the one line to say, or None when there is nothing helpful left to say."""
    module, top = missing.module, missing.top
    if facts.found_now:
        if facts.loaded and module != top:
            there = f"{module} is on disk now ({facts.found_now}), but this kernel has loaded"
            return Remark("stale", f"{there} another {top}: restart the kernel.")
        there = f"{module} is there now ({facts.found_now})"
        return Remark("run-again", f"{there}: run the cell again.")
    if stdlib := elsewhere_in_python(top, facts.python, frontend):
        return stdlib
    rest = module.partition(".")[2]
    if facts.own_package and rest:
        own = f"{top} is your own {facts.own_package}, and has no {rest}."
        return Remark("own-file", own)
    if facts.in_python and rest:
        return Remark("stdlib", f"{top} is part of Python {facts.python} and has no {rest}.")
    if facts.built_without:
        built = f"{top} is part of Python itself, but this Python {facts.python} was built"
        return Remark("stdlib", f"{built} without it; no package brings it back.")
    if facts.own_file:
        own = f"{top} is a file of yours, {facts.own_file}, in a folder this kernel does"
        line = f"import sys; sys.path.insert(0, {facts.own_folder!r})"
        return Remark("own-file", f"{own} not import from.", line)
    if facts.installed and module == top:
        there = f"{facts.installed} is installed in {facts.environment}, but {module} is"
        words = f"{there} not there: the install is damaged."
        return Remark("broken", words, frontend.line("doctor"))
    wanted = _wanted(missing)
    return _to_install(missing, wanted, facts, frontend) if wanted else None


def _to_install(missing: Missing, wanted: str, facts: Facts, frontend: Frontend) -> Remark | None:
    """Return the line that installs what is wanted, as far as anybody knows it."""
    module, top, key = missing.module, missing.top, canonicalize_name(wanted.split("[")[0])
    if facts.installed:
        words = f"{facts.installed} is installed and has no {module}: another version may."
        return Remark("no-submodule", words, frontend.line("install", "--upgrade", wanted))
    if key in facts.failed:
        return None
    line, there = frontend.line("install", wanted), f"is not installed in {facts.environment}"
    if facts.other_interpreter:
        has = f"{top} is installed in {facts.other_interpreter}, not in {facts.environment}"
        return Remark("elsewhere", f"{has}, where this kernel runs.", line, wanted)
    part = top if names.distribution_of(top) or missing.hint else module
    other = f" ({part} comes with {wanted})" if canonicalize_name(top) != key else ""
    if missing.hint or key in names.known() | names.popular() | names.neighbours():
        return Remark("install", f"{module} {there}{other}.", line, wanted)
    if near := names.slip_of(key):
        line = frontend.line("install", near)
        return Remark("slip", f"{module} {there}. Did you mean {near}?", line, near)
    words = f"{module} {there}, and no package of that name is known here."
    return Remark("unknown", words, "", wanted, f"{module} {there}.")


def _wanted(missing: Missing) -> str:
    """Return the requirement: the table's, unless a message says what to install.

    A private module (`_speedups`) is part of something whose name it does not tell: empty.
    """
    if missing.hint and not missing.hint.startswith("-"):
        return missing.hint
    guess = "" if missing.top.startswith("_") else missing.top.replace("_", "-").rstrip("-")
    return names.distribution_of(missing.module) or guess


def _table(text: str) -> dict[str, str]:
    return dict(pair.split(":", 1) for pair in text.split())


_REMOVED: Final = {
    "3.10": "formatter parser symbol",
    "3.11": "binhex",
    "3.12": "asynchat asyncore distutils imp smtpd",
    "3.13": "aifc audioop cgi cgitb chunk crypt imghdr lib2to3 mailcap msilib nis nntplib"
    " ossaudiodev pipes sndhdr spwd sunau telnetlib uu xdrlib",
}
"""From "What's New in Python": the version without it."""
_ADDED: Final = {"3.9": "graphlib zoneinfo", "3.11": "tomllib", "3.14": "annotationlib compression"}
"""The first version with it."""
_PYTHON_2: Final = _table("""
BaseHTTPServer:http.server ConfigParser:configparser Cookie:http.cookies HTMLParser:html.parser
Queue:queue SimpleHTTPServer:http.server SocketServer:socketserver StringIO:io Tkinter:tkinter
__builtin__:builtins cPickle:pickle cStringIO:io commands:subprocess cookielib:http.cookiejar
dummy_thread:threading httplib:http.client sets:builtins thread:threading
tkMessageBox:tkinter.messagebox urllib2:urllib.request urlparse:urllib.parse
xmlrpclib:xmlrpc.client
""")
_BACKPORTS: Final = _table("""
distutils:setuptools tomllib:tomli zoneinfo:backports.zoneinfo asyncore:pyasyncore
asynchat:pyasynchat audioop:audioop-lts cgi:legacy-cgi telnetlib:standard-telnetlib
imghdr:standard-imghdr pipes:standard-pipes crypt:legacycrypt
""")
"""Distributions that bring the module, or its like, to another version."""


def elsewhere_in_python(module: str, python: str, frontend: Frontend) -> Remark | None:
    """Return what is to be said about a module of another Python's library, or None."""
    own = _number(python)
    if new_name := _PYTHON_2.get(module):
        words = f"{module} is a module of Python 2; Python 3 calls it {new_name}."
        return Remark("stdlib", words, f"import {new_name}")
    package = _BACKPORTS.get(module)
    command = frontend.line("install", package) if package else ""
    for version, gone in _REMOVED.items():
        if module in gone.split() and own >= _number(version):
            until = f"{module} was part of Python until {version} took it out;"
            return Remark("stdlib", f"{until} this kernel runs {python}.", command)
    for version, came in _ADDED.items():
        if module in came.split() and own < _number(version):
            since = f"{module} is part of Python from {version} on;"
            return Remark("stdlib", f"{since} this kernel runs {python}.", command)
    return None


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def remark_about(
    error: BaseException | None,
    environment: Environment,
    *,
    cwd: str,
    environ: Mapping[str, str],
    frontend: Frontend = NOTEBOOK,
    failed: Collection[str] = (),
) -> Remark | None:
    """Return the line about an exception of this process, or None when it is none of ours.

    `failed` holds canonical names whose install has failed in this kernel.
    """
    if (missing := missing_from(error)) is None:
        return None
    own_file, own_folder = _own_file(missing.top, cwd)
    other = _other_environment(missing.top, environment, cwd, environ)
    in_python = missing.top in sys.stdlib_module_names
    facts = Facts(
        python=environment.python,
        found_now=shown(_found_now(missing.module), environment.home),
        loaded=missing.top in sys.modules,
        own_file=shown(own_file, environment.home),
        own_folder=own_folder,
        installed=_installed(missing, environment),
        other_interpreter=shown(other, environment.home),
        environment=environment.label,
        own_package=shown(_own_package(missing.top, cwd), environment.home),
        in_python=in_python and missing.top in sys.modules,
        built_without=in_python,
        failed=frozenset(failed),
    )
    return remark(missing, facts, frontend)


def _found_now(module: str) -> str:
    """Return the file an import would use now that the caches are refreshed, or an empty text."""
    importlib.invalidate_caches()
    parent, _, _ = module.rpartition(".")
    if parent and parent not in sys.modules:
        return ""  # looking for a submodule would import its package
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return ""
    if spec is None:
        return ""
    return spec.origin or next(iter(spec.submodule_search_locations or ()), "")


def _own_file(top: str, cwd: str) -> tuple[str, str]:
    """Return a file or package of that name beside, below or above the notebook, and its folder."""
    here = Path(cwd)
    try:
        below = sorted(each for each in here.iterdir() if each.is_dir() and each.name[:1] != ".")
    except OSError:
        below = []
    known = {os.path.realpath(entry or cwd) for entry in sys.path}
    for folder in (here, here / "src", *below[:50], here.parent, here.parent / "src"):
        if os.path.realpath(folder) in known or "site-packages" in folder.parts:
            continue
        for place in (folder / f"{top}.py", folder / top / "__init__.py"):
            if place.is_file():
                return str(place), str(folder)
    return "", ""


def _own_package(top: str, cwd: str) -> str:
    """Return the file or folder of the notebook's own that is loaded by that name, or nothing."""
    module = sys.modules.get(top)
    places = [*getattr(module, "__path__", ()), getattr(module, "__file__", None) or ""]
    place = os.path.realpath(places[0]) if places[0] else ""
    below = place.startswith(os.path.realpath(cwd) + os.sep)
    return place if below and "site-packages" not in place else ""


def _installed(missing: Missing, environment: Environment) -> str:
    index = InstalledIndex(environment.sys_path)
    for name in (names.distribution_of(missing.module) or "", missing.top):
        found = index.find(canonicalize_name(name)) if name else None
        if found is not None:
            return f"{found.name} {found.version}"
    return ""


def _other_environment(
    top: str, environment: Environment, cwd: str, environ: Mapping[str, str]
) -> str:
    """Return another environment of this machine that has the module, the likeliest first."""
    own = os.path.realpath(environment.prefix)
    for prefix in _prefixes(cwd, environ):
        if os.path.realpath(prefix) == own or not prefix:
            continue
        for site in sorted(Path(prefix, "lib").glob("python3*/site-packages")):
            if (site / f"{top}.py").is_file() or (site / top / "__init__.py").is_file():
                return prefix
    user = environment.user_site
    if user.path and not user.on_path and Path(user.path, top, "__init__.py").is_file():
        return user.path
    return ""


def _prefixes(cwd: str, environ: Mapping[str, str]) -> Iterator[str]:
    yield from (environ.get(variable, "") for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"))
    yield from (str(folder / ".venv") for folder in (Path(cwd), *Path(cwd).parents[:3]))
    for entry in environ.get("PATH", "").split(os.pathsep):
        if os.path.basename(entry) == "bin" and entry not in ("/usr/bin", "/bin"):
            yield os.path.dirname(entry)
