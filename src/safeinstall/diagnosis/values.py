"""The evidence an examination rests on, and what comes of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from safeinstall.findings import Finding, Severity, Suggestion

__all__ = ["Diagnosis", "Installed", "Remedy", "Rewrite", "Script", "Shown", "say", "some"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """One metadata folder in a folder of packages."""

    name: str
    version: str
    folder: str
    """The folder of packages it lies in."""
    metadata: str
    """Its `.dist-info` or `.egg-info`, absolute."""
    installer: str = ""
    conda: str = ""
    """What conda calls it, where conda has installed it."""
    unreadable: bool = False
    """True when whoever looks may not read its metadata."""
    mine: bool = True
    """True when whoever looks could change that."""
    has_metadata: bool = True
    has_record: bool = True
    requires: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    """Its top-level import names."""
    listed: int = 0
    """How many files its RECORD lists, bytecode aside."""
    missing: tuple[str, ...] = ()
    """Files of its RECORD that are not there."""
    changed: tuple[str, ...] = ()
    """Files that are not what its RECORD says."""

    @property
    def complete(self) -> bool:
        """True when all it lists is there."""
        return self.has_metadata and self.has_record and not self.missing


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """One file of `bin` that begins with `#!`."""

    path: str
    interpreter: str
    exists: bool
    own: bool
    """True when it starts the environment's own interpreter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rewrite:
    """A file to be written anew: its content, or what a link shall point at."""

    path: str
    content: bytes = b""
    link: str = ""
    mode: int = 0o644


@dataclass(frozen=True, kw_only=True, slots=True)
class Remedy:
    """What puts one thing right without asking anybody: renames and small files, undoable."""

    words: str
    """What it does, as one phrase."""
    aside: tuple[str, ...] = ()
    """Files and folders that are set aside."""
    rewrites: tuple[Rewrite, ...] = ()
    recover: bool = False
    """Finish or take back what a killed install left."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """One thing that is the matter, and how it is put right where that is safe."""

    finding: Finding
    remedy: Remedy | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return self.finding.to_dict() | {"fix": self.remedy.words if self.remedy else None}


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """How lines to type begin here."""

    install: str = "%safeinstall"
    doctor: str = "%kernelenv --doctor"
    overlay: str = "%safeinstall --new-env --overlay"


def say(
    code: str,
    message: str,
    *commands: str,
    context: str = "",
    info: bool = False,
    remedy: Remedy | None = None,
) -> Diagnosis:
    """Return a diagnosis whose lines to type are `commands`."""
    finding = Finding(
        code=code,
        severity=Severity.INFO if info else Severity.WARNING,
        message=message,
        context=context,
        hint=tuple(Suggestion(command=command) for command in commands),
    )
    return Diagnosis(finding=finding, remedy=remedy)


def some(names: Iterable[str], most: int = 3) -> str:
    """Join names, the rest as a number."""
    listed = list(names)
    if len(listed) <= most:
        return ", ".join(listed)
    return f"{', '.join(listed[:most])} and {len(listed) - most} more"
