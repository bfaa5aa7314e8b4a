"""What is in use now: modules this kernel has loaded, and other kernels of the environment."""

from __future__ import annotations

from safeinstall.findings import Finding, Severity
from safeinstall.guards.surroundings import Surroundings
from safeinstall.plan import Plan

__all__ = ["replaces_loaded", "shared_environment"]

_NAMED = 4


def replaces_loaded(plan: Plan, around: Surroundings) -> Finding | None:
    """Say beforehand which loaded modules would become stale: a restart will be needed."""
    if not around.loaded:
        return None
    words: list[str] = []
    modules: list[str] = []
    for each in around.loaded:
        tops = sorted({name.split(".")[0] for name in each.modules})
        count = len(each.modules)
        compiled = f", {each.compiled} of them compiled" if each.compiled else ""
        words.append(
            f"{' and '.join(tops[:2])} ({count} module{'s' if count > 1 else ''}{compiled})"
        )
        modules += each.modules
    named = ", ".join(words[:_NAMED])
    more = f" and {len(words) - _NAMED} more" if len(words) > _NAMED else ""
    return Finding(
        code="replaces-loaded",
        severity=Severity.WARNING,
        message=f"This kernel has loaded {named}{more}: it will have to be restarted afterwards.",
        context=", ".join(sorted(modules)),
    )


def shared_environment(plan: Plan, around: Surroundings) -> Finding | None:
    """Say when other live kernels use what is replaced or removed."""
    if not around.kernels or not plan.changes.leaving:
        return None
    count = len(around.kernels)
    number = "Another kernel uses" if count == 1 else f"{count} other kernels use"
    pids = ", ".join(str(kernel.pid) for kernel in around.kernels[:_NAMED])
    names = ", ".join(change.name for change in plan.changes.leaving[:_NAMED])
    return Finding(
        code="shared-environment",
        severity=Severity.WARNING,
        message=f"{number} {plan.intent.environment.label} now (process {pids}): after this "
        f"change of {names} {'it needs' if count == 1 else 'they need'} a restart too.",
    )
