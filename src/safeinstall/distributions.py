"""Distributions, installed and staged, what an environment holds of them, and changes to that."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from packaging.utils import canonicalize_name

from safeinstall.metadata.distribution import DistInfo
from safeinstall.metadata.record import RecordRow

__all__ = ["Change", "Changes", "Distribution", "Snapshot", "Staged", "StagedDistribution"]


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


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedDistribution:
    """One distribution in a staging area, as its own metadata describes it; nothing is judged yet.

    Paths are relative to the prefix, with forward slashes: where the files will be.
    """

    name: str
    version: str
    info: DistInfo
    """Its metadata where it lies now; what was read of it is not read again."""
    dist_info: str
    files: Mapping[str, RecordRow]
    """Every file of its RECORD, with what is promised there."""
    outside: tuple[str, ...]
    """What its RECORD lists that would lie outside the environment, as written."""
    problem: str
    """Why its RECORD cannot be read, or empty."""
    modules: tuple[str, ...]
    """Top-level import names."""
    bytes: int
    pth: tuple[str, ...]
    """Start-up files: `*.pth` in a folder that Python reads them from."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Staged:
    """A whole staging area, and what would happen if it were committed."""

    root: str
    """The folder that it lies in, absolute."""
    distributions: tuple[StagedDistribution, ...]
    sizes: Mapping[str, int]
    """Bytes of every staged file, whoever lists it."""
    links: Mapping[str, str]
    """Symbolic links, with where they lead."""
    collisions: Mapping[str, str]
    """Files that would come where something else lies, with whose that is; empty = nobody's."""
    escapes: tuple[str, ...]
    """What is wrong with paths that would lead out of the environment, a sentence each."""
    departing: Mapping[str, tuple[RecordRow, ...]]
    """RECORD of each leaving distribution by its dist-info folder."""

    @property
    def unowned(self) -> tuple[str, ...]:
        """Files of nobody that are in the way: `commit(replacing=...)` may set them aside."""
        return tuple(name for name, owner in self.collisions.items() if not owner)

    @property
    def bytes(self) -> int:
        """Bytes of all files together."""
        return sum(self.sizes.values())
