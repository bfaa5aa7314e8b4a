"""One writer per environment: a lock that dies with its holder, and says who holds it.

Imports on Python 3.8 with the standard library alone: recovery may run in another interpreter.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import NamedTuple

from safeinstall.transaction.errors import LockBusy, UnsafeArea
from safeinstall.transaction.moves.disk import NO_FOLLOW
from safeinstall.transaction.store import process
from safeinstall.transaction.store.journal import STAGING, Journal, transaction_ids

__all__ = ["Holder", "Lock", "acquire", "holder_of"]


_REMINDER = 0.5
"""Seconds after which a waiting caller is told again: it may not show what is said early."""

_DYING = 2.0
"""Seconds in which what an ended installer had started lets go; nobody who lives is waited for."""


class Holder(NamedTuple):
    """Who wrote itself into the lock file."""

    pid: int
    host: str
    started: str
    since: float
    """Seconds since 1970."""
    command: str

    @property
    def lives(self) -> bool:
        """False when it surely ended: then a child of it keeps the lock."""
        return self.host != process.host() or process.is_alive(self.pid, self.started)


class Lock:
    """A lock that is held until `release`, the end of `with`, or the end of every holder.

    A fork of this process (the workers of a notebook's cell) does not hold it: it would long after
    us, and everybody would wait for us.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        _held.add(self)

    def fileno(self) -> int:
        """Return the descriptor to give to an installer (`pass_fds`): it then holds on, too."""
        return self._descriptor

    @property
    def held(self) -> bool:
        """True until it is released."""
        return self._descriptor >= 0

    def release(self) -> None:
        """Let go. A child that got the descriptor goes on holding."""
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def __del__(self) -> None:
        """Let go where an interrupt came between taking the lock and the `with` that guards it."""
        self.release()

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


_held: weakref.WeakSet[Lock] = weakref.WeakSet()


def _let_go_in_fork() -> None:
    for lock in tuple(_held):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_fork)


def acquire(
    area: str,
    *,
    command: str = "",
    wait: bool = True,
    on_wait: Callable[[Holder | None], None] | None = None,
    timeout: float | None = None,
) -> Lock:
    """Take the lock of the existing `area`.

    Waits for another holder, telling `on_wait` now and then, unless `wait` is false. When the
    holder died and only its installer keeps the lock, that installer is ended. Raises LockBusy,
    OSError.
    """
    path = os.path.join(area, "lock")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | NO_FOLLOW, 0o600)
    except OSError as error:
        if os.path.islink(path):
            raise UnsafeArea(f"{path} is a symbolic link; it is not used.") from error
        raise
    try:
        _wait_for(descriptor, area, wait=wait, on_wait=on_wait, timeout=timeout)
        _sign(descriptor, command)
    except BaseException:
        os.close(descriptor)
        raise
    return Lock(descriptor)


def _wait_for(
    descriptor: int,
    area: str,
    *,
    wait: bool,
    on_wait: Callable[[Holder | None], None] | None,
    timeout: float | None,
) -> None:
    deadline = None if timeout is None else time.monotonic() + timeout
    pause, told, dying = 0.01, -_REMINDER, 0.0
    while not _try(descriptor):
        holder = holder_of(area)
        if holder is not None and not holder.lives and _end_orphans(area):
            dying = time.monotonic() + _DYING
        if time.monotonic() < dying:
            time.sleep(0.01)
            continue
        if not wait or (deadline is not None and time.monotonic() >= deadline):
            raise LockBusy(_busy(holder), context="The environment is untouched.")
        if on_wait is not None and time.monotonic() - told >= _REMINDER:
            on_wait(holder)
            told = time.monotonic()
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


def _busy(holder: Holder | None) -> str:
    if holder is None:
        return "Another process is changing this environment."
    what = f" ({holder.command})" if holder.command else ""
    where = holder.host.split("/")[0]
    return f"Process {holder.pid} on {where}{what} is changing this environment."


def holder_of(area: str) -> Holder | None:
    """Return who last took the lock, None when that cannot be read."""
    try:
        with open(os.path.join(area, "lock"), encoding="utf-8") as file:
            data = json.load(file)
        return Holder(
            int(data["pid"]),
            str(data["host"]),
            str(data["started"]),
            float(data["since"]),
            str(data["command"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _sign(descriptor: int, command: str) -> None:
    pid = os.getpid()
    holder = Holder(pid, process.host(), process.start_time(pid), time.time(), command)
    with contextlib.suppress(OSError):  # a full disk: the lock holds, only the name is missing
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(holder._asdict()).encode())


def _end_orphans(area: str) -> bool:
    ended = False
    for name in transaction_ids(area):
        journal = Journal.read(os.path.join(area, "transactions", name))
        if journal and journal.state == STAGING and journal.installer:
            ended = process.end(journal.installer.pid, journal.installer.started) or ended
    return ended


if os.name == "nt":  # pragma: no cover
    import msvcrt

    def _try(descriptor: int) -> bool:
        # Far behind the text, which others must be able to read.
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
