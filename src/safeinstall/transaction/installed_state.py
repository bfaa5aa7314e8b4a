"""A cheap summary of what is installed, to notice that somebody else changed it meanwhile."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator

__all__ = ["fingerprint"]

_TELLING = (".dist-info", ".egg-info", ".egg-link", ".pth")


def fingerprint(site_packages: str | Iterable[str]) -> str:
    """Return a text that changes when a distribution in the folder (or folders) does.

    Looks at names, and at size and time of each RECORD; opens no file. A missing folder counts as
    empty.
    """
    folders = [site_packages] if isinstance(site_packages, str) else list(site_packages)
    state = hashlib.sha256()
    for folder in folders:
        state.update(repr((folder, sorted(_marks(folder)))).encode())
    return state.hexdigest()


def _marks(folder: str) -> Iterator[tuple[str, int, int]]:
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        if not entry.name.endswith(_TELLING):
            continue
        record = os.path.join(entry.path, "RECORD")
        try:
            status = os.stat(record if entry.name.endswith(".dist-info") else entry.path)
            yield entry.name, status.st_size, status.st_mtime_ns
        except OSError:
            yield entry.name, -1, 0
