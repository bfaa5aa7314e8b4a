"""Lay a plan down beside the environment: staged, inspected, and not a file of it moved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from packaging.utils import canonicalize_name

from safeinstall.distributions import Staged
from safeinstall.errors import SafeInstallError
from safeinstall.findings import Finding
from safeinstall.guards import files
from safeinstall.operations import destinations, engine
from safeinstall.operations.context import Context
from safeinstall.plan import Plan
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.store.lock import Lock
from safeinstall.transaction.transaction import Transaction, begin_transaction

__all__ = ["Prepared", "prepare"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Prepared:
    """A plan in the staging area of a transaction, under the lock of the environment.

    The end of `with` lets go of the lock, and of a transaction that has not been committed.
    """

    plan: Plan
    area: Store
    lock: Lock
    txn: Transaction
    staged: Staged
    findings: tuple[Finding, ...]
    """What the staged files themselves reveal."""
    leaving: tuple[str, ...]
    """The dist-info folders that the plan takes away."""
    log: str
    """What the installer said."""

    def __enter__(self) -> Prepared:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self.txn.abandon()
        finally:
            self.lock.release()


def prepare(
    plan: Plan,
    context: Context,
    *,
    wait: bool = True,
    on_wait: Callable[[Any], None] | None = None,
    from_cache: bool = False,
) -> Prepared | None:
    """Stage and inspect the plan; None when the environment is no longer as planned.

    `wait` and `on_wait`: as for the area's lock. `from_cache`: the network is not asked.
    Raises `SafeInstallError` with the reason when it cannot be done; nothing is left then.
    """
    environment = context.environment
    site_packages = environment.paths.site_packages
    destinations.prepare(environment)
    area = Store.open(environment.prefix)
    lock = area.lock(wait=wait, on_wait=on_wait)
    txn = None
    try:
        recover_store(area)
        if not plan.fingerprint.holds():
            lock.release()
            return None
        leaving = _leaving(plan)
        txn = begin_transaction(
            area,
            command=f"safeinstall {plan.intent.request.display()}",
            packages=[change.name for change in plan.changes],
        )
        log = engine.stage(
            plan,
            txn.stage,
            context,
            on_start=txn.note_installer,
            pass_fds=(lock.fileno(),),
            from_cache=from_cache,
        ).stderr
        txn.requested({change.name for change in plan.changes.requested})
        staged = txn.inspect(site_packages, leaving, known=plan.fingerprint.distributions)
        findings = files.examine(staged)
    except BaseException as error:
        try:
            if txn is not None:
                txn.abandon()
            if isinstance(error, SafeInstallError) and not plan.fingerprint.holds():
                return None  # it failed on what another program changed meanwhile
        finally:
            lock.release()
        raise
    return Prepared(
        plan=plan,
        area=area,
        lock=lock,
        txn=txn,
        staged=staged,
        findings=findings,
        leaving=leaving,
        log=log,
    )


def _leaving(plan: Plan) -> tuple[str, ...]:
    installed = plan.installed.by_key()
    names = (canonicalize_name(change.name) for change in plan.changes.leaving)
    return tuple(installed[name].metadata for name in names if name in installed)
