"""Files below a prefix: one name for each, whatever links lead to it; whose it is; how it leaves.

What leaves is the fewest moves that take exactly the files of some distributions: a folder goes as
a whole when everything in it leaves. Bytecode belongs to its source: it goes with it, also out of a
`__pycache__` shared with others, so that no stale bytecode is ever believed.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from safeinstall.errors import EscapesPrefix
from safeinstall.metadata.distribution import DistInfo, distributions_in
from safeinstall.metadata.record import RealFolders, RecordError, RecordRow, digest
from safeinstall.transaction.moves.disk import is_directory, is_unseen
from safeinstall.transaction.store.journal import FOLDER, FileStamp, stamp_of

_ODD = ("\n.", "\n/", "//", "/.")
"""Signs of a path that leads up, or is not written as names are."""
KEPT_FOLDERS = ("", "bin", "Scripts", "include", "Include", "lib", "lib64", "Lib")
"""What an environment keeps even when it is empty."""


class Layout:
    """The prefix, and the names of files below it: relative, with forward slashes.

    `lib64/x` and `lib/x` are the same name when `lib64` is a link to `lib`; a link that is itself
    the last part is not followed.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = os.path.realpath(prefix)
        self.own = os.path.join(self.prefix, FOLDER)
        # APFS and NTFS usually do not tell `Foo` from `foo`; ask the disk, not the platform.
        shouted = os.path.join(self.prefix, FOLDER.upper())
        self.folds_case = os.path.lexists(shouted) and os.path.lexists(self.own)
        self._start = self.prefix.rstrip(os.sep) + os.sep
        self._folders: dict[str, str] = {}
        self._real = RealFolders()

    def key(self, name: str) -> str:
        """Return what two names have in common when they mean one file."""
        return name.casefold() if self.folds_case else name

    def path(self, name: str) -> str:
        """Return the absolute path of a name."""
        if not name:
            return self.prefix
        return self._start + (name if os.sep == "/" else name.replace("/", os.sep))

    def name(self, path: str) -> str:
        """Return the one name of an absolute `path`. Raises EscapesPrefix."""
        folder, last = os.path.split(path if ".." not in path else os.path.normpath(path))
        if (real := self._folders.get(folder)) is None:
            real = self._folders[folder] = self._inside(self._real.of(folder), path)
        return f"{real}/{last}" if real else last

    def folder(self, name: str) -> str:
        """Return the folder that `name` leads to, through links. Raises EscapesPrefix."""
        return self._inside(os.path.realpath(self.path(name)), name)

    def _inside(self, real: str, shown: str) -> str:
        if real == self.prefix:
            return ""
        if not real.startswith(self.prefix + os.sep):
            raise EscapesPrefix(f"{shown} leads out of the environment {self.prefix}.")
        inside = real[len(self.prefix) + 1 :].replace(os.sep, "/")
        if inside.split("/")[0] == FOLDER:
            raise EscapesPrefix(f"{shown} leads into {self.own}, which is not part of it.")
        return inside


def installed(
    folders: Iterable[str], *, without: Collection[str] = (), known: Iterable[DistInfo] = ()
) -> list[DistInfo]:
    """List the dist-infos in `folders`, except those whose real path is in `without`.

    A folder of which something is `known` is not listed again.
    """
    real = RealFolders()
    listed: dict[str, list[DistInfo]] = {}
    for info in known:
        listed.setdefault(real.of(info.folder), []).append(info)
    places = dict.fromkeys(map(os.path.realpath, folders))
    found = ((at, info) for at in places for info in listed.get(at) or distributions_in([at]))
    staying = (pair for pair in found if os.path.join(pair[0], pair[1].entry) not in without)
    return [info for _, info in staying if not info.is_egg]


def owners(layout: Layout, names: Collection[str], infos: Iterable[DistInfo]) -> dict[str, str]:
    """Return which of `names` belong to one of the distributions, and to which (its name).

    A distribution without a readable RECORD owns nothing that could be known.
    """
    wanted = {layout.key(name): name for name in names}
    found: dict[str, str] = {}
    if not wanted:
        return found
    beside: dict[str, dict[str, str]] = {}  # by folder of packages: `wanted` as a RECORD there says
    for info in infos:
        if info.folder not in beside:
            try:
                start = layout.key(layout.name(os.path.join(info.folder, "x"))[:-1])
            except EscapesPrefix:
                continue
            below = {key: name for key, name in wanted.items() if key.startswith(start)}
            beside[info.folder] = {key.removeprefix(start): name for key, name in below.items()}
        paths, odd = _paths(info)
        keys = map(layout.key, paths) if layout.folds_case else paths
        hits = [beside[info.folder].get(key) for key in beside[info.folder].keys() & keys]
        for path in odd:
            with contextlib.suppress(EscapesPrefix):
                hits.append(wanted.get(layout.key(layout.name(os.path.join(info.folder, path)))))
        for hit in filter(None, hits):
            found.setdefault(hit, info.name)
    return found


def _paths(info: DistInfo) -> tuple[list[str], list[str]]:
    """Return what its RECORD lists, and once more what is not written the plain way."""
    try:
        record = info.record
        paths = record.paths
    except RecordError as error:
        cause = error.__cause__
        if isinstance(cause, OSError) and not is_unseen(cause, info.record_file):
            raise cause from None
        return [], []
    text = record.text
    if text.startswith((".", "/")) or record.quoted or any(mark in text for mark in _ODD):
        return paths, [p for p in paths if p.startswith(("/", ".")) or "//" in p or "/." in p]
    return paths, []


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
    only_named: tuple[str, ...] = ()
    """Files that stay because nothing but a line of a RECORD says whose they are."""
    kept_folders: tuple[str, ...] = ()
    """Folders that would go as a whole if nothing else were in them."""
    bytes: int = 0
    """What is kept of them for undo."""
    snapshot: FolderSnapshot = field(default_factory=FolderSnapshot)
    """The folders they were planned in."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """What leaves holds, as RECORD writes it; of bytecode only how it looks (`digest_of`)."""
    bytecode: Mapping[str, str] = field(default_factory=dict)
    """What nobody tracks and leaves with its folder, in that way."""

    def hashed(
        self, layout: Layout, infos: Iterable[DistInfo], displaced: Iterable[str] = ()
    ) -> Removals:
        """Return the same with `digests`, `displaced` files too: for whoever brings them back.

        `infos`: what leaves. A RECORD is believed for what was not written after it, as installers
        write it last; the rest is read.
        """
        found: dict[str, str] = {}
        for info in infos:
            with contextlib.suppress(RecordError, OSError, EscapesPrefix):
                written = os.stat(info.record_file).st_mtime_ns
                content = hashlib.sha256(info.record.text.encode()).digest()
                own = base64.urlsafe_b64encode(content).rstrip(b"=").decode()
                found[layout.name(info.record_file)] = f"sha256={own}"
                at = layout.name(os.path.join(info.folder, ".")).removesuffix(".")
                for row in info.record.rows:
                    stamp = self.files.get(name := f"{at}{row.path}") or self.files.get(
                        name := _name_of(layout, info, row)
                    )
                    if not stamp or not row.digest or stamp.mtime_ns > written:
                        continue
                    if stamp.size == row.size:
                        found[name] = f"{row.algorithm}={row.digest}"
        below = [name for each in displaced for name in _files_at(layout, each)]
        for name in (*self.files, *below):
            if name not in found:
                algorithm = "stat" if name.endswith(BYTECODE) else "sha256"
                found[name] = digest_of(layout.path(name), algorithm)
        return replace(self, digests={**self.bytecode, **found})

    def refreshed(self, layout: Layout) -> Removals | None:
        """Return the same with the files as they are by now; None when one is gone."""
        files = restamped(layout, self.files)
        return None if files is None else replace(self, files=files)


def _name_of(layout: Layout, info: DistInfo, row: RecordRow) -> str:
    """Return the name of what a RECORD lists elsewhere than below its folder, or empty."""
    try:
        return layout.name(os.path.join(info.folder, row.path.replace("/", os.sep)))
    except EscapesPrefix:
        return ""


def _look(status: os.stat_result) -> str:
    return f"stat={status.st_size}.{status.st_mtime_ns}"


def digest_of(path: str, algorithm: str) -> str:
    """Return the hash of a file as RECORD writes it, or of where a link leads; empty if unknown.

    The algorithm `stat` reads nothing: it is the size and the time.
    """
    try:
        status = os.lstat(path)
        if algorithm == "stat":
            return _look(status)
        if stat.S_ISLNK(status.st_mode):
            return "link=" + hashlib.sha256(os.fsencode(os.readlink(path))).hexdigest()
        return f"{algorithm}={digest(path, algorithm)}" if stat.S_ISREG(status.st_mode) else ""
    except (OSError, ValueError):  # a hash this Python does not know says nothing
        return ""


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
        bytecode=walk.bytecode,
    )


def set_aside(layout: Layout, paths: Iterable[str]) -> Removals:
    """Return how these files and whole folders leave. Raises OSError, EscapesPrefix."""
    moves = tuple(map(layout.name, paths))
    files: dict[str, os.stat_result] = {}
    for name in moves:
        for file in _files_at(layout, name):
            files[file] = os.lstat(layout.path(file))
    stamps = {name: stamp_of(status) for name, status in files.items()}
    return Removals(moves=moves, files=stamps, bytes=sum(s.st_size for s in files.values()))


def _files_at(layout: Layout, name: str) -> Iterator[str]:
    """Yield the name of a file, or of every file and link below a folder."""
    path = layout.path(name)
    if not is_directory(path):
        yield name
        return
    for folder, folders, files in os.walk(path):
        links = (each for each in folders if os.path.islink(os.path.join(folder, each)))
        inside = name + folder[len(path) :].replace(os.sep, "/")
        yield from (f"{inside}/{each}" for each in (*files, *links))


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
        self.bytecode: dict[str, str] = {}
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
        except OSError as error:
            if is_unseen(error, self.layout.path(folder)):
                return False, []
            raise
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
                elif whole and not self._is_idle(entry.path, name):
                    whole = False
            elif (key := self.layout.key(entry.name)) in files or _compiled_from(key, stems):
                moves.append(name)
                self.track(name, entry.stat(follow_symlinks=False))
            elif entry.name.endswith(BYTECODE):
                self.bytecode[name] = _look(entry.stat(follow_symlinks=False))
            else:
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
                status = entry.stat(follow_symlinks=False)
                self.bytes += status.st_size
                self.bytecode[f"{folder}/{entry.name}"] = _look(status)
            else:
                staying += 1
                continue
            leaving.append(f"{folder}/{entry.name}")
        return [folder] if leaving and not staying else leaving

    def _is_idle(self, path: str, name: str) -> bool:
        """Tell whether a folder holds nothing but bytecode, at any depth."""
        self.snapshot.look(path)
        for folder, subfolders, files in os.walk(path):
            if not all(name.endswith(BYTECODE) for name in files):
                return False
            inside = name + folder[len(path) :].replace(os.sep, "/")
            for file in files:
                self.bytecode[f"{inside}/{file}"] = digest_of(os.path.join(folder, file), "stat")
            for below in subfolders:
                if os.path.islink(os.path.join(folder, below)):
                    return False
                self.snapshot.look(os.path.join(folder, below))
        return True

    def _entries(self, folder: str) -> list[os.DirEntry[str]]:
        path = self.layout.path(folder)
        self.snapshot.look(path)
        return sorted(os.scandir(path), key=lambda entry: entry.name)


def _compiled_from(key: str, stems: set[str]) -> bool:
    # x.cpython-312.opt-1.pyc, x.cpython-312-pytest-9.pyc and the old x.pyc come from x.py
    starts = (key[: at + 1] for at, letter in enumerate(key) if letter == ".")
    return key.endswith(BYTECODE) and any(start in stems for start in starts)
