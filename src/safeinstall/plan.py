"""The plan: everything that would change, computed before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass

from safeinstall.distributions import Changes, Snapshot
from safeinstall.installers import DryRun, Installer
from safeinstall.installers.sources import ResolvedRequest
from safeinstall.metadata.distribution import InstalledState


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallerChoice:
    """Which installer does the work, and why."""

    installer: Installer
    version: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """The complete list of changes, and what was known when it was made."""

    intent: ResolvedRequest
    chosen: InstallerChoice
    changes: Changes
    resolved: DryRun
    installed: Snapshot
    state: InstalledState
    """State of the environment when the plan was made; another state means: plan again."""
