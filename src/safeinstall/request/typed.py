"""The requirement somebody is typing: what stands before the cursor, and where it stands."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

__all__ = ["Typed", "typed_at"]

_OPERATOR: Final = r"(?:===?|~=|!=|<=|>=|<|>)"
_TYPED: Final = re.compile(
    rf"""(?:^|[\s,"'])
    (?P<whole>
      (?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)
      (?P<extras>\[[\w.,\s-]*\])?
      \s*(?P<clauses>(?:{_OPERATOR}\s*[\w.*+!]+\s*,\s*)*)
      (?:(?P<operator>{_OPERATOR})\s*(?P<part>[\w.*+!]*))?
    )$""",
    re.X,
)
_REST: Final = re.compile(r"[\w.*+!-]*")
_RELEASE: Final = re.compile(r"\d+(?:\.\d+)*\.?(?=\*?$)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """One requirement of a line that is not finished yet."""

    name: str
    extras: str
    """With their brackets, or empty."""
    clauses: str
    """The version clauses before the last one, each with its comma."""
    operator: str
    """The last operator, which waits for its version, or empty."""
    part: str
    """What of that version is typed."""
    start: int
    end: int
    """Where in the line it stands."""

    @property
    def wider(self) -> str:
        """The requirement without the clause that is being typed."""
        return f"{self.name}{self.clauses.strip().rstrip(',')}"

    @property
    def narrower(self) -> str:
        """The requirement with the clause that is being typed, as the beginning of a version."""
        release = _RELEASE.match(self.part)
        if release is None:
            return self.wider
        return f"{self.name}{self.clauses}=={release[0].rstrip('.')}.*"

    def bare(self, line: str) -> str:
        """Return the line with the name alone in the place of the requirement."""
        return line[: self.start] + self.name + line[self.end :]

    def completed(self, line: str, version: str) -> str:
        """Return the line with that version in the place of what is being typed."""
        operator = self.operator or "=="
        whole = f"{self.name}{self.extras}{self.clauses}{operator}{version}"
        return line[: self.start] + whole + line[self.end :]


def typed_at(line: str, cursor: int) -> Typed | None:
    """Return the requirement the cursor stands in or behind, or None where there is none."""
    rest = _REST.match(line, cursor)
    end = rest.end() if rest else cursor
    found = _TYPED.search(line[:end])
    if found is None or "://" in line[:end].rpartition(" ")[2]:
        return None
    return Typed(
        name=found["name"],
        extras=found["extras"] or "",
        clauses=found["clauses"],
        operator=found["operator"] or "",
        part=found["part"] or "",
        start=found.start("whole"),
        end=found.end("whole"),
    )
