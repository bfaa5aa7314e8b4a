"""Moves: how one file or folder goes from here to there so that it can be stopped and reversed.

Imports on Python 3.8 with the standard library alone: recovery may run in another interpreter.
"""

from __future__ import annotations

import errno
import filecmp
import os
import stat
from collections.abc import Callable
from typing import NamedTuple

from safeinstall.transaction.moves.disk import Disk, exists, is_directory

__all__ = ["Move", "carry"]

# What a rename answers when it cannot work here at all: another device, a lower layer of an
# overlay, a mount that does not know folders being renamed. Anything else is a real failure.
CANNOT_RENAME = frozenset(
    getattr(errno, name)
    for name in ("EXDEV", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EPERM", "EMLINK", "EINVAL")
    if hasattr(errno, name)
)


class Move(NamedTuple):
    """One line of the journal; paths are relative to the prefix, with forward slashes."""

    kind: str
    """`out` of the environment into the transaction, or `in` the other way."""
    source: str
    target: str


def carry(disk: Disk, source: str, target: str, mark: str, piecewise: Callable[[], None]) -> None:
    """Move `source` to `target`, by one rename where the file system can.

    `piecewise()` is called before anything exists in both places. Stopped anywhere, the same call
    goes on with it and `carry(target, source)` takes it back; unfinished copies end with `mark`.
    Raises OSError.
    """
    if not exists(target):
        try:
            disk.rename(source, target)
            return
        except OSError as error:
            if error.errno not in CANNOT_RENAME:
                raise
    piecewise()
    _merge(disk, source, target, mark)


def _merge(disk: Disk, source: str, target: str, mark: str) -> None:
    if not is_directory(source):
        _carry_file(disk, source, target, mark)
        return
    if not is_directory(target):
        _create_like(disk, source, target, mark)
    for name in sorted(os.listdir(source)):
        child = os.path.join(source, name)
        if name.endswith(mark):
            disk.remove_tree(child)  # the rest of a copy that was stopped on its way here
        else:
            _merge(disk, child, os.path.join(target, name), mark)
    disk.remove_directory(source)


def _create_like(disk: Disk, source: str, target: str, mark: str) -> None:
    # Through a draft: a folder that is seen at its place has its mode already.
    draft = target + mark
    if exists(draft):
        disk.remove_tree(draft)
    disk.make_directory(draft, stat.S_IMODE(os.stat(source).st_mode))
    disk.rename(draft, target)


def _carry_file(disk: Disk, source: str, target: str, mark: str) -> None:
    try:
        disk.rename(source, target)
        return
    except OSError as error:
        if exists(target) and filecmp.cmp(source, target, shallow=False):
            # Copied before: the folder of `target` cannot be changed any more, and need not be.
            disk.unlink(source)
            return
        if error.errno not in CANNOT_RENAME:
            raise
    draft = target + mark
    if exists(draft):
        disk.unlink(draft)
    disk.copy(source, draft)
    disk.rename(draft, target)
    disk.settle(os.path.dirname(target))
    disk.unlink(source)
