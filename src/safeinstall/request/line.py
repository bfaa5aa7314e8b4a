"""Split a magic line into words, the way it reads and never the way a shell would."""

from __future__ import annotations

__all__ = ["tokenize"]


def tokenize(line: str) -> tuple[str, ...]:
    """Return the words of `line`."""
    return tuple(line.split())
