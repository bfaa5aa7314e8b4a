"""Guards: one small function each, a plan or an intent in, a finding or None out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from safeinstall.findings import Finding
from safeinstall.guards import destination
from safeinstall.plan import Intent

__all__ = ["BEFORE_PLAN", "examine"]

BEFORE_PLAN: Final[tuple[Callable[[Intent], Finding | None], ...]] = (
    destination.browser,
    destination.externally_managed,
    destination.not_writable,
    destination.not_importable,
    destination.virtualenv_required,
    destination.other_destination,
    destination.ambient_redirect,
)
"""What can be said before any installer is asked, the gravest first."""


def examine(intent: Intent) -> tuple[Finding, ...]:
    """Return what the guards say before planning; the first refusal is enough."""
    found: list[Finding] = []
    for guard in BEFORE_PLAN:
        finding = guard(intent)
        if finding is not None:
            found.append(finding)
            if finding.stops:
                break
    return tuple(found)
