"""What is installed at one moment: listed once, and asked later whether it is still so."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .distribution import DistInfo, is_metadata

_OTHERS = (".egg-link", ".pth")
"""What changes what can be imported, and is no distribution."""
_FINE, _COARSE = 50_000_000, 2_000_000_000
"""Nanoseconds in which a file system may give two changes of a folder the same time."""


class _Listing(NamedTuple):
    names: tuple[str, ...]
    """Entries that tell what is installed, sorted."""
    changed: int | None
    """When the folder last gained or lost an entry; None when that may not be believed."""


class InstalledState:
    """The distributions of some folders, listed once; and how they were when they were looked at.

    Two states are equal when the same distributions lie there, each with a RECORD of the same size
    and time. No file is opened. A missing folder counts as empty.
    """

    def __init__(self, folders: Iterable[str]) -> None:
        self._listings = {folder: _list(folder) for folder in dict.fromkeys(folders)}
        self._infos: dict[str, tuple[DistInfo, ...]] = {}
        for folder, listing in self._listings.items():
            paths = (os.path.join(folder, name) for name in listing.names if is_metadata(name))
            self._infos[folder] = tuple(map(DistInfo, paths))
        self._marks: tuple[tuple[str, str, int, int], ...] | None = None

    @property
    def distributions(self) -> tuple[DistInfo, ...]:
        """What lies there. Hand it on: each remembers what was read of it."""
        return tuple(info for infos in self._infos.values() for info in infos)

    def in_folder(self, folder: str) -> tuple[DistInfo, ...] | None:
        """Return what lies in one of the folders, None for another one."""
        return self._infos.get(folder)

    def look(self) -> InstalledState:
        """Look at every RECORD, before anything is worked out from what lies there; return self.

        Whoever asks later whether it still holds, or compares, gets it done then at the latest.
        """
        if self._marks is None:
            self._marks = tuple(_marks(self._listings))
        return self

    def holds(self) -> bool:
        """Tell whether it is still so; a folder that nothing came to or left is not listed again.

        What was installed anew in the same version is noticed as well.
        """
        before = self.look()._marks
        seen = self._listings.items()
        now = {folder: old if _is_untouched(folder, old) else _list(folder) for folder, old in seen}
        return tuple(_marks(now)) == before

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InstalledState) and self.look()._marks == other.look()._marks

    def __hash__(self) -> int:
        return hash(self.look()._marks)


def _list(folder: str) -> _Listing:
    try:
        changed = os.stat(folder).st_mtime_ns
        told = (n for n in os.listdir(folder) if is_metadata(n) or n.endswith(_OTHERS))
        names = tuple(sorted(told))
    except OSError:
        return _Listing((), None)
    # What came right after the listing could bear the same time as what came before it.
    doubt = _FINE if changed % 1_000_000_000 else _COARSE
    return _Listing(names, changed if time.time_ns() - changed > doubt else None)


def _is_untouched(folder: str, before: _Listing) -> bool:
    try:
        return before.changed is not None and os.stat(folder).st_mtime_ns == before.changed
    except OSError:
        return False


def _marks(listings: dict[str, _Listing]) -> Iterator[tuple[str, str, int, int]]:
    for folder, listing in listings.items():
        for name in listing.names:
            path = os.path.join(folder, name)
            try:
                inside = name.endswith(".dist-info")
                status = os.stat(os.path.join(path, "RECORD") if inside else path)
                yield folder, name, status.st_size, status.st_mtime_ns
            except OSError:
                yield folder, name, -1, 0
