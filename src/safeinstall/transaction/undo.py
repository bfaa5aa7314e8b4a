"""Undo: what a transaction replaced goes back to its place, what it added goes away.

A small repair is a transaction too: something set aside, a file written anew; undo brings it back.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from safeinstall.errors import TransactionError, UndoRefused
from safeinstall.metadata.distribution import DistInfo, normalized, split_name
from safeinstall.metadata.record import RecordError, RecordRow, digest
from safeinstall.transaction.moves import prefix
from safeinstall.transaction.moves.additions import Additions, add_tree
from safeinstall.transaction.moves.commit import Committed, commit
from safeinstall.transaction.moves.disk import Disk
from safeinstall.transaction.moves.prefix import Layout, Removals, digest_of
from safeinstall.transaction.store import history
from safeinstall.transaction.store.history import Entry, Store
from safeinstall.transaction.store.journal import FileStamp, Journal, VersionChange, stamp_of
from safeinstall.transaction.store.lock import beside_uv


class NewFile(NamedTuple):
    """What a file shall be: its content and mode, or a link."""

    content: bytes
    mode: int = 0o644
    link: str = ""


def repair(
    store: Store, aside: Sequence[str], files: Mapping[str, NewFile], command: str
) -> Committed:
    """Set the paths `aside` aside and write `files` (by path); all of it or nothing.

    Use it under the store's lock. Raises TransactionError; the environment is then as it was.
    """
    journal, layout = store.start(command), Layout(store.prefix)
    try:
        leaving = prefix.set_aside(layout, aside)
        names = {layout.name(path): new for path, new in files.items()}
        for name, new in names.items():
            _stage(os.path.join(journal.stage, *name.split("/")), new)
        coming = add_tree(layout, journal.stage, leaving, replacing=names)
        leaving = leaving.hashed(layout, (), coming.displaced)
        if coming.collisions or coming.escapes:
            raise TransactionError(f"{store.prefix} cannot be repaired: something is in the way.")
    except BaseException as error:
        with contextlib.suppress(OSError):
            journal.discard(store.disk)
        if isinstance(error, OSError):
            raise TransactionError(f"The repair could not be prepared: {error}.") from error
        raise
    with beside_uv(store.prefix):
        return commit(journal, layout, store.disk, leaving, coming)


def _stage(path: str, new: NewFile) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if new.link:
        os.symlink(new.link, path)
        return
    with open(path, "wb") as file:
        file.write(new.content)
        os.fsync(file.fileno())
    os.chmod(path, new.mode)


HARMLESS = (".pyc", "/INSTALLER", "/REQUESTED")
_RECORD = ".dist-info/RECORD"


def undo_transaction(store: Store, id: str | None = None, *, force: bool = False) -> Entry:
    """Undo transaction `id` (None: the last one in force); return the undo's own entry.

    Every byte, mode and time comes back. Itself a transaction: undoing it by its id redoes. With
    `force`, files that were edited since leave with the rest and are kept with the undo. Use it
    under the store's lock.
    Raises UndoRefused with the reason, TransactionError; the environment is then as it was.
    """
    with beside_uv(store.prefix):
        return _undo(store, id, force=force)


def _undo(store: Store, id: str | None, *, force: bool) -> Entry:
    target, journals = store.find(id)
    if reason := history.objection(target, journals):
        raise UndoRefused(f"Transaction {target.title} cannot be undone. {reason}")
    layout = Layout(store.prefix)
    unneeded, theirs = history.left_standing(target, journals), history.of_users(target, journals)
    leaving, coming = _moves(
        layout, target, store.disk, force=force, unneeded=unneeded, of_users=theirs
    )
    journal = store.start(f"undo {target.id}", target.packages)
    journal.undoes, journal.depth = target.id, target.depth + 1
    journal.changes = [VersionChange(each.name, each.after, each.before) for each in target.changes]
    commit(journal, layout, store.disk, leaving, coming)
    return next(history.entries_of([*journals, journal]))


def _moves(
    layout: Layout,
    target: Journal,
    disk: Disk,
    *,
    force: bool,
    unneeded: Collection[str],
    of_users: Collection[str],
) -> tuple[Removals, Additions]:
    """Return the moves that undo `target`. Raises UndoRefused when its files were changed since.

    `unneeded`: folders of others that may go as well when nothing is left in them. `of_users`:
    files that were there before anybody brought them.
    """
    mine = target.manifest
    _refuse_if_replaced(layout, target)
    records = {name.rpartition("/")[0] for name in mine.added if name.endswith(_RECORD)}
    back = {name.rpartition("/")[0] for name in mine.removed if name.endswith(_RECORD)}
    sites = {os.path.dirname(layout.path(folder)) for folder in records | back}
    others = prefix.installed(sites, without={layout.path(folder) for folder in records})
    # Whoever was first to bring a file that was there already may have gone since.
    shared = {name: stamp for name, stamp in mine.already_shared.items() if name not in of_users}
    came = {**shared, **mine.added}
    owned = {*prefix.owners(layout, came, others)} | {*mine.already_shared} & {*mine.kept_shared}
    created = {*mine.created, *unneeded}
    leaving = prefix.remove_files(layout, came, lambda folder: folder in created, owned)
    if (edited := _edited(layout, leaving, came, target)) and not force:
        more = f" and {len(edited) - 1} more" if len(edited) > 1 else ""
        changed = f"{layout.path(edited[0])}{more} changed after the installation"
        message = f"{changed}; undoing {target.id} would take that away."
        way = "With force they are set aside and kept with the undo."
        raise UndoRefused(message, context=way)
    leaving = leaving.hashed(layout, (DistInfo(layout.path(folder)) for folder in records))
    cannot = f"Transaction {target.id} cannot be undone"
    foreign = _not_as_left(target, disk)
    coming = Additions()
    if os.path.isdir(target.replaced):
        coming = add_tree(layout, target.replaced, leaving, known=mine.removed)
    in_the_way = (f"{layout.path(name)} is in the way" for name in coming.collisions)
    if twice := _second(target, back, others):
        changed = f"{twice.name} {twice.version} was installed since"
        raise UndoRefused(f"{cannot}: {changed} by another program.")
    if foreign:
        why = "What is kept for undo was changed since; it is not brought back."
        raise UndoRefused(f"{cannot}: {foreign} is not as it left.", context=why)
    for problem in (*coming.escapes, *in_the_way):
        why = "Something else changed the environment since."
        raise UndoRefused(f"{cannot}: {problem}.", context=why)
    present = coming.already_shared
    lost = mine.removed.keys() - coming.files.keys() - {*present, *coming.created}
    lost = {name for name in lost if not name.endswith(prefix.BYTECODE)}
    if lost:
        message = f"{cannot}: {layout.path(min(lost))} is gone of what it replaced."
        raise UndoRefused(message, context=f"It was kept in {target.replaced}.")
    coming = coming.with_owners(prefix.owners(layout, present, others))
    kept = dict(coming.already_shared)
    for name in mine.kept_shared:
        with contextlib.suppress(OSError):
            kept[name] = stamp_of(os.lstat(layout.path(name)))
    unowned = (*coming.already_unowned, *mine.already_unowned)
    return leaving, replace(coming, already_shared=kept, already_unowned=unowned)


def _second(target: Journal, back: Iterable[str], others: Iterable[DistInfo]) -> DistInfo | None:
    """Return what is younger than the transaction and has the name of something that comes back."""
    since = datetime.fromisoformat(target.time.replace("Z", "+00:00")).timestamp()
    names = {normalized(split_name(folder.rpartition("/")[2])[0]) for folder in back}
    same = (info for info in others if normalized(info.name) in names)
    return next((info for info in same if os.stat(info.path).st_mtime > since), None)


def _not_as_left(target: Journal, disk: Disk) -> str:
    """Return the first file kept for undo that is not as it left the environment, or nothing.

    Only what was touched since is read. Bytecode that looks otherwise is deleted.
    """
    mine = target.manifest
    digests = dict.fromkeys(mine.removed, "") if mine.digests is None else mine.digests
    left_at = target.written_at
    for folder, folders, files in os.walk(target.replaced):
        inside = folder[len(target.replaced) + 1 :].replace(os.sep, "/")
        links = (name for name in folders if os.path.islink(os.path.join(folder, name)))
        for file in (*files, *links):
            name, path = f"{inside}/{file}" if inside else file, os.path.join(folder, file)
            digest, compiled = digests.get(name), file.endswith(prefix.BYTECODE)
            status = os.lstat(path)
            known = digest is not None or (compiled and mine.digests is None)
            if known and status.st_ctime_ns <= left_at:
                continue
            if digest:
                same = digest_of(path, digest.partition("=")[0]) == digest
            else:
                stamp = mine.removed.get(name)
                same = stamp is not None and stamp.size == status.st_size
            if compiled and not same:
                same = disk.sweep(path)
                with contextlib.suppress(OSError):  # something else is in it
                    disk.remove_directory(folder)
            if not same:
                return path
    return ""


def _refuse_if_replaced(layout: Layout, target: Journal) -> None:
    for name in target.manifest.added:
        if name.endswith(".dist-info/METADATA") and not os.path.lexists(layout.path(name)):
            gone = name.split("/")[-2].removesuffix(".dist-info").replace("-", " ")
            left = f"{gone} is not installed any more as transaction {target.id} left it"
            raise UndoRefused(f"{left}: another program changed it since.")


def _edited(
    layout: Layout, leaving: Removals, came: Mapping[str, FileStamp], target: Journal
) -> list[str]:
    """List the files that hold something else than what came."""
    there = ((name, now) for name, now in leaving.files.items() if not name.endswith(HARMLESS))
    other = [(name, now) for name, now in there if came.get(name, now) != now]
    suspects = {name: now.size == came[name].size for name, now in other}
    # An environment may have been copied without its times: each RECORD is read once for all.
    promised = _promised(layout, target) if any(suspects.values()) else {}
    same = {n for n, fits in suspects.items() if fits and _is_as_promised(layout, n, promised)}
    return [name for name in suspects if name not in same]


def _promised(layout: Layout, target: Journal) -> dict[str, RecordRow]:
    """Return what each RECORD that came, or what became of it, says of its files."""
    found: dict[str, RecordRow] = {}
    for record in target.manifest.added:
        if record.endswith(_RECORD):
            info = DistInfo(os.path.dirname(layout.path(record)))
            with contextlib.suppress(RecordError):  # one that is gone promises nothing
                for row in info.record.rows:
                    path = os.path.join(info.folder, row.path.replace("/", os.sep))
                    found[layout.name(path)] = row
    return found


def _is_as_promised(layout: Layout, name: str, promised: Mapping[str, RecordRow]) -> bool:
    """Tell whether a file of another time still has its content."""
    if name.endswith(_RECORD):
        return True  # nobody promises it: of the same size it lists the same files
    if (row := promised.get(name)) is None or not row.digest:
        return False
    try:
        return digest(layout.path(name), row.algorithm) == row.digest
    except ValueError:  # a hash this Python does not know says nothing
        return False
