"""The only calls that change a disk, and how one file or folder goes from here to there.

Each call is one method, so that a test can stop before any of them; a move can be stopped anywhere
and reversed, and no signal cuts in two what belongs together.

Imports on Python 3.8 with the standard library alone: recovery may run in another interpreter.
"""

from __future__ import annotations

import contextlib
import errno
import filecmp
import os
import shutil
import signal
import stat
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import NamedTuple

NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def is_directory(path: str) -> bool:
    """Tell whether `path` is a real folder, not a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def is_unseen(error: OSError, path: str) -> bool:
    """Tell whether `path` is gone or not for us to read: another error says nothing about it."""
    if isinstance(error, PermissionError):
        return not os.access(path, os.R_OK)
    return isinstance(error, (FileNotFoundError, NotADirectoryError))


class Disk:
    """Every change this room makes goes through here."""

    def before(self, operation: str, path: str) -> None:
        """Be told of each change before it happens; a test overrides this to stop there."""

    def sync(self, descriptor: int) -> None:
        """Wait until what was written has reached the disk."""
        os.fsync(descriptor)

    def rename(self, source: str, target: str) -> None:
        """Move within one file system; replaces a file at `target`."""
        self.before("rename", target)
        os.replace(source, target)

    def unlink(self, path: str) -> None:
        """Remove a file or a link."""
        self.before("unlink", path)
        os.unlink(path)

    def make_directory(self, path: str, mode: int = 0o700) -> None:
        """Create a folder with exactly `mode`, whatever the process's mask."""
        self.before("mkdir", path)
        os.mkdir(path, mode)
        if stat.S_IMODE(os.stat(path).st_mode) != mode:
            self.before("chmod", path)
            os.chmod(path, mode)

    def remove_directory(self, path: str) -> None:
        """Remove an empty folder."""
        self.before("rmdir", path)
        os.rmdir(path)

    def copy(self, source: str, target: str) -> None:
        """Copy a file or link with its mode and times, and let the bytes reach the disk."""
        self.before("copy", target)
        if os.path.islink(source):
            os.symlink(os.readlink(source), target)
            return
        with open(source, "rb") as reading, open(target, "xb") as writing:
            self.before("copy-bytes", target)
            shutil.copyfileobj(reading, writing, 1 << 20)
            writing.flush()
            self.sync(writing.fileno())
        self.before("copy-attributes", target)
        status = os.stat(source)
        if hasattr(os, "chown"):
            with contextlib.suppress(OSError):  # only root may give a file to its old owner
                os.chown(target, status.st_uid, status.st_gid)
        shutil.copystat(source, target)

    def touch(self, path: str) -> None:
        """Create an empty file that only we may read."""
        self.before("touch", path)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | NO_FOLLOW, 0o600))

    def write(self, path: str, data: bytes, mode: int = 0o600, *, durable: bool = True) -> None:
        """Put `data` at `path` as a whole: readers see the old content or the new."""
        draft = path + ".new"
        with contextlib.suppress(FileNotFoundError):
            self.unlink(draft)
        self.before("write", draft)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | NO_FOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), mode)  # whatever the process's mask
            self.before("write-bytes", draft)
            file.write(data)
            file.flush()
            if durable:
                self.sync(file.fileno())
        self.rename(draft, path)
        if durable:
            self.settle(os.path.dirname(path))

    def settle(self, directory: str) -> None:
        """Let the names in `directory` reach the disk (Windows does so by itself)."""
        if os.name == "nt":
            return
        self.before("fsync", directory)
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            self.sync(descriptor)
        except OSError:
            pass  # some network mounts cannot; a killed process is still covered
        finally:
            os.close(descriptor)

    def remove_tree(self, path: str) -> None:
        """Remove `path` and what lies below it; what is gone already does not matter.

        What cannot be removed keeps nothing else. Raises OSError, the first.
        """
        if not is_directory(path):
            with contextlib.suppress(FileNotFoundError):
                self.unlink(path)
            return
        try:
            if (entries := sorted(os.listdir(path))) and not os.access(path, os.W_OK | os.X_OK):
                os.chmod(path, 0o700)  # a package may bring read-only folders
        except OSError:
            os.chmod(path, 0o700)
            entries = sorted(os.listdir(path))
        failure: OSError | None = None
        for name in entries:
            try:
                self.remove_tree(os.path.join(path, name))
            except OSError as error:
                failure = failure or error
        if failure is not None:
            raise failure
        self.remove_directory(path)

    def sweep(self, path: str) -> bool:
        """Remove what can be removed of `path`, and tell whether that was all of it."""
        try:
            self.remove_tree(path)
        except (OSError, RecursionError):
            return False
        return True


def immovable(path: str) -> str:
    """Return the first thing in `path` that keeps us from deleting it all, or nothing.

    That is a folder of somebody else, or what the file system lets nobody change (`chattr +i`).
    """
    me = os.geteuid() if hasattr(os, "geteuid") else 0
    below = (os.path.join(f, name) for f, dirs, files in os.walk(path) for name in (*dirs, *files))
    for here in (path, *below):
        with contextlib.suppress(OSError):  # it is gone by now
            status = os.lstat(here)
            if stat.S_ISLNK(status.st_mode) or os.access(here, os.W_OK):
                continue
            fixed = status.st_mode & stat.S_IWUSR and me in (0, status.st_uid)
            if fixed or (stat.S_ISDIR(status.st_mode) and status.st_uid != me):
                return here
    return ""


def free_bytes(path: str) -> int:
    """Return what we may still write to the file system of `path`, its nearest existing parent."""
    while not os.path.exists(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return shutil.disk_usage(path).free


# What a rename answers when it cannot work here at all: another device, a lower layer of an
# overlay, a mount that does not know folders being renamed. Anything else is a real failure.
_RENAMELESS = ("EXDEV", "ENOSYS", "ENOTSUP", "EOPNOTSUPP", "EPERM", "EMLINK", "EINVAL")
CANNOT_RENAME = frozenset(getattr(errno, name) for name in _RENAMELESS if hasattr(errno, name))


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
    if not os.path.lexists(target):
        try:
            disk.rename(source, target)
            return
        except OSError as error:
            if error.errno not in CANNOT_RENAME:
                raise
    piecewise()
    _merge(disk, source, target, mark)


def agrees(source: str, target: str) -> bool:
    """Tell whether all that lies in both of these trees is the same, file by file."""
    if not (is_directory(source) and is_directory(target)):
        return _same(source, target)
    names = set(os.listdir(source)).intersection(os.listdir(target))
    return all(agrees(os.path.join(source, n), os.path.join(target, n)) for n in names)


def _same(source: str, target: str) -> bool:
    links = [os.readlink(path) for path in (source, target) if os.path.islink(path)]
    if links:
        return len(links) == 2 and links[0] == links[1]
    return os.path.isfile(source) and filecmp.cmp(source, target, shallow=False)


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
    if os.path.lexists(draft):
        disk.remove_tree(draft)
    disk.make_directory(draft, stat.S_IMODE(os.stat(source).st_mode))
    disk.rename(draft, target)


def _carry_file(disk: Disk, source: str, target: str, mark: str) -> None:
    try:
        disk.rename(source, target)
        return
    except OSError as error:
        if os.path.lexists(target) and filecmp.cmp(source, target, shallow=False):
            # Copied before: the folder of `target` cannot be changed any more, and need not be.
            disk.unlink(source)
            return
        if error.errno not in CANNOT_RENAME:
            raise
    draft = target + mark
    if os.path.lexists(draft):
        disk.unlink(draft)
    disk.copy(source, draft)
    disk.rename(draft, target)
    disk.settle(os.path.dirname(target))
    disk.unlink(source)


_STOPS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
_HELD_BACK = tuple(getattr(signal, name) for name in _STOPS if hasattr(signal, name))


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Hold signals back for the length of a `with` block and deliver them after it.

    Masking alone would not do: a signal sent to the process may be taken by any thread, and
    Python then runs its handler in the main thread. So the handlers are exchanged as well. Another
    thread than the main one is never interrupted by a handler and needs neither.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        if number not in arrived:
            arrived.append(number)

    former = {number: signal.getsignal(number) for number in _HELD_BACK}
    # None = installed outside Python: it cannot be put back, so it is left alone.
    held = [n for n, handler in former.items() if handler not in (None, signal.SIG_IGN)]
    try:
        for number in held:
            signal.signal(number, remember)
        yield
    finally:
        for number in held:
            signal.signal(number, former[number])
        for number in arrived:
            signal.raise_signal(number)
