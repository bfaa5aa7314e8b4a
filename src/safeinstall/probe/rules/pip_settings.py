"""pip's options as they come out of its configuration files, variables and command line together.

Written after pip's ``configuration.py`` (``iter_config_files``, ``OVERRIDE_ORDER``) and
``cli/parser.py:ConfigOptionParser``: what is configured becomes the default of an option, and the
command line replaces it. What a release does not know it ignores in a file or variable, and refuses
on the command line. Values stay raw text.
"""

from __future__ import annotations

import os
import sys
from typing import Iterable, Mapping, NamedTuple, Tuple

from ..facts.search_path import home_folder, read_text
from ..shell.option_grammar import PIP, PIP_BOOLEANS, Line, read_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shell.reach import Invocation


Version = Tuple[int, ...]
_BIGGEST_FILE = 256 * 1024
_IGNORED_VARIABLES = ("version", "help", "config-file")
"""Not options of pip: ``configuration.py:ENV_NAMES_IGNORED``, and the variable naming a file."""
_TRUE = ("y", "yes", "t", "true", "on", "1")
_FALSE = ("n", "no", "f", "false", "off", "0")
_SINCE = {
    "user": (0,),
    "no-user": (9,),
    "prefer-binary": (18, 0),
    "python": (22, 3),
    **dict.fromkeys(("no-warn-conflicts", "no-warn-script-location", "progress-bar"), (10, 0)),
    **dict.fromkeys(("config-settings", "root-user-action"), (22, 1)),
    **dict.fromkeys(("dry-run", "report"), (22, 2)),
    "break-system-packages": (23, 0, 1),
    "keyring-provider": (23, 1),
    "group": (25, 1),
    "requirements-from-script": (26, 0),
    "only-deps": (26, 1),
}
_UNTIL = {
    "egg": (10, 0),
    "no-download": (10, 0),
    "process-dependency-links": (19, 0),
    **dict.fromkeys(("build", "build-dir", "build-directory"), (21, 3)),
    "install-option": (23, 1),
}


class Setting(NamedTuple):
    """One value that pip reads from a variable or a configuration file."""

    key: str
    """As an option without its dashes: ``index-url``."""
    value: str
    """Raw text; several values are separated by blanks or line ends."""
    source: str
    """``environment variable PIP_INDEX_URL`` or the path of the file."""
    section: str = ":env:"
    """The section of the file: ``global``, ``install``, ...; ``:env:`` for a variable."""


def _normal(name: str) -> str:
    name = name.lower().replace("_", "-")
    return name[2:] if name.startswith("--") else name


def _config_files(environ: Mapping[str, str], prefix: str, home: str | None = None) -> list[str]:
    """List pip's configuration files, weakest first, existing or not.

    A PIP_CONFIG_FILE that exists switches the user's files off; the null device switches all off.
    """
    own = environ.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return []
    home = home_folder(environ) if home is None else home
    shared, users = _places(environ, home)
    users = [] if own and os.path.exists(own) else users
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    files = [os.path.join(folder, name) for folder in (*shared, *users, prefix)]
    return [*files, own] if own else files


def _places(environ: Mapping[str, str], home: str) -> tuple[list[str], list[str]]:
    """Return the machine's folders and the user's (``get_configuration_files``)."""
    legacy = os.path.join(home, "pip" if sys.platform == "win32" else ".pip")
    if sys.platform == "win32":
        machine, roaming = environ.get("PROGRAMDATA", ""), environ.get("APPDATA", "")
        return [os.path.join(machine, "pip")], [legacy, os.path.join(roaming, "pip")]
    user = os.path.join(environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "pip")
    if sys.platform == "darwin":
        own = os.path.join(home, "Library", "Application Support", "pip")
        own = own if os.path.isdir(own) else os.path.join(home, ".config", "pip")
        return ["/Library/Application Support/pip"], [legacy, own]
    shared = environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    folders = [os.path.join(folder, "pip") for folder in shared.split(os.pathsep)]
    return [*folders, "/etc"], [legacy, user]


def parse_ini(path: str, wrong: list[int] | None = None) -> list[tuple[str, str, str]]:
    """Read an INI file as ``RawConfigParser`` does: (section, key, value), continued lines joined.

    What that would refuse is left out, its lines named in *wrong*. ``configparser`` itself takes
    longer to import than a prediction may last.
    """
    entries: list[tuple[str, str, str]] = []
    section, indent = "", 0
    text = (read_text(path, _BIGGEST_FILE) or "").lstrip("\ufeff")  # which editors leave in front
    known: set[tuple[str, str]] = set()
    wrong = [] if wrong is None else wrong
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if not bare or bare[0] in "#;":
            continue
        depth = len(line) - len(line.lstrip())
        if depth > indent and entries and entries[-1][0] == section:
            old = entries[-1]
            entries[-1] = (section, old[1], (old[2] + "\n" + bare).strip())
            continue
        indent = depth
        if bare[0] == "[" and "]" in bare:
            section = bare[1 : bare.index("]")]
            wrong += [number] * ((section, "") in known)
            known.add((section, ""))
            continue
        stops = [at for at in (bare.find("="), bare.find(":")) if at > 0]
        if section and stops:
            cut = min(stops)
            key = bare[:cut].strip().lower()
            wrong += [number] * ((section, key) in known)
            known.add((section, key))
            entries.append((section, _normal(key), bare[cut + 1 :].strip()))
        else:
            wrong.append(number)
    return entries


def unreadable_settings(
    environ: Mapping[str, str], prefix: str, home: str | None = None
) -> tuple[str, int] | None:
    """Return the first configuration file that pip would refuse, and its line; None if none is.

    ``configuration.py``, ``_construct_parser``: pip then does nothing at all.
    """
    for path in _config_files(environ, prefix, home):
        wrong: list[int] = []
        parse_ini(path, wrong)
        if wrong:
            return path, wrong[0]
    return None


def read_pip_settings(
    environ: Mapping[str, str], prefix: str, home: str | None = None
) -> tuple[Setting, ...]:
    """Return every setting pip would see, weakest first: files, then variables.

    *prefix* is the ``sys.prefix`` of the interpreter that runs pip (its ``pip.conf`` counts);
    *home* replaces the home folder that the variables name. ``effective_settings`` merges them.
    """
    settings = []
    for path in _config_files(environ, prefix, home):
        settings += [Setting(key, value, path, section) for section, key, value in parse_ini(path)]
    for name in environ:
        key = _normal(name[4:])
        if name.startswith("PIP_") and key not in _IGNORED_VARIABLES:
            settings.append(Setting(key, environ[name], "environment variable " + name))
    return tuple(settings)


def effective_settings(settings: Iterable[Setting], command: str = "install") -> dict[str, Setting]:
    """Merge *settings* as pip does for one *command*: a key of the result has the value that wins.

    A section outranks the level of a file: ``[install]`` in a weak file beats ``[global]`` in a
    strong one. Within a section the stronger file wins, and an empty value is no value: it hides
    weaker values of its own section only (so an empty variable does not cancel a file).
    """
    sections: dict[str, dict[str, Setting]] = {"global": {}, command: {}, ":env:": {}}
    for setting in settings:
        if setting.section in sections:
            sections[setting.section][setting.key] = setting
    merged: dict[str, Setting] = {}
    for of_section in sections.values():
        for key, setting in of_section.items():
            if setting.value:
                merged.pop(key, None)  # the order of the result is the order of the decision
                merged[key] = setting
    return merged


def _knows(version: Version, name: str) -> bool:
    return _SINCE.get(name, (0,)) <= version < _UNTIL.get(name, (999,))


class PipOptions:
    """The options of one install, resolved."""

    __slots__ = ("_configured", "line", "problem", "settings", "user")

    def __init__(self, line: Line, configured: dict[str, Setting], version: Version) -> None:
        """Merge the command line over what is configured, for one release of pip."""
        self.line = line
        self.settings = configured
        self._configured = {k: s for k, s in configured.items() if _knows(version, k)}
        self.problem = line.problem and "pip: " + line.problem
        strange = [name for name, _ in line.options if not _knows(version, name)]
        if strange and not self.problem:
            self.problem = "pip %s has no option --%s" % (".".join(map(str, version)), strange[0])
        for key, (_, value, source, _) in self._configured.items():
            counted = key in ("verbose", "quiet") and value.isdigit()
            if key in PIP_BOOLEANS and not counted and value.lower() not in _TRUE + _FALSE:
                wrong = "%s is not a truth value for %s (%s)" % (value, key, source)
                self.problem = self.problem or wrong
        self.user = self._user()

    def _user(self) -> bool | None:
        """Return ``use_user_site``: None where nobody asked.

        ``no-user`` is a ``store_false`` option, and pip stores the truth of the *value*: a
        variable PIP_NO_USER=1 therefore asks for the user site.
        """
        asked = [s for key, s in self._configured.items() if key in ("user", "no-user")]
        values = [s.value.lower() for s in asked if s.value.lower() in _TRUE + _FALSE]
        answers = [value in _TRUE for value in values]
        answers += [name == "user" for name, _ in self.line.options if name in ("user", "no-user")]
        return answers[-1] if answers else None

    def flag(self, name: str) -> bool:
        """Tell whether a switch is on."""
        if self.line.has(name):
            return True
        if (setting := self._configured.get(name)) is None and name == "require-virtualenv":
            setting = self._configured.get("require-venv")
        return setting is not None and setting.value.lower() in _TRUE

    def value(self, name: str) -> str | None:
        """Return the value of an option, expanded like a path; an empty one is none."""
        if (given := self.line.last(name)) is None and name in self._configured:
            given = self._configured[name].value
        return given or None

    def values(self, name: str) -> list[str]:
        """Return all values of an option that adds up."""
        configured = self._configured.get(name)
        return (configured.value.split() if configured else []) + self.line.all(name)

    def source(self, name: str) -> str:
        """Say where an option that is in force comes from."""
        if self.line.has(name) or name not in self._configured:
            return "the command line"
        return self._configured[name].source


def read_pip_options(invocation: Invocation, prefix: str, version: Version) -> PipOptions:
    """Read every source of options that pip at *prefix* would read for this command."""
    line = read_line(invocation.words, PIP)
    environ = invocation.environ
    isolated = line.has("isolated")
    if isolated:
        # --isolated drops the variables and the user's files, not the other files
        kept = (n for n in environ if not n.startswith("PIP_") or n == "PIP_CONFIG_FILE")
        environ = {**{name: environ[name] for name in kept}, "XDG_CONFIG_HOME": os.devnull}
    settings = read_pip_settings(environ, prefix, os.devnull if isolated else None)
    if isolated:
        settings = tuple(s for s in settings if s.section != ":env:")
    command = (line.positional or ["install"])[0]
    options = PipOptions(line, effective_settings(settings, command), version)
    if wrong := unreadable_settings(environ, prefix, os.devnull if isolated else None):
        options.problem = "pip cannot read line %d of %s" % (wrong[1], wrong[0])
    return options
