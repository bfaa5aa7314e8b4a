"""The outcome: what an operation did, found and proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from safeinstall.distributions import Changes, Distribution
from safeinstall.environment import Destination, Environment
from safeinstall.errors import SafeInstallError
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.frontend import NOTEBOOK, Frontend
from safeinstall.importing import StaleModule

Status = Literal[
    "satisfied", "planned", "done", "needs-confirmation", "refused", "failed", "rolled-back"
]
Restart = Literal["none", "refreshed", "needed"]

_EXIT: Mapping[str, int] = {"satisfied": 0, "planned": 0, "done": 0, "needs-confirmation": 3}


@dataclass(frozen=True, kw_only=True, slots=True)
class DoneBy:
    """The program that makes the changes."""

    name: str
    version: str
    reason: str
    """Why this one."""

    def to_dict(self) -> dict[str, str]:
        """Return the JSON form."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What was found about one requested distribution; None means not asked."""

    name: str
    landed: bool
    fresh: bool | None
    """A new process of the same interpreter, flags and folder imports it from the new files."""
    kernel: bool | None
    """So does this kernel, now."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of one operation on an environment."""

    status: Status
    verb: Literal["install", "uninstall", "undo"] = "install"
    """What was asked for."""
    environment: Environment
    destination: Destination
    asked: str = ""
    """The request as the line to type, without secrets."""
    changes: Changes = field(default_factory=Changes)
    """What is changed, or would be."""
    installer: DoneBy | None = None
    """Who makes the changes; None where there is nothing to change."""
    frontend: Frontend = NOTEBOOK
    """Where it is told."""
    findings: tuple[Finding, ...] = ()
    satisfied: tuple[Distribution, ...] = ()
    """What was already there, when nothing had to be done."""
    verification: tuple[Verdict, ...] = ()
    imported: tuple[str, ...] | None = None
    """The modules that a new process has imported; None where that was not asked for."""
    restart: Restart = "none"
    stale: tuple[StaleModule, ...] = ()
    """What this process has loaded and is another one on disk now."""
    transaction: str | None = None
    live: bool = False
    """True when the environment is that of a kernel that goes on running."""
    seconds: Mapping[str, float] = field(default_factory=dict)
    log: str = ""
    """The installer's own words, kept for `-v` and for failures."""

    @property
    def ok(self) -> bool:
        """True when the request holds now, or would (a dry run)."""
        return self.exit_status == 0

    @property
    def stale_modules(self) -> tuple[str, ...]:
        """The dotted names of the stale modules."""
        return tuple(module.name for module in self.stale)

    def without_repeats(self, told: set[str]) -> Outcome:
        """Return the outcome without the remarks in `told`; `told` grows by those that are left.

        Warnings and what is graver are no remarks: they are said each time. Nor is the answer of an
        uninstall that found nothing to remove.
        """
        if self.verb == "uninstall" and self.status == "satisfied":
            return self
        new = tuple(
            finding
            for finding in self.findings
            if finding.severity is not Severity.INFO or finding.message not in told
        )
        told.update(finding.message for finding in new if finding.severity is Severity.INFO)
        return replace(self, findings=new) if len(new) != len(self.findings) else self

    @property
    def exit_status(self) -> int:
        """Exit status: 0, 1 (environment as before) or 3 (needs confirmation)."""
        return _EXIT.get(self.status, 1)

    @property
    def stopping(self) -> Finding | None:
        """The finding because of which nothing was changed: a refusal before a question."""
        stops = [finding for finding in self.findings if finding.stops]
        return min(stops, key=lambda f: f.severity is not Severity.REFUSE) if stops else None

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as JSON-able data (schema 1)."""
        return {
            "schema": 1,
            "status": self.status,
            "verb": self.verb,
            "asked": self.asked,
            "environment": self.environment.to_dict(),
            "destination": self.destination.to_dict(),
            "plan": {
                "installer": self.installer.to_dict() if self.installer else None,
                "changes": [change.to_dict() for change in self.changes],
            },
            "findings": [finding.to_dict() for finding in self.findings],
            "satisfied": [
                {"name": found.name, "version": found.version, "location": found.location}
                for found in self.satisfied
            ],
            "verification": [verdict.to_dict() for verdict in self.verification],
            "imported": None if self.imported is None else list(self.imported),
            "restart": self.restart,
            "stale_modules": list(self.stale_modules),
            "transaction": self.transaction,
            "seconds": {name: round(value, 4) for name, value in self.seconds.items()},
        }


def finding_of(error: SafeInstallError | OSError, frontend: Frontend) -> Finding:
    """Return what stopped an operation as a finding: same code, words and line to type (there).

    A system that refuses (a full disk, no more open files) has one code for all its reasons.
    """
    if isinstance(error, OSError):
        words = f"The system did not go along: {error.strerror or error}."
        return Finding.refuse("system-error", words, context=str(error.filename or ""))
    line = error.hint or (frontend.line(*error.command) if error.command else "")
    hint = tuple(Suggestion(each) for each in (line, error.also) if each)
    return Finding.refuse(error.code, error.message, *hint, context=error.context)
