"""Becoming an ordinary user for real, and a place such a user can reach.

As a program: `python privileges.py UID CONNECTION_FILE COMMAND...` hands the connection file to
that user, becomes the user and turns into the command (one process id: it can be interrupted).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ORDINARY = 65534
"""The user nobody is, on every Linux."""


def can_switch() -> bool:
    """Tell whether this test run may become another user."""
    return hasattr(os, "geteuid") and os.geteuid() == 0


def give(path: Path, uid: int = ORDINARY) -> Path:
    """Hand a folder and the folders in it to a user, who may then replace every file.

    The files keep their owner: an installer may have linked them to its cache.
    """
    for folder, _, _ in os.walk(path):
        os.chown(folder, uid, uid)
    return path


@contextmanager
def as_ordinary(folder: Path, own: Path) -> Iterator[None]:
    """Be an ordinary user in this very process, who can reach `folder` and has `own`."""
    if not can_switch():
        yield
        return
    give(own)
    for parent in (folder, *folder.parents):
        if not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)
    os.setresuid(ORDINARY, ORDINARY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def become(uid: int) -> None:
    """Drop every privilege."""
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


if __name__ == "__main__":
    os.chown(sys.argv[2], int(sys.argv[1]), int(sys.argv[1]))
    become(int(sys.argv[1]))
    os.execv(sys.argv[3], sys.argv[3:])
