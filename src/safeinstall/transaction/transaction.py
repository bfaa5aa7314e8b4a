"""One transaction: from a staging area that an installer fills to a commit, or to nothing."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from safeinstall.distributions import Staged
from safeinstall.errors import TransactionError
from safeinstall.metadata.distribution import DistInfo, normalized
from safeinstall.transaction.moves.additions import Additions, add_tree
from safeinstall.transaction.moves.commit import Committed, commit, roll_back
from safeinstall.transaction.moves.disk import undisturbed
from safeinstall.transaction.moves.prefix import (
    Layout,
    installed,
    owned_files,
    owners,
    record_rows,
)
from safeinstall.transaction.moves.removals import Removals, remove_files
from safeinstall.transaction.staging import (
    LITTER,
    describe,
    dist_infos,
    keep_requested,
    read_tree,
)
from safeinstall.transaction.store import journal as states
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.store.journal import FileStamp, Journal, ProcessMark, VersionChange
from safeinstall.transaction.store.lock import process_host, start_time


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

    @property
    def state(self) -> str:
        """How far it got: one of `journal.STATES`."""
        return self._journal.state

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
        tree = read_tree(self.stage)
        infos = self._staged()
        stamps = {path: FileStamp(s.st_size, s.st_mtime_ns) for path, s in tree.files.items()}
        planned = self._planned = self._moves(leaving, (), known, stamps)
        hits = planned.additions.collisions
        who = owners(self._layout, hits, planned.others)
        return Staged(
            root=tree.root,
            distributions=tuple(describe(info, tree) for info in infos),
            sizes={tree.name(path): status.st_size for path, status in tree.files.items()},
            linked={
                tree.name(path): f"{s.st_dev} {s.st_ino} {s.st_size} {s.st_mtime_ns}"
                for path, s in tree.files.items()
                if s.st_nlink > 1
            },
            links={tree.name(path): target for path, target in tree.links.items()},
            collisions={name: who.get(name, "") for name in hits},
            escapes=planned.additions.escapes,
            departing={path: record_rows(info) for path, info in planned.recorded.items()},
        )

    def requested(self, names: Iterable[str]) -> None:
        """Leave the REQUESTED mark only on the staged distributions among `names`."""
        self._infos = tuple(keep_requested(self._staged(), names, self._disk))

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
            planned = None if replacing else self._still_planned(leaving)
            planned = planned or self._moves(leaving, replacing, known)
            if planned.additions.escapes:
                raise TransactionError(planned.additions.escapes[0], code="escapes-prefix")
            if planned.additions.collisions:
                first = self._layout.path(planned.additions.collisions[0])
                raise TransactionError(
                    f"{first} is in the way and does not belong to what is replaced;"
                    " the environment is untouched.",
                    code="file-collision",
                )
            self._journal.changes = _changes(planned.leaving.values(), self._staged())
        except BaseException:
            self.abandon()
            raise
        return commit(self._journal, self._layout, self._disk, planned.removals, planned.additions)

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
            raise TransactionError(
                f"Transaction {self.id} could not be taken back: {error}.",
                hint="safeinstall recover",
                code="half-changed",
            ) from error

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
        owned = (
            name
            for dist_info, info in recorded.items()
            for name in owned_files(layout, dist_info, record_rows(info))
        )
        names = {name for name in owned if not layout.is_own(name)}
        folders = self._site_folders(leaving)
        others = installed(
            folders, without={os.path.realpath(path) for path in leaving}, known=here.values()
        )
        shared = owners(layout, names, others)
        kept = {
            layout.folder(inside) for folder in folders for inside in _ancestors(layout, folder)
        }
        removals = remove_files(
            layout,
            names,
            lambda folder: folder not in kept and not layout.is_kept(folder),
            shared,
        )
        additions = add_tree(
            layout, self.stage, removals, ignored=LITTER, replacing=replacing, stamps=stamps
        )
        additions = additions.with_owners(owners(layout, additions.already_shared, others))
        return _Planned(going, recorded, others, removals, additions)

    def _staged(self) -> Sequence[DistInfo]:
        if self._infos is None:
            self._infos = tuple(dist_infos(self.stage))
        return self._infos

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
    return [
        VersionChange(
            (after.get(key) or before[key]).name,
            before[key].version if key in before else None,
            after[key].version if key in after else None,
        )
        for key in sorted(before.keys() | after.keys())
    ]


def _ancestors(layout: Layout, folder: str) -> list[str]:
    inside = os.path.relpath(folder, layout.prefix).replace(os.sep, "/").split("/")
    return ["/".join(inside[:count]) for count in range(1, len(inside) + 1)]
