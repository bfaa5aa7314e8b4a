"""What leaves an environment: the fewest moves that take exactly the files of some distributions.

A folder goes as a whole when everything in it leaves. Bytecode belongs to its source: it goes with
it, also out of a `__pycache__` shared with others, so that no stale bytecode is ever believed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from safeinstall.transaction.moves.ground import Ground
from safeinstall.transaction.moves.layout import Layout
from safeinstall.transaction.store.manifest import FileStamp, stamp_of

__all__ = ["Departures", "departures"]

BYTECODE = (".pyc", ".pyo")


@dataclass(slots=True)
class Departures:
    """Moves out of the environment; all names are of the layout."""

    moves: list[str] = field(default_factory=list)
    """Files and folders, each to be moved by itself."""
    files: dict[str, FileStamp] = field(default_factory=dict)
    """Every tracked file that leaves and exists, inside moved folders too."""
    keys: set[str] = field(default_factory=set)
    """Keys of `moves`: what will not be there any more."""
    left: tuple[str, ...] = ()
    """Files that stay because others own them as well."""
    standing: list[str] = field(default_factory=list)
    """Folders that would go as a whole if nothing else were in them."""
    kept_bytes: int = 0
    ground: Ground = field(default_factory=Ground)
    """The folders these moves, and those that come in their place, were planned in."""

    def add(self, layout: Layout, name: str) -> None:
        """Add one more move."""
        self.moves.append(name)
        self.keys.add(layout.key(name))

    def takes(self, key: str) -> bool:
        """Tell whether what has this key leaves: by itself, or with a folder above it."""
        while key:
            if key in self.keys:
                return True
            key = key.rpartition("/")[0]
        return False

    def track(self, name: str, status: os.stat_result) -> None:
        """Note one file that leaves, by itself or in its folder."""
        self.files[name] = stamp_of(status)
        self.kept_bytes += status.st_size

    def look_again(self, layout: Layout) -> bool:
        """Note how the files are by now; tell whether all are still there."""
        try:
            for name in self.files:
                self.files[name] = stamp_of(os.lstat(layout.path(name)))
        except OSError:
            return False
        return True


def departures(
    layout: Layout,
    names: Collection[str],
    removable: Callable[[str], bool],
    left: Collection[str] = (),
) -> Departures:
    """Return how the files `names` leave; `removable(folder)` allows a folder to go as a whole.

    `left`: those among them that stay, because others own them as well.
    """
    walk = _Walk(layout, removable, (name for name in names if name not in left))
    for name in walk.visit("")[1]:
        walk.result.add(layout, name)
    walk.result.left = tuple(left)
    standing = dict.fromkeys(walk.result.standing)
    for name in left:
        while name := name.rpartition("/")[0]:
            if removable(name):
                standing[name] = None
    walk.result.standing = list(standing)
    return walk.result


class _Walk:
    def __init__(
        self, layout: Layout, removable: Callable[[str], bool], names: Iterable[str]
    ) -> None:
        self.layout = layout
        self.removable = removable
        self.result = Departures()
        self.files: dict[str, set[str]] = {}  # by key of the folder
        self.above: set[str] = set()  # keys of folders below which something leaves
        for name in names:
            folder, _, last = layout.key(name).rpartition("/")
            self.files.setdefault(folder, set()).add(last)
        for folder in self.files:
            while folder and folder not in self.above:
                self.above.add(folder)
                folder = folder.rpartition("/")[0]

    def visit(self, folder: str) -> tuple[bool, list[str]]:
        """Return whether all of `folder` leaves, and the moves if it does not go as a whole."""
        try:
            entries = self._entries(folder)
        except OSError:
            return False, []
        files = self.files.get(self.layout.key(folder), set())
        stems = {name[:-2] for name in files if name.endswith(".py")}
        whole, moves = True, []
        for entry in entries:
            name = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=False):
                if entry.name == "__pycache__":
                    moves += self._visit_bytecode(name, stems)
                elif self.layout.key(name) in self.above:
                    all_below, inner = self.visit(name)
                    removable = self.removable(name)
                    if all_below and removable:
                        inner = [name]
                    else:
                        whole = False
                        self.result.standing += [name] if removable else []
                    moves += inner
                elif whole and not self._is_idle(entry.path):
                    whole = False
            elif (key := self.layout.key(entry.name)) in files or _compiled_from(key, stems):
                moves.append(name)
                self.result.track(name, entry.stat(follow_symlinks=False))
            elif not entry.name.endswith(BYTECODE):
                whole = False
        return whole, moves

    def _visit_bytecode(self, folder: str, stems: set[str]) -> list[str]:
        leaving, staying = [], 0
        files = self.files.get(self.layout.key(folder), set())
        for entry in self._entries(folder):
            key = self.layout.key(entry.name)
            if key in files:
                self.result.track(f"{folder}/{entry.name}", entry.stat(follow_symlinks=False))
            elif _compiled_from(key, stems):
                self.result.kept_bytes += entry.stat(follow_symlinks=False).st_size
            else:
                staying += 1
                continue
            leaving.append(f"{folder}/{entry.name}")
        return [folder] if leaving and not staying else leaving

    def _is_idle(self, path: str) -> bool:
        """Tell whether a folder holds nothing but bytecode, at any depth."""
        self.result.ground.look(path)
        for folder, subfolders, files in os.walk(path):
            if not all(name.endswith(BYTECODE) for name in files):
                return False
            for name in subfolders:
                if os.path.islink(os.path.join(folder, name)):
                    return False
                self.result.ground.look(os.path.join(folder, name))
        return True

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        path = self.layout.path(folder)
        self.result.ground.look(path)
        return sorted(os.scandir(path), key=lambda entry: entry.name)


def _compiled_from(key: str, stems: set[str]) -> bool:
    # x.cpython-312.opt-1.pyc, x.cpython-312-pytest-9.pyc and the old x.pyc come from x.py
    return key.endswith(BYTECODE) and any(
        key[: at + 1] in stems for at, letter in enumerate(key) if letter == "."
    )
