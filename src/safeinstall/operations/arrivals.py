"""What a staged plan will be in the environment: its files, modules, and which files it changes."""

from __future__ import annotations

import os
from collections.abc import Iterable

from packaging.utils import canonicalize_name

from safeinstall.distributions import Staged, StagedDistribution
from safeinstall.environment import Environment
from safeinstall.metadata.modules import meant, top_level
from safeinstall.metadata.record import RecordError, RecordRow, read_record
from safeinstall.plan import Plan
from safeinstall.verification import Arrival

__all__ = ["arrivals_of", "changed_files", "recorded", "sizes_of"]


def arrivals_of(staged: Staged, plan: Plan, environment: Environment) -> tuple[Arrival, ...]:
    """Return the requested distributions of the staging area as they will stand in place."""
    requested = {canonicalize_name(change.name) for change in plan.changes.requested}
    return tuple(
        Arrival(
            name=distribution.name,
            version=distribution.version,
            modules=_importable(distribution),
            files=frozenset(
                os.path.join(environment.prefix, file)
                for file in distribution.files
                if not file.endswith(".pyc")
            ),
            path_files=tuple(os.path.join(environment.prefix, file) for file in distribution.pth),
            source=distribution.info.editable_source,
        )
        for distribution in staged.distributions
        if canonicalize_name(distribution.name) in requested
    )


def sizes_of(staged: Staged, environment: Environment) -> dict[str, int]:
    """Return the size of every staged file by the absolute path it will have."""
    return {
        os.path.join(environment.prefix, file): size
        for file, size in staged.sizes.items()
        if not file.endswith(".pyc")
    }


def _importable(distribution: StagedDistribution) -> tuple[str, ...]:
    """Return the top-level modules whose import proves something: not folders without code."""
    site = f"{distribution.dist_info.rpartition('/')[0]}/"
    below = (name[len(site) :] for name in distribution.files if name.startswith(site))
    return meant(sorted(top_level(below)))


def changed_files(staged: Staged, environment: Environment) -> frozenset[str]:
    """Return the absolute paths of installed files whose content goes or becomes another.

    A file whose RECORD hash is the same before and after is unchanged: a module loaded from it
    is not stale.
    """
    after = {
        os.path.join(environment.prefix, name): row.digest
        for distribution in staged.distributions
        for name, row in distribution.files.items()
    }
    return frozenset(
        path
        for dist_info, lines in staged.departing.items()
        for path, digest in _placed(lines, os.path.dirname(dist_info)).items()
        if not digest or after.get(path) != digest
    )


def recorded(metadata: str, folder: str) -> dict[str, str]:
    """Return absolute path -> hash from the RECORD in `metadata`, its rows relative to `folder`."""
    try:
        return _placed(read_record(metadata).rows, folder)
    except RecordError:
        return {}


def _placed(lines: Iterable[RecordRow], folder: str) -> dict[str, str]:
    return {
        os.path.normpath(path) if ".." in path else path: line.digest
        for line in lines
        for path in [os.path.join(folder, line.path)]
    }
