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
from typing import NamedTuple

from safeinstall.errors import SafeInstallError
from safeinstall.transaction.moves.carrying import Move, carry
from safeinstall.transaction.moves.disk import Disk, exists
from safeinstall.transaction.moves.interruption import undisturbed
from safeinstall.transaction.store import journal as states
from safeinstall.transaction.store import process
from safeinstall.transaction.store.directory import area_of, check
from safeinstall.transaction.store.journal import GONE, Journal, transaction_ids
from safeinstall.transaction.store.lock import acquire

__all__ = ["Recovery", "recover", "roll_back"]


class Recovery(NamedTuple):
    """What recovery did."""

    id: str
    direction: str
    """`back` (as before the transaction), `forward` (as after it) or `litter` (never begun)."""
    message: str
    """One line for the user."""


def recover(area: str, disk: Disk | None = None) -> Recovery | None:
    """Finish or take back whatever died below `area` (`<prefix>/.safeinstall`); lock it first.

    Returns the gravest thing done, None when all was well. Raises OSError, JournalError.
    """
    disk = disk or Disk()
    done: list[Recovery] = []
    for name in reversed(transaction_ids(area)):  # the newest first: it was built on the others
        directory = os.path.join(area, "transactions", name)
        if name.endswith(GONE):
            disk.remove_tree(directory)
            continue
        journal = Journal.read(directory)
        if journal is None:
            Journal(directory).discard(disk)
        elif journal.state == states.COMMITTED:
            disk.remove_tree(journal.stage)
        else:
            done.append(_recover_one(journal, os.path.dirname(area), disk))
    order = ("litter", "forward", "back")
    return max(done, key=lambda item: order.index(item.direction)) if done else None


def _recover_one(journal: Journal, prefix: str, disk: Disk) -> Recovery:
    _end_installer(journal)
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


def _end_installer(journal: Journal) -> None:
    # Only on the machine where its number means something, and only if it is surely that process.
    if journal.installer and journal.installer.host in ("", process.host()):
        process.end(journal.installer.pid, journal.installer.started)


def _still_to_come(journal: Journal, prefix: str) -> bool:
    return any(
        exists(os.path.join(prefix, move.source)) for move in journal.moves if move.kind == "in"
    )


def roll_back(journal: Journal, prefix: str, disk: Disk) -> None:
    """Take back every move made so far, the last first, then forget the transaction.

    What has been done is read off the disk: each move leaves its file or folder in one place.
    Raises OSError; calling it again goes on.
    """
    if journal.state == states.LEAVING:
        journal.advance(disk, states.RESTORING)
    elif journal.state in (states.ARRIVING, states.COMMITTED):
        journal.advance(disk, states.RETRACTING)
    indexed = [(index, move) for index, move in enumerate(journal.moves)][::-1]
    if journal.state == states.RETRACTING:
        for index, move in indexed:
            if move.kind == "in":
                _take_back(journal, index, move, prefix, disk)
        _drop_bytecode(journal, prefix, disk)
        journal.advance(disk, states.RESTORING)
    if journal.state == states.RESTORING:
        for index, move in indexed:
            if move.kind == "out":
                _take_back(journal, index, move, prefix, disk)
    journal.discard(disk)


def _take_back(journal: Journal, index: int, move: Move, prefix: str, disk: Disk) -> None:
    here, there = os.path.join(prefix, move.target), os.path.join(prefix, move.source)
    outside = here if move.kind == "in" else there
    if exists(outside + journal.mark):
        disk.remove_tree(outside + journal.mark)
    if not exists(here):
        return
    if move.kind == "in" and exists(there) and not journal.is_piecewise(index):
        return  # this rename was never made: what lies in the environment is somebody else's
    parent = os.path.dirname(there)
    if not exists(parent):
        os.makedirs(parent)
    carry(disk, here, there, journal.mark, lambda: journal.note_piecewise(disk, index))


def _drop_bytecode(journal: Journal, prefix: str, disk: Disk) -> None:
    # A process that ran in between compiled what had arrived; the old bytecode is in `replaced`.
    for move in journal.moves:
        if move.kind != "in" or not move.target.endswith(".py"):
            continue
        folder, name = os.path.split(os.path.join(prefix, move.target))
        cache = os.path.join(folder, "__pycache__")
        try:
            names = os.listdir(cache)
        except OSError:
            continue
        for stale in names:
            if stale.startswith(name[:-2]) and stale.endswith(".pyc"):
                disk.unlink(os.path.join(cache, stale))
                if not os.listdir(cache):
                    with contextlib.suppress(OSError):
                        disk.remove_directory(cache)


def main(arguments: Sequence[str]) -> int:
    """Recover the environment at the prefix given; print one line. Returns the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m safeinstall.transaction.recover PREFIX\n")
        return 2
    area = area_of(arguments[0])
    try:
        if not check(area):
            sys.stdout.write(f"Nothing to recover in {arguments[0]}.\n")
            return 0
        with acquire(area, command="recover", wait=False):
            recovery = recover(area)
    except (SafeInstallError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    message = recovery.message if recovery else f"Nothing to recover in {arguments[0]}."
    sys.stdout.write(message + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
