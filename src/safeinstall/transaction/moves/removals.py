"""What leaves an environment: the fewest moves that take exactly the files of some distributions.

A folder goes as a whole when everything in it leaves. Bytecode belongs to its source: it goes with
it, also out of a `__pycache__` shared with others, so that no stale bytecode is ever believed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from safeinstall.transaction.moves.disk import is_directory
from safeinstall.transaction.moves.prefix import Layout
from safeinstall.transaction.store.journal import FileStamp, stamp_of

BYTECODE = (".pyc", ".pyo")


class FolderSnapshot:
    """The folders that moves were planned in, and when each last gained or lost an entry."""

    def __init__(self) -> None:
        self._seen: dict[str, int | None] = {}

    def look(self, folder: str) -> None:
        """Remember how `folder` is now: call it before its entries are read."""
        self._seen.setdefault(folder, _changed_at(folder))

    def holds(self) -> bool:
        """Tell whether every folder still has the entries it had (their contents aside)."""
        return all(_changed_at(folder) == before for folder, before in self._seen.items())


def _changed_at(folder: str) -> int | None:
    try:
        return os.stat(folder).st_mtime_ns
    except OSError:
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Removals:
    """Moves out of the environment; all names are of the layout."""

    moves: tuple[str, ...] = ()
    """Files and folders, each to be moved by itself."""
    files: Mapping[str, FileStamp] = field(default_factory=dict)
    """Every tracked file that leaves and exists, inside moved folders too."""
    kept_shared: tuple[str, ...] = ()
    """Files that stay because others own them as well."""
    kept_folders: tuple[str, ...] = ()
    """Folders that would go as a whole if nothing else were in them."""
    bytes: int = 0
    """What is kept of them for undo."""
    snapshot: FolderSnapshot = field(default_factory=FolderSnapshot)
    """The folders they were planned in."""

    def refreshed(self, layout: Layout) -> Removals | None:
        """Return the same with the files as they are by now; None when one is gone."""
        files = restamped(layout, self.files)
        return None if files is None else replace(self, files=files)


def restamped(layout: Layout, files: Iterable[str]) -> dict[str, FileStamp] | None:
    """Return how the files are by now; None when one is gone."""
    try:
        return {name: stamp_of(os.lstat(layout.path(name))) for name in files}
    except OSError:
        return None


def remove_files(
    layout: Layout,
    names: Collection[str],
    removable: Callable[[str], bool],
    shared: Collection[str] = (),
) -> Removals:
    """Return how the files `names` leave; `removable(folder)` allows a folder to go as a whole.

    `shared`: those among them that stay, because others own them as well.
    """
    walk = _Walk(layout, removable, (name for name in names if name not in shared))
    moves = tuple(walk.visit("")[1])
    standing = dict.fromkeys(walk.standing)
    for name in shared:
        while name := name.rpartition("/")[0]:
            if removable(name):
                standing[name] = None
    return Removals(
        moves=moves,
        files=walk.stamps,
        kept_shared=tuple(shared),
        kept_folders=tuple(standing),
        bytes=walk.bytes,
        snapshot=walk.snapshot,
    )


def set_aside(layout: Layout, paths: Iterable[str]) -> Removals:
    """Return how these files and whole folders leave. Raises OSError, EscapesPrefix."""
    moves = tuple(map(layout.name, paths))
    files: dict[str, os.stat_result] = {}
    for name in moves:
        path = layout.path(name)
        if is_directory(path):
            for folder, _, inside in os.walk(path):
                for below in (os.path.join(folder, file) for file in inside):
                    files[layout.name(below)] = os.lstat(below)
        else:
            files[name] = os.lstat(path)
    return Removals(
        moves=moves,
        files={name: stamp_of(status) for name, status in files.items()},
        bytes=sum(status.st_size for status in files.values()),
    )


class _Walk:
    def __init__(
        self, layout: Layout, removable: Callable[[str], bool], names: Iterable[str]
    ) -> None:
        self.layout = layout
        self.removable = removable
        self.moves: list[str] = []
        self.stamps: dict[str, FileStamp] = {}
        self.standing: list[str] = []
        self.bytes = 0
        self.snapshot = FolderSnapshot()
        self.files: dict[str, set[str]] = {}  # by key of the folder
        self.above: set[str] = set()  # keys of folders below which something leaves
        for name in names:
            folder, _, last = layout.key(name).rpartition("/")
            self.files.setdefault(folder, set()).add(last)
        for folder in self.files:
            while folder and folder not in self.above:
                self.above.add(folder)
                folder = folder.rpartition("/")[0]

    def track(self, name: str, status: os.stat_result) -> None:
        """Note one file that leaves, by itself or in its folder."""
        self.stamps[name] = stamp_of(status)
        self.bytes += status.st_size

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
                        self.standing += [name] if removable else []
                    moves += inner
                elif whole and not self._is_idle(entry.path):
                    whole = False
            elif (key := self.layout.key(entry.name)) in files or _compiled_from(key, stems):
                moves.append(name)
                self.track(name, entry.stat(follow_symlinks=False))
            elif not entry.name.endswith(BYTECODE):
                whole = False
        return whole, moves

    def _visit_bytecode(self, folder: str, stems: set[str]) -> list[str]:
        leaving, staying = [], 0
        files = self.files.get(self.layout.key(folder), set())
        for entry in self._entries(folder):
            key = self.layout.key(entry.name)
            if key in files:
                self.track(f"{folder}/{entry.name}", entry.stat(follow_symlinks=False))
            elif _compiled_from(key, stems):
                self.bytes += entry.stat(follow_symlinks=False).st_size
            else:
                staying += 1
                continue
            leaving.append(f"{folder}/{entry.name}")
        return [folder] if leaving and not staying else leaving

    def _is_idle(self, path: str) -> bool:
        """Tell whether a folder holds nothing but bytecode, at any depth."""
        self.snapshot.look(path)
        for folder, subfolders, files in os.walk(path):
            if not all(name.endswith(BYTECODE) for name in files):
                return False
            for name in subfolders:
                if os.path.islink(os.path.join(folder, name)):
                    return False
                self.snapshot.look(os.path.join(folder, name))
        return True

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        path = self.layout.path(folder)
        self.snapshot.look(path)
        return sorted(os.scandir(path), key=lambda entry: entry.name)


def _compiled_from(key: str, stems: set[str]) -> bool:
    # x.cpython-312.opt-1.pyc, x.cpython-312-pytest-9.pyc and the old x.pyc come from x.py
    return key.endswith(BYTECODE) and any(
        key[: at + 1] in stems for at, letter in enumerate(key) if letter == "."
    )
