"""Judge the staged files: all metadata can be read now, and nothing has been moved yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from packaging.utils import canonicalize_name

from safeinstall import guards, inspection
from safeinstall.changes import Changes
from safeinstall.distributions import Staged
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.guards.conflicts import violations_of
from safeinstall.guards.environment_state import EnvironmentState
from safeinstall.operations.context import Context
from safeinstall.operations.surroundings import shadows_of
from safeinstall.operations.verify import Evidence
from safeinstall.plan import Plan

__all__ = ["checked", "with_versions"]

_SAID_ANEW: Final = frozenset({"breaks-installed", "kernel-stack", "shadowed"})
"""Findings on the plan that the staged files decide for good."""


def checked(
    before: Iterable[Finding],
    plan: Plan,
    around: EnvironmentState,
    staged: Staged,
    files: Iterable[Finding],
    evidence: Evidence,
    context: Context,
) -> tuple[Finding, ...]:
    """Return every finding that holds now: those from `before`, and what the files say.

    `files`: what the staged files themselves reveal. `evidence`: the requested distributions as
    they will stand in place.
    """
    environment = context.environment
    arriving = inspection.snapshot_of(each.info for each in staged.distributions)
    modules = [module for arrival in evidence.arrivals for module in arrival.modules]
    now = replace(around, shadows=shadows_of(modules, environment, context.cwd))
    violations = violations_of(plan, now, arriving)
    told = [_past_the_cache(finding, plan) for finding in files]
    said = guards.examine_staged(plan, now, violations, told, context.policy)
    kept = [f for f in before if f.code not in _SAID_ANEW or f.severity is Severity.INFO]
    return (*kept, *said)


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


def with_versions(plan: Plan, staged: Staged) -> Plan:
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
