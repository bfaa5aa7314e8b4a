"""What was hashed before and found true.

An installer that links files from its cache brings the same files each time. Once they were held
against their RECORD they need not be read again: device, inode, size and time of change tell that
nobody wrote to them since. Files that are copies are hashed each time.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable

from safeinstall.transaction.moves.disk import NO_FOLLOW

__all__ = ["Verified", "seal"]

_NO_WAITING = getattr(os, "O_NONBLOCK", 0)
_LIMIT = 1 << 20
"""Bytes of the file of seals, some sixteen thousand; beyond that it begins anew."""


def seal(files: Iterable[tuple[str, str, os.stat_result]]) -> str:
    """Return one text for these files: what each is called and promised to hold, and its identity.

    `files`: name, the hash that RECORD promises, and what the disk says.
    """
    state = hashlib.sha256()
    for name, promised, s in sorted(files, key=lambda file: file[0]):
        state.update(
            f"{name}\0{promised}\0{s.st_dev} {s.st_ino} {s.st_size} {s.st_mtime_ns}\n".encode(
                errors="surrogateescape"
            )
        )
    return state.hexdigest()


class Verified:
    """A file of seals, private to its user; without it everything is hashed, and nothing is lost.

    Reading and writing never fail: a file that others could have written counts as empty.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._seals: set[str] | None = None

    def __contains__(self, item: str) -> bool:
        if self._seals is None:
            self._seals = set(self._read().split())
        return item in self._seals

    def add(self, items: Iterable[str]) -> None:
        """Remember that what these seals stand for is as promised."""
        new = "".join(f"{item}\n" for item in items).encode()
        if not new:
            return
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(self._path), mode=0o700, exist_ok=True)
            start_anew = len(self._read()) > _LIMIT
            flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if start_anew else os.O_APPEND)
            descriptor = os.open(self._path, flags | NO_FOLLOW | _NO_WAITING, 0o600)
            try:
                if _is_private(descriptor):
                    os.write(descriptor, new)
            finally:
                os.close(descriptor)

    def _read(self) -> str:
        try:  # not to wait for whoever writes to a pipe
            descriptor = os.open(self._path, os.O_RDONLY | NO_FOLLOW | _NO_WAITING)
        except OSError:
            return ""
        try:
            if not _is_private(descriptor):
                return ""
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read().decode("ascii", "replace")
        except OSError:
            return ""
        finally:
            os.close(descriptor)


def _is_private(descriptor: int) -> bool:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        return False
    if not hasattr(os, "geteuid"):
        return True
    return status.st_uid == os.geteuid() and not status.st_mode & 0o022
