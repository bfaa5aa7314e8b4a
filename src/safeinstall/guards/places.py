"""Places: a prefix that is forgotten when a container ends, and copies that win an import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath

from safeinstall.environment import shown
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.guards.surroundings import Surroundings
from safeinstall.plan import Plan

__all__ = ["ephemeral_prefix", "shadowed"]


def ephemeral_prefix(plan: Plan, around: Surroundings) -> Finding | None:
    """Say when the environment lies in a container's layer while the home folder is kept."""
    environment = plan.intent.environment
    home = environment.home.rstrip("/")
    if not (environment.ephemeral and around.home_is_kept):
        return None
    if home and environment.prefix.startswith(home + "/"):
        return None
    return Finding(
        code="ephemeral-prefix",
        severity=Severity.INFO,
        message=f"{environment.label} is part of this container and is forgotten when it ends; "
        "your home folder is kept. Keep this line in the notebook, to be run again.",
    )


def shadowed(plan: Plan, around: Surroundings) -> Finding | None:
    """Warn when an earlier entry of the import path holds another copy of what is installed."""
    if not around.shadows:
        return None
    home = plan.intent.environment.home
    module, place = next(iter(around.shadows.items()))
    more = f" (and {len(around.shadows) - 1} more)" if len(around.shadows) > 1 else ""
    return Finding(
        code="shadowed",
        severity=Severity.WARNING,
        message=f"import {module} finds {shown(place, home)} first{more}, whatever is installed.",
        hint=(_aside(place, around.shadows),),
    )


def _aside(place: str, shadows: Mapping[str, str]) -> Suggestion:
    path = PurePath(place)
    new = path.with_name(f"my_{path.name}")
    return Suggestion(command=f'!mv "{path}" "{new}"', note="another name for your own file")
