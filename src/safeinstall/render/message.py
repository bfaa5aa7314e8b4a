"""A message before it is laid out: the same parts become text and HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from safeinstall.findings import Suggestion

__all__ = ["Mark", "Message", "Table"]

Mark = Literal["✓", "✗", "!", "·", ""]


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Facts in columns."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    """One line below each row (a path, which no column could hold), empty for none."""
    remarks: tuple[str, ...] = ()
    """Sentences below the table."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What happened, what it means, what to type."""

    mark: Mark
    headline: str
    """What happened and into which path: the first line."""
    seconds: float | None = None
    lines: tuple[str, ...] = ()
    """Plain sentences or facts below the headline."""
    table: Table | None = None
    """Rows below the lines."""
    ways: tuple[Suggestion, ...] = ()
    """Lines to type, the default first."""
    details: str = ""
    """What is folded away: an installer's own words."""
