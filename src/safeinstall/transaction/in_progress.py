"""The mark on an environment that is being made: what a killed process left can be recognised.

A file in the new folder names the process and, once written, the kernelspec. It goes when the
environment is complete; a folder that still has it, of a process that is gone, is litter.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from safeinstall.errors import SafeInstallError
from safeinstall.transaction.moves.disk import undisturbed
from safeinstall.transaction.store.lock import is_alive, process_host, start_time

MARK: Final = ".safeinstall-unfinished"


class Leftover(NamedTuple):
    """What a process left that died while it made an environment."""

    path: str
    kernelspec: str
    """The folder of the kernelspec it had written, or empty."""


class Making:
    """An environment on its way: kept at the end, or gone without a trace."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._kernelspec = ""
        self._created: Sequence[str] = ()
        self._begun = False

    def begin(self) -> None:
        """Make the folder with the mark in it, and the folders above it.

        Raises OSError, and `SafeInstallError` where somebody else has come first.
        """
        missing, folder = [], self.path
        while not os.path.lexists(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        self._created = missing
        Path(self.path).mkdir(parents=True, exist_ok=True)
        mark = Path(self.path, MARK)
        try:
            mark.touch(exist_ok=False)
        except FileExistsError:
            raise _taken(f"{self.path} is being made by another process.") from None
        if len(os.listdir(self.path)) > 1:
            mark.unlink()
            raise _taken(f"{self.path} is not empty any more; it is left as it is.")
        self._begun = True
        self._write()

    def registered(self, folder: str) -> None:
        """Note the kernelspec that was written for it."""
        self._kernelspec = folder
        self._write()

    def keep(self) -> None:
        """Say that it is complete."""
        Path(self.path, MARK).unlink(missing_ok=True)

    def undo(self) -> None:
        """Take everything away again: the folder, those made above it, and the kernelspec."""
        with undisturbed():
            if self._kernelspec:
                shutil.rmtree(self._kernelspec, ignore_errors=True)
            if self._begun:
                _empty(self.path)
            for folder in self._created:
                with contextlib.suppress(OSError):  # somebody has put something into it
                    os.rmdir(folder)

    def _write(self) -> None:
        pid, host = os.getpid(), process_host()
        began = start_time(pid)
        data = {"pid": pid, "started": began, "host": host, "kernelspec": self._kernelspec}
        fresh = Path(self.path, f"{MARK}.new")
        fresh.write_text(json.dumps(data), "utf-8")
        fresh.replace(Path(self.path, MARK))


def left_behind(path: str) -> Leftover | None:
    """Return what a dead process left at `path`; None when it is none of ours, or still at work."""
    try:
        data = json.loads(Path(path, MARK).read_text("utf-8"))
        pid, started = int(data["pid"]), str(data["started"])
        kernelspec, host = str(data.get("kernelspec", "")), str(data.get("host", ""))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    elsewhere = host.split("/")[0] != process_host().split("/")[0]
    if elsewhere or (host == process_host() and is_alive(pid, started)):
        return None
    return Leftover(path=path, kernelspec=kernelspec if _starts(kernelspec, path) else "")


def remove(leftover: Leftover) -> None:
    """Take away what was left behind."""
    if leftover.kernelspec:
        shutil.rmtree(leftover.kernelspec, ignore_errors=True)
    _empty(leftover.path)
    with contextlib.suppress(OSError):
        os.rmdir(leftover.path)


def _starts(kernelspec: str, path: str) -> bool:
    """Tell whether a kernelspec starts an interpreter of `path`: the mark alone is not believed."""
    try:
        data = json.loads(Path(kernelspec, "kernel.json").read_text("utf-8"))
        return str(data["argv"][0]).startswith(path + os.sep)
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return False


def _taken(message: str) -> SafeInstallError:
    return SafeInstallError(message, code="place-taken")


def _empty(folder: str) -> None:
    """Take away all that is in a folder, the mark last: who dies here is recognised by it."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name == MARK)
    except OSError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                os.unlink(entry.path)


def write_path_file(folder: str, name: str, lines: Iterable[str]) -> None:
    """Write a `.pth` file into the packages of an environment that is being made."""
    Path(folder, name).write_text("\n".join(lines) + "\n", "utf-8")


def make_destination(prefix: str) -> None:
    """Make the prefix of a destination of its own, which need not be there yet."""
    Path(prefix).mkdir(mode=0o755, parents=True, exist_ok=True)
