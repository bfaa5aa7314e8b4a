"""Judge the staged files: all metadata can be read now, and nothing has been moved yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from packaging.utils import canonicalize_name

from safeinstall import guards, inspection
from safeinstall.distributions import Changes, Staged
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.guards.conflicts import broken
from safeinstall.guards.surroundings import Surroundings
from safeinstall.installers import uv
from safeinstall.operations.surroundings import shadows_of
from safeinstall.operations.world import World
from safeinstall.plan import Plan
from safeinstall.verification import Arrival

__all__ = ["checked", "with_versions"]

_SAID_ANEW: Final = frozenset({"breaks-installed", "kernel-stack", "shadowed"})
"""Findings on the plan that the staged files decide for good."""


def checked(
    before: Iterable[Finding],
    plan: Plan,
    around: Surroundings,
    staged: Staged,
    files: Iterable[Finding],
    arrivals: Iterable[Arrival],
    world: World,
) -> tuple[Finding, ...]:
    """Return every finding that holds now: those from `before`, and what the files say.

    `files`: what the staged files themselves reveal. `arrivals`: the requested distributions as
    they will stand in place.
    """
    environment = world.environment
    arriving = inspection.snapshot_of(each.info for each in staged.distributions)
    modules = [module for arrival in arrivals for module in arrival.modules]
    now = replace(around, shadows=shadows_of(modules, environment, world.cwd))
    violations = broken(plan, now, arriving)
    told = [_past_the_cache(finding, plan) for finding in files]
    said = guards.examine_staged(plan, now, violations, told, world.policy)
    kept = [f for f in before if f.code not in _SAID_ANEW or f.severity is Severity.INFO]
    return (*kept, *said)


def _past_the_cache(finding: Finding, plan: Plan) -> Finding:
    """Offer to fetch anew what is damaged: uv's cache shares its files with environments."""
    request = plan.intent.request
    damaged = finding.code == "record-mismatch" and finding.severity is Severity.REFUSE
    if not damaged or finding.hint or plan.chosen.name != uv.name or request.force_reinstall:
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
