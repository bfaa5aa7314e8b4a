"""The folder of ours in an environment, `<prefix>/.safeinstall`: private, or not used at all.

Imports on Python 3.8 with the standard library alone: recovery may run in another interpreter.
"""

from __future__ import annotations

import os
import stat

from safeinstall.transaction.errors import TransactionError, UnsafeArea
from safeinstall.transaction.moves.disk import Disk

__all__ = ["AREA", "area_of", "check", "create"]

AREA = ".safeinstall"


def area_of(prefix: str) -> str:
    """Return where the area of the environment at `prefix` is, made or not."""
    return os.path.join(os.path.realpath(prefix), AREA)


def check(area: str) -> bool:
    """Return whether the area exists. Raises UnsafeArea when others could meddle with it."""
    for path in (area, os.path.join(area, "transactions")):
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return path != area
        reason = _objection(status)
        if reason:
            raise UnsafeArea(
                f"{path} {reason}; it is not used and the environment is untouched.",
                context="It would hold files that go into the environment.",
            )
    return True


def _objection(status: os.stat_result) -> str:
    if stat.S_ISLNK(status.st_mode):
        return "is a symbolic link"
    if not stat.S_ISDIR(status.st_mode):
        return "is not a folder"
    if os.name == "nt":
        return ""  # access lists are inherited from the environment there
    if status.st_uid != os.geteuid():
        return f"belongs to another user (uid {status.st_uid})"
    if status.st_mode & 0o022:
        return f"can be written by other users (mode {stat.S_IMODE(status.st_mode):03o})"
    return ""


def create(area: str, disk: Disk) -> None:
    """Make the area if it is not there. Raises TransactionError with the reason."""
    for path in (area, os.path.join(area, "transactions")):
        try:
            disk.make_directory(path)
        except FileExistsError:
            continue
        except OSError as error:
            raise TransactionError(
                f"{path} cannot be created: {error.strerror}.", code="not-writable"
            ) from error
    check(area)
