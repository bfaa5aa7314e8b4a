"""The registry of codes: every code a finding or an error carries, and what to do about it.

A code is stable and kebab-case; its title is unique; its severity is the one it has unless the
case, a flag or the user's own configuration weighs it otherwise. `codes.txt` holds them, in
alphabetical order: code, severity, title; then, indented, the paragraph.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from safeinstall.findings import Severity


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeInfo:
    """What one code means."""

    code: str
    title: str
    """A few words; no two codes share them."""
    severity: Severity
    """The usual one."""
    explanation: str
    """One paragraph: what it means, what to do."""


def _read(text: str) -> Mapping[str, CodeInfo]:
    found: dict[str, CodeInfo] = {}
    for entry in text.strip().replace("\n  ", "\0").splitlines():
        head, *paragraph = entry.split("\0")
        code, severity, title = head.split(" ", 2)
        found[code] = CodeInfo(
            code=code, title=title, severity=Severity(severity), explanation=" ".join(paragraph)
        )
    return MappingProxyType(found)


CODES: Final[Mapping[str, CodeInfo]] = _read(
    Path(__file__).with_name("codes.txt").read_text("utf-8")
)
"""Every code there is, in alphabetical order."""


def closest_code(code: str) -> str:
    """Return the code that a wrong one is most like."""
    found = difflib.get_close_matches(code, CODES, n=1, cutoff=0.0)
    return found[0]
