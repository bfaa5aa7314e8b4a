"""uv's settings as they come out of its variables and configuration files.

uv's documentation (configuration files): a `uv.toml`, or a `pyproject.toml` with `[tool.uv]`, in
the nearest folder upward, then the user's and the system's `uv.toml`; UV_CONFIG_FILE replaces all.
Variables come first, and in the files what `[pip]` says before what stands outside of it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

_TABLE: Final = re.compile(r"\[\s*([\w.\"'-]+)\s*\]")
_PAIR: Final = re.compile(r"([\w.\"'-]+)\s*=\s*(.+)")
_TEXT: Final = re.compile(r"[\"']?([^\"'#]*?)\s*(?:[\"'#]|$)")
_PACKAGE: Final = re.compile(r"[\"']?([\w.-]+)[\"']?\s*=\s*(\"[^\"]*\"|'[^']*'|false)")
_REDIRECTING: Final = frozenset(
    {"target", "prefix", "python", "system", "user", "break-system-packages"}
)
_OFF: Final = ("", "0", "false", "f", "n", "no", "off")
EXCLUDE_NEWER: Final = "exclude-newer"
"""How the keys begin that hold files uploaded later back."""


class UvSetting(NamedTuple):
    """One setting of uv."""

    key: str
    """As in its files: `exclude-newer`; of one package: `exclude-newer-package.NAME`."""
    value: str
    source: str
    """The variable, or the key and the path of its file."""


def read_uv_settings(environ: Mapping[str, str], cwd: str) -> dict[str, UvSetting]:
    """Return the text settings uv would obey, by key."""
    found: dict[str, UvSetting] = {}
    pairs = [(*pair, path) for path in _config_files(environ, cwd) for pair in _pairs(path)]
    for key, value, path in sorted(pairs, key=lambda each: not each[0].startswith("pip.")):
        plain = key.removeprefix("pip.")
        source = f"{plain.partition('.')[0]} in {path}"
        found.setdefault(plain, UvSetting(plain, value, source))
    for variable in ("UV_EXCLUDE_NEWER", "UV_LINK_MODE"):
        if value := environ.get(variable, "").strip():
            key = variable[3:].lower().replace("_", "-")
            found[key] = UvSetting(key, value, variable)
    return found


def may_redirect(environ: Mapping[str, str], cwd: str) -> bool:
    """Tell whether a configuration file could send an install elsewhere.

    Measured: `target` in a `uv.toml` beats `--prefix` on the command line. Every folder upward
    counts: a workspace's settings are those of its root.
    """
    pairs = (pair for path in _config_files(environ, cwd, every=True) for pair in _pairs(path))
    return any(key.removeprefix("pip.") in _REDIRECTING for key, _ in pairs)


def _config_files(environ: Mapping[str, str], cwd: str, *, every: bool = False) -> Iterator[Path]:
    """Yield the files uv reads, strongest first; `every`: of all folders upward."""
    if own := environ.get("UV_CONFIG_FILE"):
        yield Path(cwd, own)
        return
    if environ.get("UV_NO_CONFIG", "").lower() not in _OFF:
        return
    for folder in (Path(cwd), *Path(cwd).parents):
        for path in (folder / "uv.toml", folder / "pyproject.toml"):
            if path.is_file() and (path.name == "uv.toml" or any(_pairs(path))):
                yield path
                break
        else:
            continue
        if not every:
            break
    home = environ.get("HOME") or str(Path.home())
    user = environ.get("APPDATA") if os.name == "nt" else environ.get("XDG_CONFIG_HOME")
    shared = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
    for place in (user or Path(home, ".config"), *shared, "/etc"):
        yield Path(place, "uv", "uv.toml")


def _pairs(path: Path) -> list[tuple[str, str]]:
    """Return the keys and values of one file that are text or switches, keys dotted.

    What a table of packages in one line holds comes out as the table itself would.
    """
    try:
        text = path.read_text("utf-8-sig", errors="replace")
    except OSError:
        return []
    opening = "tool.uv." if path.name == "pyproject.toml" else ""
    table, found = "", []
    for line in map(str.strip, text.splitlines()):
        if heading := _TABLE.match(line):
            table = heading[1] + "."
        elif (pair := _PAIR.match(line)) and (table + pair[1]).startswith(opening):
            key = re.sub("[\"']", "", (table + pair[1]).removeprefix(opening))
            rows = _PACKAGE.findall(pair[2]) if pair[2].startswith("{") else [("", pair[2])]
            for name, value in rows:
                words = _TEXT.match(value)
                found.append((f"{key}.{name}" if name else key, (words and words[1]) or ""))
    return found
