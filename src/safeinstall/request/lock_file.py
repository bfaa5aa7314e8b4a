"""Read a lock (PEP 751, `pylock.toml`) into items that installers get again as a lock.

A lock names files, not versions to look for: what is handed on is each package's own entry, its
paths absolute and its marker decided as far as extras and groups go. So an installer finds in it
what it would find in the whole, and of a lock that is half there the other half is staged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from safeinstall.errors import RequestError
from safeinstall.request.commands import Demand, ItemKind, RequestItem
from safeinstall.request.requirement import absolute
from safeinstall.request.toml_files import strings

_SOURCES: Final = {"vcs": dict, "directory": dict, "archive": dict, "sdist": dict, "wheels": list}
"""In the order in which they count (PEP 751, "Installation")."""
_KEPT: Final = frozenset(
    {"name", "version", "index", "type", "url", "path", "requested-revision", "commit-id"}
    | {"subdirectory", "editable", "size", "hashes", *_SOURCES}
)
"""What an installer needs of a package's entry."""
_ASKED: Final = re.compile(
    r"""(["'])(?P<name>[^"']*)\1\s+(?P<no>not\s+)?in\s+(?P<of>extras|dependency_groups)\b"""
)
_YES, _NO = 'python_version >= "0"', 'python_version < "0"'


def in_lock(
    data: Mapping[str, Any], path: str, shown: str, extras: Iterable[str], groups: Collection[str]
) -> tuple[tuple[RequestItem, ...], tuple[Demand, ...]]:
    """Return what a lock installs with these extras and groups, and what it demands of the Python.

    No groups: those it calls its default ones. What it does not have, nothing is chosen by. Raises
    `RequestError` for what is no lock of a version we know.
    """
    version = str(data.get("lock-version", ""))
    if version.partition(".")[0] != "1":
        raise RequestError(f"{shown} has lock-version {version or 'none'}; only 1 is known here.")
    defaults = strings(data, "default-groups")
    chosen = {
        "extras": {canonicalize_name(extra) for extra in extras},
        "dependency_groups": {canonicalize_name(group) for group in groups or defaults},
    }
    if "packages" not in data:  # PEP 751 requires the key
        raise RequestError(f"{shown} lists no packages: it is no lock, or not a whole one.")
    packages = data["packages"]
    if not isinstance(packages, list) or not all(isinstance(each, dict) for each in packages):
        raise RequestError(f"{shown}: packages is no list of tables.")
    read = [_package(each, path, shown, chosen) for each in packages]
    demands = [demand for _, demand in read if demand.python]
    whole = Demand(
        origin=shown,
        python=str(data.get("requires-python", "")),
        environments=" or ".join(f"({each})" for each in strings(data, "environments")),
    )
    return tuple(item for item, _ in read), (whole, *demands)


def lock_of(items: Iterable[RequestItem]) -> str:
    """Return the lock of these items, to be written to a file of that name."""
    entries = "".join(f"{item.locked},\n" for item in items)
    return f'lock-version = "1.0"\ncreated-by = "safeinstall"\npackages = [\n{entries}]\n'


def _package(
    entry: Mapping[str, Any], path: str, shown: str, chosen: Mapping[str, Collection[str]]
) -> tuple[RequestItem, Demand]:
    """Return the item of one package, and the Python that it demands."""
    name = str(entry.get("name", ""))
    source = next((key for key, form in _SOURCES.items() if isinstance(entry.get(key), form)), "")
    if not name or not source:
        what = f"{name} has no source" if name else "a package has no name"
        raise RequestError(f"{shown}: {what}.")
    for file in _files(entry):
        if not (file.get("url") or file.get("path")) or not file.get("hashes"):
            raise RequestError(f"{shown}: {name} has a file without a place or without hashes.")
    given = str(entry.get("marker", ""))
    marker = _ASKED.sub(lambda asked: _decided(asked, chosen), given)
    version = str(entry.get("version", ""))
    end = f" ; {marker}" if marker else ""
    try:
        requirement = Requirement(f"{name}=={version}{end}" if version else f"{name}{end}")
    except (InvalidRequirement, RecursionError):
        words = f"{shown}: {name} has a version or a marker that is none"
        raise RequestError(f"{words}: {version or given}.") from None
    kept = _kept(entry, str(Path(path).parent))
    table = {**kept, "marker": marker} if marker else kept
    kind, place = _place(source, kept)
    item = RequestItem(
        text=place or str(requirement),
        name=canonicalize_name(name),
        kind=kind,
        requirement=requirement if version else None,
        origin=shown,
        locked=_written(table),
        has_source=isinstance(kept.get("sdist"), dict),
    )
    wanted = str(entry.get("requires-python", ""))
    return item, Demand(origin=f"{shown}: {name}", python=wanted, marker=marker)


def _files(entry: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the tables of a package that name one file each."""
    wheels = entry.get("wheels", ())
    found = (
        *(wheels if isinstance(wheels, list) else ()),
        entry.get("sdist"),
        entry.get("archive"),
    )
    yield from (each if isinstance(each, dict) else {} for each in found if each is not None)


def _decided(asked: re.Match[str], chosen: Mapping[str, Collection[str]]) -> str:
    """Return the comparison as one that is always, or never, true: older markers know no sets."""
    among = canonicalize_name(asked["name"]) in chosen[asked["of"]]
    return _NO if among is bool(asked["no"]) else _YES


def _place(source: str, entry: Mapping[str, Any]) -> tuple[ItemKind, str]:
    """Return the kind of a package and its place; none for files that an index has."""
    table = entry[source]
    if source in ("sdist", "wheels"):
        return "named", ""
    place = str(table.get("path") or table.get("url") or "")
    if source == "vcs":
        return "vcs", f"{table.get('type', 'git')}+{place}@{table.get('commit-id', '')}"
    if source == "directory":
        return ("editable" if table.get("editable") else "folder"), place
    return ("wheel" if place.endswith(".whl") else "archive"), place


def _kept(value: Any, folder: str) -> Any:
    """Return what is handed on of a table; paths, which start at the lock, are absolute."""
    if isinstance(value, list):
        return [_kept(each, folder) for each in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _kept(each, folder) for key, each in value.items() if key in _KEPT}
    if isinstance(value.get("hashes"), dict):
        kept["hashes"] = value["hashes"]
    if "path" in kept:
        kept["path"] = absolute(str(kept["path"]), folder)
    return kept


def _written(value: Any) -> str:
    """Return a value as TOML writes it in a line: its basic strings are JSON's."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {_written(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(_written, value))}]"
    return json.dumps(value, ensure_ascii=False)
