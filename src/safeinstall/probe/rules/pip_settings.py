"""Where pip takes its options from besides the command line, and which of two values wins.

Written after pip's ``configuration.py`` (``iter_config_files``, ``OVERRIDE_ORDER``) and
``cli/parser.py:ConfigOptionParser._get_ordered_configuration_items``. Values stay raw text.
"""

from __future__ import annotations

import os
from typing import NamedTuple

from ..facts.search_path import home_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterable, Mapping

__all__ = ["Setting", "config_files", "effective_settings", "parse_ini", "read_pip_settings"]

_BIGGEST_FILE = 256 * 1024
_IGNORED_VARIABLES = ("version", "help", "config-file")
"""Not options of pip: ``configuration.py:ENV_NAMES_IGNORED``, and the variable naming a file."""


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


def config_files(environ: Mapping[str, str], prefix: str, home: str | None = None) -> list[str]:
    """List pip's configuration files, weakest first, existing or not.

    A PIP_CONFIG_FILE that exists switches the user's files off; the null device switches all off.
    """
    own = environ.get("PIP_CONFIG_FILE")
    if own == os.devnull:
        return []
    home = home_folder(environ) if home is None else home
    shared = environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
    files = [os.path.join(folder, "pip", "pip.conf") for folder in shared.split(os.pathsep)]
    files.append("/etc/pip.conf")
    if not (own and os.path.exists(own)):
        user = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
        files.append(os.path.join(home, ".pip", "pip.conf"))
        files.append(os.path.join(user, "pip", "pip.conf"))
    files.append(os.path.join(prefix, "pip.conf"))
    return [*files, own] if own else files


def parse_ini(path: str) -> list[tuple[str, str, str]]:
    """Read an INI file as ``RawConfigParser`` does: (section, key, value), continued lines joined.

    ``configparser`` itself takes longer to import than a prediction may last.
    """
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            text = file.read(_BIGGEST_FILE)
    except (OSError, ValueError):
        return []
    found: list[tuple[str, str, str]] = []
    section, indent = "", 0
    for line in text.splitlines():
        bare = line.strip()
        if not bare or bare[0] in "#;":
            continue
        depth = len(line) - len(line.lstrip())
        if depth > indent and found and found[-1][0] == section:
            old = found[-1]
            found[-1] = (section, old[1], (old[2] + "\n" + bare).strip())
            continue
        indent = depth
        if bare[0] == "[" and "]" in bare:
            section = bare[1 : bare.index("]")]
            continue
        stops = [at for at in (bare.find("="), bare.find(":")) if at > 0]
        if section and stops:
            cut = min(stops)
            found.append((section, _normal(bare[:cut].strip()), bare[cut + 1 :].strip()))
    return found


def read_pip_settings(
    environ: Mapping[str, str], prefix: str, home: str | None = None
) -> tuple[Setting, ...]:
    """Return every setting pip would see, weakest first: files, then variables.

    *prefix* is the ``sys.prefix`` of the interpreter that runs pip (its ``pip.conf`` counts);
    *home* replaces the home folder that the variables name. ``effective_settings`` merges them.
    """
    settings = [
        Setting(key, value, path, section)
        for path in config_files(environ, prefix, home)
        for section, key, value in parse_ini(path)
    ]
    for name in environ:
        if name.startswith("PIP_"):
            key = _normal(name[4:])
            if key not in _IGNORED_VARIABLES:
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
