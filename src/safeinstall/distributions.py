"""Installed and staged distributions, and what an environment holds of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from packaging.utils import canonicalize_name

from safeinstall.metadata.distribution import (
    DistInfo,
    InstalledState,
    distributions_in,
    normalized,
    split_name,
)
from safeinstall.metadata.record import RecordRow


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
        return asdict(self)


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
        changes = (
            Change(
                name=(new.get(key) or old[key]).name,
                before=old[key].version if key in old else None,
                after=new[key].version if key in new else None,
            )
            for key in old.keys() | new.keys()
        )
        return Changes.of(change for change in changes if change.before != change.after)


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
    linked: Mapping[str, str]
    """Files that are another's too (of the installer's cache), with what tells that nobody wrote to
    them: device, inode, size and time."""
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


class InstalledIndex:
    """Installed distributions by canonical name, each read when first asked for.

    Only directory names are listed at first (0.2 ms for 40 distributions).
    """

    def __init__(self, directories: Sequence[str], known: InstalledState | None = None) -> None:
        """`known`: what was listed before; its folders are not listed again."""
        self._where: dict[str, DistInfo] = {}
        self._twice: dict[str, list[DistInfo]] = {}
        for info in _listed(directories, known):
            name = normalized(split_name(info.entry)[0])
            first = self._where.setdefault(name, info)
            if first is not info and first.folder == info.folder:
                self._twice.setdefault(name, [first]).append(info)
        self._read: dict[str, Distribution | None] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._where)

    def find(self, name: str) -> Distribution | None:
        """Return the first distribution of this canonical name on the path, or None."""
        if name not in self._read:
            info = self._where.get(name)
            self._read[name] = _distribution(info) if info else None
        return self._read[name]

    def info(self, name: str) -> DistInfo | None:
        """Return what lies on disk of the first distribution of this canonical name, or None."""
        return self._where.get(name)

    def twins(self, name: str) -> list[DistInfo]:
        """Return all that one folder lists under this canonical name, where that is not one."""
        return self._twice.get(name, [])


def snapshot(
    directories: Sequence[str], *, since: float | None = None, known: InstalledState | None = None
) -> Snapshot:
    """Return every distribution of these directories with its requirements.

    `known`: what was listed before; its folders are not listed again.

    `since`, in seconds since 1970: what has lain there from before is known by its name alone,
    without its requirements; that costs a tenth.
    """
    return snapshot_of(_listed(directories, known), since=since)


def snapshot_of(infos: Iterable[DistInfo], *, since: float | None = None) -> Snapshot:
    """Return the same of distributions that have been listed before."""
    found = (
        (_named(info, since) if since is not None else None) or _distribution(info)
        for info in infos
    )
    return Snapshot(tuple(distribution for distribution in found if distribution))


def _listed(directories: Iterable[str], known: InstalledState | None) -> Iterator[DistInfo]:
    for directory in dict.fromkeys(directories):
        listed = known.in_folder(directory) if known else None
        yield from distributions_in([directory]) if listed is None else listed


def changed_since(metadata: str, since: float) -> bool:
    """Tell whether a metadata directory came, or got or lost a file, at `since` or later."""
    try:
        status = os.stat(metadata)  # noqa: PTH116 - two hundred times for one undo
    except OSError:
        return True
    return max(status.st_mtime, status.st_ctime) >= since


def _named(info: DistInfo, since: float) -> Distribution | None:
    """Return what the name of a metadata directory tells; None when it is newer than `since`."""
    name, version = split_name(info.entry)
    if not version or changed_since(info.path, since):
        return None
    return Distribution(name=name, version=version, location=info.folder, metadata=info.path)


def _distribution(info: DistInfo) -> Distribution | None:
    """Read one metadata directory; None when it is no distribution (no metadata in it)."""
    if info.headers is None:
        return None
    return Distribution(
        name=info.name,
        version=info.version,
        location=info.folder,
        metadata=info.path,
        requires=info.requires,
        installer=info.installer,
    )
