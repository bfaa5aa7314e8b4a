"""What is kept in one environment: its transactions, and which of them can be undone."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from safeinstall.errors import JournalError, TransactionError, UndoRefused
from safeinstall.metadata.distribution import normalized
from safeinstall.transaction.moves.disk import Disk, immovable
from safeinstall.transaction.store.journal import (
    COMMITTED,
    GONE,
    MOVING,
    Journal,
    ProcessMark,
    VersionChange,
    transaction_ids,
)
from safeinstall.transaction.store.lock import (
    Holder,
    Lock,
    acquire,
    check,
    create,
    folder_of,
    process_host,
    start_time,
)


class Store:
    """`<prefix>/.safeinstall` of one environment; nothing is created before the lock is taken."""

    def __init__(self, prefix: str, disk: Disk) -> None:
        self.prefix = os.path.realpath(prefix)
        self.path = folder_of(prefix)
        self.disk = disk
        self._lock: Lock | None = None

    @classmethod
    def open(cls, prefix: str, *, disk: Disk | None = None) -> Store:
        """Return the store of the environment at `prefix`. Raises UnsafeStore."""
        store = cls(os.fspath(prefix), disk or Disk())
        check(store.path)
        return store

    @property
    def locked(self) -> bool:
        """True while the lock is held through this very object."""
        return self._lock is not None and self._lock.held

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
        seconds over), TransactionError when the store cannot be made.
        """
        create(self.path, self.disk)
        patience = timeout if wait else 0.0
        self._lock = acquire(self.path, command=command, on_wait=on_wait, timeout=patience)
        return self._lock

    def unfinished(self) -> bool:
        """Tell whether something waits for recovery; cheap, needs no lock, creates nothing.

        A transaction that another process works on just now counts as well.
        """
        return bool(self._read(self._unmarked())[1])

    def refused(self) -> dict[str, JournalError]:
        """Return why nobody acts on a transaction, for each of which that is so."""
        return self._read(self._places())[2]

    def stuck(self) -> dict[str, str]:
        """Return what waits for its deletion and cannot be deleted by us, and what keeps it."""
        ids = transaction_ids(self.path)
        names = [n if n.endswith(GONE) else os.path.join(n, "stage") for n in ids]
        places = [os.path.join(self.path, "transactions", name) for name in names]
        left = [at for at in places if at.endswith(GONE) or self._is_marked(os.path.dirname(at))]
        found = ((place, immovable(place)) for place in left)
        return {place: what for place, what in found if what}

    def set_aside(self, id: str) -> str:
        """Take a transaction that is refused out of the way, for good; return where it is kept.

        Raises TransactionError.
        """
        self._require_lock()
        try:
            return Journal(os.path.join(self.path, "transactions", id)).set_aside(self.disk)
        except OSError as error:
            raise TransactionError(f"{id} cannot be set aside: {error.strerror}.") from error

    def find(self, id: str | None) -> tuple[Journal, list[Journal]]:
        """Return the transaction that undoing `id` means (see `find`), and all that can be read.

        Raises UndoRefused, JournalError for one that is refused.
        """
        whole, _, refused = self._read(self._places())
        for name, error in refused.items():
            if id in (name, name.partition("-")[0], str(int(name.partition("-")[0]))):
                raise error
        if id is None and max(refused, default="") > max((j.id for j in whole), default=""):
            message = f"The last transaction, {max(refused)}, cannot be read: nothing is undone."
            raise UndoRefused(message, command=("doctor", "--fix"))
        journals = sorted(whole, key=lambda journal: journal.sequence)
        return find(journals, id), journals

    def _read(
        self, places: Iterable[str]
    ) -> tuple[list[Journal], list[Journal | None], dict[str, JournalError]]:
        """Return what reached the environment, what is on its way, and why others are refused."""
        whole: list[Journal] = []
        waiting: list[Journal | None] = []
        refused: dict[str, JournalError] = {}
        for place in places:
            try:
                journal = Journal.read(place)
                if journal and journal.state == COMMITTED:
                    whole.append(journal)
                    continue
                if journal:
                    journal.check()
                waiting.append(journal)
            except JournalError as error:
                refused[os.path.basename(place)] = error
        return whole, waiting, refused

    def _unmarked(self) -> list[str]:
        return [place for place in self._places() if not self._is_marked(place)]

    def _is_marked(self, place: str) -> bool:
        return os.path.exists(os.path.join(place, "state." + COMMITTED))

    def _places(self) -> list[str]:
        """Return the folders of all transactions that are not to be deleted, oldest first."""
        names = [name for name in transaction_ids(self.path) if not name.endswith(GONE)]
        return [os.path.join(self.path, "transactions", name) for name in names]

    def journals(self) -> list[Journal]:
        """Read the journals of what reached the environment, oldest first; none that is refused."""
        return sorted(self._read(self._places())[0], key=lambda journal: journal.sequence)

    def history(self) -> tuple[Entry, ...]:
        """Return the transactions that are kept and can be read, the newest first."""
        return tuple(entries_of(self.journals()))

    def target(self, id: str | None = None) -> Entry:
        """Return the transaction that undoing `id` means. Raises UndoRefused if there is none."""
        return _entry(*self.find(id))

    def later(self, entry: Entry) -> tuple[Entry, ...]:
        """Return the transactions after `entry` whose work is in force, the newest first."""
        found, journals = self.find(entry.id)
        later = made_after(found, journals)
        return tuple(_entry(journal, journals) for journal in reversed(later))

    def replaced(self, entry: Entry) -> str:
        """Return the folder that keeps what `entry` replaced, laid out as the prefix is."""
        return Journal(os.path.join(self.path, "transactions", entry.id)).replaced

    def prune(self, keep: int = 10, max_bytes: int = 2 * 2**30) -> tuple[str, ...]:
        """Forget the oldest transactions: all but `keep`, and fewer when they take `max_bytes`.

        The newest is never forgotten. Returns the ids; these cannot be undone any more.
        """
        self._require_lock()
        forgotten: list[str] = []
        with contextlib.suppress(OSError):
            # The oldest first: whatever stops us, no gap is left.
            for journal in forgettable(self.journals(), keep, max_bytes):
                journal.discard(self.disk)
                forgotten.append(journal.id)
        return tuple(forgotten)

    def start(self, command: str, packages: Iterable[Any] = ()) -> Journal:
        """Begin the journal of one more transaction, under the lock. Raises TransactionError."""
        self._require_lock()
        waiting = self._read(self._unmarked())[1]
        if any(journal.state in MOVING for journal in waiting if journal):
            message = "An earlier transaction was interrupted."
            raise TransactionError(message, command=("recover",))
        starts = (os.path.basename(place).partition("-")[0] for place in self._places())
        sequence = max((int(start) for start in starts if start.isdigit()), default=0) + 1
        name = f"{sequence:04d}-{secrets.token_hex(2)}"
        journal = Journal(os.path.join(self.path, "transactions", name))
        journal.sequence, journal.command, journal.packages = sequence, command, list(packages)
        now = datetime.now(timezone.utc)
        journal.time = now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        pid = os.getpid()
        journal.owner = ProcessMark(pid, start_time(pid), process_host())
        try:
            journal.begin(self.disk)
        except OSError as error:
            self.disk.sweep(journal.directory)
            failed = f"No transaction can be opened in {self.path}: {error.strerror}"
            raise TransactionError(f"{failed}; the environment is untouched.") from error
        return journal

    def _require_lock(self) -> None:
        if not self.locked:
            raise TransactionError(f"{self.path} is not locked by this operation.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One transaction that reached the environment."""

    id: str
    time: str
    """When it began, ISO 8601 in UTC."""
    command: str
    changes: tuple[VersionChange, ...]
    bytes_kept: int
    """Disk space of what it replaced, kept for undo."""
    state: str
    """`committed` or `undone`."""
    undoes: str | None
    """The transaction that this one took back."""
    undoable: bool
    reason: str
    """Why it cannot be undone now, with the way to go; empty when it can."""


def entries_of(journals: list[Journal]) -> Iterator[Entry]:
    """Yield the entries of `journals` (oldest first), the newest first."""
    return (_entry(journal, journals) for journal in reversed(journals))


def _entry(journal: Journal, journals: list[Journal]) -> Entry:
    undone = journal.id in _undone(journals)
    try:
        reason = objection(journal, journals)
    except JournalError as error:
        reason = error.message
    return Entry(
        id=journal.id,
        time=journal.time,
        command=journal.command,
        changes=tuple(journal.changes),
        bytes_kept=0 if undone else journal.kept,
        state="undone" if undone else "committed",
        undoes=journal.undoes,
        undoable=not reason,
        reason=reason,
    )


def find(journals: list[Journal], id: str | None) -> Journal:
    """Return the transaction meant by `id`: all of it, its number, or None = the last one in force.

    Raises UndoRefused.
    """
    if id is None and not journals:
        message = "safeinstall has changed nothing in this environment yet: nothing to undo."
        raise UndoRefused(message, code="nothing-to-undo")
    undone = _undone(journals)
    if id is None:
        for journal in reversed(journals):
            if journal.id not in undone and journal.depth % 2 == 0:
                return journal
        raise UndoRefused("There is nothing to undo in this environment.")
    for journal in journals:
        if id == journal.id or (id.isdigit() and int(id) == journal.sequence):
            return journal
    message = f"There is no transaction {id} in this environment."
    raise UndoRefused(message, command=("history",))


def forgettable(journals: list[Journal], keep: int, max_bytes: int) -> list[Journal]:
    """Return the oldest beyond the last `keep`, or beyond those that fit in `max_bytes`.

    The newest is never among them; the oldest comes first.
    """
    undone = _undone(journals)
    found, total = [], 0
    for position, journal in enumerate(reversed(journals)):
        total += 0 if journal.id in undone else journal.kept
        if position > 0 and (position >= keep or total > max_bytes):
            found.append(journal)
    return found[::-1]


def objection(target: Journal, journals: list[Journal]) -> str:
    """Say why `target` cannot be undone as things stand in the history; empty when it can."""
    undone = _undone(journals)
    if target.id in undone:
        return f"It was undone already, by {undone[target.id].id}."
    later = [journal for journal in made_after(target, journals) if _touches(journal, target)]
    if not later:
        return ""
    order = ", then ".join(journal.id for journal in reversed(later))
    return f"Later changes were built on it: undo {order} first, then {target.id}."


def made_after(target: Journal, journals: list[Journal]) -> list[Journal]:
    """Return the later transactions whose work is in force, the oldest first."""
    by_id = {journal.id: journal for journal in journals}
    return [each for each in _later(target, journals) if not _cancelled(each, target, by_id)]


def _later(target: Journal, journals: list[Journal]) -> list[Journal]:
    undone, after = _undone(journals), target.sequence
    return [each for each in journals if each.sequence > after and each.id not in undone]


def left_standing(target: Journal, journals: list[Journal]) -> set[str]:
    """Return the folders that later transactions left because of what else was in them.

    Nobody needs them any more once that is gone.
    """
    found: set[str] = set()
    for journal in _later(target, journals):
        with contextlib.suppress(JournalError):  # an empty folder more is all that it costs
            found.update(journal.manifest.kept_folders)
    return found


def of_users(target: Journal, journals: list[Journal]) -> set[str]:
    """Return the files that `target` and those before it know, and that nobody had brought."""
    found: set[str] = set()
    for journal in journals if target.manifest.already_shared else ():
        if journal.sequence <= target.sequence:
            with contextlib.suppress(JournalError):
                found.update(journal.manifest.already_unowned)
    return found


def _undone(journals: list[Journal]) -> dict[str, Journal]:
    return {journal.undoes: journal for journal in journals if journal.undoes}


def _cancelled(journal: Journal, target: Journal, by_id: Mapping[str, Journal]) -> bool:
    # An undo and what it undid leave no trace when both came after the target. An undo of
    # something older took away what the target was built on; an undo of an undo installs again.
    return journal.depth % 2 == 1 and _origin(journal, by_id) > target.sequence


def _origin(journal: Journal, by_id: Mapping[str, Journal]) -> int:
    """Return the number of the change that a chain of undos is about."""
    while journal.undoes:
        if journal.undoes not in by_id:  # forgotten: older than all that can be undone
            return int(journal.undoes.partition("-")[0])
        journal = by_id[journal.undoes]
    return journal.sequence


def _touches(later: Journal, target: Journal) -> bool:
    names = {normalized(change.name) for change in target.changes}
    if any(normalized(change.name) in names for change in later.changes):
        return True
    mine = target.manifest
    try:
        theirs = later.manifest
    except JournalError:
        return False  # it blocks itself alone; what lies on the disk is looked at all the same
    files = mine.added.keys() | mine.removed.keys()
    if not files.isdisjoint(theirs.added) or not files.isdisjoint(theirs.removed):
        return True
    return not (theirs.removed.keys() - theirs.added.keys()).isdisjoint(mine.stayed)
