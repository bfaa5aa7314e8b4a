"""Installed distributions, and what an environment holds of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from safeinstall.changes import Change, Changes

__all__ = ["Distribution", "Snapshot"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Distribution:
    """One installed (or staged) distribution."""

    name: str
    """As its metadata spells it."""
    version: str
    location: str
    """The directory its metadata directory lies in (a `sys.path` entry)."""
    metadata: str
    """The `.dist-info` or `.egg-info` path."""
    requires: tuple[str, ...] = ()
    installer: str = ""
    """Content of INSTALLER (PEP 376): `pip`, `uv`, `conda`, `debian` ..., or empty."""

    @property
    def key(self) -> str:
        """The canonical name (PEP 503)."""
        return canonicalize_name(self.name)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one environment holds: the first distribution of each name on its path."""

    distributions: tuple[Distribution, ...] = ()

    def by_key(self) -> Mapping[str, Distribution]:
        """Return the distributions by canonical name; the first found wins, as in imports."""
        index: dict[str, Distribution] = {}
        for distribution in self.distributions:
            index.setdefault(distribution.key, distribution)
        return index

    def versions(self) -> Mapping[str, str]:
        """Return version by canonical name."""
        return {key: found.version for key, found in self.by_key().items()}

    def changes_to(self, after: Snapshot) -> Changes:
        """Return what leads from this snapshot to `after`."""
        old, new = self.by_key(), after.by_key()
        return Changes.of(
            Change(
                name=(new.get(key) or old[key]).name,
                before=old[key].version if key in old else None,
                after=new[key].version if key in new else None,
            )
            for key in old.keys() | new.keys()
            if (old[key].version if key in old else None)
            != (new[key].version if key in new else None)
        )
