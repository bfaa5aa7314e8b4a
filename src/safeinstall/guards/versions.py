"""Versions worth a second look: yanked ones, pre-releases, special builds that would be lost."""

from __future__ import annotations

from collections.abc import Sequence

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from safeinstall.changes import Change
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.guards.surroundings import Surroundings
from safeinstall.plan import Plan

__all__ = ["local_build_replaced", "prerelease", "yanked"]


def local_build_replaced(plan: Plan, around: Surroundings) -> Finding | None:
    """Ask before a special build (`2.4.0+cu124`) gives way to a plain one."""
    lost = [
        change
        for change in plan.changes.leaving
        if change.after is not None and _local(change.before) and not _local(change.after)
    ]
    if not lost:
        return None
    intent = plan.intent
    words = ", ".join(f"{change.name} {change.before} → {change.after}" for change in lost)
    named = {canonicalize_name(change.name): change for change in lost}
    others = [item.text for item in intent.request.items if item.name not in named]
    keep = [f"{change.name}=={change.before}" for change in lost]
    ways = []
    if others and all(item.typed for item in intent.request.items):
        line = intent.line(requirements=(*others, *keep), dry_run=False)
        ways.append(Suggestion(command=line, note="keeps the build"))
    ways.append(
        Suggestion(command=intent.line(yes=True, dry_run=False), note="take the plain build")
    )
    return Finding(
        code="local-build-replaced",
        severity=Severity.CONFIRM,
        message=f"{words}: the installed build was made for this machine ({_labels(lost)}), the "
        "new one is the plain one.",
        hint=tuple(ways),
    )


def _labels(changes: Sequence[Change]) -> str:
    return ", ".join(dict.fromkeys(f"+{_local(change.before)}" for change in changes))


def _local(version: str | None) -> str:
    try:
        return Version(version or "").local or ""
    except InvalidVersion:
        return ""


def prerelease(plan: Plan, around: Surroundings) -> Finding | None:
    """Say when a pre-release comes that nobody asked for by `--pre` or by its version."""
    if plan.intent.sources.pre:
        return None
    asked = {
        item.name
        for item in plan.intent.request.items
        if item.kind != "named"
        or (item.requirement and any(_is_pre(s.version) for s in item.requirement.specifier))
    }
    found = [
        change
        for change in plan.changes.arriving
        if _is_pre(change.after)
        and canonicalize_name(change.name) not in asked
        and change.after != change.before
    ]
    if not found:
        return None
    words = ", ".join(f"{change.name} {change.after}" for change in found)
    verb = "is a pre-release" if len(found) == 1 else "are pre-releases"
    return Finding(
        code="prerelease", severity=Severity.WARNING, message=f"{words} {verb}; no other fits."
    )


def _is_pre(version: str | None) -> bool:
    try:
        return Version(version or "0").is_prerelease
    except InvalidVersion:
        return False


def yanked(plan: Plan, around: Surroundings) -> Finding | None:
    """Pass on that a version was taken back by its makers, with their reason."""
    found = [resolved for resolved in plan.resolved.arriving if resolved.yanked is not None]
    if not found:
        return None
    words = "; ".join(
        f"{each.name} {each.version} was yanked by its makers"
        + (f": {each.yanked}" if each.yanked else "")
        for each in found
    )
    return Finding(code="yanked", severity=Severity.WARNING, message=f"{words}.")
