"""The commit itself: a journal, then renames; and the way back.

Where an environment changes from one state to the next, it does so in this file only.

Imports on Python 3.8 with the standard library alone: recovery may run in another interpreter.
"""

from __future__ import annotations

import contextlib
import os
import stat
import time
from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from safeinstall.errors import TransactionError
from safeinstall.transaction.moves.disk import Disk, Move, carry, is_directory, undisturbed
from safeinstall.transaction.store import journal as states
from safeinstall.transaction.store.journal import FOLDER, Journal, Manifest

if TYPE_CHECKING:
    from safeinstall.transaction.moves.additions import Additions
    from safeinstall.transaction.moves.prefix import Layout, Removals


class Committed(NamedTuple):
    """What a commit did; names are relative to the prefix, with forward slashes."""

    id: str
    moves_out: int
    moves_in: int
    window_seconds: float
    """How long the environment was neither old nor new."""
    replaced: Collection[str]
    """Files that left: removed, or replaced by one of `added` of the same name."""
    added: Collection[str]
    only_named: Collection[str] = ()
    """Files that were left: a RECORD of what left lists them, and they are not as it says."""


def commit(
    journal: Journal, layout: Layout, disk: Disk, leaving: Removals, coming: Additions
) -> Committed:
    """Take the environment from one state to the next, or leave it as it was.

    Raises TransactionError; the environment is then as before and the transaction forgotten.
    """
    with undisturbed():
        try:
            _write_down(journal, layout, disk, leaving, coming)
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
        with contextlib.suppress(OSError):  # it is done, whether or not it has reached the disk
            disk.settle(journal.directory)
    disk.sweep(journal.stage)  # recovery takes away what is left
    return Committed(
        id=journal.id,
        moves_out=sum(move.kind == "out" for move in journal.moves),
        moves_in=len(coming.moves),
        window_seconds=window,
        replaced=journal.manifest.removed.keys(),
        added=coming.files.keys(),
        only_named=[name for name in leaving.only_named if name not in coming.files],
    )


def _write_down(
    journal: Journal, layout: Layout, disk: Disk, leaving: Removals, coming: Additions
) -> None:
    base = f"{FOLDER}/transactions/{journal.id}/replaced"
    names = (*leaving.moves, *coming.displaced)
    for name in names:
        _mirror_folders(layout, journal.replaced, name, disk)
    journal.moves = [Move("out", name, f"{base}/{name}") for name in names]
    for source, name in coming.moves:
        start = os.path.relpath(source, layout.prefix).replace(os.sep, "/")
        journal.moves.append(Move("in", start, name))
    journal.kept = leaving.bytes + coming.displaced_bytes
    manifest = Manifest(
        added=coming.files,
        removed={**leaving.files, **coming.displaced},
        created=coming.created,
        kept_folders=leaving.kept_folders,
        already_shared=coming.already_shared,
        kept_shared=leaving.kept_shared,
        already_unowned=coming.already_unowned,
        digests=leaving.digests,
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
        if not os.path.lexists(there):
            disk.make_directory(there, stat.S_IMODE(os.stat(here).st_mode) | stat.S_IRWXU)


def _make_moves(journal: Journal, prefix: str, disk: Disk) -> None:
    for kind, state in (("out", states.ARRIVING), ("in", states.COMMITTED)):
        for index, move in enumerate(journal.moves):
            if move.kind != kind:
                continue
            target = os.path.join(prefix, move.target)
            if os.path.lexists(target):
                raise TransactionError(f"{target} appeared while the packages were being moved.")
            source = os.path.join(prefix, move.source)
            carry(disk, source, target, journal.mark, partial(journal.note_piecewise, disk, index))
        journal.advance(disk, state)


def _restore(journal: Journal, prefix: str, disk: Disk, cause: BaseException) -> None:
    if journal.state == states.COMMITTED:
        return
    try:
        roll_back(journal, prefix, disk)
    except OSError as error:
        failed = f"Moving the packages failed ({cause}), and so did putting everything back"
        message = f"{failed} ({error}); the environment is half-changed until it is recovered."
        raise TransactionError(message, command=("recover",), code="half-changed") from cause


def _failure(error: BaseException, when: str) -> TransactionError:
    if isinstance(error, TransactionError):
        return TransactionError(f"{error.message} Everything was put back.", context=error.context)
    reason = getattr(error, "strerror", None) or str(error)
    message = f"The environment could not be changed, {when}: {reason}."
    return TransactionError(message, context=str(getattr(error, "filename", None) or ""))


def roll_back(journal: Journal, prefix: str, disk: Disk) -> None:
    """Take back every move made so far, the last first, then forget the transaction.

    What has been done is read off the disk: each move leaves its file or folder in one place.
    Raises OSError; calling it again goes on.
    """
    if journal.state == states.LEAVING:
        journal.advance(disk, states.RESTORING)
    elif journal.state in (states.ARRIVING, states.COMMITTED):
        journal.advance(disk, states.RETRACTING)
    indexed = [*enumerate(journal.moves)][::-1]
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
    if os.path.lexists(outside + journal.mark):
        disk.remove_tree(outside + journal.mark)
    if not os.path.lexists(here):
        return
    stays = move.kind == "in" or there.endswith(".pyc")
    if stays and os.path.lexists(there) and not journal.is_piecewise(index):
        return  # this rename was never made: what lies in the environment is somebody else's
    parent = os.path.dirname(there)
    if not os.path.lexists(parent):
        os.makedirs(parent)
    carry(disk, here, there, journal.mark, partial(journal.note_piecewise, disk, index))


def _drop_bytecode(journal: Journal, prefix: str, disk: Disk) -> None:
    # A process that ran in between compiled what had arrived; the old bytecode is in `replaced`.
    for move in journal.moves:
        if move.kind != "in" or not move.target.endswith(".py"):
            continue
        folder, name = os.path.split(os.path.join(prefix, move.target))
        cache = os.path.join(folder, "__pycache__")
        try:
            names = os.listdir(cache) if is_directory(cache) else []
        except OSError:
            continue
        for stale in names:
            if stale.startswith(name[:-2]) and stale.endswith(".pyc"):
                if not disk.sweep(os.path.join(cache, stale)):
                    continue  # root's, who ran Python here: it cannot keep us from going back
                if not os.listdir(cache):
                    with contextlib.suppress(OSError):
                        disk.remove_directory(cache)
