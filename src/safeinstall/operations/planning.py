"""From an intent to the best plan there is: no builds, the kernel kept, everybody satisfied."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from safeinstall import guards
from safeinstall.errors import InstallerError
from safeinstall.findings import Finding
from safeinstall.guards import conflicts, kernel_stack
from safeinstall.guards.environment_state import EnvironmentState
from safeinstall.metadata.installed_state import InstalledState
from safeinstall.operations.builds import plan_without_builds
from safeinstall.operations.context import Context
from safeinstall.operations.surroundings import surroundings_of
from safeinstall.plan import InstallerChoice, Intent, Plan
from safeinstall.requirements import Violation

__all__ = ["Considered", "considered"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Considered:
    """A plan in its surroundings, and what the guards say of it."""

    plan: Plan | None
    """None when no plan can be made without an answer first."""
    around: EnvironmentState
    findings: tuple[Finding, ...] = ()


def considered(
    intent: Intent, chosen: InstallerChoice, context: Context, fingerprint: InstalledState
) -> Considered:
    """Return the best plan for the intent and every finding about it; nothing is touched.

    When a plan takes from the kernel what it runs on, the request is solved again with the
    kernel's distributions kept. When it breaks others, a version that suits them is looked for.
    Raises `InstallerError` when the request cannot be met.
    """
    plan, told = plan_without_builds(intent, chosen, context, fingerprint)
    if plan is None:
        return Considered(plan=None, around=EnvironmentState(), findings=told)
    around = surroundings_of(plan, context)
    found = conflicts.violations_of(plan, around)
    if kernel_stack.kernel_violations(found, around) and not intent.request.allows(
        "allow-kernel-change"
    ):
        versions = around.visible.by_key()
        pins = [f"{name}=={versions[name].version}" for name in kernel_stack.kernel_closure(around)]
        kept = _constrained(intent, pins, chosen, context, fingerprint)
        if kept is not None:
            kept_around = surroundings_of(kept, context)
            left = conflicts.violations_of(kept, kept_around)
            if not kernel_stack.kernel_violations(left, kept_around):
                told = (*told, kernel_stack.kernel_kept(plan, kept))
                plan, around, found = kept, kept_around, left
    others = set(found) - set(kernel_stack.kernel_violations(found, around))
    fitting = ""
    if others and not intent.request.allows("allow-conflicts"):
        fitting = _fitting(intent, sorted(others, key=str), chosen, context, fingerprint)
    said = guards.examine_plan(plan, around, found, fitting, context.policy)
    return Considered(plan=plan, around=around, findings=(*told, *said))


def _fitting(
    intent: Intent,
    violations: Sequence[Violation],
    chosen: InstallerChoice,
    context: Context,
    fingerprint: InstalledState,
) -> str:
    """Return the line for a version of the request that breaks nobody, or an empty text.

    First the request as typed, then what the others require in the place of its versions.
    """
    pins = [violation.requirement for violation in violations]
    relaxed = conflicts.relax(intent.request, violations)
    tries = [(intent, True)] + ([(replace(intent, request=relaxed), False)] if relaxed else [])
    for attempt, as_asked in tries:
        plan = _constrained(attempt, pins, chosen, context, fingerprint)
        if plan is not None and not conflicts.violations_of(plan, surroundings_of(plan, context)):
            return conflicts.fitting_line(plan, as_asked=as_asked)
    return ""


def _constrained(
    intent: Intent,
    lines: Iterable[str],
    chosen: InstallerChoice,
    context: Context,
    fingerprint: InstalledState,
) -> Plan | None:
    """Return the plan within these constraints, or None when there is none."""
    with tempfile.TemporaryDirectory(prefix="safeinstall-") as folder:
        file = Path(folder, "constraints.txt")
        file.write_text("".join(f"{line}\n" for line in sorted(lines)), encoding="utf-8")
        sources = replace(intent.sources, constraints=(*intent.sources.constraints, str(file)))
        try:
            plan, _ = plan_without_builds(
                replace(intent, sources=sources), chosen, context, fingerprint
            )
        except InstallerError:
            return None
    if plan is None:
        return None
    # what is staged are exact pins: the file is not needed again, and is gone
    kept = replace(plan.intent.sources, constraints=intent.sources.constraints)
    return replace(plan, intent=replace(plan.intent, sources=kept))
