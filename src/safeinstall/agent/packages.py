"""What is installed: for each package who needs it, and whether it is whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from safeinstall import interpreter, operations
from safeinstall.distributions import Distribution, snapshot
from safeinstall.metadata.distribution import DistInfo
from safeinstall.requirements import applies, parsed

__all__ = ["packages"]


def packages(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the packages of this environment by name."""
    environment = operations.this_environment()
    installed = snapshot(environment.paths.site_packages).by_key()
    markers = interpreter.marker_environment(environment)
    needed_by: dict[str, list[str]] = {}
    for distribution in installed.values():
        for key in _requires(distribution, markers):
            if key in installed and key != distribution.key:
                needed_by.setdefault(key, []).append(distribution.name)
    return [
        {
            "name": distribution.name,
            "version": distribution.version,
            "needed_by": sorted(needed_by.get(key, ()), key=str.lower),
            "requested": DistInfo(distribution.metadata).requested,
            "broken": _broken(distribution),
        }
        for key, distribution in sorted(installed.items())
    ]


def _requires(distribution: Distribution, markers: dict[str, str]) -> set[str]:
    found: set[str] = set()
    for text in distribution.requires:
        requirement = parsed(text)
        if requirement is not None and applies(requirement, markers):
            found.add(canonicalize_name(requirement.name))
    return found


def _broken(distribution: Distribution) -> str:
    """Say what is missing, cheaply: the metadata itself, or the folder it says it brought."""
    info = DistInfo(distribution.metadata)
    if info.is_egg or not Path(info.path).is_dir():
        return ""
    if not distribution.version:
        return "its metadata names no version"
    if not info.has_record:
        return "its list of files (RECORD) is missing" if not distribution.installer else ""
    names = info.declared
    place = Path(distribution.location)
    missing = [
        name
        for name in names
        if not (place / name).exists() and not any(place.glob(f"{name}.*")) and "/" not in name
    ]
    return f"{', '.join(missing)} is missing" if missing and len(missing) == len(names) else ""
