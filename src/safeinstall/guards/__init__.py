"""Guards: one small function each, what is known in, a finding or None out.

They run at three points: on the intent (before an installer is asked), on the plan (before
anything is unpacked), on the staged files (before anything is moved). What they say is weighed
once, by `weigh`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.frontend import redact
from safeinstall.guards import conflicts, kernel_stack, request
from safeinstall.guards.environment_state import EnvironmentState
from safeinstall.installers.sources import ResolvedRequest
from safeinstall.plan import Plan
from safeinstall.requirements import Violation

Policy = Mapping[str, Severity | None]
"""Severity by code; None switches the guard off. A code that is not named keeps its own."""

BEFORE_PLAN: Final[tuple[Callable[[ResolvedRequest], Finding | None], ...]] = (
    request.browser,
    request.unreadable_settings,
    request.unreadable_cutoff,
    request.externally_managed,
    request.not_writable,
    request.not_importable,
    request.virtualenv_required,
    request.other_destination,
    request.user_site_leaks,
    request.system_changed,
    request.from_file_only,
    request.partly_hashed,
    request.ambient_redirect,
    request.extra_index,
    request.unheeded,
    request.explicit_build,
)
"""What can be said before any installer is asked, the gravest first."""

ON_PLAN: Final[tuple[Callable[[Plan, EnvironmentState], Finding | None], ...]] = (
    request.foreign_owner,
    request.unlisted,
    request.local_build_replaced,
    kernel_stack.replaces_loaded,
    kernel_stack.shared_environment,
    request.shadowed,
    request.yanked,
    request.prerelease,
    request.ephemeral_prefix,
)
"""What can be said of the plan in this environment; the conflicts are judged apart."""

_NO_POLICY: Final[Mapping[str, None]] = {}


def examine(
    intent: ResolvedRequest, installed: Collection[str] = (), policy: Policy = _NO_POLICY
) -> tuple[Finding, ...]:
    """Return what the guards say before planning; the first refusal is enough.

    `installed`: canonical names of what is there, which need no second look at their spelling.
    """
    found: list[Finding] = []
    for guard in BEFORE_PLAN:
        found += weigh([guard(intent)], intent, policy)
        if found and found[-1].stops:
            return tuple(found)
    return (*found, *weigh([request.name_trap(intent, installed)], intent, policy))


def examine_plan(
    plan: Plan,
    around: EnvironmentState,
    violations: Sequence[Violation],
    fitting: str = "",
    policy: Policy = _NO_POLICY,
) -> tuple[Finding, ...]:
    """Return what the guards say of a plan: `violations` are its new ones, `fitting` a way out."""
    found = [
        kernel_stack.kernel_stack(plan, around, violations),
        conflicts.breaks_installed(plan, around, violations, fitting),
        conflicts.overridden(plan, around),
        *(guard(plan, around) for guard in ON_PLAN),
    ]
    return weigh(found, plan.intent, policy)


def examine_staged(
    plan: Plan,
    around: EnvironmentState,
    violations: Sequence[Violation],
    files: Iterable[Finding],
    policy: Policy = _NO_POLICY,
) -> tuple[Finding, ...]:
    """Return what is to be said of the staged files, now that all metadata can be read.

    `files`: what the inspection of the files themselves has found.
    """
    found = [
        kernel_stack.kernel_stack(plan, around, violations),
        conflicts.breaks_installed(plan, around, violations),
        request.shadowed(plan, around),
        *files,
    ]
    return weigh(found, plan.intent, policy)


def weigh(
    findings: Iterable[Finding | None], intent: ResolvedRequest, policy: Policy
) -> tuple[Finding, ...]:
    """Return those that are findings as they count for this request.

    First the policy, then `--strict` (warnings become questions), then `--yes` (questions become
    warnings). A refusal gives way to its own flag only, which its guard knows. A question without
    a line to type gets the same line with `--yes`.
    """
    given = (_cleared(finding, intent) for finding in findings if finding is not None)
    weighed = ((finding, policy.get(finding.code, finding.severity)) for finding in given)
    ruled = (replace(finding, severity=said) for finding, said in weighed if said is not None)
    return tuple(_answered(finding, intent) for finding in ruled)


def _cleared(finding: Finding, intent: ResolvedRequest) -> Finding:
    """Return the finding without what is secret in the request; lines to type never have it."""
    secrets = intent.request.secrets
    message, context = (redact(text, secrets) for text in (finding.message, finding.context))
    hint = tuple(replace(way, note=redact(way.note, secrets)) for way in finding.hint)
    return replace(finding, message=message, context=context, hint=hint)


def _answered(finding: Finding, intent: ResolvedRequest) -> Finding:
    request = intent.request
    if request.strict and finding.severity is Severity.WARNING:
        finding = replace(finding, severity=Severity.CONFIRM)
    if finding.severity is not Severity.CONFIRM:
        return finding
    if request.yes:
        return replace(finding, severity=Severity.WARNING, hint=())
    if finding.hint:
        return finding
    way = Suggestion(intent.line(yes=True, dry_run=False), "do it all the same")
    return replace(finding, hint=(way,))
