"""The plan: everything that would change, computed before anything is touched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from safeinstall.distributions import Changes, Snapshot
from safeinstall.environment import Environment
from safeinstall.frontend import NOTEBOOK, Frontend
from safeinstall.installers import DryRun, Installer
from safeinstall.installers.sources import Redirection, Sources
from safeinstall.metadata.distribution import InstalledState
from safeinstall.request import InstallRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """Where this install puts files: path, interpreter and the reason."""

    path: str
    scheme: str
    interpreter: str
    reason: str

    @classmethod
    def of(cls, environment: Environment) -> Destination:
        """Return the one destination `%safeinstall` ever uses: the environment's own."""
        return cls(
            path=environment.paths.purelib,
            scheme=str(environment.report.get("scheme", "")),
            interpreter=environment.executable,
            reason="the environment of the interpreter that runs the cell",
        )

    def to_dict(self) -> dict[str, str]:
        """Return the JSON form."""
        return {
            "path": self.path,
            "scheme": self.scheme,
            "interpreter": self.interpreter,
            "reason": self.reason,
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallerChoice:
    """Which installer does the work, and why."""

    installer: Installer
    version: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ResolvedRequest:
    """A request that has met an environment, before any installer was asked."""

    environment: Environment
    request: InstallRequest
    sources: Sources
    redirections: tuple[Redirection, ...]
    destination: Destination
    frontend: Frontend = NOTEBOOK
    """Where it was typed, and a line to type is shown."""

    def line(self, **changes: Any) -> str:
        """Return the request as the line to type, with `changes` to it."""
        return self.request.line(self.frontend, json=False, **changes)


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
