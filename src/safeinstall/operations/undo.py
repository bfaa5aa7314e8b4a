"""Undo: everything a transaction replaced comes back, unless later changes were built on it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal

from packaging.utils import canonicalize_name

from safeinstall import __version__, importing
from safeinstall.distributions import Change, Changes, changed_since, snapshot
from safeinstall.environment import Destination
from safeinstall.errors import SafeInstallError, UndoRefused
from safeinstall.findings import Finding
from safeinstall.operations.context import Context, forget_oldest, of_transactions, recovered_first
from safeinstall.outcome import DoneBy, Outcome, Restart, Status, finding_of
from safeinstall.request import UndoRequest
from safeinstall.requirements import Violation, new_violations
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Entry, Store
from safeinstall.transaction.store.journal import is_pending
from safeinstall.transaction.undo import undo_transaction

_OURSELVES = DoneBy(name="safeinstall", version=__version__, reason="moves files itself")

_KERNEL = "ipykernel"
_FORCED = "With --force it is undone all the same."


def undo(request: UndoRequest, context: Context) -> Outcome:
    """Put back exactly what the transaction `request.id` (default: the last) replaced or added.

    Returns the outcome; a refusal (later changes were built on it) is one. With `force`, files that
    were edited leave as well, and others may lose what they need.
    """
    started = time.perf_counter()
    context = of_transactions(context, user=request.user)
    environment = context.environment
    try:
        area = Store.open(environment.prefix)
        before = context.loaded_files()
        recovered = recovered_first(context)
        id = request.id or area.target().id  # what another install adds while we wait is not meant
        with area.lock(on_wait=lambda holder: context.progress("waiting for another install")):
            if is_pending(area.prefix):
                recover_store(area)
            if not request.force:
                refuse_if_needed(area, area.target(id), context)
            entry = undo_transaction(area, id, force=request.force)
            forget_oldest(area, context)
    except (SafeInstallError, OSError) as error:
        reason = finding_of(error, context.frontend)
        return outcome_of_moves(context, "undo", started, "refused", reason)
    changes = changes_of(entry)
    return outcome_of_moves(
        context, "undo", started, "done", *recovered, changes=changes, id=entry.id, before=before
    )


def outcome_of_moves(
    context: Context,
    verb: Literal["uninstall", "undo"],
    started: float,
    status: Status = "done",
    *findings: Finding,
    changes: Changes | None = None,
    id: str | None = None,
    before: Mapping[str, importing.FileIdentity] | None = None,
) -> Outcome:
    """Return the outcome of moves that no installer made (undo, uninstall).

    `before` is what `importing.loaded_files` said before the moves: a module whose file is another
    one now is stale.
    """
    environment = context.environment
    restart: Restart = "none"
    stale: tuple[importing.StaleModule, ...] = ()
    if context.live and status == "done":
        importing.refresh(environment.paths.site_packages, ())
        stale = importing.replaced_since(before or {})
        restart = "needed" if stale else "none"
    return Outcome(
        status=status,
        verb=verb,
        environment=environment,
        destination=Destination.of(environment),
        changes=changes or Changes(),
        installer=_OURSELVES if changes else None,
        frontend=context.frontend,
        findings=findings,
        restart=restart,
        stale=stale,
        transaction=id,
        live=context.live,
        seconds={"total": time.perf_counter() - started},
    )


def refuse_if_needed(area: Store, target: Entry, context: Context) -> None:
    """Raise `UndoRefused` when undoing the transaction `target` takes from others what they need.

    A kernel needs itself, and is what a new environment's first transaction brings.
    What was there before it, and still is, cannot need anything that the undo takes away: the
    requirements of the others alone are read.
    """
    if not target.undoable:
        return  # the undo itself says why, and what to do first
    since = datetime.fromisoformat(target.time.replace("Z", "+00:00")).timestamp()
    before = snapshot(context.environment.sys_path, since=since).by_key()
    back = snapshot([*_kept(area.replaced(target), context)]).by_key()
    changing = _names(target)
    after = {key: found for key, found in before.items() if key not in changing} | dict(back)
    if _KERNEL in before and _KERNEL not in after:
        raise UndoRefused(
            f"Transaction {target.id} cannot be undone. It brought the kernel itself: without it no"
            f" notebook would run in {context.environment.label}.",
            code="kernel-stack",
            context=_FORCED,
        )
    broken = new_violations(before, after, context.environment.markers)
    if not broken:
        return
    later = area.later(target)
    newer = {name for entry in later for name in _names(entry)} | {
        key for key, found in before.items() if changed_since(found.metadata, since)
    }
    # What comes back to the very company that it had before was no better off then.
    broken = tuple(
        each
        for each in broken
        if canonicalize_name(each.owner) not in back or each.name in newer - changing
    )
    if broken:
        raise _refusal(target, later, broken)


def _refusal(target: Entry, later: Sequence[Entry], broken: Sequence[Violation]) -> UndoRefused:
    names = {name for each in broken for name in (canonicalize_name(each.owner), each.name)}
    order = ", then ".join(entry.id for entry in later if not names.isdisjoint(_names(entry)))
    words = "; ".join(violation.words for violation in broken[:4])
    more = f" and {len(broken) - 4} more" if len(broken) > 4 else ""
    way = f": undo {order} first, then {target.id}" if order else ""
    return UndoRefused(
        f"Transaction {target.id} cannot be undone. Later changes were built on it{way}.",
        context=f"{words}{more}. {_FORCED}",
    )


def _names(entry: Entry) -> set[str]:
    return {canonicalize_name(change.name) for change in entry.changes}


def _kept(replaced: str, context: Context) -> Iterator[str]:
    """Yield the folders with the distributions that would come back."""
    prefix = os.path.realpath(context.environment.prefix)
    for folder in context.environment.paths.site_packages:
        inside = os.path.relpath(os.path.realpath(folder), prefix)
        if not inside.startswith(os.pardir):
            yield str(Path(replaced, inside))


def changes_of(entry: Entry) -> Changes:
    """Return what a transaction changed."""
    return Changes.of(
        Change(name=change.name, before=change.before, after=change.after, requested=True)
        for change in entry.changes
    )
