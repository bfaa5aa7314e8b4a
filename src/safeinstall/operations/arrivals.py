"""What a staged plan will be in the environment: its files, modules, and which files it changes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from safeinstall.environment import Environment
from safeinstall.errors import SafeInstallError
from safeinstall.plan import Plan
from safeinstall.transaction import Staged, StagedDistribution
from safeinstall.transaction.records import RecordLine, read_record
from safeinstall.verification import Arrival

__all__ = ["arrivals_of", "changed_files", "recorded", "sizes_of"]

_SHARED: Final = frozenset(
    {"test", "tests", "doc", "docs", "example", "examples", "benchmark", "benchmarks", "scripts"}
    | {"samples", "tools", "conftest", "setup"}
)
"""Names at the top level that no distribution owns alone."""


def arrivals_of(
    staged: Staged, stage: str, plan: Plan, environment: Environment
) -> tuple[Arrival, ...]:
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
            source=_editable_source(os.path.join(stage, distribution.dist_info)),
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
    """Return the top-level modules whose import proves something.

    Not folders without code, and not `tests` or `examples`, which many distributions share.
    """
    site = distribution.dist_info.rpartition("/")[0]
    with_code = set()
    for file in distribution.files:
        if file.startswith(site + "/") and file.endswith((".py", ".so", ".pyd")):
            first = file[len(site) + 1 :].split("/", 1)[0]
            with_code.add(first.partition(".")[0])
    found = tuple(module for module in distribution.modules if module in with_code)
    return tuple(module for module in found if module.lower() not in _SHARED) or found


def changed_files(staged: Staged, environment: Environment) -> frozenset[str]:
    """Return the absolute paths of installed files whose content goes or becomes another.

    A file whose RECORD hash is the same before and after is unchanged: a module loaded from it
    is not stale.
    """
    after = {
        os.path.join(environment.prefix, name): digest
        for distribution in staged.distributions
        for name, digest in distribution.files.items()
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
        return _placed(read_record(metadata), folder)
    except SafeInstallError:
        return {}


def _placed(lines: Iterable[RecordLine], folder: str) -> dict[str, str]:
    return {
        os.path.normpath(path) if ".." in path else path: line.digest
        for line in lines
        for path in [os.path.join(folder, line.path)]
    }


def _editable_source(metadata: str) -> str | None:
    """Return the project folder of an editable install (PEP 610 `direct_url.json`)."""
    try:
        data = json.loads(Path(metadata, "direct_url.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not data.get("dir_info", {}).get("editable"):
        return None
    return unquote(urlsplit(str(data.get("url", ""))).path) or None
