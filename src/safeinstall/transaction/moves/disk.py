"""The only calls that change a disk, one method each, so that a test can stop before any of them.

Imports on Python 3.8 with the standard library alone: recovery may run in another interpreter.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat

__all__ = ["Disk", "exists", "is_directory"]

NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)


def exists(path: str) -> bool:
    """Tell whether anything lies at `path`, a dangling link too."""
    return os.path.lexists(path)


def is_directory(path: str) -> bool:
    """Tell whether `path` is a real folder, not a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


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
        """Remove `path` and what lies below it; what is gone already does not matter."""
        if not is_directory(path):
            with contextlib.suppress(FileNotFoundError):
                self.unlink(path)
            return
        try:
            entries = sorted(os.listdir(path))
            if entries and not os.access(path, os.W_OK | os.X_OK):
                os.chmod(path, 0o700)  # a package may bring read-only folders
        except OSError:
            os.chmod(path, 0o700)
            entries = sorted(os.listdir(path))
        for name in entries:
            self.remove_tree(os.path.join(path, name))
        self.remove_directory(path)
