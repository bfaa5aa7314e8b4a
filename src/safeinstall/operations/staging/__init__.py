"""Lay a plan down beside the environment and judge its files: nothing has been moved yet.

While an index is asked, what the caches alone would give is staged ahead. An index takes far longer
to answer than it takes to unpack what it will most likely say. So uv is asked without the network
first; what that suggests is staged and inspected in a thread while uv asks the index, whose answer
alone counts. If it is the same plan, it lies ready; if not, it is thrown away. Nothing is built,
nothing is moved, nobody is asked. The order matters: uv locks what it knows of a package for as
long as it asks the index about it (uv-client, `cached_client.rs`), so the thread gets the start
that it needs to read the caches.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from safeinstall import guards
from safeinstall.distributions import Changes, Staged, snapshot_of
from safeinstall.errors import SafeInstallError
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.guards import files
from safeinstall.guards.conflicts import violations_of
from safeinstall.guards.environment_state import EnvironmentState
from safeinstall.installers import CHECKOUTS
from safeinstall.installers.uv_settings import may_redirect
from safeinstall.operations.context import Context, prepare, relayout, silent
from safeinstall.operations.planning import shadows_of
from safeinstall.operations.planning.resolver import Resolver
from safeinstall.operations.staging.verify import Evidence
from safeinstall.plan import Plan
from safeinstall.runner import Command, Completed
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.store.lock import Lock
from safeinstall.transaction.transaction import (
    Transaction,
    begin_transaction,
    clear,
    settle_sources,
)

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
    prepare(environment)
    store = Store.open(environment.prefix)
    lock = store.lock(wait=wait, on_wait=on_wait)
    txn = None
    try:
        recover_store(store)
        if not plan.state.holds():
            lock.release()
            return None
        leaving = _leaving(plan)
        command = f"safeinstall {plan.intent.request.display()}"
        packages = [change.name for change in plan.changes]
        txn = begin_transaction(store, command=command, packages=packages)
        log = _unpack(plan, txn, lock, resolver, from_cache=from_cache)
        txn.requested({change.name for change in plan.changes.requested})
        site_packages = environment.paths.site_packages
        staged = txn.inspect(site_packages, leaving, known=plan.state.distributions)
        findings = files.examine(
            staged,
            verified=_verified_before(resolver.context),
            frontend=resolver.context.frontend,
            editable={i.name or "" for i in plan.intent.request.items if i.kind == "editable"},
        )
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
    extra = files.unknown_extra(plan.intent.request.items, staged.staged.distributions)
    climbing = files.climbing(_local_wheels(plan))
    judged = (*judged, *guards.weigh([extra, *climbing], plan.intent, context.policy))
    kept = [f for f in before if f.code not in _SAID_ANEW or f.severity is Severity.INFO]
    return (*kept, *judged)


def _local_wheels(plan: Plan) -> Iterator[str]:
    """Yield the wheels on this machine that the plan may have come from."""
    wanted = {(canonicalize_name(each.name), each.after or "") for each in plan.changes.arriving}
    names = {name for name, _ in wanted}
    for place in (*plan.intent.sources.find_links, *(r.url or "" for r in plan.resolved.arriving)):
        path = unquote(urlsplit(place).path) if place.startswith("file:") else place
        if path.endswith(".whl"):
            yield path
            continue
        with contextlib.suppress(OSError):
            for entry in os.scandir(path or os.devnull):
                if canonicalize_name(entry.name.partition("-")[0]) not in names:
                    continue  # a folder may hold thousands
                with contextlib.suppress(InvalidWheelFilename):
                    name, version, *_ = parse_wheel_filename(entry.name)
                    if (name, str(version)) in wanted:
                        yield entry.path


def _unpack(
    plan: Plan, txn: Transaction, lock: Lock, resolver: Resolver, *, from_cache: bool
) -> str:
    """Let the installer unpack the plan into the staging area; return what it said.

    With uv the cache is tried first (the plan is exact, so a resolve is not needed again), then
    the network, unless `from_cache`; `--force-reinstall` begins with the network. Raises
    `InstallerError` with the reason.
    """
    context, intent = resolver.context, plan.intent
    work = f"unpacking {len(plan.changes.arriving)} into the staging area"
    context.progress(work)
    commands = plan.chosen.installer.stage_commands(
        txn.stage,
        intent.request,
        intent.environment,
        intent.sources,
        plan.changes,
        plan.resolved,
        config=not may_redirect(context.environ, context.cwd),
    )
    commands = commands[:1] if from_cache else commands
    for command in commands:
        answer = resolver.run(
            command,
            on_line=resolver.report,
            on_start=txn.note_installer,
            on_wait=lambda seconds: context.progress(f"{work} (nothing new for {seconds:.0f} s)"),
            pass_fds=(lock.fileno(),),
        )
        if answer.ok:
            relayout(txn.stage, intent.environment)
            settle_sources(txn.stage, CHECKOUTS, intent.environment.prefix)
            break
        if command is commands[-1]:
            raise Resolver.of(plan, context).explained(answer, command)
        clear(txn.stage)
    return answer.stderr


def _verified_before(context: Context) -> files.Verified:
    """Return what of the installers' caches this user has had hashed before."""
    home = context.environ.get("XDG_CACHE_HOME") or os.path.join(context.environment.home, ".cache")
    return files.Verified(os.path.join(home, "safeinstall", "verified"))


def _leaving(plan: Plan) -> tuple[str, ...]:
    """Return the metadata of all that goes: of one that is listed twice, both."""
    names = {canonicalize_name(change.name) for change in plan.changes.leaving}
    return tuple(each.metadata for each in plan.installed.distributions if each.key in names)


def _past_the_cache(finding: Finding, plan: Plan) -> Finding:
    """Offer to fetch anew what is damaged where the cache shares its files with environments."""
    request = plan.intent.request
    damaged = finding.code == "record-mismatch" and finding.severity is Severity.REFUSE
    shared = plan.chosen.installer.links_its_cache
    if not damaged or finding.hint or not shared or request.force_reinstall:
        return finding
    way = Suggestion(plan.intent.line(force_reinstall=True), "fetches it anew, past the cache")
    return replace(finding, hint=(way,))


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


_START: Final = 0.5
"""Seconds that reading the caches may keep the index waiting."""


class Prefetch:
    """A thread that stages a guess; use it in a `with` block, which leaves nothing behind."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._stop = threading.Event()
        self._has_read = threading.Event()
        self._staged: StagedPlan | None = None
        self._thread: threading.Thread | None = None
        if _is_promising(resolver):
            self._thread = threading.Thread(
                target=self._work, name="safeinstall-prefetch", daemon=True
            )

    def __enter__(self) -> Prefetch:
        if self._thread is not None:
            try:
                self._thread.start()
            except BaseException:  # an interrupt: it may have begun, and nobody will wait for it
                self._stop.set()
                raise
        return self

    def __exit__(self, *exception: object) -> None:
        """Stop whatever is still going on, and let go of what was not taken."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        self._let_go()

    def get_its_start(self) -> None:
        """Wait, not for long, until the caches have been read."""
        if self._thread is not None:
            self._has_read.wait(_START)

    def take(self, plan: Plan) -> StagedPlan | None:
        """Return what was staged if it is exactly this plan; it is the caller's from then on.

        The same version may be another file now: of another index, built again, or put in the
        place of the first. What the caches gave is none of what has to be downloaded.
        """
        if self._thread is None or plan.resolved.downloads:
            return None
        self._thread.join()
        staged = self._staged
        if staged is None or not _same(staged.plan, plan):
            return None
        self._staged = None
        return replace(staged, plan=plan)

    def _work(self) -> None:
        try:
            wheels = self._resolver.with_sources(only_binary=(":all:",))
            plan = self._running(wheels, silent).dry_run(from_cache=True)
            if plan.changes:
                staging = self._running(wheels, self._hear)
                self._staged = stage(plan, staging, wait=False, from_cache=True)
        except (Exception, KeyboardInterrupt):
            pass  # whatever it is, it meets the plan as well, which says so; nothing is lost here
        finally:
            self._has_read.set()
        if self._stop.is_set():  # a second interrupt may have come while we were waited for
            self._let_go()

    def _let_go(self) -> None:
        staged, self._staged = self._staged, None
        if staged is not None:
            staged.__exit__(None, None, None)

    def _running(self, resolver: Resolver, on_line: Callable[[str], None]) -> Resolver:
        context = resolver.context

        def run(command: Command, **options: Any) -> Completed:
            return context.run(command, **{**options, "on_line": on_line, "stop": self._stop})

        return replace(resolver, context=replace(context, progress=silent, run=run))

    def _hear(self, line: str) -> None:
        if self._resolver.chosen.installer.has_read_caches(line):
            self._has_read.set()


def _is_promising(resolver: Resolver) -> bool:
    """Tell whether the network will be asked, and whether the caches could know as much."""
    intent = resolver.intent
    request = intent.request
    plain = all(
        item.kind == "named" and not item.hashes and not item.locked for item in request.items
    )
    elsewhere = request.user or request.break_system_packages
    built = intent.sources.no_binary or request.allow_builds
    asks = resolver.chosen.installer.plans_from_cache and not intent.sources.no_index
    return plain and asks and not (request.dry_run or request.force_reinstall or elsewhere or built)


def _same(guess: Plan, plan: Plan) -> bool:
    return (
        guess.changes == plan.changes
        and guess.state == plan.state
        and {(r.name, r.version, r.url) for r in guess.resolved.arriving}
        == {(r.name, r.version, r.url) for r in plan.resolved.arriving}
    )
