"""What an undo would leave without what it needs: later changes may have been built on it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from packaging.utils import canonicalize_name

from safeinstall import inspection, interpreter
from safeinstall.errors import UndoRefused
from safeinstall.operations.world import World
from safeinstall.requirements import Violation, new_violations
from safeinstall.transaction.store.history import Entry, Store

__all__ = ["refuse_if_needed"]

_KERNEL = "ipykernel"
_FORCED = "With --force it is undone all the same."


def refuse_if_needed(area: Store, id: str | None, world: World) -> None:
    """Raise `UndoRefused` when undoing transaction `id` takes from others what they need.

    A kernel needs itself, and is what a new environment's first transaction brings.
    What was there before it, and still is, cannot need anything that the undo takes away: the
    requirements of the others alone are read.
    """
    target = area.target(id)
    if not target.undoable:
        return  # the undo itself says why, and what to do first
    since = datetime.fromisoformat(target.time.replace("Z", "+00:00")).timestamp()
    before = inspection.snapshot(world.environment.sys_path, since=since).by_key()
    back = inspection.snapshot([*_kept(area.replaced(target), world)]).by_key()
    changing = _names(target)
    after = {key: found for key, found in before.items() if key not in changing} | dict(back)
    if _KERNEL in before and _KERNEL not in after:
        raise UndoRefused(
            f"Transaction {target.id} cannot be undone. It brought the kernel itself: without it no"
            f" notebook would run in {world.environment.label}.",
            code="kernel-stack",
            context=_FORCED,
        )
    broken = new_violations(before, after, interpreter.marker_environment(world.environment))
    if not broken:
        return
    later = area.later(target)
    newer = {name for entry in later for name in _names(entry)} | {
        key for key, found in before.items() if inspection.changed_since(found.metadata, since)
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


def _kept(replaced: str, world: World) -> Iterator[str]:
    """Yield the folders with the distributions that would come back."""
    prefix = os.path.realpath(world.environment.prefix)
    for folder in world.environment.paths.site_packages:
        inside = os.path.relpath(os.path.realpath(folder), prefix)
        if not inside.startswith(os.pardir):
            yield str(Path(replaced, inside))
