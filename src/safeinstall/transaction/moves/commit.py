"""The commit itself: a journal, then renames; the environment changes in this file only."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Collection
from dataclasses import dataclass

from safeinstall.transaction.errors import TransactionError
from safeinstall.transaction.moves.additions import Arrivals
from safeinstall.transaction.moves.carrying import Move, carry
from safeinstall.transaction.moves.disk import Disk, exists
from safeinstall.transaction.moves.interruption import undisturbed
from safeinstall.transaction.moves.layout import Layout
from safeinstall.transaction.moves.removals import Departures
from safeinstall.transaction.recover import roll_back
from safeinstall.transaction.store import journal as states
from safeinstall.transaction.store.directory import AREA
from safeinstall.transaction.store.journal import Journal
from safeinstall.transaction.store.manifest import Manifest

__all__ = ["Committed", "exchange"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Committed:
    """What a commit did; names are relative to the prefix, with forward slashes."""

    id: str
    moves_out: int
    moves_in: int
    window_seconds: float
    """How long the environment was neither old nor new."""
    replaced: Collection[str]
    """Files that left: removed, or replaced by one of `added` of the same name."""
    added: Collection[str]


def exchange(
    journal: Journal, layout: Layout, disk: Disk, leaving: Departures, arriving: Arrivals
) -> Committed:
    """Take the environment from one state to the next, or leave it as it was.

    Raises TransactionError; the environment is then as before and the transaction forgotten.
    """
    with undisturbed():
        try:
            _prepare(journal, layout, disk, leaving, arriving)
        except OSError as error:
            with contextlib.suppress(OSError):
                journal.discard(disk)
            raise _failure(error, "before anything was moved") from error
        began = time.perf_counter()
        try:
            _make_moves(journal, layout.prefix, disk)
        except BaseException as error:
            _restore(journal, layout.prefix, disk, error)
            if not isinstance(error, (OSError, TransactionError)):
                raise
            raise _failure(error, "and everything was put back") from error
        window = time.perf_counter() - began
        disk.settle(journal.directory)
    with contextlib.suppress(OSError):  # it is done; recovery takes away what is left
        disk.remove_tree(journal.stage)
    return Committed(
        id=journal.id,
        moves_out=len(leaving.moves),
        moves_in=len(arriving.moves),
        window_seconds=window,
        replaced=leaving.files.keys(),
        added=arriving.files.keys(),
    )


def _prepare(
    journal: Journal, layout: Layout, disk: Disk, leaving: Departures, arriving: Arrivals
) -> None:
    base = f"{AREA}/transactions/{journal.id}/replaced"
    outs = [Move("out", name, f"{base}/{name}") for name in leaving.moves]
    for name in leaving.moves:
        _mirror_folders(layout, journal.replaced, name, disk)
    ins = [
        Move("in", os.path.relpath(source, layout.prefix).replace(os.sep, "/"), name)
        for source, name in arriving.moves
    ]
    journal.moves = outs + ins
    journal.kept = leaving.kept_bytes
    manifest = Manifest(
        arriving.files,
        leaving.files,
        tuple(arriving.created),
        tuple(leaving.standing),
        arriving.met,
        leaving.left,
        arriving.found,
    )
    journal.write_manifest(manifest, disk)
    journal.write(disk)
    journal.advance(disk, states.LEAVING)
    disk.settle(journal.directory)


def _mirror_folders(layout: Layout, replaced: str, name: str, disk: Disk) -> None:
    # With the modes of the originals: an undo may have to bring one of them back as a whole.
    here, there = layout.prefix, replaced
    for part in name.split("/")[:-1]:
        here, there = os.path.join(here, part), os.path.join(there, part)
        if not exists(there):
            disk.make_directory(there, stat.S_IMODE(os.stat(here).st_mode) | stat.S_IRWXU)


def _make_moves(journal: Journal, prefix: str, disk: Disk) -> None:
    for kind, state in (("out", states.ARRIVING), ("in", states.COMMITTED)):
        for index, move in enumerate(journal.moves):
            if move.kind != kind:
                continue
            target = os.path.join(prefix, move.target)
            if exists(target):
                raise TransactionError(f"{target} appeared while the packages were being moved.")
            carry(
                disk,
                os.path.join(prefix, move.source),
                target,
                journal.mark,
                lambda index=index: journal.note_piecewise(disk, index),  # type: ignore[misc]
            )
        journal.advance(disk, state)


def _restore(journal: Journal, prefix: str, disk: Disk, cause: BaseException) -> None:
    if journal.state == states.COMMITTED:
        return
    try:
        roll_back(journal, prefix, disk)
    except OSError as error:
        raise TransactionError(
            f"Moving the packages failed ({cause}), and so did putting everything back ({error});"
            " the environment is half-changed until it is recovered.",
            hint="safeinstall recover",
            code="half-changed",
        ) from cause


def _failure(error: BaseException, when: str) -> TransactionError:
    if isinstance(error, TransactionError):
        return TransactionError(f"{error.message} Everything was put back.", context=error.context)
    reason = getattr(error, "strerror", None) or str(error)
    file = getattr(error, "filename", None)
    return TransactionError(
        f"The environment could not be changed, {when}: {reason}.", context=str(file or "")
    )
