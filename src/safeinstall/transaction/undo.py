"""Undo: what a transaction replaced goes back to its place, what it added goes away."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Mapping

from safeinstall.digests import digest
from safeinstall.metadata.record import RecordRow
from safeinstall.transaction.errors import TransactionError, UndoRefused
from safeinstall.transaction.moves.additions import Arrivals, arrivals
from safeinstall.transaction.moves.layout import Layout
from safeinstall.transaction.moves.owners import installed, owners
from safeinstall.transaction.moves.records import record_of
from safeinstall.transaction.moves.removals import Departures, departures
from safeinstall.transaction.store.journal import Change, Journal
from safeinstall.transaction.store.manifest import FileStamp, stamp_of

__all__ = ["reversed_changes", "undo_moves"]

HARMLESS = (".pyc", "/INSTALLER", "/REQUESTED")
_RECORD = ".dist-info/RECORD"


def undo_moves(
    layout: Layout,
    target: Journal,
    *,
    force: bool = False,
    unneeded: Collection[str] = (),
    of_users: Collection[str] = (),
) -> tuple[Departures, Arrivals]:
    """Return the moves that undo `target`.

    `unneeded`: folders of others that may go as well when nothing is left in them. `of_users`:
    files that were there before anybody brought them.
    Raises UndoRefused when its files were changed since; with `force`, edited files leave with the
    rest and are kept with the undo.
    """
    mine = target.manifest
    _refuse_if_replaced(layout, target)
    records = {name.rpartition("/")[0] for name in mine.added if name.endswith(_RECORD)}
    back = {name.rpartition("/")[0] for name in mine.removed if name.endswith(_RECORD)}
    others = installed(
        {os.path.dirname(layout.path(folder)) for folder in records | back},
        {layout.path(folder) for folder in records},
    )
    # Whoever was first to bring a file that was there already may have gone since.
    met = {name: stamp for name, stamp in mine.met.items() if name not in of_users}
    came = {**met, **mine.added}
    owned = owners(layout, came, others).keys() | mine.met.keys() & mine.left
    created = {*mine.created, *unneeded}
    leaving = departures(layout, came, lambda folder: folder in created, owned)
    edited = _edited(layout, leaving, came, target)
    if edited and not force:
        more = f" and {len(edited) - 1} more" if len(edited) > 1 else ""
        raise UndoRefused(
            f"{layout.path(edited[0])}{more} changed after the installation; undoing"
            f" {target.id} would take that away.",
            context="With force they are set aside and kept with the undo.",
        )
    arriving = Arrivals()
    if os.path.isdir(target.replaced):
        arriving = arrivals(layout, target.replaced, leaving, known=mine.removed)
    for problem in (
        *arriving.escapes,
        *(f"{layout.path(hit.name)} is in the way" for hit in arriving.collisions),
    ):
        raise UndoRefused(
            f"Transaction {target.id} cannot be undone: {problem}.",
            context="Something else changed the environment since.",
        )
    lost = mine.removed.keys() - arriving.files.keys() - {*arriving.met, *arriving.created}
    if lost:
        raise UndoRefused(
            f"Transaction {target.id} cannot be undone: {layout.path(min(lost))} is gone of what it"
            " replaced.",
            context=f"It was kept in {target.replaced}.",
        )
    arriving.tell_apart(owners(layout, arriving.met, others))
    arriving.found += mine.found
    for name in mine.left:
        with contextlib.suppress(OSError):
            arriving.met[name] = stamp_of(os.lstat(layout.path(name)))
    return leaving, arriving


def reversed_changes(changes: list[Change]) -> list[Change]:
    """Return what undoing `changes` changes."""
    return [Change(change.name, change.after, change.before) for change in changes]


def _refuse_if_replaced(layout: Layout, target: Journal) -> None:
    for name in target.manifest.added:
        if name.endswith(".dist-info/METADATA") and not os.path.lexists(layout.path(name)):
            gone = name.split("/")[-2].removesuffix(".dist-info").replace("-", " ")
            raise UndoRefused(
                f"{gone} is not installed any more as transaction {target.id} left it:"
                " another program changed it since.",
            )


def _edited(
    layout: Layout, leaving: Departures, came: Mapping[str, FileStamp], target: Journal
) -> list[str]:
    """List the files that hold something else than what came."""
    suspects = {
        name: now.size == came[name].size
        for name, now in leaving.files.items()
        if came.get(name, now) != now and not name.endswith(HARMLESS)
    }
    # An environment may have been copied without its times: each RECORD is read once for all.
    promised = _promised(layout, target) if any(suspects.values()) else {}
    return [
        name
        for name, same_size in suspects.items()
        if not (same_size and _is_as_promised(layout, name, promised))
    ]


def _promised(layout: Layout, target: Journal) -> dict[str, RecordRow]:
    """Return what each RECORD that came, or what became of it, says of its files."""
    found: dict[str, RecordRow] = {}
    for record in target.manifest.added:
        if record.endswith(_RECORD):
            dist_info = os.path.dirname(layout.path(record))
            site = os.path.dirname(dist_info)
            with contextlib.suppress(TransactionError):  # one that is gone promises nothing
                for line in record_of(dist_info):
                    found[layout.name(os.path.join(site, line.path.replace("/", os.sep)))] = line
    return found


def _is_as_promised(layout: Layout, name: str, promised: Mapping[str, RecordRow]) -> bool:
    """Tell whether a file of another time still has its content."""
    if name.endswith(_RECORD):
        return True  # nobody promises it: of the same size it lists the same files
    line = promised.get(name)
    if line is None or not line.digest:
        return False
    try:
        return digest(layout.path(name), line.algorithm) == line.digest
    except ValueError:  # a hash this Python does not know says nothing
        return False
