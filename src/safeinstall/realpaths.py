"""Real paths of many files: each folder on the way is looked at once for all that lies below."""

from __future__ import annotations

import os


class RealFolders:
    """What `os.path.realpath` says of folders; it is as true as the folders stay where they are."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, folder: str) -> str:
        """Return the real path of `folder`, of links resolved in every part."""
        known = self._known.get(folder)
        if known is None:
            parent, last = os.path.split(folder)
            if parent == folder or last in ("", ".", ".."):
                known = os.path.realpath(folder)
            else:
                known = os.path.join(self.of(parent), last)
                if os.path.islink(known):  # noqa: PTH114
                    known = os.path.realpath(known)
            self._known[folder] = known
        return known
