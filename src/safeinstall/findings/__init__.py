"""Findings: what we tell the user, as values with a stable code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import Enum
from hashlib import sha256
from typing import Any


def some(names: Iterable[str], most: int = 3) -> str:
    """Join names, the rest as a number."""
    listed = list(names)
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return f"{', '.join(listed[:most])}{more}"


class Severity(str, Enum):
    """How much a finding weighs (design: info, warning go on; confirm and refuse stop)."""

    INFO = "info"
    WARNING = "warning"
    CONFIRM = "confirm"
    REFUSE = "refuse"

    @property
    def stops(self) -> bool:
        """True when nothing may be touched because of a finding this severe."""
        return self in (Severity.CONFIRM, Severity.REFUSE)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One line to type instead, and what it does."""

    command: str
    """The exact line, copyable; a magic for notebooks, a shell command otherwise."""
    note: str = ""
    """A few words about what the line does."""

    def to_dict(self) -> dict[str, str]:
        """Return the JSON form."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing we tell the user."""

    code: str
    """Stable kebab-case name, for example `not-writable`."""
    severity: Severity
    message: str
    """One sentence: what is the matter, with paths and versions."""
    context: str = ""
    """What explains it: the reason, an installer's own words."""
    hint: tuple[Suggestion, ...] = ()
    """Ways on, the best first."""

    @classmethod
    def remark(cls, code: str, message: str, *hint: Suggestion, context: str = "") -> Finding:
        """Return a remark."""
        return cls(code, Severity.INFO, message, context, hint)

    @classmethod
    def warn(cls, code: str, message: str, *hint: Suggestion, context: str = "") -> Finding:
        """Return what is said while going on."""
        return cls(code, Severity.WARNING, message, context, hint)

    @classmethod
    def ask(cls, code: str, message: str, *hint: Suggestion, context: str = "") -> Finding:
        """Return a question."""
        return cls(code, Severity.CONFIRM, message, context, hint)

    @classmethod
    def refuse(cls, code: str, message: str, *hint: Suggestion, context: str = "") -> Finding:
        """Return a refusal."""
        return cls(code, Severity.REFUSE, message, context, hint)

    @property
    def stops(self) -> bool:
        """True when the environment must stay untouched because of this finding."""
        return self.severity.stops

    @property
    def id(self) -> str:
        """What it is known by when one looks again."""
        return sha256(f"{self.code}\0{self.message}".encode()).hexdigest()[:16]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form; `hint` holds the lines to type, `suggestions` the same in parts."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message,
            "context": self.context,
            "hint": "\n".join(suggestion.command for suggestion in self.hint),
            "suggestions": [suggestion.to_dict() for suggestion in self.hint],
        }
