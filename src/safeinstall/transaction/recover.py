"""Recovery: bring a transaction that died back to the old state, or forward to the new one.

Runs on Python 3.8 with the standard library alone, in any interpreter, on any prefix:
`python -m safeinstall.transaction.recover PREFIX`. Touches only what a journal names; may be
stopped anywhere and run again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from safeinstall.errors import LockBusy, SafeInstallError, TransactionError
from safeinstall.transaction.moves.commit import roll_back
from safeinstall.transaction.moves.disk import Disk, undisturbed
from safeinstall.transaction.store import journal as states
from safeinstall.transaction.store.journal import GONE, Journal, is_pending, transaction_ids
from safeinstall.transaction.store.lock import acquire, check, end_process, folder_of, process_host

if TYPE_CHECKING:
    from safeinstall.transaction.store.history import Store


class Recovery(NamedTuple):
    """What recovery did."""

    id: str
    direction: str
    """`back` (as before the transaction), `forward` (as after it) or `litter` (never begun)."""
    message: str
    """One line for the user."""


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
        with acquire(store.path, command="recover", timeout=0):
            return recover_folder(store.path, store.disk)
    except LockBusy:
        return None
    except OSError as error:
        raise TransactionError(f"Recovery could not go on: {error}.") from error


def recover_folder(folder: str, disk: Disk | None = None) -> Recovery | None:
    """Finish or take back whatever died below `folder` (`<prefix>/.safeinstall`); lock it first.

    Returns the gravest thing done, None when all was well. Raises OSError, JournalError.
    """
    disk = disk or Disk()
    done: list[Recovery] = []
    for name in reversed(transaction_ids(folder)):  # the newest first: it was built on the others
        directory = os.path.join(folder, "transactions", name)
        if name.endswith(GONE):
            disk.remove_tree(directory)
            continue
        if (journal := Journal.read(directory)) is None:
            Journal(directory).discard(disk)
        elif journal.state == states.COMMITTED:
            disk.remove_tree(journal.stage)
        else:
            done.append(_recover_one(journal, os.path.dirname(folder), disk))
    order = ("litter", "forward", "back")
    return max(done, key=lambda item: order.index(item.direction)) if done else None


def _recover_one(journal: Journal, prefix: str, disk: Disk) -> Recovery:
    # Only on the machine where its number means something, and only if it is surely that process.
    if journal.installer and journal.installer.host in ("", process_host()):
        end_process(journal.installer.pid, journal.installer.started)
    if journal.state == states.STAGING:
        journal.discard(disk)
        text = "Transaction %s never reached the environment: its staging area was removed."
        return Recovery(journal.id, "litter", text % journal.title)
    with undisturbed():
        if journal.state == states.ARRIVING and not _still_to_come(journal, prefix):
            journal.advance(disk, states.COMMITTED)
            disk.settle(journal.directory)
            disk.remove_tree(journal.stage)
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
    sys.stdout.write(message + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
