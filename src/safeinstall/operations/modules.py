"""Which modules prove that a request is met: what its distributions bring to import."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from safeinstall import inspection
from safeinstall.environment import Environment
from safeinstall.outcome import Outcome
from safeinstall.request import InstallRequest

__all__ = ["import_names", "top_level"]

_NOT_MEANT = frozenset({"test", "tests", "testing", "docs", "doc", "examples", "example"})
_COMPILED = (".so", ".pyd")


def import_names(
    request: InstallRequest, outcome: Outcome, new: Environment, present: Environment
) -> dict[str, tuple[str, ...]]:
    """Return the modules to import for each distribution the request names, by canonical name.

    A distribution may be in the new environment or, in an overlay, in the present one.
    """
    folders = new.paths.site_packages
    if request.overlay:
        folders = tuple(dict.fromkeys((*folders, *new.sys_path, *present.sys_path)))
    index = inspection.InstalledIndex(folders)
    names = {item.name for item in request.items if item.name}
    if any(item.name is None for item in request.items):
        names |= {
            canonicalize_name(change.name)
            for change in outcome.changes
            if canonicalize_name(change.name) != "ipykernel"
        }
    found = {name: index.find(name) for name in sorted(names)}
    return {
        name: tuple(top_level(distribution.metadata))
        for name, distribution in found.items()
        if distribution is not None
    }


def top_level(metadata: str) -> Iterator[str]:
    """Yield the top-level names a distribution's RECORD shows, those for people only."""
    try:
        with Path(metadata, "RECORD").open(encoding="utf-8", newline="") as lines:
            paths = [row[0] for row in csv.reader(lines) if row]
    except (OSError, UnicodeDecodeError):
        return
    names: dict[str, None] = {}
    for path in paths:
        first, _, rest = path.partition("/")
        if first.startswith((".", "__")) or first.endswith((".dist-info", ".data", ".pth")):
            continue
        if not rest and not first.endswith((".py", *_COMPILED)):
            continue
        name = first if rest else first.partition(".")[0]
        if rest and not rest.endswith((".py", *_COMPILED)):
            continue
        if name.isidentifier() and name not in _NOT_MEANT:
            names[name] = None
    public = [name for name in names if not name.startswith("_")]
    yield from public or list(names)
