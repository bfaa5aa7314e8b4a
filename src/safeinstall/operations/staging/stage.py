"""Lay a plan down beside the environment and judge its files: nothing has been moved yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from packaging.utils import canonicalize_name

from safeinstall import guards
from safeinstall.changes import Changes
from safeinstall.distributions import Staged, snapshot_of
from safeinstall.errors import SafeInstallError
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.guards import files
from safeinstall.guards.conflicts import violations_of
from safeinstall.guards.environment_state import EnvironmentState
from safeinstall.operations import destinations
from safeinstall.operations.planning.plan_facts import shadows_of
from safeinstall.operations.planning.resolver import Resolver
from safeinstall.operations.staging.verify import Evidence
from safeinstall.plan import Plan
from safeinstall.transaction import staging
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.store.lock import Lock
from safeinstall.transaction.transaction import Transaction, begin_transaction

__all__ = ["StagedPlan", "examine_staged", "stage"]

_SAID_ANEW: Final = frozenset({"breaks-installed", "kernel-stack", "shadowed"})
"""Findings on the plan that the staged files decide for good."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedPlan:
    """A plan in the staging area of a transaction, under the lock of the environment.

    The end of `with` lets go of the lock, and of a transaction that has not been committed.
    """

    plan: Plan
    store: Store
    lock: Lock
    txn: Transaction
    staged: Staged
    findings: tuple[Finding, ...]
    """What the staged files themselves reveal."""
    leaving: tuple[str, ...]
    """The dist-info folders that the plan takes away."""
    log: str
    """What the installer said."""

    def __enter__(self) -> StagedPlan:
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self.txn.abandon()
        finally:
            self.lock.release()


def stage(
    plan: Plan,
    resolver: Resolver,
    *,
    wait: bool = True,
    on_wait: Callable[[Any], None] | None = None,
    from_cache: bool = False,
) -> StagedPlan | None:
    """Stage and inspect the plan; None when the environment is no longer as planned.

    `wait` and `on_wait`: as for the store's lock. `from_cache`: the network is not asked.
    Raises `SafeInstallError` with the reason when it cannot be done; nothing is left then.
    """
    environment = resolver.context.environment
    destinations.prepare(environment)
    store = Store.open(environment.prefix)
    lock = store.lock(wait=wait, on_wait=on_wait)
    txn = None
    try:
        recover_store(store)
        if not plan.state.holds():
            lock.release()
            return None
        leaving = _leaving(plan)
        txn = begin_transaction(
            store,
            command=f"safeinstall {plan.intent.request.display()}",
            packages=[change.name for change in plan.changes],
        )
        log = _unpack(plan, txn, lock, resolver, from_cache=from_cache)
        txn.requested({change.name for change in plan.changes.requested})
        site_packages = environment.paths.site_packages
        staged = txn.inspect(site_packages, leaving, known=plan.state.distributions)
        findings = files.examine(staged)
    except BaseException as error:
        try:
            if txn is not None:
                txn.abandon()
            if isinstance(error, SafeInstallError) and not plan.state.holds():
                return None  # it failed on what another program changed meanwhile
        finally:
            lock.release()
        raise
    return StagedPlan(
        plan=_with_versions(plan, staged),
        store=store,
        lock=lock,
        txn=txn,
        staged=staged,
        findings=findings,
        leaving=leaving,
        log=log,
    )


def examine_staged(
    before: Iterable[Finding],
    staged: StagedPlan,
    facts: EnvironmentState,
    evidence: Evidence,
    resolver: Resolver,
) -> tuple[Finding, ...]:
    """Return every finding that holds now: those from `before`, and what the files say.

    `evidence`: the requested distributions as they will stand in place.
    """
    plan, context = staged.plan, resolver.context
    incoming = snapshot_of(each.info for each in staged.staged.distributions)
    modules = [module for arrival in evidence.arrivals for module in arrival.modules]
    facts = replace(facts, shadows=shadows_of(modules, context.environment, context.cwd))
    violations = violations_of(plan, facts, incoming)
    found = [_past_the_cache(finding, plan) for finding in staged.findings]
    judged = guards.examine_staged(plan, facts, violations, found, context.policy)
    kept = [f for f in before if f.code not in _SAID_ANEW or f.severity is Severity.INFO]
    return (*kept, *judged)


def _unpack(
    plan: Plan, txn: Transaction, lock: Lock, resolver: Resolver, *, from_cache: bool
) -> str:
    """Let the installer unpack the plan into the staging area; return what it said.

    With uv the cache is tried first (the plan is exact, so a resolve is not needed again), then
    the network, unless `from_cache`; `--force-reinstall` begins with the network. Raises
    `InstallerError` with the reason.
    """
    context, intent = resolver.context, plan.intent
    context.progress(f"unpacking {len(plan.changes.arriving)} into the staging area")
    commands = plan.chosen.installer.stage_commands(
        txn.stage,
        intent.request,
        intent.environment,
        intent.sources,
        plan.changes,
        plan.resolved,
        config=resolver.reads_uv_config(),
    )
    *first, last = commands[:1] if from_cache else commands
    for command in (*first, last):
        answer = context.run(
            command,
            on_line=resolver.report,
            on_start=txn.note_installer,
            pass_fds=(lock.fileno(),),
        )
        if answer.ok:
            destinations.relayout(txn.stage, intent.environment)
            break
        if command is last:
            raise Resolver.of(plan, context).explained(answer, command)
        staging.clear(txn.stage)
    return answer.stderr


def _leaving(plan: Plan) -> tuple[str, ...]:
    installed = plan.installed.by_key()
    names = (canonicalize_name(change.name) for change in plan.changes.leaving)
    return tuple(installed[name].metadata for name in names if name in installed)


def _past_the_cache(finding: Finding, plan: Plan) -> Finding:
    """Offer to fetch anew what is damaged where the cache shares its files with environments."""
    request = plan.intent.request
    damaged = finding.code == "record-mismatch" and finding.severity is Severity.REFUSE
    shared = plan.chosen.installer.links_its_cache
    if not damaged or finding.hint or not shared or request.force_reinstall:
        return finding
    line = plan.intent.line(force_reinstall=True)
    return replace(
        finding, hint=(Suggestion(command=line, note="fetches it anew, past the cache"),)
    )


def _with_versions(plan: Plan, staged: Staged) -> Plan:
    """Return the plan with the versions that were not known before something was built."""
    if all(change.after != "" for change in plan.changes):
        return plan
    found = {canonicalize_name(each.name): each.version for each in staged.distributions}
    changes = Changes.of(
        replace(change, after=found.get(canonicalize_name(change.name), ""))
        if change.after == ""
        else change
        for change in plan.changes
    )
    return replace(plan, changes=changes)
