"""The values of an examination: who is looked at, the evidence, and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safeinstall.environment import Environment
from safeinstall.findings import Finding, Suggestion
from safeinstall.transaction.recover import Recovery


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
class Fix:
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
    fix: Fix | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return self.finding.to_dict() | {"fix": self.fix.words if self.fix else None}


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines:
    """How lines to type begin here."""

    install: str = "%safeinstall"
    doctor: str = "%kernelenv --doctor"
    overlay: str = "%safeinstall --new-env --overlay"


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """An environment to be examined."""

    prefix: str
    python: str
    """Its interpreter, whether it starts or not."""
    version: str
    site_packages: tuple[str, ...]
    import_path: tuple[str, ...]
    """The folders it imports from, in order; its own folders where it cannot be asked."""
    environment: Environment | None
    """None when its interpreter does not start."""
    trouble: str = ""
    """Why it does not."""

    @property
    def markers(self) -> Mapping[str, str] | None:
        """What environment markers mean here, or None where nobody can say."""
        return self.environment.markers if self.environment else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """What was put right."""

    done: tuple[str, ...]
    transaction: str | None
    """The transaction that undo takes back, or None when there was none."""
    recovered: Recovery | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """What the doctor found."""

    target: Target
    diagnoses: tuple[Diagnosis, ...]
    distributions: int
    seconds: float
    repair: Repair | None = None
    place: str = ""
    """The interpreter or folder that was named, or empty."""
    redacted: bool = False
    """True when a text for a bug report is wanted."""

    @property
    def exit_status(self) -> int:
        """1 when something is left to put right."""
        return 0 if self.redacted or self.healthy else 1

    @property
    def healthy(self) -> bool:
        """True when nothing but remarks was found."""
        return all(d.finding.severity.value == "info" for d in self.diagnoses)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        repair = self.repair
        return {
            "schema": 1,
            "prefix": self.target.prefix,
            "python": self.target.python,
            "version": self.target.version,
            "starts": self.target.environment is not None,
            "distributions": self.distributions,
            "findings": [diagnosis.to_dict() for diagnosis in self.diagnoses],
            "fixed": list(repair.done) if repair else [],
            "transaction": repair.transaction if repair else None,
            "seconds": round(self.seconds, 4),
        }


def say(
    code: str,
    message: str,
    *commands: str,
    context: str = "",
    info: bool = False,
    fix: Fix | None = None,
) -> Diagnosis:
    """Return a diagnosis whose lines to type are `commands`."""
    made = Finding.remark if info else Finding.warn
    finding = made(code, message, *map(Suggestion, commands), context=context)
    return Diagnosis(finding=finding, fix=fix)
