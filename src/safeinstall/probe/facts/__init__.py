"""Facts: the running interpreter, others as their files say, and who may write where.

The lowest of the sub-rooms: it knows nothing of cells, shells and installers. Files and folders are
read the same way everywhere in this room: never without a bound, and what cannot be read is absent.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator

__all__ = ["read_text", "upward"]

_DEEPEST = 128
"""A path has no more parents than this; a loop over parents must end whatever it is given."""


def read_text(path: str, most: int = 64 * 1024) -> str | None:
    """Return the first *most* characters of a file; None where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(most)
    except (OSError, ValueError):
        return None


def upward(folder: str) -> Iterator[str]:
    """Yield *folder* and its parents."""
    for _ in range(_DEEPEST):
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent
