"""The distributions of folders of packages, each held against its RECORD.

The tree of a folder is listed once; a RECORD line is then a look into a table. All sizes are
compared, and the hashes of what is suspect (`contents` says why not all): two hundred distributions
have to be done within a second.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Sequence
from email.parser import HeaderParser
from typing import Final, NamedTuple

from safeinstall.diagnosis.values import Installed
from safeinstall.evidence.contents import differing

__all__ = ["installed", "leftover_paths"]

_NAME: Final = re.compile(r"^(?P<name>.+?)(?:-(?P<version>[^-]+))?(?:-py[\d.]+)?$")
_HEADER_END: Final = re.compile(r"\r?\n\r?\n")
_UV_SCRATCH: Final = re.compile(r"\.tmp[A-Za-z0-9]{6}$")
_COMPILED: Final = (".so", ".pyd")


def installed(folders: Sequence[str], *, deep: bool = False) -> tuple[Installed, ...]:
    """Return what lies in the folders, in their order; `deep` reads every file they list."""
    found: list[Installed] = []
    for folder in dict.fromkeys(os.path.realpath(each) for each in folders):
        names = _listed(folder)
        metadata = sorted(name for name in names if name.endswith((".dist-info", ".egg-info")))
        if metadata:
            metadata = [name for name in metadata if name[:1] != "~"]
            records = {name: _record(os.path.join(folder, name)) for name in metadata}
            check = _Check(folder, _files(folder), _disputed(records.values()), deep)
            found += [_read(folder, name, records[name], check) for name in metadata]
    return tuple(found)


def leftover_paths(folders: Iterable[str]) -> tuple[str, ...]:
    """Return what killed installers left: pip's `~name`, uv's `.tmpXXXXXX`."""
    return tuple(
        os.path.join(folder, name)
        for folder in dict.fromkeys(os.path.realpath(each) for each in folders)
        for name in sorted(_listed(folder))
        if name.startswith("~") or _UV_SCRATCH.match(name)
    )


class _Check(NamedTuple):
    """What RECORD lines are held against."""

    folder: str
    files: dict[str, tuple[int, int]]
    """Size and time of each file, by its path from there."""
    disputed: frozenset[str]
    deep: bool


def _read(folder: str, name: str, rows: Sequence[Sequence[str]] | None, check: _Check) -> Installed:
    path = os.path.join(folder, name)
    split = _NAME.match(name.rsplit(".", 1)[0])
    project, version = (split["name"], split["version"] or "") if split else (name, "")
    if name.endswith(".egg-info"):
        headers = _headers(path if os.path.isfile(path) else os.path.join(path, "PKG-INFO"))
        return Installed(
            name=headers.get("Name") or project,
            version=headers.get("Version") or version,
            folder=folder,
            metadata=path,
            has_record=False,
            has_metadata=True,
        )
    metadata = os.path.join(path, "METADATA")
    headers = _headers(metadata)
    missing, changed, listed = _compared(rows or (), check, name)
    parser = HeaderParser().parsestr(headers.get("", ""))
    closed = [] if os.path.islink(path) else _closed((path, metadata, os.path.join(path, "RECORD")))
    return Installed(
        name=headers.get("Name") or project,
        version=headers.get("Version") or version,
        folder=folder,
        metadata=path,
        installer=_text(os.path.join(path, "INSTALLER")).strip(),
        unreadable=bool(closed),
        mine=all(os.lstat(each).st_uid == os.geteuid() for each in closed),
        has_metadata=bool(headers.get("Name")),
        has_record=rows is not None,
        requires=tuple(str(value) for value in parser.get_all("Requires-Dist") or ()),
        modules=_modules(rows or ()),
        listed=listed,
        missing=missing,
        changed=changed,
    )


def _closed(paths: Iterable[str]) -> list[str]:
    """Return those that are there and cannot be read by us."""
    return [path for path in paths if os.path.lexists(path) and not os.access(path, os.R_OK)]


def _compared(
    rows: Sequence[Sequence[str]], check: _Check, own: str
) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Return files missing, files changed, and how many files of the code are listed."""
    missing, changed, suspects, listed = [], [], [], 0
    _, recorded = check.files.get(f"{own}/RECORD", (0, 0))
    for row in rows:
        path = row[0]
        if path.endswith(".pyc") or path.startswith(own):
            continue
        listed += 1
        seen = check.files.get(path)
        if seen is None:
            try:
                status = os.stat(os.path.join(check.folder, path))
            except OSError:
                missing.append(path)
                continue
            seen = (status.st_size, status.st_mtime_ns)
        # Scripts are looked at by their shebang: whoever moves them, rewrites that line.
        if len(row) < 3 or (path.startswith("..") and "/bin/" in path):
            continue
        if row[2].isdigit() and int(row[2]) != seen[0]:
            changed.append(path)
        elif row[1] and (check.deep or seen[1] > recorded or path in check.disputed):
            suspects.append((path, row[1]))
    return tuple(missing), (*changed, *differing(check.folder, suspects)), listed


def _disputed(records: Iterable[Sequence[Sequence[str]] | None]) -> frozenset[str]:
    """Return the files that two RECORDs list with different hashes: one of them was overwritten."""
    hashes: dict[str, str] = {}
    twice = set()
    for rows in records:
        for row in rows or ():
            if len(row) > 1 and hashes.setdefault(row[0], row[1]) != row[1]:
                twice.add(row[0])
    return frozenset(twice)


def _files(folder: str) -> dict[str, tuple[int, int]]:
    """Return size and time of every file below `folder`, by its path from there with `/`."""
    files: dict[str, tuple[int, int]] = {}
    waiting = [("", folder)]
    while waiting:
        start, place = waiting.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name != "__pycache__":
                            waiting.append((f"{start}{entry.name}/", entry.path))
                    elif not entry.is_symlink():
                        status = entry.stat(follow_symlinks=False)
                        files[start + entry.name] = (status.st_size, status.st_mtime_ns)
        except OSError:
            continue
    return files


def _record(metadata: str) -> list[list[str]] | None:
    text = _text(os.path.join(metadata, "RECORD"))
    if not text:
        return None
    if '"' in text:
        return [row for row in csv.reader(text.splitlines()) if row]
    return [line.split(",") for line in text.splitlines() if line]


def _modules(rows: Sequence[Sequence[str]]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for row in rows:
        first, slash, rest = row[0].partition("/")
        if first.endswith((".dist-info", ".data")) or first.startswith((".", "_")):
            continue
        if slash and rest.endswith((".py", *_COMPILED)):
            found[first] = None
        elif not slash and first.endswith((".py", *_COMPILED)):
            found[first.partition(".")[0]] = None
    return tuple(name for name in found if name.isidentifier())


def _headers(path: str) -> dict[str, str]:
    """Return Name and Version of a metadata file, and the whole header under the empty key."""
    text = _HEADER_END.split(_text(path), 1)[0]
    found = {"": text}
    for line in text.splitlines():
        key, colon, value = line.partition(":")
        if colon and key in ("Name", "Version"):
            found.setdefault(key, value.strip())
    return found


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace", newline="") as file:
            return file.read()
    except OSError:
        return ""


def _listed(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
