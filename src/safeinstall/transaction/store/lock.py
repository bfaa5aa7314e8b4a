"""The folder of ours in an environment, private or not used at all, and the lock in it.

One writer per environment: a lock that dies with its holder, and says who holds it. Processes are
known by number and start time, for a number alone may be somebody else's by now.

Imports on Python 3.8 with the standard library alone: recovery may run in another interpreter.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import time
import weakref
from collections.abc import Callable, Iterator
from typing import NamedTuple

from safeinstall.errors import JournalError, LockBusy, TransactionError, UnsafeStore
from safeinstall.transaction.moves.disk import NO_FOLLOW, Disk
from safeinstall.transaction.store.journal import (
    FOLDER,
    STAGING,
    UNREADABLE,
    Journal,
    load,
    made_lock,
    number_of,
    objection,
    text_of,
    transaction_ids,
)

_REMINDER = 0.5
"""Seconds after which a waiting caller is told again: it may not show what is said early."""
_DYING = 2.0
"""Seconds in which what an ended installer had started lets go; nobody who lives is waited for."""


_PATIENCE = 30.0
"""Seconds in which a uv at work is waited for: it may be fetching."""


def folder_of(prefix: str) -> str:
    """Return where ours of the environment at `prefix` is, made or not."""
    return os.path.join(os.path.realpath(prefix), FOLDER)


def check(folder: str) -> bool:
    """Return whether the folder exists. Raises UnsafeStore when others could meddle with it."""
    for path in (folder, os.path.join(folder, "transactions")):
        try:
            status = os.lstat(path)
        except (FileNotFoundError, NotADirectoryError):
            return path != folder
        if reason := objection(status):
            message = f"{path} {reason}; it is not used and the environment is untouched."
            why = "It would hold files that go into the environment."
            raise UnsafeStore(message, context=why)
    return True


def create(folder: str, disk: Disk) -> None:
    """Make the folder if it is not there. Raises TransactionError with the reason."""
    for path in (folder, os.path.join(folder, "transactions")):
        try:
            disk.make_directory(path)
        except FileExistsError:
            continue
        except OSError as error:
            message = f"{path} cannot be created: {error.strerror}."
            raise TransactionError(message, code="not-writable") from error
    check(folder)


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
        return self.host != process_host() or is_alive(self.pid, self.started)


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

    def __exit__(self, *_error: object) -> None:
        self.release()


_held: weakref.WeakSet[Lock] = weakref.WeakSet()


def _let_go_in_fork() -> None:
    for lock in tuple(_held):
        lock.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_let_go_in_fork)


def acquire(
    folder: str,
    *,
    command: str = "",
    on_wait: Callable[[Holder | None], None] | None = None,
    timeout: float | None = None,
) -> Lock:
    """Take the lock of the existing `folder`.

    Waits for another holder, `timeout` seconds at most, telling `on_wait` now and then. When the
    holder died and only its installer keeps the lock, that installer is ended. Raises LockBusy,
    OSError.
    """
    path = os.path.join(folder, "lock")
    how = os.O_RDWR | os.O_CREAT | NO_FOLLOW | getattr(os, "O_NONBLOCK", 0)
    try:
        descriptor = os.open(path, how, 0o600)
    except OSError as error:
        if os.path.lexists(path) and (reason := objection(os.lstat(path), stat.S_IFREG)):
            raise UnsafeStore(f"{path} {reason}; it is not used.") from error
        raise
    try:
        if reason := objection(os.fstat(descriptor), stat.S_IFREG):
            raise UnsafeStore(f"{path} {reason}; it is not used.")
        _wait_for(descriptor, folder, on_wait, timeout)
        _sign(descriptor, command)
    except BaseException:
        os.close(descriptor)
        raise
    return Lock(descriptor)


def _wait_for(
    descriptor: int,
    folder: str,
    on_wait: Callable[[Holder | None], None] | None,
    timeout: float | None,
) -> None:
    deadline = None if timeout is None else time.monotonic() + timeout
    pause, reminded, dying = 0.01, -_REMINDER, 0.0
    while not _try(descriptor):
        holder = holder_of(folder)
        if holder is not None and not holder.lives and _end_orphans(folder):
            dying = time.monotonic() + _DYING
        if time.monotonic() < dying:
            time.sleep(0.01)
            continue
        if deadline is not None and time.monotonic() >= deadline:
            raise busy(holder)
        if on_wait is not None and time.monotonic() - reminded >= _REMINDER:
            on_wait(holder)
            reminded = time.monotonic()
        time.sleep(pause)
        pause = min(pause * 1.5, 0.2)


def is_held(folder: str) -> bool:
    """Tell whether a process has the lock now; creates nothing."""
    try:
        how = os.O_RDWR | NO_FOLLOW | getattr(os, "O_NONBLOCK", 0)
        descriptor = os.open(os.path.join(folder, "lock"), how)
    except OSError:
        return False
    try:
        return not _try(descriptor)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def busy(holder: Holder | None) -> LockBusy:
    """Return the error that says who changes the environment."""
    return LockBusy(_busy(holder), context="The environment is untouched.")


def _busy(holder: Holder | None) -> str:
    if holder is None:
        return "Another process is changing this environment."
    what = f" ({holder.command})" if holder.command else ""
    where = holder.host.split("/")[0]
    return f"Process {holder.pid} on {where}{what} is changing this environment."


@contextlib.contextmanager
def beside_uv(prefix: str) -> Iterator[None]:
    """Hold uv's own lock of a virtual environment for the moves; under ours, never around a uv.

    `uv pip install` and its like hold `<prefix>/.lock` (`Interpreter::lock` in uv-python). It waits
    for us, and we wait for it a while; not for a dry run, which an index may keep waiting. Where
    that file cannot be had there is nothing to hold. Raises LockBusy.
    """
    path, mark, descriptor = os.path.join(prefix, ".lock"), made_lock(folder_of(prefix)), -1
    if os.name == "nt" or not os.path.exists(os.path.join(prefix, "pyvenv.cfg")):
        yield
        return
    made = os.path.lexists(mark) or not os.path.lexists(path)
    with contextlib.suppress(OSError):
        if made:  # it goes again; a mark says so, for whoever comes after a kill
            os.close(os.open(mark, os.O_WRONLY | os.O_CREAT | NO_FOLLOW, 0o600))
        how = os.O_RDWR | NO_FOLLOW | os.O_NONBLOCK | (os.O_CREAT if made else 0)
        descriptor = os.open(path, how, 0o666)
    try:
        deadline = time.monotonic() + _PATIENCE
        while descriptor >= 0 and not _try(descriptor):
            if _is_dry_run(descriptor):
                break
            if time.monotonic() >= deadline:
                message = f"uv is changing this environment (it holds {path})."
                raise LockBusy(message, context="The environment is untouched.")
            time.sleep(0.02)
        yield
    finally:
        for name in (path, mark) if made else ():
            with contextlib.suppress(OSError):
                os.unlink(name)
        if descriptor >= 0:
            os.close(descriptor)


def _is_dry_run(descriptor: int) -> bool:
    """Tell whether who holds the lock only plans, as far as the system says (proc(5), locks)."""
    inode = f":{os.fstat(descriptor).st_ino}"
    try:
        with open("/proc/locks", encoding="ascii") as file:
            rows = [line.split() for line in file]
        holders = [row[4] for row in rows if row[1] == "FLOCK" and row[5].endswith(inode)]
        words = [b"--dry-run" in _words_of(pid) for pid in holders]
    except (OSError, IndexError, ValueError):
        return False
    return bool(words) and all(words)


def _words_of(pid: str) -> list[bytes]:
    with open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read().split(b"\0")


def holder_of(folder: str) -> Holder | None:
    """Return who last took the lock, None when that cannot be read."""
    try:
        data = load(os.path.join(folder, "lock"))
        texts = [text_of(data[name]) for name in ("host", "started", "command")]
        host, started, command = texts
        return Holder(number_of(data["pid"]), host, started, float(data["since"]), command)
    except UNREADABLE:
        return None


def _sign(descriptor: int, command: str) -> None:
    pid = os.getpid()
    holder = Holder(pid, process_host(), start_time(pid), time.time(), command)
    with contextlib.suppress(OSError):  # a full disk: the lock holds, only the name is missing
        if os.fstat(descriptor).st_nlink > 1:
            return  # it may be somebody's file by another name, too
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.ftruncate(descriptor, 0)
        os.write(descriptor, json.dumps(holder._asdict()).encode())


def _end_orphans(folder: str) -> bool:
    ended = False
    for name in transaction_ids(folder):
        with contextlib.suppress(JournalError):  # recovery says so
            journal = Journal.read(os.path.join(folder, "transactions", name))
            if journal and journal.state == STAGING:
                ended = end_installer(journal) or ended
    return ended


if os.name == "nt":  # pragma: no cover
    import msvcrt

    def _try(descriptor: int) -> bool:
        # Far behind the text, which others must be able to read.
        os.lseek(descriptor, 1 << 30, os.SEEK_SET)
        with contextlib.suppress(OSError):
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
            return True
        return False

else:
    import fcntl

    def _try(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def process_host() -> str:
    """Name where process numbers mean what they mean here: machine, boot and pid namespace."""
    parts = [socket.gethostname()]
    with contextlib.suppress(OSError):  # no /proc: the machine's name alone
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            parts.append(file.read().strip()[:8])
        parts.append(os.readlink("/proc/self/ns/pid"))
    return "/".join(parts)


def start_time(pid: int) -> str:
    """Return when the process began, in the system's own unit; empty when it cannot be known."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return "" if fields[0] in ("Z", "X") else fields[19]
    except (OSError, IndexError):
        return ""


def is_alive(pid: int, started: str) -> bool:
    """Tell whether that very process runs; without a start time, whether any has its number."""
    if pid <= 0:
        return False
    if os.path.isdir("/proc/self"):
        now = start_time(pid)
        return now != "" and (not started or now == started)
    if os.name == "nt":
        return True  # os.kill(pid, 0) would end it there; the lock alone decides
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def end_installer(journal: Journal) -> bool:
    """End the installer that a dead process left; False when it is not surely that one, or stays.

    A journal may name any process. Only one of ours is ended, that began when the journal says, on
    the machine where its number means something, and was told to fill this very stage.
    """
    installer = journal.installer
    if installer is None or installer.host not in ("", process_host()):
        return False
    try:
        owner = os.stat(f"/proc/{installer.pid}").st_uid
        with open(f"/proc/{installer.pid}/cmdline", "rb") as file:
            fills = os.fsencode(journal.stage) in file.read().split(b"\0")
    except OSError:
        return False
    ours = fills and owner == os.geteuid()
    return ours and _end_process(installer.pid, installer.started)


def _end_process(pid: int, started: str, patience: float = 2.0) -> bool:
    if not started or not is_alive(pid, started):
        return False
    # An installer leads its own session: its group holds what it has started, too.
    leads = False
    with contextlib.suppress(OSError):
        leads = hasattr(os, "getpgid") and os.getpgid(pid) == pid != os.getpgrp()
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        try:
            (os.killpg if leads else os.kill)(pid, number)
        except OSError:
            return not is_alive(pid, started)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not is_alive(pid, started):
                # What it had started and does not listen, a build perhaps, would go on writing.
                with contextlib.suppress(OSError):
                    if leads:
                        os.killpg(pid, signal.SIGKILL)
                return True
            time.sleep(0.01)
    return False
