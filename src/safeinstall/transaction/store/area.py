"""The area: everything of ours in one environment, and the doors to it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timezone
from typing import Any

from safeinstall.transaction.errors import LockBusy, TransactionError, UndoRefused
from safeinstall.transaction.moves.commit import Committed, exchange
from safeinstall.transaction.moves.disk import Disk
from safeinstall.transaction.moves.layout import Layout
from safeinstall.transaction.recover import Recovery, recover
from safeinstall.transaction.store import journal as states
from safeinstall.transaction.store import process
from safeinstall.transaction.store.directory import area_of, check, create
from safeinstall.transaction.store.history import (
    Entry,
    committed,
    entries,
    entries_of,
    find,
    forgettable,
    left_standing,
    made_after,
    objection,
    of_users,
)
from safeinstall.transaction.store.journal import GONE, Journal, ProcessMark, transaction_ids
from safeinstall.transaction.store.lock import Holder, Lock, acquire
from safeinstall.transaction.transaction import Transaction
from safeinstall.transaction.undo import reversed_changes, undo_moves

__all__ = ["Area"]


class Area:
    """`<prefix>/.safeinstall` of one environment; nothing is created before the lock is taken."""

    def __init__(self, prefix: str, disk: Disk) -> None:
        self.prefix = os.path.realpath(prefix)
        self.path = area_of(prefix)
        self._disk = disk
        self._lock: Lock | None = None

    @classmethod
    def open(cls, prefix: str, *, disk: Disk | None = None) -> Area:
        """Return the area of the environment at `prefix`. Raises UnsafeArea."""
        area = cls(os.fspath(prefix), disk or Disk())
        check(area.path)
        return area

    def lock(
        self,
        wait: bool = True,
        on_wait: Callable[[Holder | None], None] | None = None,
        timeout: float | None = None,
        command: str = "",
    ) -> Lock:
        """Take the environment for us alone; release it with the end of `with`.

        `on_wait(holder)` is called when somebody else has it. `lock.fileno()` may be given to an
        installer, which then keeps the lock if we die. Raises LockBusy (not waiting, or `timeout`
        seconds over), TransactionError when the area cannot be made.
        """
        create(self.path, self._disk)
        self._lock = acquire(
            self.path, command=command, wait=wait, on_wait=on_wait, timeout=timeout
        )
        return self._lock

    def unfinished(self) -> bool:
        """Tell whether something waits for `recover`; cheap, needs no lock, creates nothing.

        A transaction that another process works on just now counts as well.
        """
        return not all(
            name.endswith(GONE) or self._is_committed(name) for name in transaction_ids(self.path)
        )

    def recover(self) -> Recovery | None:
        """Bring what died back to the old state or forward to the new one; None when all is well.

        Without the lock it takes it for a moment, and leaves everything alone when another process
        has it. Raises TransactionError.
        """
        if not (self.unfinished() or self._has_litter()) or not check(self.path):
            return None
        try:
            if self._lock is not None and self._lock.held:
                return recover(self.path, self._disk)
            with acquire(self.path, command="recover", timeout=0):
                return recover(self.path, self._disk)
        except LockBusy:
            return None
        except OSError as error:
            raise TransactionError(f"Recovery could not go on: {error}.") from error

    def begin(self, command: str, packages: Iterable[Any] = ()) -> Transaction:
        """Open a transaction with an empty staging area. Raises TransactionError.

        `packages`: what was planned, as JSON values; kept in the journal for whoever reads it.
        """
        return Transaction(self._start(command, packages), Layout(self.prefix), self._disk)

    def remove(self, leaving: Sequence[str], command: str) -> Committed:
        """Uninstall what the dist-info folders `leaving` belong to. Raises TransactionError."""
        return self.begin(command).commit(leaving)

    def history(self) -> tuple[Entry, ...]:
        """Return the transactions that are kept, the newest first. Raises TransactionError."""
        return entries(self.path)

    def target(self, id: str | None = None) -> Entry:
        """Return the transaction that `undo(id)` means. Raises UndoRefused when there is none."""
        journals = committed(self.path)
        found = find(journals, id)
        return next(entry for entry in entries_of(journals) if entry.id == found.id)

    def later(self, entry: Entry) -> tuple[Entry, ...]:
        """Return the transactions after `entry` whose work is in force, the newest first."""
        journals = committed(self.path)
        ids = {journal.id for journal in made_after(find(journals, entry.id), journals)}
        return tuple(each for each in entries_of(journals) if each.id in ids)

    def replaced(self, entry: Entry) -> str:
        """Return the folder that keeps what `entry` replaced, laid out as the prefix is."""
        return Journal(os.path.join(self.path, "transactions", entry.id)).replaced

    def undo(self, id: str | None = None, *, force: bool = False) -> Entry:
        """Undo transaction `id` (None: the last one in force); return the undo's own entry.

        Every byte, mode and time comes back. Itself a transaction: undoing it by its id redoes.
        Raises UndoRefused with the reason, TransactionError; the environment is then as it was.
        """
        journals = committed(self.path)
        target = find(journals, id)
        reason = objection(target, journals)
        if reason:
            raise UndoRefused(f"Transaction {target.title} cannot be undone. {reason}")
        layout = Layout(self.prefix)
        unneeded = left_standing(target, journals)
        theirs = of_users(target, journals)
        leaving, arriving = undo_moves(
            layout, target, force=force, unneeded=unneeded, of_users=theirs
        )
        journal = self._start(f"undo {target.id}", target.packages)
        journal.undoes, journal.depth = target.id, target.depth + 1
        journal.changes = reversed_changes(target.changes)
        exchange(journal, layout, self._disk, leaving, arriving)
        return next(entries_of([*journals, journal]))

    def prune(self, keep: int = 10, max_bytes: int = 2 * 2**30) -> tuple[str, ...]:
        """Forget the oldest transactions: all but `keep`, and fewer when they take `max_bytes`.

        The newest is never forgotten. Returns the ids; these cannot be undone any more.
        """
        self._require_lock()
        forgotten = forgettable(committed(self.path), keep, max_bytes)
        for journal in forgotten:  # the oldest first: whatever stops us, no gap is left
            journal.discard(self._disk)
        return tuple(journal.id for journal in forgotten)

    def _start(self, command: str, packages: Iterable[Any]) -> Journal:
        self._require_lock()
        if self.unfinished():
            raise TransactionError(
                "An earlier transaction was interrupted.", hint="safeinstall recover"
            )
        numbers = [
            int(name.partition("-")[0])
            for name in transaction_ids(self.path)
            if not name.endswith(GONE) and name.partition("-")[0].isdigit()
        ]
        sequence = max(numbers, default=0) + 1
        name = f"{sequence:04d}-{secrets.token_hex(2)}"
        journal = Journal(os.path.join(self.path, "transactions", name))
        journal.sequence, journal.command, journal.packages = sequence, command, list(packages)
        now = datetime.now(timezone.utc)
        journal.time = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        pid = os.getpid()
        journal.owner = ProcessMark(pid, process.start_time(pid), process.host())
        try:
            journal.begin(self._disk)
        except OSError as error:
            self._disk.remove_tree(journal.directory)
            raise TransactionError(
                f"No transaction can be opened in {self.path}: {error.strerror}; the environment is"
                " untouched."
            ) from error
        return journal

    def _is_committed(self, name: str) -> bool:
        path = os.path.join(self.path, "transactions", name)
        return os.path.exists(os.path.join(path, "state." + states.COMMITTED))

    def _has_litter(self) -> bool:
        # What a process left that died after its commit, or while it forgot a transaction.
        return any(
            name.endswith(GONE)
            or os.path.exists(os.path.join(self.path, "transactions", name, "stage"))
            for name in transaction_ids(self.path)
        )

    def _require_lock(self) -> None:
        if self._lock is None or not self._lock.held:
            raise TransactionError(f"{self.path} is not locked by this operation.")
