"""The story of one install: satisfied? -> plan -> staging -> checks -> commit -> verification."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from safeinstall import guards, inspection
from safeinstall.errors import RequestError, SafeInstallError
from safeinstall.findings import Finding, Severity
from safeinstall.guards.kernel import changes_kernel
from safeinstall.guards.surroundings import Surroundings
from safeinstall.metadata.installed_state import InstalledState
from safeinstall.operations import elsewhere
from safeinstall.operations.ahead import Ahead
from safeinstall.operations.area import forget_oldest, recovered_first
from safeinstall.operations.arrivals import arrivals_of, changed_files, sizes_of
from safeinstall.operations.checking import checked, with_versions
from safeinstall.operations.choice import choose
from safeinstall.operations.conda import install_with_conda
from safeinstall.operations.locate import intend
from safeinstall.operations.planning import considered
from safeinstall.operations.preparation import Prepared, prepare
from safeinstall.operations.proof import Evidence, proved
from safeinstall.operations.replanning import replanned
from safeinstall.operations.world import World
from safeinstall.outcome import Outcome, finding_of
from safeinstall.plan import Chosen, Intent, Plan
from safeinstall.request import Request
from safeinstall.satisfied import satisfied

__all__ = ["install"]


def install(request: Request, world: World) -> Outcome:
    """Carry out the request in the world; the environment ends as asked, or as it was.

    Raises `RequestError` when nothing is asked for; whatever goes wrong later, the outcome says.
    """
    if request.empty:
        raise RequestError(
            "There is nothing to install: no requirement was given.",
            hint=f"{world.prefix} pandas",
        )
    world = elsewhere.destined(request, world)
    intent = intend(request, world.environment, world.environ, world.prefix, world.settings_prefix)
    story = _Story(request, world, intent)
    try:
        return story.told()
    except KeyboardInterrupt:
        finding = Finding(
            code="interrupted", severity=Severity.REFUSE, message="Interrupted; nothing changed."
        )
        return story.outcome("failed", finding)
    except (SafeInstallError, OSError) as error:
        return story.outcome("failed", finding_of(error))


@dataclass(slots=True)
class _Story:
    """One install on its way: what is known so far."""

    request: Request
    world: World
    intent: Intent
    findings: tuple[Finding, ...] = ()
    plan: Plan | None = None
    state: InstalledState | None = None
    """What is installed, as it was listed to begin with."""
    seconds: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    def outcome(self, status: Any, *more: Finding, **rest: Any) -> Outcome:
        """Return what is known now as the outcome."""
        self.seconds["total"] = time.perf_counter() - self.started
        return Outcome(
            status=status,
            environment=self.world.environment,
            destination=self.intent.destination,
            asked=self.intent.line(),
            plan=self.plan,
            findings=(*self.findings, *more),
            live=self.world.live,
            seconds=dict(self.seconds),
            **rest,
        )

    def told(self) -> Outcome:
        """Tell the story to its end."""
        environment = self.world.environment
        recovered = recovered_first(self.world)
        directories = environment.sys_path if self.world.live else environment.paths.site_packages
        self.state = InstalledState(environment.paths.site_packages)
        index = inspection.InstalledIndex(directories, self.state)
        there_already = satisfied(self.request, index, inspection.marker_environment(environment))
        found = guards.examine(self.intent, set(index), self.world.policy)
        self.findings = (*recovered, *found)
        if there_already is not None or not self.request.items:
            self.findings = tuple(f for f in self.findings if not f.stops)
            return self.outcome("satisfied", satisfied=there_already or ())
        if any(finding.stops for finding in self.findings):
            return self.stopped()
        if self.request.installer == "conda":
            return install_with_conda(self.intent, self.world, self.findings)
        chosen = choose(self.request, environment, self.state)
        first = self.findings
        return replanned(lambda: self.attempted(chosen, first), self.world)

    def attempted(self, chosen: Chosen, first: tuple[Finding, ...]) -> Outcome | None:
        """Plan, and carry the plan out; None when another program changed the environment."""
        folders = self.world.environment.paths.site_packages
        state, self.state = (self.state or InstalledState(folders)).look(), None  # as now, if again
        with Ahead(self.intent, chosen, self.world, state) as ahead:
            with self.timed("plan"):
                ahead.get_its_start()
                best = considered(self.intent, chosen, self.world, state)
            self.findings = (*first, *best.findings)
            if best.plan is None:
                return self.stopped()
            self.plan = best.plan
            if not self.plan.changes:
                self.findings = first
                return self.outcome("satisfied", satisfied=self.named())
            if self.request.dry_run:
                return self.outcome("planned")
            if any(finding.stops for finding in best.findings):
                return self.stopped()
            if not self.world.agreed(self.plan):
                return self.outcome("planned")
            with self.timed("stage"):
                prepared = ahead.take(self.plan)
        if prepared is None:
            with self.timed("stage"):
                prepared = prepare(
                    self.plan, self.world, wait=not self.request.no_wait, on_wait=self.waiting
                )
        return self.carried_out(prepared, best.around) if prepared else None

    def carried_out(self, prepared: Prepared, around: Surroundings) -> Outcome | None:
        """Check and commit what is staged; None when the environment is no longer as planned."""
        environment = self.world.environment
        txn, staged = prepared.txn, prepared.staged
        with prepared:
            try:
                with self.timed("check"):
                    plan = self.plan = with_versions(prepared.plan, staged)
                    arrivals = arrivals_of(staged, plan, environment)
                    self.findings = checked(
                        self.findings, plan, around, staged, prepared.findings, arrivals, self.world
                    )
                if any(finding.stops for finding in self.findings):
                    return self.stopped()
                if not plan.fingerprint.holds():
                    return None
                evidence = Evidence(
                    arrivals=arrivals,
                    sizes=sizes_of(staged, environment),
                    changed=changed_files(staged, environment),
                    kernel=changes_kernel(plan, around),
                )
                self.world.progress("moving into place")
                with self.timed("commit"):
                    committed = txn.commit(leaving=prepared.leaving, replacing=staged.unowned)
            except SafeInstallError:
                txn.rollback()
                if not plan.fingerprint.holds():
                    return None  # it failed on what another program changed meanwhile
                raise
            except BaseException:
                txn.rollback()
                raise
            outcome = self.proved(txn, committed, evidence, prepared.log)
            if outcome.ok:
                forget_oldest(prepared.area, self.world)
            return outcome

    def proved(self, txn: Any, committed: Any, evidence: Evidence, log: str) -> Outcome:
        """Verify what was committed; roll back when it is not what it should be."""
        self.world.progress("verifying")
        try:
            with self.timed("verify"):
                proof = proved(evidence, self.intent, self.world)
        except BaseException:
            txn.rollback()
            raise
        if proof.failure is not None:
            txn.rollback()
            self.findings = tuple(f for f in self.findings if f.code != proof.failure.code)
            return self.outcome("rolled-back", proof.failure, verification=proof.verdicts)
        self.findings = tuple(f for f in self.findings if f.code != "replaces-loaded")
        return self.outcome(
            "done",
            verification=proof.verdicts,
            restart=proof.restart,
            stale_modules=tuple(module.name for module in proof.stale),
            compiled_stale=sum(module.compiled for module in proof.stale),
            transaction=committed.id,
            log=log,
        )

    def stopped(self) -> Outcome:
        """Return the outcome of findings that forbid going on."""
        refused = any(finding.severity is Severity.REFUSE for finding in self.findings)
        return self.outcome("refused" if refused else "needs-confirmation")

    def named(self) -> tuple[Any, ...]:
        """Return the installed distributions the request names (nothing had to change)."""
        index = inspection.InstalledIndex(self.world.environment.sys_path)
        found = (index.find(item.name) for item in self.request.items if item.name)
        return tuple(distribution for distribution in found if distribution)

    def waiting(self, holder: Any) -> None:
        """Say that another install holds the lock."""
        who = f" (process {holder.pid})" if holder else ""  # it may not have signed yet
        self.world.progress(f"waiting for another install{who} to finish")

    def timed(self, name: str) -> _Timed:
        """Measure one part of the story."""
        return _Timed(self.seconds, name)


@dataclass(slots=True)
class _Timed:
    seconds: dict[str, float]
    name: str
    start: float = 0.0

    def __enter__(self) -> None:
        self.start = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        spent = time.perf_counter() - self.start
        self.seconds[self.name] = self.seconds.get(self.name, 0.0) + spent
