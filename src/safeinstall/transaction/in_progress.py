"""The mark on an environment that is being made: what a killed process left can be recognised.

A file in the new folder names the process and the folder it lies in. It goes when the environment
is complete. Who finds it takes nothing away because of it: a mark proves that a run began here, not
that all that lies here is that run's. What a run takes away again, it made itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from safeinstall.errors import SafeInstallError
from safeinstall.transaction.moves.disk import undisturbed
from safeinstall.transaction.store.journal import FOLDER
from safeinstall.transaction.store.lock import is_alive, process_host, start_time

MARK: Final = ".safeinstall-unfinished"
_OWN: Final = frozenset(
    {"bin", "lib", "lib64", "include", "share", "Scripts", "Lib", "Include", "pyvenv.cfg"}
    | {".gitignore", "CACHEDIR.TAG", ".lock", FOLDER}
)
"""What `python -m venv`, uv and we ourselves put into the folder of an environment."""


class Leftover(NamedTuple):
    """What a process left that died while it made an environment."""

    path: str
    overlay: bool
    """It was to see the packages of another environment."""
    stands: bool
    """There was an environment already: what was to come were packages and a kernel."""


class Making:
    """An environment on its way: kept at the end, or what was made of it is gone again."""

    def __init__(self, path: str, overlay: bool = False) -> None:
        self.path = path
        self.resumed = False
        """True when another run had begun it: then nothing of the folder is taken away."""
        self._overlay = overlay
        self._draft = os.path.join(path, f"{MARK}.{os.getpid()}")
        self._kernelspec = ""
        self._kept: tuple[str, str] | None = None
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
        if only_begun(self.path):
            Path(self.path, MARK).unlink(missing_ok=True)
        mark = os.path.join(self.path, MARK)
        try:
            self._write_draft(stands=False)
            try:
                os.link(self._draft, mark)  # whole, or not there: nobody reads half a mark
            except FileExistsError:
                raise _taken(f"{self.path} is being made by another process.") from None
            except (OSError, AttributeError):  # no links on this file system
                os.rename(self._draft, mark)
        finally:
            with contextlib.suppress(OSError):
                os.unlink(self._draft)
        if _others(self.path):
            os.unlink(mark)
            raise _taken(f"{self.path} is not empty any more; it is left as it is.")
        self._begun = True

    def resume(self) -> None:
        """Go on with what another run had begun; the mark is this process's from now on."""
        self.resumed = True
        self.stands()

    def stands(self) -> None:
        """Note that there is an environment now, with nothing in it. Raises OSError."""
        self._write_draft(stands=True)
        os.replace(self._draft, os.path.join(self.path, MARK))

    def registers(self, folder: str) -> None:
        """Note the kernelspec that is going to be written for it, where none is."""
        self._kernelspec = folder

    def keeps(self, file: str, aside: str) -> None:
        """Note that the user's own `file` is going to be written anew, and kept `aside`."""
        self._kept = file, aside

    def keep(self) -> None:
        """Say that it is complete. Raises OSError."""
        for name in _marks(self.path):
            os.unlink(os.path.join(self.path, name))

    def undo(self, brought: Collection[str] = ()) -> str:
        """Take away again what this run made, and put back a kernelspec that it wrote anew.

        `brought`: names in the folder of what packages have put there. Returns what is left of
        what was made, as a sentence; nothing where all is as it was.
        """
        left: list[str] = []
        with undisturbed():
            if self._kernelspec:
                shutil.rmtree(self._kernelspec, ignore_errors=True)
                left += [self._kernelspec] if os.path.lexists(self._kernelspec) else []
            if self._kept and os.path.lexists(self._kept[1]):
                try:
                    os.replace(self._kept[1], self._kept[0])
                except OSError:
                    left.append(f"{self._kept[0]} (the former one is {self._kept[1]})")
            if self._begun:
                _take(self.path, {*_OWN, *brought})
                left += [os.path.join(self.path, name) for name in _others(self.path)]
            for folder in self._created:
                with contextlib.suppress(OSError):  # somebody has put something into it
                    os.rmdir(folder)
        what = "What cannot be removed, or was not made here, is left"
        return f" {what}: {', '.join(left[:3])}." if left else ""

    def _write_draft(self, *, stands: bool) -> None:
        pid, host = os.getpid(), process_host()
        data = {"pid": pid, "started": start_time(pid), "host": host, "overlay": self._overlay}
        data |= {"folder": os.stat(self.path).st_ino, "stands": stands}
        Path(self._draft).write_text(json.dumps(data), "utf-8")


def left_behind(path: str) -> Leftover | None:
    """Return what a dead process left at `path`; None when it is none of ours, or still at work.

    A mark is believed in the folder it was written in alone, which must be the user's: one that was
    copied, unpacked or made up says nothing.
    """
    data = _mark_of(path)
    try:
        status = os.lstat(path)
        own = not hasattr(os, "geteuid") or status.st_uid == os.geteuid()
        if not own or data["folder"] != status.st_ino or _is_at_work(data):
            return None
        return Leftover(path, data["overlay"] is True, data["stands"] is True)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def only_begun(path: str) -> bool:
    """Tell whether a folder holds nothing, or nothing but marks of processes that are gone."""
    try:
        plain = not os.path.islink(path) and not _others(path)
        return plain and not _is_at_work(_mark_of(path))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def set_aside(path: str) -> str:
    """Move what was begun at `path` to a free name beside it, and return that. Raises OSError."""
    count = 1
    while os.path.lexists(aside := f"{path}.unfinished{f'-{count}' * (count > 1)}"):
        count += 1
    os.rename(path, aside)
    return aside


def _mark_of(path: str) -> dict[str, Any]:
    """Return what a mark says; nothing where it says nothing."""
    try:
        data = json.loads(Path(path, MARK).read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _is_at_work(data: dict[str, Any]) -> bool:
    if not data:
        return False
    host, here = str(data["host"]), process_host()
    if host != here:  # that of another machine may be at work still
        return host.split("/")[0] != here.split("/")[0]
    return is_alive(int(data["pid"]), str(data["started"]))


def _marks(path: str) -> list[str]:
    return [name for name in os.listdir(path) if name.startswith(MARK)]


def _others(path: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(path) if not name.startswith(MARK))
    except FileNotFoundError:
        return []


def _taken(message: str) -> SafeInstallError:
    return SafeInstallError(message, code="place-taken")


def _take(folder: str, names: Collection[str]) -> None:
    """Take away what is called so in a folder, the marks last: who dies here is recognised."""
    try:
        there = sorted(os.listdir(folder), key=lambda name: name.startswith(MARK))
    except OSError:
        return
    for name in there:
        path = os.path.join(folder, name)
        if os.path.isdir(path) and not os.path.islink(path):
            if name in names:
                shutil.rmtree(path, ignore_errors=True)
        elif name in names or name.startswith(MARK):
            with contextlib.suppress(OSError):
                os.unlink(path)


def write_path_file(folder: str, name: str, lines: Iterable[str]) -> None:
    """Write a `.pth` file into the packages of an environment that is being made."""
    Path(folder, name).write_text("\n".join(lines) + "\n", "utf-8")


def make_destination(prefix: str) -> None:
    """Make the prefix of a destination of its own, which need not be there yet."""
    Path(prefix).mkdir(mode=0o755, parents=True, exist_ok=True)
