"""Distributions on disk: installed ones by the names of their metadata folders, and wheels.

The only reader of dist-info in this room. ``importlib.metadata`` would do the same slower and only
for the running ``sys.path``.
"""

from __future__ import annotations

import os
import re
import zipimport

from . import read_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Sequence

__all__ = ["Installed", "canonical", "find_distribution", "wheel_contents"]

_METADATA = re.compile(
    r"^(?P<name>[^-]+(?:-[^-\d][^-]*)*)-(?P<version>[^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info$"
)


def canonical(name: str) -> str:
    """Return *name* as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Installed:
    """One installed distribution: where its metadata lies and what version it claims."""

    __slots__ = ("folder", "metadata", "name", "version")

    def __init__(self, name: str, version: str, folder: str, metadata: str) -> None:
        """Keep what was read; *metadata* is the full path of the ``-info`` entry."""
        self.name = name
        self.version = version
        self.folder = folder
        self.metadata = metadata

    @property
    def removable(self) -> bool:
        """Whether an installer can take it away: it left a list of its files."""
        if os.path.isfile(self.metadata):  # distutils wrote a bare file, no list
            return False
        if self.metadata.endswith(".egg-info"):
            return True
        return os.path.isfile(os.path.join(self.metadata, "RECORD"))


def _version_inside(metadata: str) -> str:
    path = metadata if os.path.isfile(metadata) else os.path.join(metadata, "PKG-INFO")
    line = re.search(r"^Version:\s*(\S+)", read_text(path, 4096) or "", re.M)
    return line.group(1) if line else ""


def find_distribution(name: str, folders: Sequence[str]) -> Installed | None:
    """Return the first distribution called *name* on *folders*, or None."""
    wanted = canonical(name)
    start = wanted[:1]
    for folder in folders:
        try:
            entries = os.listdir(folder or ".")
        except OSError:
            continue
        for entry in entries:
            if entry[:1].lower() != start or not entry.endswith("-info"):
                continue
            match = _METADATA.match(entry)
            stem, version = match.group("name", "version") if match else (entry[:-9], "")
            if canonical(stem) != wanted:
                continue
            metadata = os.path.join(folder, entry)
            return Installed(name, version or _version_inside(metadata), folder, metadata)
    return None


def wheel_contents(path: str) -> tuple[bool, bool]:
    """Return whether the wheel at *path* brings scripts and whether it goes to platlib."""
    folder = "-".join(os.path.basename(path).split("-")[:2]) + ".dist-info/"
    # zipimport is part of the interpreter's start; zipfile would cost more than the prediction
    try:
        archive = zipimport.zipimporter(path)
    except (zipimport.ZipImportError, OSError):
        return False, False
    texts = []
    for name in ("entry_points.txt", "WHEEL", "RECORD"):
        try:
            texts.append(archive.get_data(folder + name))
        except (OSError, zipimport.ZipImportError, EOFError, ValueError):
            texts.append(b"")
    getattr(zipimport, "_zip_directory_cache", {}).pop(path, None)  # leave no trace
    points, wheel, record = texts
    scripts = b"console_scripts" in points or b"gui_scripts" in points
    return scripts or b".data/scripts/" in record, b"root-is-purelib: false" in wheel.lower()
