"""One transaction: from a staging area that an installer fills to a commit, or to nothing."""

from __future__ import annotations

import glob
import os
import re
import shutil
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import quote

from safeinstall.distributions import Staged, StagedDistribution
from safeinstall.errors import TransactionError
from safeinstall.metadata.distribution import DistInfo, distributions_in, is_metadata, normalized
from safeinstall.metadata.record import Record, RecordError, RecordRow, digest, top_level
from safeinstall.transaction.moves import prefix
from safeinstall.transaction.moves.additions import Additions, add_tree
from safeinstall.transaction.moves.claims import claims, record_rows
from safeinstall.transaction.moves.commit import Committed, commit, roll_back
from safeinstall.transaction.moves.disk import Disk, undisturbed
from safeinstall.transaction.moves.prefix import Layout, Removals
from safeinstall.transaction.store import journal as states
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.store.journal import FileStamp, Journal, ProcessMark, VersionChange
from safeinstall.transaction.store.lock import beside_uv, process_host, start_time

_LITTER = frozenset({".lock", ".gitignore", "CACHEDIR.TAG"})
"""What an installer leaves in the root of any prefix for its own use; it stays in the stage."""


def begin_transaction(store: Store, command: str, packages: Iterable[Any] = ()) -> Transaction:
    """Open a transaction with an empty staging area. Raises TransactionError.

    `packages`: what was planned, as JSON values; kept in the journal for whoever reads it.
    """
    return Transaction(store.start(command, packages), store)


def remove_distributions(
    store: Store, leaving: Sequence[str], command: str, *, known: Iterable[DistInfo] = ()
) -> Committed:
    """Uninstall what the dist-info folders `leaving` belong to. Raises TransactionError.

    `known`: as for `Transaction.inspect`.
    """
    return begin_transaction(store, command).commit(leaving, known=known)


@dataclass(frozen=True, slots=True)
class _Planned:
    """The moves as they would be made, and what they were worked out from."""

    leaving: Mapping[str, DistInfo]
    """What leaves, by the path that was given."""
    recorded: Mapping[str, DistInfo]
    """The same with a RECORD: where it is lost, what the same release staged lists."""
    others: Sequence[DistInfo]
    """What is installed beside what leaves."""
    removals: Removals
    additions: Additions


class Transaction:
    """A staging area and its journal, made by `begin_transaction`. Use it under the lock."""

    def __init__(self, journal: Journal, store: Store) -> None:
        self._journal = journal
        self._layout = Layout(store.prefix)
        self._disk = store.disk
        self._folders: tuple[str, ...] = ()
        self._planned: _Planned | None = None
        self._infos: Sequence[DistInfo] | None = None

    @property
    def id(self) -> str:
        """Name of the transaction, sortable by age."""
        return self._journal.id

    @property
    def stage(self) -> str:
        """The folder to hand to the installer as its prefix."""
        return self._journal.stage

    def note_installer(self, pid: int, started: str = "") -> None:
        """Write down which process fills the stage, so that recovery can end it if we die."""
        self._journal.installer = ProcessMark(pid, started or start_time(pid), process_host())
        self._journal.write(self._disk, durable=False)

    def inspect(
        self,
        site_packages: Sequence[str],
        leaving: Sequence[str] = (),
        *,
        known: Iterable[DistInfo] = (),
    ) -> Staged:
        """Read what was staged and what a commit would do; the environment is not touched.

        `site_packages`: the environment's folders of packages. `leaving`: absolute dist-info
        folders that the commit will remove. `known`: what was listed in folders of packages and,
        under this very lock, was seen to be so still (`InstalledState.distributions`, `holds`);
        these folders are not listed again, and what was read of it is not read again.
        Raises TransactionError when a leaving distribution cannot be removed safely.
        """
        self._folders = tuple(site_packages)
        tree = _read_tree(self.stage)
        infos = self._staged()
        stamps = {path: FileStamp(s.st_size, s.st_mtime_ns) for path, s in tree.files.items()}
        planned = self._planned = self._moves(leaving, (), known, stamps)
        hits = planned.additions.collisions
        files = {tree.name(path): status for path, status in tree.files.items()}
        linked = [(name, status) for name, status in files.items() if status.st_nlink > 1]
        who = prefix.owners(self._layout, hits, planned.others)
        return Staged(
            root=tree.root,
            distributions=tuple(_describe(info, tree) for info in infos),
            sizes={name: status.st_size for name, status in files.items()},
            linked={n: f"{s.st_dev} {s.st_ino} {s.st_size} {s.st_mtime_ns}" for n, s in linked},
            links={tree.name(path): target for path, target in tree.links.items()},
            collisions={name: who.get(name, "") for name in hits},
            escapes=planned.additions.escapes,
            departing={path: record_rows(info) for path, info in planned.recorded.items()},
        )

    def requested(self, names: Iterable[str]) -> None:
        """Leave the REQUESTED mark only on the staged distributions among `names`."""
        self._infos = tuple(_keep_requested(self._staged(), names, self._disk))

    def commit(
        self,
        leaving: Sequence[str] = (),
        *,
        replacing: Collection[str] = (),
        known: Iterable[DistInfo] = (),
    ) -> Committed:
        """Move what is staged in and what leaves out; afterwards `rollback` and undo are possible.

        `leaving`, `known`: as for `inspect`. `replacing`: files of nobody that may be set aside
        (`Staged.unowned`). Raises TransactionError; the environment is then as it was.
        """
        try:
            with beside_uv(self._layout.prefix):
                return self._commit(leaving, replacing, known)
        finally:
            self.abandon()

    def _commit(
        self, leaving: Sequence[str], replacing: Collection[str], known: Iterable[DistInfo]
    ) -> Committed:
        planned = None if replacing else self._still_planned(leaving)
        planned = planned or self._moves(leaving, replacing, known)
        if planned.additions.escapes:
            raise TransactionError(planned.additions.escapes[0], code="escapes-prefix")
        if planned.additions.collisions:
            first = self._layout.path(planned.additions.collisions[0])
            way = f"{first} is in the way and does not belong to what is replaced"
            message = f"{way}; the environment is untouched."
            raise TransactionError(message, code="file-collision")
        self._refuse_if_changed(planned)
        self._journal.changes = _changes(planned.leaving.values(), self._staged())
        removals = planned.removals.hashed(
            self._layout, planned.leaving.values(), planned.additions.displaced
        )
        return commit(self._journal, self._layout, self._disk, removals, planned.additions)

    def _refuse_if_changed(self, planned: _Planned) -> None:
        """Raise TransactionError where another program installed or removed the same meanwhile."""
        gone = [info for info in planned.leaving.values() if not os.path.isdir(info.path)]
        seen = {info.path for info in self._planned.others} if self._planned else None
        names = {normalized(info.name) for info in self._staged()}
        came = [i for i in planned.others if seen is not None and i.path not in seen]
        for info in (*gone, *(info for info in came if normalized(info.name) in names)):
            what = f"{info.entry} {'came' if info in came else 'went'} meanwhile"
            raise TransactionError(f"{what}, by another program; the environment is untouched.")

    def rollback(self) -> None:
        """Put everything back exactly, also after `commit`; does nothing to one that is no more.

        Raises TransactionError.
        """
        if self._journal.state == states.STAGING or not os.path.isdir(self._journal.directory):
            self.abandon()
            return
        try:
            with undisturbed():
                roll_back(self._journal, self._layout.prefix, self._disk)
        except OSError as error:
            failed = f"Transaction {self.id} could not be taken back ({error})"
            message = f"{failed}; the environment is half-changed until it is recovered."
            raise TransactionError(message, command=("recover",), code="half-changed") from error

    def abandon(self) -> None:
        """Forget a transaction that has not been committed; does nothing to one that has."""
        if self._journal.state == states.STAGING and os.path.isdir(self._journal.directory):
            self._journal.discard(self._disk)

    def _still_planned(self, leaving: Sequence[str]) -> _Planned | None:
        """Return the moves as inspected; None where anything came or went since."""
        planned = self._planned
        if planned is None or list(planned.leaving) != list(leaving):
            return None
        if not (planned.removals.snapshot.holds() and planned.additions.snapshot.holds()):
            return None
        # What was edited since comes back by an undo: the edit is not one made after it.
        removals = planned.removals.refreshed(self._layout)
        additions = planned.additions.refreshed(self._layout)
        if removals is None or additions is None:
            return None
        return replace(planned, removals=removals, additions=additions)

    def _moves(
        self,
        leaving: Sequence[str],
        replacing: Collection[str],
        known: Iterable[DistInfo] = (),
        stamps: Mapping[str, FileStamp] = MappingProxyType({}),
    ) -> _Planned:
        layout = self._layout
        here = {info.path: info for info in known}
        going = {path: here.get(path) or DistInfo(path) for path in leaving}
        recorded = {path: self._with_record(info) for path, info in going.items()}
        found = [claims(layout, dist_info, info) for dist_info, info in recorded.items()]
        for info, each in zip(recorded.values(), found, strict=True):
            each.own.update(name for name in each.named if self._comes_again(info, name))
        names = {name for each in found for name in each.own}
        only_named = {name for each in found for name in each.named} - names
        folders = self._site_folders(leaving)
        without = {os.path.realpath(path) for path in leaving}
        others = prefix.installed(folders, without=without, known=here.values())
        shared = prefix.owners(layout, names, others)
        kept = {*prefix.KEPT_FOLDERS}
        for folder in folders:
            inside = os.path.relpath(folder, layout.prefix).replace(os.sep, "/").split("/")
            kept.update(layout.folder("/".join(inside[:n])) for n in range(1, len(inside) + 1))
        removals = prefix.remove_files(layout, names, lambda folder: folder not in kept, shared)
        removals = replace(removals, only_named=tuple(sorted(only_named)))
        additions = add_tree(
            layout, self.stage, removals, ignored=_LITTER, replacing=replacing, stamps=stamps
        )
        additions = additions.with_owners(prefix.owners(layout, additions.already_shared, others))
        return _Planned(going, recorded, others, removals, additions)

    def _staged(self) -> Sequence[DistInfo]:
        if self._infos is None:
            self._infos = tuple(_dist_infos(self.stage))
        return self._infos

    def _comes_again(self, info: DistInfo, name: str) -> bool:
        """Tell whether what replaces `info` really holds a file that `info` only lists.

        It may have been edited or damaged: in the same release it is its own.
        """
        fits = any(each.identity == info.identity for each in self._staged())
        return fits and os.path.lexists(f"{self.stage}/{name}")

    def _with_record(self, info: DistInfo) -> DistInfo:
        """Return it; where its RECORD is lost, what is staged of the same release."""
        if info.is_egg or info.has_record:
            return info
        return next((each for each in self._staged() if each.identity == info.identity), info)

    def _site_folders(self, leaving: Sequence[str]) -> list[str]:
        folders = dict.fromkeys(os.path.realpath(folder) for folder in self._folders)
        folders.update(dict.fromkeys(os.path.dirname(os.path.realpath(path)) for path in leaving))
        for info in self._staged():
            inside = os.path.relpath(info.folder, self.stage)
            folders[os.path.realpath(os.path.join(self._layout.prefix, inside))] = None
        return [path for path in folders if path.startswith(self._layout.prefix + os.sep)]


def _changes(leaving: Iterable[DistInfo], coming: Iterable[DistInfo]) -> list[VersionChange]:
    before = {normalized(info.name): info for info in leaving}
    after = {normalized(info.name): info for info in coming}
    changes = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        name = (new or before[key]).name
        versions = (each.version if each else None for each in (old, new))
        changes.append(VersionChange(name, *versions))
    return changes


class _StagedTree(NamedTuple):
    """Everything below `root` but the installer's own litter, by absolute path."""

    root: str
    files: dict[str, os.stat_result]
    links: dict[str, str]
    """Where each symbolic link leads."""

    def name(self, path: str) -> str:
        """Return the path relative to the root, with forward slashes."""
        return path[len(self.root) + 1 :].replace(os.sep, "/")


def _read_tree(root: str) -> _StagedTree:
    """Read the tree below `root`. Raises OSError."""
    tree = _StagedTree(root, {}, {})
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        for entry in os.scandir(folder):
            if entry.is_symlink():
                tree.links[entry.path] = os.readlink(entry.path)
            elif entry.is_dir():
                waiting.append(entry.path)
            elif folder != root or entry.name not in _LITTER:
                tree.files[entry.path] = entry.stat()
    return tree


def _dist_infos(stage: str) -> Iterator[DistInfo]:
    """Yield every dist-info below `stage`, whichever layout the installer chose."""
    for folder, subfolders, _files in os.walk(stage):
        subfolders.sort()
        for info in (DistInfo(os.path.join(folder, n)) for n in filter(is_metadata, subfolders)):
            if not info.is_egg:
                yield info
        if os.path.basename(folder) in ("site-packages", "dist-packages"):
            subfolders.clear()  # thousands of folders below, and no dist-info


def _describe(info: DistInfo, tree: _StagedTree) -> StagedDistribution:
    """Return what a dist-info in the stage says of itself."""
    problem, outside = "", []
    files: dict[str, RecordRow] = {}
    try:
        for row in record_rows(info):
            path = _meant(info.folder, row.path)
            if path.startswith(tree.root + os.sep):
                files[tree.name(path)] = row
            else:
                outside.append(row.path)
    except TransactionError as error:
        problem = error.message
    site = f"{tree.name(info.folder)}/"
    below = [name[len(site) :] for name in files if name.startswith(site)]
    sizes = (tree.files.get(os.path.join(tree.root, name)) for name in files)
    return StagedDistribution(
        name=info.name,
        version=info.version,
        info=info,
        dist_info=tree.name(info.path),
        files=files,
        outside=tuple(outside),
        problem=problem,
        modules=tuple(sorted(top_level(below, with_code=False))),
        bytes=sum(status.st_size for status in sizes if status),
        pth=tuple(sorted(site + n for n in below if "/" not in n and n.endswith(".pth"))),
    )


def _meant(site: str, path: str) -> str:
    joined = os.path.join(site, path.replace("/", os.sep))
    plain = ".." not in path and "//" not in path and "/./" not in path
    return joined if plain else os.path.normpath(joined)


def _keep_requested(
    infos: Iterable[DistInfo], names: Iterable[str], disk: Disk
) -> Iterator[DistInfo]:
    """Take the mark of what was asked for from every staged distribution not among `names`.

    An installer that is given exact pins marks them all (PEP 376, REQUESTED). Yields them as they
    are afterwards. Raises OSError.
    """
    asked = {normalized(name) for name in names}
    for info in infos:
        try:
            text = "" if normalized(info.name) in asked or not info.requested else info.record.text
        except RecordError:
            text = ""  # it is going to be refused for that
        if not text:
            yield info
            continue
        disk.unlink(os.path.join(info.path, "REQUESTED"))
        left = re.sub(rf"(?m)^{re.escape(info.entry)}/REQUESTED,[^\n]*\n?", "", text)
        record = os.path.join(info.path, "RECORD")
        # As a new file: an installer may have linked this one with its cache.
        disk.write(record, left.encode(), stat.S_IMODE(os.stat(record).st_mode), durable=False)
        yield info.with_record(Record(left))


def settle_sources(stage: str, checkouts: str, prefix: str) -> None:
    """Write the place below `prefix` into what names a checkout below `stage`; RECORD follows.

    That is done by `.pth` files, the finders of editable installs (PEP 660) and `direct_url.json`.
    """
    staged, final = os.path.join(stage, checkouts), os.path.join(prefix, checkouts)
    if not os.path.isdir(staged):
        return
    for site in glob.glob(os.path.join(glob.escape(stage), "lib*", "python*", "*-packages")):
        for info in distributions_in([site]):
            if (info.editable_source or "").startswith(staged):
                text = info.record.text
                for row in info.record.rows:
                    text = text.replace(*_moved(row, site, staged, final))
                _write_anew(os.path.join(info.path, "RECORD"), text.encode())


def _moved(row: RecordRow, site: str, old: str, new: str) -> tuple[str, str]:
    """Write another folder into a staged file; return the end of its line before and now."""
    path = os.path.join(site, row.path)
    if not row.digest or not os.path.isfile(path):
        return "", ""
    with open(path, "rb") as file:
        content = file.read()
    named = content.replace(old.encode(), new.encode())
    named = named.replace(quote(old).encode(), quote(new).encode())
    _write_anew(path, named)
    ends = ((row.digest, len(content)), (digest(path, row.algorithm), len(named)))
    before, after = (f"{row.path},{row.algorithm}={hash},{size}" for hash, size in ends)
    return before, after


def _write_anew(path: str, content: bytes) -> None:
    os.unlink(path)  # an installer may have linked it with its cache
    with open(path, "wb") as file:
        file.write(content)


def clear(stage: str) -> None:
    """Take away what a failed attempt left: the next one would believe its metadata."""
    for entry in os.scandir(stage):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def lay_out_as(stage: str, wanted: str, python: str) -> bool:
    """Give what was unpacked the layout of its destination: its packages in the folder `wanted`.

    `python`: the version in the names of folders. Tells False, and the stage is of no use, where
    that cannot be done by a rename at the same depth: RECORD names scripts relative to packages.
    """
    local = os.path.join(stage, "local")
    if os.path.isdir(local):  # Debian's pip up to 26.2 (`posix_local`)
        for name in os.listdir(local):
            os.rename(os.path.join(local, name), os.path.join(stage, name))
        os.rmdir(local)
    for name in ("site-packages", "dist-packages"):
        inside = os.path.join("lib", f"python{python}", name)
        if inside == wanted or not os.path.isdir(os.path.join(stage, inside)):
            continue
        if inside.count(os.sep) != wanted.count(os.sep):
            return False
        target = os.path.join(stage, wanted)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.rename(os.path.join(stage, inside), target)
    return True
