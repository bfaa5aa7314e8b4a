"""What a staged plan will be in the environment: its files, modules, and which files it changes."""

from __future__ import annotations

import contextlib
import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from safeinstall.environment import Environment
from safeinstall.plan import Plan
from safeinstall.transaction import Staged, StagedDistribution
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


def sizes_of(staged: Staged, stage: str, environment: Environment) -> dict[str, int]:
    """Return the size of every staged file by the absolute path it will have."""
    found = {}
    for distribution in staged.distributions:
        for file in distribution.files:
            if not file.endswith(".pyc"):
                with contextlib.suppress(OSError):  # in RECORD, but not in the package
                    size = os.lstat(os.path.join(stage, file)).st_size
                    found[os.path.join(environment.prefix, file)] = size
    return found


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


def changed_files(
    staged: Staged, stage: str, leaving: Sequence[str], environment: Environment
) -> frozenset[str]:
    """Return the absolute paths of installed files whose content goes or becomes another.

    A file whose RECORD hash is the same before and after is unchanged: a module loaded from it
    is not stale.
    """
    after: dict[str, str] = {}
    for distribution in staged.distributions:
        folder = os.path.dirname(os.path.join(environment.prefix, distribution.dist_info))
        after |= recorded(os.path.join(stage, distribution.dist_info), folder)
    before: dict[str, str] = {}
    for metadata in leaving:
        before |= recorded(metadata, os.path.dirname(metadata))
    return frozenset(
        path for path, digest in before.items() if not digest or after.get(path) != digest
    )


def recorded(metadata: str, folder: str) -> dict[str, str]:
    """Return absolute path -> hash from the RECORD in `metadata`, its rows relative to `folder`."""
    try:
        with Path(metadata, "RECORD").open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.reader(lines) if len(row) >= 2]
    except OSError:
        return {}
    return {os.path.normpath(os.path.join(folder, row[0])): row[1] for row in rows}


def _editable_source(metadata: str) -> str | None:
    """Return the project folder of an editable install (PEP 610 `direct_url.json`)."""
    try:
        data = json.loads(Path(metadata, "direct_url.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not data.get("dir_info", {}).get("editable"):
        return None
    return unquote(urlsplit(str(data.get("url", ""))).path) or None
