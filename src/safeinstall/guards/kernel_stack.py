"""What this kernel runs on and has loaded: no notebook installs its kernel out of existence."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Final

from packaging.utils import canonicalize_name

from safeinstall.distributions import Change
from safeinstall.findings import Finding, Suggestion, some
from safeinstall.guards.environment_state import EnvironmentState
from safeinstall.guards.request import new_environment
from safeinstall.plan import Plan
from safeinstall.requirements import Violation, closure

ROOT: Final = "ipykernel"


def kernel_closure(around: EnvironmentState) -> frozenset[str]:
    """Return the canonical names the kernel is made of: ipykernel and all it requires."""
    return closure([ROOT], around.visible.by_key(), around.markers)


def kernel_violations(
    found: Iterable[Violation], around: EnvironmentState
) -> tuple[Violation, ...]:
    """Return those violations whose owner is a part of the kernel."""
    found = tuple(found)
    own = kernel_closure(around) if found else ()
    return tuple(violation for violation in found if canonicalize_name(violation.owner) in own)


def changes_kernel(plan: Plan, around: EnvironmentState) -> tuple[str, ...]:
    """Return the members of the kernel that the plan changes: then a second kernel must start."""
    names = {canonicalize_name(change.name): change.name for change in plan.changes}
    touched = names.keys() & around.visible.versions().keys()
    return tuple(sorted(names[key] for key in touched & kernel_closure(around))) if touched else ()


def removes_kernel(plan: Plan) -> bool:
    """Tell whether the plan takes ipykernel itself away."""
    gone = (change.name for change in plan.changes if change.after is None)
    return any(canonicalize_name(name) == ROOT for name in gone)


def kernel_stack(
    plan: Plan, around: EnvironmentState, found: Iterable[Violation]
) -> Finding | None:
    """Refuse a plan after which the kernel would lack what it needs, unless it was allowed.

    `found`: the new violations of the plan. The caller has already tried to solve the request
    with the kernel's members kept as they are.
    """
    if not (own := kernel_violations(found, around)) and not removes_kernel(plan):
        return None
    intent = plan.intent
    allowed = intent.request.allows("allow-kernel-change")
    names = list(dict.fromkeys(violation.name for violation in own)) or [ROOT]
    changed: dict[str, Change] = {canonicalize_name(change.name): change for change in plan.changes}
    hit = filter(None, map(changed.get, names))
    told = (f"{c.name} {c.before or 'absent'} → {c.after or 'removed'}" for c in hit)
    what = ", ".join(told) or ", ".join(names)
    context = "\n".join(f"{each.words} (it would have {each.found or 'none'})" for each in own)
    if allowed:
        runs = f"This kernel runs on {', '.join(names)}: a second one has to start before"
        return Finding.warn("kernel-stack", f"{runs} {what} is kept.", context=context)
    line = intent.line(allow=intent.request.allow | {"allow-kernel-change"}, dry_run=False)
    message = f"This kernel could not start again after {what}."
    note = "try it: it is put back unless a second kernel starts and answers"
    ways = new_environment(intent), Suggestion(line, note)
    return Finding.refuse("kernel-stack", message, *ways, context=context)


def kernel_kept(first: Plan, kept: Plan) -> Finding:
    """Say that the request was solved anew so that the kernel stays as it is."""
    before = {canonicalize_name(change.name): change for change in first.changes.arriving}
    now = {canonicalize_name(change.name): change for change in kept.changes.arriving}
    pairs = [(now[key], change) for key, change in before.items() if key in now]
    moved = [(new, old) for new, old in pairs if new.after != old.after]
    other = [f"{old.name} {new.after} instead of {old.after}" for new, old in moved]
    left = sorted(change.name for key, change in before.items() if key not in now)
    other += [f"{', '.join(left)} left as it is"] if left else []
    words = "; ".join(other) or "the same versions"
    message = f"Chosen so that this kernel keeps what it runs on: {words}."
    return Finding.remark("kernel-stack", message)


_NAMED = 4


def replaces_loaded(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Say beforehand which loaded modules would become stale: a restart will be needed."""
    if not around.loaded:
        return None
    words: list[str] = []
    for each in around.loaded:
        tops = sorted({name.split(".")[0] for name in each.modules})
        count = f"{len(each.modules)} module{'s' if len(each.modules) > 1 else ''}"
        compiled = f", {each.compiled} of them compiled" if each.compiled else ""
        words.append(f"{' and '.join(tops[:2])} ({count}{compiled})")
    has = f"This kernel has loaded {some(words, _NAMED)}"
    message = f"{has}: it will have to be restarted afterwards."
    modules = ", ".join(sorted(chain.from_iterable(each.modules for each in around.loaded)))
    return Finding.warn("replaces-loaded", message, context=modules)


def shared_environment(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Say when other live kernels use what is replaced or removed."""
    if not around.kernels or not plan.changes.leaving:
        return None
    count = len(around.kernels)
    number = "Another kernel uses" if count == 1 else f"{count} other kernels use"
    pids = ", ".join(str(kernel.pid) for kernel in around.kernels[:_NAMED])
    names = ", ".join(change.name for change in plan.changes.leaving[:_NAMED])
    need = "it needs" if count == 1 else "they need"
    uses = f"{number} {plan.intent.environment.label} now (process {pids})"
    message = f"{uses}: after this change of {names} {need} a restart too."
    return Finding.warn("shared-environment", message)
