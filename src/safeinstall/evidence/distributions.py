"""The distributions of folders of packages, each held against its RECORD.

The tree of a folder is listed once; a RECORD line is then a look into a table. Sizes are compared,
hashes are not: two hundred distributions have to be done within a second.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Sequence
from email.parser import HeaderParser
from typing import Final

from safeinstall.diagnosis.values import Installed

__all__ = ["installed", "leftover_paths"]

_NAME: Final = re.compile(r"^(?P<name>.+?)(?:-(?P<version>[^-]+))?(?:-py[\d.]+)?$")
_HEADER_END: Final = re.compile(r"\r?\n\r?\n")
_UV_SCRATCH: Final = re.compile(r"\.tmp[A-Za-z0-9]{6}$")
_COMPILED: Final = (".so", ".pyd")


def installed(folders: Sequence[str]) -> tuple[Installed, ...]:
    """Return what lies in the folders, in their order."""
    found: list[Installed] = []
    for folder in dict.fromkeys(os.path.realpath(each) for each in folders):
        names = _listed(folder)
        metadata = sorted(name for name in names if name.endswith((".dist-info", ".egg-info")))
        if metadata:
            sizes = _sizes(folder)
            found += [_read(folder, name, sizes) for name in metadata if name[:1] != "~"]
    return tuple(found)


def leftover_paths(folders: Iterable[str]) -> tuple[str, ...]:
    """Return what killed installers left: pip's `~name`, uv's `.tmpXXXXXX`."""
    return tuple(
        os.path.join(folder, name)
        for folder in dict.fromkeys(os.path.realpath(each) for each in folders)
        for name in sorted(_listed(folder))
        if name.startswith("~") or _UV_SCRATCH.match(name)
    )


def _read(folder: str, name: str, sizes: dict[str, int]) -> Installed:
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
    rows = _record(path)
    missing, changed, listed = _compared(folder, rows or (), sizes, name)
    parser = HeaderParser().parsestr(headers.get("", ""))
    return Installed(
        name=headers.get("Name") or project,
        version=headers.get("Version") or version,
        folder=folder,
        metadata=path,
        installer=_text(os.path.join(path, "INSTALLER")).strip(),
        has_metadata=bool(headers.get("Name")),
        has_record=rows is not None,
        requires=tuple(str(value) for value in parser.get_all("Requires-Dist") or ()),
        modules=_modules(rows or ()),
        listed=listed,
        missing=missing,
        changed=changed,
    )


def _compared(
    folder: str, rows: Sequence[Sequence[str]], sizes: dict[str, int], own: str
) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Return files missing, files changed, and how many files of the code are listed."""
    missing, changed, listed = [], [], 0
    for row in rows:
        path = row[0]
        if path.endswith(".pyc") or path.startswith(own):
            continue
        listed += 1
        size = sizes.get(path)
        if size is None:
            try:
                size = os.stat(os.path.join(folder, path)).st_size
            except OSError:
                missing.append(path)
                continue
        # Scripts are looked at by their shebang: whoever moves them, rewrites that line.
        is_script = path.startswith("..") and "/bin/" in path
        if len(row) > 2 and row[2].isdigit() and int(row[2]) != size and not is_script:
            changed.append(path)
    return tuple(missing), tuple(changed), listed


def _sizes(folder: str) -> dict[str, int]:
    """Return the size of every file below `folder`, by its path from there with `/`."""
    sizes: dict[str, int] = {}
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
                        sizes[start + entry.name] = entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue
    return sizes


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
