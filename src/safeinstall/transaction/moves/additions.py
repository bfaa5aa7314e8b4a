"""What comes into an environment: the fewest moves that put a prepared tree in its place."""

from __future__ import annotations

import filecmp
import os
from bisect import bisect_left
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from safeinstall.errors import EscapesPrefix
from safeinstall.transaction.moves.prefix import (
    BYTECODE,
    FolderSnapshot,
    Layout,
    Removals,
    restamped,
)
from safeinstall.transaction.store.journal import FileStamp, stamp_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Additions:
    """Moves into the environment; names are of the layout."""

    moves: tuple[tuple[str, str], ...] = ()
    """Absolute source and name of the target."""
    files: Mapping[str, FileStamp] = field(default_factory=dict)
    """Every file that comes, inside moved folders too."""
    created: tuple[str, ...] = ()
    """Folders that were not there before."""
    displaced: Mapping[str, FileStamp] = field(default_factory=dict)
    """What has to leave, each by itself, to make room: allowed files of others, stale bytecode."""
    displaced_bytes: int = 0
    collisions: tuple[str, ...] = ()
    """Files that would come where something else lies."""
    escapes: tuple[str, ...] = ()
    """What is wrong with a path that would leave the environment."""
    already_shared: Mapping[str, FileStamp] = field(default_factory=dict)
    """Files that are there already with the same bytes and stay as they are, being others'."""
    already_unowned: tuple[str, ...] = ()
    """Such files that belong to nobody."""
    snapshot: FolderSnapshot = field(default_factory=FolderSnapshot)
    """The folders they were planned in."""

    def with_owners(self, owned: Collection[str]) -> Additions:
        """Return the same, knowing which of the files that are there already are somebody's."""
        present = self.already_shared
        shared = {name: stamp for name, stamp in present.items() if name in owned}
        unowned = tuple(name for name in present if name not in owned)
        return replace(self, already_shared=shared, already_unowned=unowned)

    def refreshed(self, layout: Layout) -> Additions | None:
        """Return the same with what makes room as it is by now; None when some of it is gone."""
        files = restamped(layout, self.displaced)
        return None if files is None else replace(self, displaced=files)


class _Walk:
    def __init__(
        self,
        layout: Layout,
        leaving: Removals,
        replacing: Collection[str],
        stamps: Mapping[str, FileStamp],
        known: Mapping[str, FileStamp],
    ) -> None:
        self.layout = layout
        self.gone = set(map(layout.key, leaving.moves))
        self.replacing = replacing
        self.stamps = stamps
        self.known = known
        self.known_names = sorted(known)
        self.moves: list[tuple[str, str]] = []
        self.files: dict[str, FileStamp] = {}
        self.created: list[str] = []
        self.collisions: list[str] = []
        self.escapes: list[str] = []
        self.present: dict[str, FileStamp] = {}
        self.displaced: dict[str, os.stat_result] = {}
        self.snapshot = FolderSnapshot()
        self.seen: set[str] = set()
        self.coming: set[str] = set()  # keys of folders that will be there after an earlier move

    def folder(self, source: str, target: str, ignored: Collection[str] = ()) -> None:
        """Bring what lies in `source` into the existing folder `target`."""
        self.snapshot.look(self.layout.path(target))
        # Files first: they decide about bytecode in a folder that is looked at afterwards.
        for entry in sorted(os.scandir(source), key=lambda entry: (_is_folder(entry), entry.name)):
            if entry.name not in ignored:
                name = f"{target}/{entry.name}" if target else entry.name
                (self._subfolder if _is_folder(entry) else self._file)(entry, name)

    def _subfolder(self, entry: os.DirEntry[str], name: str) -> None:
        place = self.layout.path(name)
        if self.layout.key(name) in self.coming:
            self.folder(entry.path, name)  # `lib` and `lib64` of a stage may lead to one folder
        elif self._is_free(name):
            if self._first(name):
                self.moves.append((entry.path, name))
                if not self._all_known_below(name):
                    self._everything_below(entry.path, name)
        elif os.path.isdir(place):
            try:
                inside = self.layout.folder(name)
            except EscapesPrefix as error:
                self.escapes.append(error.message)
            else:
                self.folder(entry.path, inside)
        elif name in self.replacing:
            self._make_room(name)
            self._subfolder(entry, name)
        else:
            self.collisions.append(name)

    def _file(self, entry: os.DirEntry[str], name: str) -> None:
        place = self.layout.path(name)
        if not self._is_free(name):
            if name not in self.replacing:
                if _same_file(entry.path, place):
                    self.present[name] = stamp_of(os.lstat(place))
                else:
                    self.collisions.append(name)
                return
            self._make_room(name)
        if self._first(name):
            self.moves.append((entry.path, name))
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
            self.files[file] = self.known[file]
            folder = file.rpartition("/")[0]
            while folder not in folders and len(folder) >= len(name):
                folders[folder] = None
                folder = folder.rpartition("/")[0]
        self.created += folders
        self.coming.update(map(self.layout.key, folders))
        return bool(below)

    def _everything_below(self, source: str, name: str) -> None:
        self.created.append(name)
        self.coming.add(self.layout.key(name))
        for entry in os.scandir(source):
            below = f"{name}/{entry.name}"
            if _is_folder(entry):
                self._everything_below(entry.path, below)
            elif self._first(below):
                self._stamp(entry, below)

    def _retire_bytecode(self, name: str) -> None:
        # Bytecode of a source that was deleted by hand would be believed if size and time agree.
        folder, _, file = name.rpartition("/")
        cache = f"{folder}/__pycache__" if folder else "__pycache__"
        if self._is_free(cache):
            return
        self.snapshot.look(self.layout.path(cache))
        for stale in sorted(os.listdir(self.layout.path(cache))):
            compiled = stale.startswith(file[:-2]) and stale.endswith(BYTECODE)
            if compiled and not self._is_free(f"{cache}/{stale}"):
                self._make_room(f"{cache}/{stale}")

    def _make_room(self, name: str) -> None:
        self.displaced[name] = os.lstat(self.layout.path(name))
        self.gone.add(self.layout.key(name))

    def _is_free(self, name: str) -> bool:
        """Tell whether nothing is there, or what is leaves: by itself, or with a folder above."""
        if not os.path.lexists(self.layout.path(name)):
            return True
        key = self.layout.key(name)
        while key:
            if key in self.gone:
                return True
            key = key.rpartition("/")[0]
        return False

    def _first(self, name: str) -> bool:
        key = self.layout.key(name)
        if key in self.seen:
            self.collisions.append(name)
            return False
        self.seen.add(key)
        return True

    def _stamp(self, entry: os.DirEntry[str], name: str) -> None:
        known = self.stamps.get(entry.path)
        self.files[name] = known or stamp_of(entry.stat(follow_symlinks=False))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _same_file(one: str, other: str) -> bool:
    plain = not (os.path.islink(one) or os.path.islink(other)) and os.path.isfile(other)
    return plain and filecmp.cmp(one, other, shallow=False)


def add_tree(
    layout: Layout,
    source: str,
    leaving: Removals,
    *,
    ignored: Collection[str] = (),
    replacing: Collection[str] = (),
    stamps: Mapping[str, FileStamp] = MappingProxyType({}),
    known: Mapping[str, FileStamp] = MappingProxyType({}),
) -> Additions:
    """Return how the tree below `source` comes to the prefix once `leaving` is gone.

    `ignored`: names in the root of `source` that stay there. `replacing`: names of files that may
    be displaced although they do not leave.
    `stamps`: what is known of files below `source`, by absolute path; they are not looked at again.
    `known`: files below `source` by their name; a folder that moves with them is not walked.
    """
    walk = _Walk(layout, leaving, replacing, stamps, known)
    walk.folder(source, "", ignored)
    return Additions(
        moves=tuple(walk.moves),
        files=walk.files,
        created=tuple(walk.created),
        displaced={name: stamp_of(status) for name, status in walk.displaced.items()},
        displaced_bytes=sum(status.st_size for status in walk.displaced.values()),
        collisions=tuple(walk.collisions),
        escapes=tuple(walk.escapes),
        already_shared=walk.present,
        snapshot=walk.snapshot,
    )
