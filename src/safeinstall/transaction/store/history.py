"""History: the transactions of an environment that are kept, and which of them can be undone."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from safeinstall.metadata.distribution import normalized
from safeinstall.transaction.errors import JournalError, UndoRefused
from safeinstall.transaction.store.journal import COMMITTED, GONE, Change, Journal, transaction_ids

__all__ = [
    "Entry",
    "committed",
    "entries",
    "entries_of",
    "find",
    "forgettable",
    "left_standing",
    "made_after",
    "objection",
    "of_users",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One transaction that reached the environment."""

    id: str
    time: str
    """When it began, ISO 8601 in UTC."""
    command: str
    changes: tuple[Change, ...]
    bytes_kept: int
    """Disk space of what it replaced, kept for undo."""
    state: str
    """`committed` or `undone`."""
    undoes: str | None
    """The transaction that this one took back."""
    undoable: bool
    reason: str
    """Why it cannot be undone now, with the way to go; empty when it can."""

    @property
    def added(self) -> tuple[Change, ...]:
        """Distributions that were not there before."""
        return tuple(change for change in self.changes if change.before is None)

    @property
    def removed(self) -> tuple[Change, ...]:
        """Distributions that are not there any more."""
        return tuple(change for change in self.changes if change.after is None)

    @property
    def replaced(self) -> tuple[Change, ...]:
        """Distributions that changed their version, or were installed anew."""
        return tuple(c for c in self.changes if c.before is not None and c.after is not None)


def committed(area: str) -> list[Journal]:
    """Read the journals of all transactions that reached the environment, oldest first."""
    found = []
    for name in transaction_ids(area):
        if not name.endswith(GONE):
            journal = Journal.read(os.path.join(area, "transactions", name))
            if journal is not None and journal.state == COMMITTED:
                found.append(journal)
    return sorted(found, key=lambda journal: journal.sequence)


def entries(area: str) -> tuple[Entry, ...]:
    """Return the history, the newest first. Raises JournalError."""
    return tuple(entries_of(committed(area)))


def entries_of(journals: list[Journal]) -> Iterator[Entry]:
    """Yield the entries of `journals` (oldest first), the newest first."""
    undone = _undone(journals)
    return (_entry(journal, journals, undone) for journal in reversed(journals))


def _entry(journal: Journal, journals: list[Journal], undone: dict[str, Journal]) -> Entry:
    try:
        reason = objection(journal, journals)
    except JournalError as error:
        reason = error.message
    return Entry(
        id=journal.id,
        time=journal.time,
        command=journal.command,
        changes=tuple(journal.changes),
        bytes_kept=0 if journal.id in undone else journal.kept,
        state="undone" if journal.id in undone else "committed",
        undoes=journal.undoes,
        undoable=not reason,
        reason=reason,
    )


def find(journals: list[Journal], id: str | None) -> Journal:
    """Return the transaction meant by `id`: all of it, its number, or None = the last one in force.

    Raises UndoRefused.
    """
    if id is None and not journals:
        raise UndoRefused(
            "safeinstall has changed nothing in this environment yet: nothing to undo.",
            code="nothing-to-undo",
        )
    undone = _undone(journals)
    if id is None:
        for journal in reversed(journals):
            if journal.id not in undone and journal.depth % 2 == 0:
                return journal
        raise UndoRefused("There is nothing to undo in this environment.")
    for journal in journals:
        if id == journal.id or (id.isdigit() and int(id) == journal.sequence):
            return journal
    raise UndoRefused(
        f"There is no transaction {id} in this environment.", hint="safeinstall history"
    )


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
    undone = _undone(journals)
    by_id = {journal.id: journal for journal in journals}
    return [
        journal
        for journal in journals
        if journal.sequence > target.sequence
        and journal.id not in undone
        and not _cancelled(journal, target, by_id)
    ]


def left_standing(target: Journal, journals: list[Journal]) -> set[str]:
    """Return the folders that later transactions left because of what else was in them.

    Nobody needs them any more once that is gone.
    """
    undone = _undone(journals)
    found: set[str] = set()
    for journal in journals:
        if journal.sequence > target.sequence and journal.id not in undone:
            with contextlib.suppress(JournalError):  # an empty folder more is all that it costs
                found.update(journal.manifest.standing)
    return found


def of_users(target: Journal, journals: list[Journal]) -> set[str]:
    """Return the files that `target` and those before it know, and that nobody had brought."""
    found: set[str] = set()
    for journal in journals if target.manifest.met else ():
        if journal.sequence <= target.sequence:
            with contextlib.suppress(JournalError):
                found.update(journal.manifest.found)
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
    mine, theirs = target.manifest, later.manifest
    files = mine.added.keys() | mine.removed.keys()
    if not files.isdisjoint(theirs.added) or not files.isdisjoint(theirs.removed):
        return True
    return not (theirs.removed.keys() - theirs.added.keys()).isdisjoint(mine.stayed)
