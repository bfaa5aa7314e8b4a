"""The transactions of an environment: history, undo, recovery, pruning."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import Any

from safeinstall import __version__, importing
from safeinstall.distributions import Change, Changes, Snapshot
from safeinstall.errors import SafeInstallError, UnsafeStore
from safeinstall.findings import Finding, Severity
from safeinstall.installers import DryRun, Installer
from safeinstall.installers.sources import Sources
from safeinstall.metadata.installed_state import InstalledState
from safeinstall.operations.dependents import refuse_if_needed
from safeinstall.operations.world import KEEP, KEEP_BYTES, World
from safeinstall.outcome import Outcome, Restart, finding_of
from safeinstall.plan import Destination, InstallerChoice, Intent, Plan
from safeinstall.request import Request
from safeinstall.transaction.recover import Recovery, recover_store
from safeinstall.transaction.store.history import Entry, Store
from safeinstall.transaction.undo import undo_transaction

__all__ = [
    "History",
    "forget_oldest",
    "history",
    "moved",
    "prune",
    "recover",
    "recovered_first",
    "undo",
]


class _Ourselves(Installer):
    """What moves files that are there already: it plans nothing and stages nothing."""

    @property
    def name(self) -> str:
        """What people call it."""
        return "safeinstall"


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What was done to an environment, the newest first."""

    entries: tuple[Entry, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "schema": 1,
            "transactions": [
                {
                    "id": entry.id,
                    "time": entry.time,
                    "command": entry.command,
                    "state": entry.state,
                    "undoes": entry.undoes,
                    "undoable": entry.undoable,
                    "reason": entry.reason,
                    "bytes_kept": entry.bytes_kept,
                    "changes": [change.to_dict() for change in changes_of(entry)],
                }
                for entry in self.entries
            ],
        }


def history(world: World) -> History:
    """Return the transactions that are kept. Raises `TransactionError`."""
    return History(entries=Store.open(world.environment.prefix).history())


def recover(world: World) -> Recovery | None:
    """Finish or take back what died in this environment; None when all is well."""
    return recover_store(Store.open(world.environment.prefix))


def recovered_first(world: World) -> tuple[Finding, ...]:
    """Make the environment whole before anything in it is believed; say so when it was not.

    An area that is not ours is left to whoever needs it later. Raises `TransactionError`.
    """
    try:
        found = recover(world)
    except UnsafeStore:
        return ()
    if found is None or found.direction == "litter":
        return ()
    return (Finding(code="recovered", severity=Severity.INFO, message=found.message),)


def prune(world: World, keep: int = KEEP, max_bytes: int = KEEP_BYTES) -> tuple[str, ...]:
    """Forget the oldest transactions; returns their ids, which cannot be undone any more."""
    area = Store.open(world.environment.prefix)
    with area.lock():
        return area.prune(keep=keep, max_bytes=max_bytes)


def forget_oldest(area: Store, world: World) -> None:
    """Keep no more than is wanted for undo, now that a transaction has been made under the lock.

    What stops this stops nothing else: what was to be done has been done.
    """
    with contextlib.suppress(SafeInstallError, OSError, KeyboardInterrupt):
        area.prune(keep=world.keeping.transactions, max_bytes=world.keeping.bytes)


def undo(world: World, id: str | None = None, *, force: bool = False) -> Outcome:
    """Put back exactly what the transaction `id` (default: the last one) replaced or added.

    Returns the outcome; a refusal (later changes were built on it) is one. With `force`, files that
    were edited leave as well, and others may lose what they need.
    """
    started = time.perf_counter()
    environment = world.environment
    try:
        area = Store.open(environment.prefix)
        before = importing.loaded_files(environment.prefix) if world.live else {}
        recover_store(area)
        id = id or area.target().id  # what another install adds while we wait is not meant
        with area.lock(on_wait=lambda holder: world.progress("waiting for another install")):
            recover_store(area)
            if not force:
                refuse_if_needed(area, id, world)
            entry = undo_transaction(area, id, force=force)
            forget_oldest(area, world)
    except (SafeInstallError, OSError) as error:
        return moved(world, "undo", started, failure=finding_of(error))
    return moved(world, "undo", started, changes=changes_of(entry), id=entry.id, before=before)


def moved(
    world: World,
    verb: Any,
    started: float,
    *,
    changes: Changes | None = None,
    id: str | None = None,
    before: dict[str, tuple[int, int, int]] | None = None,
    failure: Finding | None = None,
    status: Any = None,
    findings: tuple[Finding, ...] = (),
) -> Outcome:
    """Return the outcome of moves that no installer made (undo, uninstall).

    `before` is what `importing.loaded_files` said before the moves: a module whose file is another
    one now is stale.
    """
    environment = world.environment
    destination = Destination.of(environment)
    intent = Intent(
        environment=environment,
        request=Request(),
        sources=Sources(),
        redirections=(),
        destination=destination,
        prefix=world.prefix,
    )
    plan = Plan(
        intent=intent,
        chosen=InstallerChoice(
            installer=_Ourselves(), version=__version__, reason="moves files itself"
        ),
        changes=changes or Changes(),
        resolved=DryRun(arriving=()),
        installed=Snapshot(),
        fingerprint=InstalledState(()),
    )
    restart: Restart = "none"
    stale: tuple[importing.StaleModule, ...] = ()
    if world.live and failure is None and status is None:
        importing.refresh(environment.paths.site_packages, ())
        stale = importing.replaced_since(before or {})
        restart = "needed" if stale else "none"
    return Outcome(
        status=status or ("refused" if failure else "done"),
        verb=verb,
        environment=environment,
        destination=destination,
        plan=plan if changes else None,
        findings=(*findings, *((failure,) if failure else ())),
        restart=restart,
        stale_modules=tuple(module.name for module in stale),
        compiled_stale=sum(module.compiled for module in stale),
        transaction=id,
        live=world.live,
        seconds={"total": time.perf_counter() - started},
    )


def changes_of(entry: Entry) -> Changes:
    """Return what a transaction changed."""
    return Changes.of(
        Change(name=change.name, before=change.before, after=change.after, requested=True)
        for change in entry.changes
    )
