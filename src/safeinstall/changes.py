"""What one operation changes in an environment: distributions before and after."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from packaging.utils import canonicalize_name


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One distribution before and after: None means not there."""

    name: str
    before: str | None
    after: str | None
    requested: bool = False
    """True when the user named it, False when it comes along."""

    @property
    def kind(self) -> str:
        """One of `added`, `removed`, `replaced`, `reinstalled`."""
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "reinstalled" if self.before == self.after else "replaced"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "before": self.before,
            "after": self.after,
            "requested": self.requested,
        }


@dataclass(frozen=True, slots=True)
class Changes:
    """The complete list of what a plan changes, requested ones first, then by name."""

    items: tuple[Change, ...] = ()

    @classmethod
    def of(cls, items: Iterable[Change]) -> Changes:
        """Return the changes in their one order."""
        return cls(tuple(sorted(items, key=lambda c: (not c.requested, canonicalize_name(c.name)))))

    def __bool__(self) -> bool:
        return bool(self.items)

    def __iter__(self) -> Any:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def requested(self) -> tuple[Change, ...]:
        """The changes the user asked for by name."""
        return tuple(change for change in self.items if change.requested)

    @property
    def arriving(self) -> tuple[Change, ...]:
        """The changes after which a distribution is there."""
        return tuple(change for change in self.items if change.after is not None)

    @property
    def leaving(self) -> tuple[Change, ...]:
        """The changes by which an installed distribution goes or is replaced."""
        return tuple(change for change in self.items if change.before is not None)

    def asked_for(self, names: Iterable[str]) -> Changes:
        """Return the same changes with `requested` set for exactly these canonical names."""
        wanted = set(names)
        return Changes.of(
            replace(change, requested=canonicalize_name(change.name) in wanted)
            for change in self.items
        )
