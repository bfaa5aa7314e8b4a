"""How much a finding weighs in the end: the policy by code, `--strict`, `--yes`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.plan import Intent

__all__ = ["Policy", "weigh"]

Policy = Mapping[str, Severity | None]
"""Severity by code; None switches the guard off. A code that is not named keeps its own."""


def weigh(findings: Iterable[Finding], intent: Intent, policy: Policy) -> tuple[Finding, ...]:
    """Return the findings as they count for this request.

    First the policy, then `--strict` (warnings become questions), then `--yes` (questions become
    warnings). A refusal gives way to its own flag only, which its guard knows. A question without
    a line to type gets the same line with `--yes`.
    """
    return tuple(
        _answered(finding, intent)
        for given in findings
        if (finding := _ruled(given, policy)) is not None
    )


def _ruled(finding: Finding, policy: Policy) -> Finding | None:
    if finding.code not in policy:
        return finding
    severity = policy[finding.code]
    return None if severity is None else replace(finding, severity=severity)


def _answered(finding: Finding, intent: Intent) -> Finding:
    request = intent.request
    if request.strict and finding.severity is Severity.WARNING:
        finding = replace(finding, severity=Severity.CONFIRM)
    if finding.severity is not Severity.CONFIRM:
        return finding
    if request.yes:
        return replace(finding, severity=Severity.WARNING, hint=())
    if finding.hint:
        return finding
    way = Suggestion(command=intent.line(yes=True, dry_run=False), note="do it all the same")
    return replace(finding, hint=(way,))
