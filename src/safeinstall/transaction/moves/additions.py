"""What comes into an environment: the fewest moves that put a prepared tree in its place."""

from __future__ import annotations

import filecmp
import os
from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from safeinstall.transaction.moves.disk import exists
from safeinstall.transaction.moves.layout import EscapesPrefix, Layout
from safeinstall.transaction.moves.removals import BYTECODE, Departures
from safeinstall.transaction.store.manifest import FileStamp, stamp_of

__all__ = ["INSTALLER_LITTER", "Arrivals", "Collision", "arrivals"]

INSTALLER_LITTER = frozenset({".lock", ".gitignore", "CACHEDIR.TAG"})
"""What an installer leaves in the root of any prefix for its own use; it stays in the stage."""


@dataclass(frozen=True, slots=True)
class Collision:
    """A file that would come where something else lies."""

    name: str
    source: str


@dataclass(slots=True)
class Arrivals:
    """Moves into the environment; names are of the layout."""

    moves: list[tuple[str, str]] = field(default_factory=list)
    """Absolute source and name of the target."""
    files: dict[str, FileStamp] = field(default_factory=dict)
    """Every file that arrives, inside moved folders too."""
    created: list[str] = field(default_factory=list)
    """Folders that were not there before."""
    collisions: list[Collision] = field(default_factory=list)
    escapes: list[str] = field(default_factory=list)
    """What is wrong with a path that would leave the environment."""
    met: dict[str, FileStamp] = field(default_factory=dict)
    """Files that are there already with the same bytes and stay as they are."""
    found: tuple[str, ...] = ()
    """Those of them that belong to nobody; they are not in `met` any more."""

    def tell_apart(self, owned: Collection[str]) -> None:
        """Say which of the files that are there already belong to somebody."""
        self.found = (*self.found, *(name for name in self.met if name not in owned))
        self.met = {name: stamp for name, stamp in self.met.items() if name in owned}


class _Walk:
    def __init__(
        self,
        layout: Layout,
        leaving: Departures,
        replacing: Collection[str],
        stamps: Mapping[str, FileStamp],
        known: Mapping[str, FileStamp],
    ) -> None:
        self.layout = layout
        self.leaving = leaving
        self.replacing = replacing
        self.stamps = stamps
        self.known = known
        self.known_names = sorted(known)
        self.result = Arrivals()
        self.seen: set[str] = set()
        self.coming: set[str] = set()  # keys of folders that will be there after an earlier move

    def folder(self, source: str, target: str, ignored: Collection[str] = ()) -> None:
        """Bring what lies in `source` into the existing folder `target`."""
        self.leaving.ground.look(self.layout.path(target))
        # Files first: they decide about bytecode in a folder that is looked at afterwards.
        entries = sorted(
            os.scandir(source), key=lambda entry: (entry.is_dir(follow_symlinks=False), entry.name)
        )
        for entry in entries:
            if entry.name in ignored:
                continue
            name = f"{target}/{entry.name}" if target else entry.name
            if entry.is_dir(follow_symlinks=False):
                self._subfolder(entry, name)
            else:
                self._file(entry, name)

    def _subfolder(self, entry: os.DirEntry[str], name: str) -> None:
        place = self.layout.path(name)
        if self.layout.key(name) in self.coming:
            self.folder(entry.path, name)  # `lib` and `lib64` of a stage may lead to one folder
        elif self._is_free(name):
            if self._first(name, entry.path):
                self.result.moves.append((entry.path, name))
                if not self._all_known_below(name):
                    self._everything_below(entry.path, name)
        elif os.path.isdir(place):
            try:
                inside = self.layout.folder(name)
            except EscapesPrefix as error:
                self.result.escapes.append(error.message)
            else:
                self.folder(entry.path, inside)
        elif name in self.replacing:
            self._make_room(name)
            self._subfolder(entry, name)
        else:
            self.result.collisions.append(Collision(name, entry.path))

    def _file(self, entry: os.DirEntry[str], name: str) -> None:
        place = self.layout.path(name)
        if not self._is_free(name):
            if name in self.replacing:
                self._make_room(name)
            elif _same_file(entry.path, place):
                self.result.met[name] = stamp_of(os.lstat(place))
                return
            else:
                self.result.collisions.append(Collision(name, entry.path))
                return
        if self._first(name, entry.path):
            self.result.moves.append((entry.path, name))
            self._stamp(entry, name)
            if name.endswith(".py"):
                self._retire_bytecode(name)

    def _all_known_below(self, name: str) -> bool:
        """Take what is known of the files in a folder for granted; tell whether anything is."""
        names = self.known_names
        # `0` is what comes after `/`.
        below = names[bisect_left(names, f"{name}/") : bisect_left(names, f"{name}0")]
        folders: dict[str, None] = {}
        for file in below:
            self.result.files[file] = self.known[file]
            folder = file.rpartition("/")[0]
            while folder not in folders and len(folder) >= len(name):
                folders[folder] = None
                folder = folder.rpartition("/")[0]
        self.result.created += folders
        self.coming.update(map(self.layout.key, folders))
        return bool(below)

    def _everything_below(self, source: str, name: str) -> None:
        self.result.created.append(name)
        self.coming.add(self.layout.key(name))
        for entry in os.scandir(source):
            below = f"{name}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                self._everything_below(entry.path, below)
            elif self._first(below, entry.path):
                self._stamp(entry, below)

    def _retire_bytecode(self, name: str) -> None:
        # Bytecode of a source that was deleted by hand would be believed if size and time agree.
        folder, _, file = name.rpartition("/")
        cache = f"{folder}/__pycache__" if folder else "__pycache__"
        if self._is_free(cache):
            return
        self.leaving.ground.look(self.layout.path(cache))
        for stale in sorted(os.listdir(self.layout.path(cache))):
            if stale.startswith(file[:-2]) and stale.endswith(BYTECODE):
                if self._is_free(f"{cache}/{stale}"):
                    continue
                self._make_room(f"{cache}/{stale}")

    def _make_room(self, name: str) -> None:
        self.leaving.add(self.layout, name)
        self.leaving.track(name, os.lstat(self.layout.path(name)))

    def _is_free(self, name: str) -> bool:
        if not exists(self.layout.path(name)):
            return True
        return self.leaving.takes(self.layout.key(name))

    def _first(self, name: str, source: str) -> bool:
        key = self.layout.key(name)
        if key in self.seen:
            self.result.collisions.append(Collision(name, source))
            return False
        self.seen.add(key)
        return True

    def _stamp(self, entry: os.DirEntry[str], name: str) -> None:
        stamp = self.stamps.get(entry.path)
        if stamp is None:
            stamp = stamp_of(entry.stat(follow_symlinks=False))
        self.result.files[name] = stamp


def _same_file(one: str, other: str) -> bool:
    if os.path.islink(one) or os.path.islink(other) or not os.path.isfile(other):
        return False
    return filecmp.cmp(one, other, shallow=False)


def arrivals(
    layout: Layout,
    source: str,
    leaving: Departures,
    *,
    ignored: Collection[str] = (),
    replacing: Collection[str] = (),
    stamps: Mapping[str, FileStamp] = MappingProxyType({}),
    known: Mapping[str, FileStamp] = MappingProxyType({}),
) -> Arrivals:
    """Return how the tree below `source` comes to the prefix once `leaving` is gone.

    `ignored`: names in the root of `source` that stay there. `replacing`: names of files that may
    be replaced although they do not leave; they, and stale bytecode, are added to `leaving`.
    `stamps`: what is known of files below `source`, by absolute path; they are not looked at again.
    `known`: files below `source` by their name; a folder that moves with them is not walked.
    """
    walk = _Walk(layout, leaving, replacing, stamps, known)
    walk.folder(source, "", ignored)
    return walk.result
