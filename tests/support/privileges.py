"""Becoming an ordinary user for real, and a place such a user can reach.

As a program: `python privileges.py UID CONNECTION_FILE COMMAND...` hands the connection file to
that user, becomes the user and turns into the command (one process id: it can be interrupted).
"""

from __future__ import annotations

import os
import sys
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


def become(uid: int) -> None:
    """Drop every privilege."""
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)


if __name__ == "__main__":
    os.chown(sys.argv[2], int(sys.argv[1]), int(sys.argv[1]))
    become(int(sys.argv[1]))
    os.execv(sys.argv[3], sys.argv[3:])
