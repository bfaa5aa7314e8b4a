"""Recovery: bring a transaction that died back to the old state, or forward to the new one.

Runs on Python 3.8 with the standard library alone, in any interpreter, on any prefix:
`python -m safeinstall.transaction.recover PREFIX`. Touches only what a journal names; may be
stopped anywhere and run again.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from safeinstall.errors import JournalError, LockBusy, SafeInstallError, TransactionError
from safeinstall.transaction.moves.commit import roll_back
from safeinstall.transaction.moves.disk import Disk, undisturbed
from safeinstall.transaction.store import journal as states
from safeinstall.transaction.store.journal import (
    GONE,
    Journal,
    is_pending,
    made_lock,
    objection,
    transaction_ids,
)
from safeinstall.transaction.store.lock import acquire, beside_uv, check, end_installer, folder_of

if TYPE_CHECKING:
    from safeinstall.transaction.store.history import Store


class Recovery(NamedTuple):
    """What recovery did."""

    id: str
    direction: str
    """`back` (as before the transaction), `forward` (as after it), `litter` (never begun, or left
    to be deleted), or `refused`: nobody can say what was done, and nothing is."""
    message: str
    """One line for the user."""
    context: str = ""
    """What explains it."""
    others: str = ""
    """What was done with others all the same."""

    @property
    def error(self) -> JournalError | None:
        """What to raise where somebody asked for recovery and it was refused."""
        if self.direction != "refused":
            return None
        code = "half-changed" if self.others else ""
        words = f"{self.others} {self.message}".lstrip()
        return JournalError(words, context=self.context, command=("doctor", "--fix"), code=code)


def recover_store(store: Store) -> Recovery | None:
    """Bring what died back to the old state or forward to the new one; None when all is well.

    Without the lock it takes it for a moment, and leaves everything alone when another process
    has it. Raises TransactionError.
    """
    if not is_pending(store.prefix) or not check(store.path):
        return None
    try:
        if store.locked:
            return recover_folder(store.path, store.disk)
        try:
            lock = acquire(store.path, command="recover", timeout=0)
        except LockBusy:
            return None
        with lock:
            return recover_folder(store.path, store.disk)
    except OSError as error:
        message = f"Recovery was stopped ({error}): run it again to go on."
        raise TransactionError(message, command=("recover",), code="half-changed") from error


def recover_folder(folder: str, disk: Disk | None = None) -> Recovery | None:
    """Finish or take back whatever died below `folder` (`<prefix>/.safeinstall`); lock it first.

    One that is refused, and what cannot be deleted, stops nothing else. Returns the gravest thing
    done, None when all was well. Raises OSError.
    """
    disk = disk or Disk()
    done: list[Recovery] = []
    for name in reversed(transaction_ids(folder)):  # the newest first: it was built on the others
        try:
            found = _recover_one(os.path.join(folder, "transactions", name), disk)
        except JournalError as error:
            found = Recovery(name, "refused", error.message, error.context)
        done += [found] if found else []
    if os.path.lexists(made_lock(folder)):
        with contextlib.suppress(LockBusy), beside_uv(os.path.dirname(folder)):
            pass  # that takes it away
    left = [name for name in transaction_ids(folder) if name.endswith(GONE)]
    if left:
        done.append(Recovery(left[0], "litter", f"{_WAITING % len(left)} The doctor says why."))
    order = ("litter", "forward", "back", "refused")
    done.sort(key=lambda item: order.index(item.direction))
    if (
        len(done) > 1
        and done[-1].direction == "refused"
        and done[-2].direction in ("forward", "back")
    ):
        return done[-1]._replace(others=done[-2].message)
    return done[-1] if done else None


_WAITING = "Nothing to recover; %d of what waits for its deletion cannot be deleted."


def _recover_one(directory: str, disk: Disk) -> Recovery | None:
    if directory.endswith(GONE):
        if not objection(os.lstat(directory)):
            disk.sweep(directory)
        return None
    if (journal := Journal.read(directory)) is None:
        with contextlib.suppress(OSError):
            Journal(directory).discard(disk)
        return None
    if journal.state == states.COMMITTED:
        disk.sweep(journal.stage)
        return None
    journal.check()
    end_installer(journal)
    if journal.state == states.STAGING:
        with contextlib.suppress(OSError):
            journal.discard(disk)
        text = "Transaction %s never reached the environment: its staging area was removed."
        return Recovery(journal.id, "litter", text % journal.title)
    prefix = os.path.dirname(os.path.dirname(os.path.dirname(directory)))
    with beside_uv(prefix), undisturbed():
        if journal.state == states.ARRIVING and not _still_to_come(journal, prefix):
            journal.advance(disk, states.COMMITTED)
            disk.settle(journal.directory)
            disk.sweep(journal.stage)
            text = "Transaction %s was stopped after its last step: it is complete now."
            return Recovery(journal.id, "forward", text % journal.title)
        roll_back(journal, prefix, disk)
    text = "Transaction %s was stopped half-way: the environment is as it was before it."
    return Recovery(journal.id, "back", text % journal.title)


def _still_to_come(journal: Journal, prefix: str) -> bool:
    sources = (move.source for move in journal.moves if move.kind == "in")
    return any(os.path.lexists(os.path.join(prefix, source)) for source in sources)


def main(arguments: Sequence[str]) -> int:
    """Recover the environment at the prefix given; print one line. Returns the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m safeinstall.transaction.recover PREFIX\n")
        return 2
    folder = folder_of(arguments[0])
    try:
        if not check(folder):
            sys.stdout.write(f"Nothing to recover in {arguments[0]}.\n")
            return 0
        with acquire(folder, command="recover", timeout=0):
            recovery = recover_folder(folder)
    except (SafeInstallError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    message = recovery.message if recovery else f"Nothing to recover in {arguments[0]}."
    refused = recovery is not None and recovery.error is not None
    (sys.stderr if refused else sys.stdout).write(message + "\n")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
