"""Distributions, installed and staged, what an environment holds of them, and changes to that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from packaging.utils import canonicalize_name

from safeinstall.metadata.distribution import DistInfo
from safeinstall.metadata.record import RecordRow

__all__ = ["Change", "Changes", "Distribution", "Snapshot", "Staged", "StagedDistribution"]
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
