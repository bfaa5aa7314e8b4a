"""One transaction: from a staging area that an installer fills to a commit, or to nothing."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

from safeinstall.metadata.distribution import DistInfo, normalized
from safeinstall.metadata.record import RecordRow
from safeinstall.transaction.errors import TransactionError
from safeinstall.transaction.moves.additions import INSTALLER_LITTER, Arrivals, arrivals
from safeinstall.transaction.moves.commit import Committed, exchange
from safeinstall.transaction.moves.disk import Disk
from safeinstall.transaction.moves.interruption import undisturbed
from safeinstall.transaction.moves.layout import Layout
from safeinstall.transaction.moves.owners import installed, owners
from safeinstall.transaction.moves.records import owned_files, record_of
from safeinstall.transaction.moves.removals import Departures, departures
from safeinstall.transaction.recover import roll_back
from safeinstall.transaction.requested import keep_requested
from safeinstall.transaction.staged import Staged, staged_dist_infos
from safeinstall.transaction.staged_tree import read_tree
from safeinstall.transaction.staging import inspect_stage
from safeinstall.transaction.store import journal as states
from safeinstall.transaction.store import process
from safeinstall.transaction.store.journal import Change, Journal, ProcessMark
from safeinstall.transaction.store.manifest import FileStamp

__all__ = ["Transaction"]

MAX_BYTES = 10 * 2**30


class Transaction:
    """A staging area and its journal; `area.begin()` makes one. Use it under the area's lock."""

    def __init__(self, journal: Journal, layout: Layout, disk: Disk) -> None:
        self._journal = journal
        self._layout = layout
        self._disk = disk
        self._folders: tuple[str, ...] = ()
        self._departing: dict[str, tuple[RecordRow, ...]] = {}
        self._planned: tuple[list[str], Departures, Arrivals] | None = None

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

    def note_installer(self, pid: int, start_time: str = "") -> None:
        """Write down which process fills the stage, so that recovery can end it if we die."""
        started = start_time or process.start_time(pid)
        self._journal.installer = ProcessMark(pid, started, process.host())
        self._journal.write(self._disk, durable=False)

    def inspect(
        self,
        site_packages: Sequence[str],
        leaving: Sequence[str] = (),
        reserved_ok: Collection[str] = frozenset(),
        *,
        hashes: bool = True,
        max_bytes: int = MAX_BYTES,
    ) -> Staged:
        """Read what was staged and judge it; the environment is not touched.

        `site_packages`: the environment's folders of packages. `leaving`: absolute dist-info
        folders that the commit will remove. `reserved_ok`: script names that are allowed although
        reserved. `hashes` false = compare sizes only.
        Raises TransactionError when a leaving distribution cannot be removed safely.
        """
        self._folders = tuple(site_packages)
        tree = read_tree(self.stage)
        departing, arriving = self._moves(leaving, (), tree.stamps())
        self._planned = (list(leaving), departing, arriving)
        known = installed(self._site_folders(leaving), _real(leaving))
        return inspect_stage(
            tree,
            departing=self._departing,
            arriving=arriving,
            owner=owners(self._layout, [hit.name for hit in arriving.collisions], known),
            reserved_ok=reserved_ok,
            hashes=hashes,
            max_bytes=max_bytes,
        )

    def requested(self, names: Iterable[str]) -> None:
        """Leave the REQUESTED mark only on the staged distributions among `names`."""
        keep_requested(self.stage, names, self._disk)

    def commit(self, leaving: Sequence[str] = (), *, replacing: Collection[str] = ()) -> Committed:
        """Move what is staged in and what leaves out; afterwards `rollback` and undo are possible.

        `leaving`: as for `inspect`. `replacing`: files of nobody that may be set aside
        (`Staged.unowned`). Raises TransactionError; the environment is then as it was.
        """
        try:
            departing, arriving = self._still_planned(leaving, replacing)
            if arriving.escapes:
                raise TransactionError(arriving.escapes[0], code="escapes-prefix")
            if arriving.collisions:
                first = self._layout.path(arriving.collisions[0].name)
                raise TransactionError(
                    f"{first} is in the way and does not belong to what is replaced;"
                    " the environment is untouched.",
                    code="file-collision",
                )
            self._journal.changes = self._changes(leaving)
        except BaseException:
            self.abandon()
            raise
        return exchange(self._journal, self._layout, self._disk, departing, arriving)

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

    def _still_planned(
        self, leaving: Sequence[str], replacing: Collection[str]
    ) -> tuple[Departures, Arrivals]:
        """Return the moves as inspected, planned anew where anything came or went since."""
        if self._planned and not replacing:
            planned, departing, arriving = self._planned
            same = planned == list(leaving) and departing.ground.holds()
            # What was edited since comes back by an undo: the edit is not one made after it.
            if same and departing.look_again(self._layout):
                return departing, arriving
        return self._moves(leaving, replacing)

    def _moves(
        self,
        leaving: Sequence[str],
        replacing: Collection[str],
        stamps: Mapping[str, FileStamp] = MappingProxyType({}),
    ) -> tuple[Departures, Arrivals]:
        layout = self._layout
        self._departing = {dist_info: self._record(dist_info) for dist_info in leaving}
        owned = (
            name
            for dist_info, lines in self._departing.items()
            for name in owned_files(layout, dist_info, lines)
        )
        names = {name for name in owned if not layout.is_own(name)}
        folders = self._site_folders(leaving)
        others = installed(folders, _real(leaving))
        left = owners(layout, names, others).keys()
        kept = {
            layout.folder(inside) for folder in folders for inside in _ancestors(layout, folder)
        }
        departing = departures(
            layout, names, lambda folder: folder not in kept and not layout.is_kept(folder), left
        )
        arriving = arrivals(
            layout,
            self.stage,
            departing,
            ignored=INSTALLER_LITTER,
            replacing=replacing,
            stamps=stamps,
        )
        arriving.tell_apart(owners(layout, arriving.met, others))
        return departing, arriving

    def _record(self, dist_info: str) -> tuple[RecordRow, ...]:
        """Return what it lists; where its RECORD is lost, what the same release staged lists."""
        if not DistInfo(dist_info).is_egg and not DistInfo(dist_info).has_record:
            release = DistInfo(dist_info).identity
            for staged in staged_dist_infos(self.stage):
                if DistInfo(staged).identity == release:
                    return record_of(staged)
        return record_of(dist_info)

    def _site_folders(self, leaving: Sequence[str]) -> list[str]:
        folders = dict.fromkeys(os.path.realpath(folder) for folder in self._folders)
        folders.update(dict.fromkeys(os.path.dirname(os.path.realpath(path)) for path in leaving))
        for dist_info in staged_dist_infos(self.stage):
            inside = os.path.relpath(os.path.dirname(dist_info), self.stage)
            folders[os.path.realpath(os.path.join(self._layout.prefix, inside))] = None
        return [path for path in folders if path.startswith(self._layout.prefix + os.sep)]

    def _changes(self, leaving: Sequence[str]) -> list[Change]:
        before = {normalized(info.name): info for info in map(DistInfo, leaving)}
        after = {
            normalized(info.name): info for info in map(DistInfo, staged_dist_infos(self.stage))
        }
        return [
            Change(
                (after.get(key) or before[key]).name,
                before[key].version if key in before else None,
                after[key].version if key in after else None,
            )
            for key in sorted(before.keys() | after.keys())
        ]


def _real(paths: Iterable[str]) -> set[str]:
    return {os.path.realpath(path) for path in paths}


def _ancestors(layout: Layout, folder: str) -> list[str]:
    inside = os.path.relpath(folder, layout.prefix).replace(os.sep, "/").split("/")
    return ["/".join(inside[:count]) for count in range(1, len(inside) + 1)]
