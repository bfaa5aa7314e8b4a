"""What a staged plan will be in the environment: its files, modules, and which files it changes."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from safeinstall.environment import Environment
from safeinstall.plan import Plan
from safeinstall.verification import Arrival

__all__ = ["arrivals_of", "changed_files"]


def arrivals_of(staged: Any, plan: Plan, environment: Environment) -> tuple[Arrival, ...]:
    """Return the requested distributions of the staging area as they will stand in place."""
    requested = {canonicalize_name(change.name) for change in plan.changes.requested}
    return tuple(
        Arrival(
            name=distribution.name,
            version=distribution.version,
            modules=tuple(distribution.modules),
            files=frozenset(
                os.path.join(environment.prefix, file)
                for file in distribution.files
                if not file.endswith(".pyc")
            ),
            source=_editable_source(distribution.dist_info),
        )
        for distribution in staged.distributions
        if canonicalize_name(distribution.name) in requested
    )


def changed_files(staged: Any, leaving: Sequence[str], environment: Environment) -> frozenset[str]:
    """Return the absolute paths of installed files whose content goes or becomes another.

    A file whose RECORD hash is the same before and after is unchanged: a module loaded from it
    is not stale.
    """
    after: dict[str, str] = {}
    for distribution in staged.distributions:
        after |= _hashes(distribution.dist_info, environment.prefix, distribution.dist_info)
    changed = set()
    for metadata in leaving:
        for path, digest in _hashes(metadata, None, metadata).items():
            if not digest or after.get(path) != digest:
                changed.add(path)
    return frozenset(changed)


def _hashes(metadata: str, prefix: str | None, base: str) -> dict[str, str]:
    """Return path -> hash from a RECORD; staged paths are moved below `prefix`."""
    folder = os.path.dirname(base)
    try:
        with Path(metadata, "RECORD").open(encoding="utf-8", newline="") as lines:
            rows = [row for row in csv.reader(lines) if len(row) >= 2]
    except OSError:
        return {}
    if prefix is not None:
        stage = _stage_root(folder)
        folder = os.path.join(prefix, os.path.relpath(folder, stage))
    return {os.path.normpath(os.path.join(folder, row[0])): row[1] for row in rows}


def _stage_root(folder: str) -> str:
    """Return the `stage` folder a staged site-packages lies in."""
    head = folder
    while os.path.basename(head) != "stage":
        parent = os.path.dirname(head)
        if parent == head:
            return folder
        head = parent
    return head


def _editable_source(metadata: str) -> str | None:
    """Return the project folder of an editable install (PEP 610 `direct_url.json`)."""
    try:
        data = json.loads(Path(metadata, "direct_url.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    if not data.get("dir_info", {}).get("editable"):
        return None
    return unquote(urlsplit(str(data.get("url", ""))).path) or None
