"""Is there room on the disk?"""

from __future__ import annotations

import os
import shutil

from safeinstall.transaction.staged import Staged

__all__ = ["free_bytes", "space_needed"]

_JOURNAL_LINE = 400
"""Bytes of journal for one file, generously: its stamp, perhaps a move, a block of its own."""


def free_bytes(path: str) -> int:
    """Return what we may still write to the file system of `path`, its nearest existing parent."""
    while not os.path.exists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return shutil.disk_usage(path).free


def space_needed(staged: Staged) -> int:
    """Return the bytes that a commit of `staged` may still need.

    Renames need none; a file system that cannot rename folders needs a copy of the largest file.
    """
    return (1 << 20) + _JOURNAL_LINE * len(staged.sizes) + max(staged.sizes.values(), default=0)
