"""The ground of a plan: the folders it was made from, to tell whether it still holds."""

from __future__ import annotations

import os

__all__ = ["Ground"]


class Ground:
    """Folders and when each last gained or lost an entry."""

    def __init__(self) -> None:
        self._seen: dict[str, int | None] = {}

    def look(self, folder: str) -> None:
        """Remember how `folder` is now: call it before its entries are read."""
        self._seen.setdefault(folder, _changed_at(folder))

    def holds(self) -> bool:
        """Tell whether every folder still has the entries it had (their contents aside)."""
        return all(_changed_at(folder) == before for folder, before in self._seen.items())


def _changed_at(folder: str) -> int | None:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return None
