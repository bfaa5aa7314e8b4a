"""The story of one install: satisfied? plan, guards, stage, inspect, commit, verify."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from safeinstall import guards
from safeinstall.distributions import Changes, Distribution, InstalledIndex
from safeinstall.errors import RequestError, SafeInstallError
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.guards.environment_state import EnvironmentState
from safeinstall.guards.kernel_stack import changes_kernel
from safeinstall.guards.request import index_not_asked
from safeinstall.importing import StaleModule, replaced_since
from safeinstall.installers.sources import ResolvedRequest
from safeinstall.metadata.distribution import InstalledState
from safeinstall.metadata.record import public
from safeinstall.operations import already
from safeinstall.operations.conda import install_with_conda
from safeinstall.operations.context import (
    Context,
    destined,
    forget_oldest,
    left_files,
    recovered_first,
)
from safeinstall.operations.planning import best_plan
from safeinstall.operations.planning.builds import BuildWroteError, taken_out
from safeinstall.operations.planning.installer_choice import choose
from safeinstall.operations.planning.resolver import Resolver, check_python
from safeinstall.operations.staging import Prefetch, StagedPlan, examine_staged, stage
from safeinstall.operations.staging.trial_import import finding_of_failure, try_import
from safeinstall.operations.staging.verify import Evidence, evidence_of, verify
from safeinstall.outcome import DoneBy, Outcome, Restart, Status, finding_of
from safeinstall.plan import Plan
from safeinstall.request import InstallRequest
from safeinstall.requirements import Met, met, satisfied
from safeinstall.transaction.moves.commit import Committed
from safeinstall.transaction.store.lock import Holder
from safeinstall.transaction.transaction import Transaction

REPLANS: Final = 20
"""Each install that we wait for may change what was planned."""


class EnvironmentBusy(SafeInstallError):  # noqa: N818
    """Other programs change the environment faster than anything can be planned in it."""

    code = "environment-busy"

    def __init__(self) -> None:
        super().__init__("Another program keeps changing this environment.")


def install(request: InstallRequest, context: Context) -> Outcome:
    """Carry out the request in the context; the environment ends as asked, or as it was.

    Raises `RequestError` when nothing is asked for; whatever goes wrong later, the outcome says.
    """
    if request.empty:
        hint = context.frontend.line("install", "pandas")
        raise RequestError("There is nothing to install: no requirement was given.", hint=hint)
    if request.user or request.break_system_packages:
        context = destined(request, context)
    story = _Install(request, context, context.meet(request))
    try:
        return story.carry_out()
    except KeyboardInterrupt:
        finding = Finding.refuse("interrupted", "Interrupted; nothing changed.")
        return story.outcome("failed", finding)
    except BuildWroteError as error:
        return story.outcome("failed", taken_out(error, context))
    except (SafeInstallError, OSError) as error:
        return story.outcome("failed", finding_of(error, context.frontend))


_NOTHING_BUILT: Final = ("refused", "failed", "needs-confirmation")


@dataclass(slots=True)
class _Install:
    """One install on its way: what is known so far."""

    request: InstallRequest
    context: Context
    intent: ResolvedRequest
    findings: tuple[Finding, ...] = ()
    plan: Plan | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    def carry_out(self) -> Outcome:
        """Tell the story; it begins again when another program has changed the environment."""
        environment, context = self.context.environment, self.context
        recovered = recovered_first(context)
        directories = environment.sys_path if context.live else environment.paths.site_packages
        state = InstalledState(environment.paths.site_packages)
        index = InstalledIndex(directories, state)
        check_python(self.intent, context, state)
        holds = satisfied(self.request, index, environment.markers)
        found = guards.examine(self.intent, set(index), context.policy)
        self.findings = (*recovered, *found)
        if holds is not None or not self.request.items:
            unasked = [not_asked] if (not_asked := index_not_asked(self.intent)) else []
            kept = (f for f in self.findings if not f.stops and f.code != "extra-index")
            self.findings = (*kept, *guards.weigh(unasked, self.intent, context.policy))
            return self.already_there(holds or Met(), index)
        if any(finding.stops for finding in self.findings):
            return self.stopped()
        if self.request.installer == "conda":
            return install_with_conda(self.intent, context, self.findings)
        chosen, about_request = choose(self.intent, context, state), self.findings
        for _ in range(REPLANS):
            resolver = Resolver(
                intent=self.intent, chosen=chosen, context=context, state=state.look()
            )
            outcome = self.attempt(resolver, about_request)
            if outcome is not None:
                return outcome
            context.progress("the environment was changed by another program: planning again")
            state = InstalledState(environment.paths.site_packages)
        raise EnvironmentBusy

    def attempt(self, resolver: Resolver, about_request: tuple[Finding, ...]) -> Outcome | None:
        """Plan, and carry the plan out; None when another program changed the environment."""
        with Prefetch(resolver) as prefetch:
            with self.timed("plan"):
                prefetch.get_its_start()
                best = best_plan(resolver)
            self.findings = (*about_request, *best.findings)
            if best.plan is None:
                return self.stopped()
            self.plan = best.plan
            stops = any(finding.stops for finding in best.findings)
            if not self.plan.changes and not stops:
                self.findings = about_request
                return self.already_there(*self.unchanged())
            if self.request.dry_run and self.plan.changes:
                return self.outcome("planned")
            if stops:
                return self.stopped()
            if not self.context.agreed(self.plan):
                return self.outcome("planned")
            with self.timed("stage"):
                staged = prefetch.take(self.plan)
        if staged is None:
            wait = not self.request.no_wait
            with self.timed("stage"):
                staged = stage(self.plan, resolver, wait=wait, on_wait=self.waiting)
        return self.commit(staged, best.facts, resolver) if staged else None

    def commit(
        self, staged: StagedPlan, facts: EnvironmentState, resolver: Resolver
    ) -> Outcome | None:
        """Inspect and commit what is staged; None when the environment is not as planned."""
        plan = self.plan = staged.plan
        txn = staged.txn
        with staged:
            try:
                with self.timed("check"):
                    changes = changes_kernel(plan, facts)
                    environment = self.context.environment
                    evidence = evidence_of(staged.staged, plan, environment, changes)
                    self.findings = examine_staged(self.findings, staged, facts, evidence, resolver)
                if any(finding.stops for finding in self.findings):
                    return self.stopped()
                if not plan.state.holds():
                    return None
                self.context.progress("moving into place")
                with self.timed("commit"):
                    committed = txn.commit(leaving=staged.leaving, replacing=staged.staged.unowned)
            except SafeInstallError:
                txn.rollback()
                if not plan.state.holds():
                    return None  # it failed on what another program changed meanwhile
                raise
            except BaseException:
                txn.rollback()
                raise
            outcome = self.verify(txn, committed, evidence, staged.log)
            if outcome.ok:
                forget_oldest(staged.store, self.context)
            return outcome

    def verify(
        self, txn: Transaction, committed: Committed, evidence: Evidence, log: str
    ) -> Outcome:
        """Verify what was committed; roll back when it is not what it should be."""
        self.context.progress("verifying")
        try:
            with self.timed("verify"):
                proof = verify(evidence, self.context, self.tried)
        except BaseException:
            txn.rollback()
            raise
        if proof.failure is not None:
            txn.rollback()
            said = [f for f in self.findings if f.code == proof.failure.code]
            self.findings = tuple(f for f in self.findings if f not in said)
            ways = proof.failure.hint or (said[0].hint if said else ())
            ways = ways or self.copy_offered(proof.failure)
            failure = replace(proof.failure, hint=ways)  # the way out of what was seen to come
            return self.outcome("rolled-back", failure, verification=proof.verdicts)
        kept = (f for f in self.findings if f.code != "replaces-loaded")
        self.findings = (*kept, *proof.remarks, *left_files(committed, self.context))
        return self.outcome(
            "done",
            verification=proof.verdicts,
            imported=evidence.modules if self.context.import_seconds(self.request) else None,
            restart=proof.restart,
            stale=proof.stale,
            transaction=committed.id,
            log=log,
        )

    def copy_offered(self, failure: Finding) -> tuple[Suggestion, ...]:
        """Offer a plain install of an editable project that its own folder stands in front of.

        The folder, found by its name beside the notebook, is a namespace package to Python (PEP
        420): it wins over what a hook finds, and not over what lies in the environment.
        """
        items = self.request.items
        if failure.code != "shadowed" or not any(item.kind == "editable" for item in items):
            return ()
        plain = (replace(i, kind="folder") if i.kind == "editable" else i for i in items)
        return (Suggestion(self.intent.line(items=tuple(plain)), "installs a copy of the project"),)

    def outcome(self, status: Status, *more: Finding, **rest: Any) -> Outcome:
        """Return what is known now as the outcome."""
        self.seconds["total"] = time.perf_counter() - self.started
        unsaid = "builds-from-source" if status in _NOTHING_BUILT else ""
        said = (finding for finding in self.findings if finding.stops or finding.code != unsaid)
        findings = (*said, *more)
        if any(finding.severity is Severity.REFUSE for finding in findings):
            # no answer to a question leads past a refusal
            findings = tuple(
                replace(finding, hint=()) if finding.severity is Severity.CONFIRM else finding
                for finding in findings
            )
        by = None
        if self.plan:
            chosen = self.plan.chosen
            by = DoneBy(name=chosen.installer.name, version=chosen.version, reason=chosen.reason)
        return Outcome(
            status=status,
            environment=self.context.environment,
            destination=self.intent.destination,
            asked=self.intent.line(),
            changes=self.plan.changes if self.plan else Changes(),
            installer=by,
            frontend=self.context.frontend,
            findings=findings,
            live=self.context.live,
            seconds=dict(self.seconds),
            **rest,
        )

    def stopped(self) -> Outcome:
        """Return the outcome of findings that forbid going on."""
        refused = any(finding.severity is Severity.REFUSE for finding in self.findings)
        return self.outcome("refused" if refused else "needs-confirmation")

    def unchanged(self) -> tuple[Met, InstalledIndex]:
        """Return what meets the request, of which an installer says that nothing is to change.

        The environment's own folders come first: these are what it has looked at.
        """
        environment = self.context.environment
        own = environment.paths.site_packages
        index = InstalledIndex((*own, *environment.sys_path))
        named = [(item.name, item.requirement) for item in self.request.items if item.name]
        extras = (",".join(sorted(each.extras)) if each else "" for _, each in named)
        wanted = [
            Requirement(f"{name}[{extra}]") for (name, _), extra in zip(named, extras, strict=True)
        ]
        if (found := met(wanted, index, environment.markers)) is not None:
            return found, index
        there = tuple(each for name, _ in named if (each := index.find(canonicalize_name(name))))
        return Met(there, there), index

    def already_there(self, there: Met, index: InstalledIndex) -> Outcome:
        """Return that nothing is to do, where that is proved; and what this process has of it."""
        found = there.requested
        proof = already.examine(there, index, self.intent, self.context)
        if any(finding.stops for finding in proof):
            return self.outcome("refused", *proof)
        self.findings = (*self.findings, *proof)
        stale = self.outdated(found, index) if self.context.live else ()
        restart: Restart = "needed" if stale else "none"
        imported = None
        if self.context.import_seconds(self.request) and not self.request.dry_run:
            infos = filter(None, (index.info(each.key) for each in found))
            names = (name for info in infos for name in public(info.importable))
            imported = tuple(dict.fromkeys(names))
            if failure := self.tried(imported, installed=True):
                return self.outcome("failed", failure, satisfied=found)
        rest: Any = {"restart": restart, "stale": stale, "imported": imported}
        return self.outcome("satisfied", satisfied=found, **rest)

    def tried(self, modules: tuple[str, ...], *, installed: bool = False) -> Finding | None:
        """Import the modules in a new process, where that is wanted, and return what is wrong.

        `installed`: they were there before.
        """
        seconds = self.context.import_seconds(self.request)
        failure = try_import(modules, self.context, seconds) if seconds and modules else None
        if failure is None:
            return None
        return finding_of_failure(failure, self.intent, self.context, installed=installed)

    def outdated(
        self, found: tuple[Distribution, ...], index: InstalledIndex
    ) -> tuple[StaleModule, ...]:
        """Return the loaded modules of the distributions whose file is another one now."""
        infos = (index.info(each.key) for each in found)
        tops = {top for info in infos if info for top in info.modules}
        if tops.isdisjoint(sys.modules):
            return ()
        loaded = self.context.loaded().items()
        return replaced_since({name: file for name, file in loaded if name.split(".")[0] in tops})

    def waiting(self, holder: Holder | None) -> None:
        """Say that another install holds the lock."""
        who = f" (process {holder.pid})" if holder else ""  # it may not have signed yet
        self.context.progress(f"waiting for another install{who} to finish")

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Measure one part of the story."""
        began = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - began
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
