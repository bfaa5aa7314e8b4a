"""Is the request already met? Judged from an index of installed metadata, in milliseconds.

Anything not fully understood (direct references, hashes, constraints, options that ask for a
change) is answered with None: the installer then decides. A wrong "satisfied" would be worse than
the time saved.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion

from safeinstall.distributions import Distribution
from safeinstall.request import InstallRequest

__all__ = ["Index", "satisfied"]


class Index(Protocol):
    """Installed distributions, read when asked for."""

    def find(self, name: str) -> Distribution | None:
        """Return the distribution an import would see under this canonical name."""
        ...

    def complete(self, distribution: Distribution) -> bool:
        """Tell whether every file its RECORD lists is on disk."""
        ...


@dataclass(frozen=True, slots=True)
class _Wanted:
    requirement: Requirement
    extra: str


def satisfied(
    request: InstallRequest, index: Index, markers: Mapping[str, str]
) -> tuple[Distribution, ...] | None:
    """Return the installed distributions that meet the request, or None when it is not surely met.

    `markers` is the marker environment of the interpreter (PEP 508). Requirements of requirements
    are followed, with their markers and extras, unless the request says `--no-deps`.
    """
    if (
        request.upgrade
        or request.force_reinstall
        or request.pre
        or request.constraint_files
        or any(item.kind != "named" or item.hashes for item in request.items)
    ):
        return None
    found: dict[str, Distribution] = {}
    requirements = [item.requirement for item in request.items if item.requirement is not None]
    if not requirements or len(requirements) != len(request.items):
        return None
    here = [r for r in requirements if _applies(r, "", markers)]
    for requirement in here:
        distribution = _meeting(requirement, index)
        if distribution is None or not index.complete(distribution):
            return None
        found[distribution.key] = distribution
    if not request.no_deps and not _closure_holds(here, found, index, markers):
        return None
    return tuple(found.values())


def _closure_holds(
    requirements: Iterable[Requirement],
    found: Mapping[str, Distribution],
    index: Index,
    markers: Mapping[str, str],
) -> bool:
    seen: set[tuple[str, str]] = set()
    waiting = [
        (found[canonicalize_name(r.name)], extra) for r in requirements for extra in _extras(r)
    ]
    while waiting:
        distribution, extra = waiting.pop()
        if (distribution.key, extra) in seen:
            continue
        seen.add((distribution.key, extra))
        for text in distribution.requires:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                return False
            if not _applies(requirement, extra, markers):
                continue
            needed = _meeting(requirement, index)
            if needed is None:
                return False
            waiting += [(needed, wanted) for wanted in _extras(requirement)]
    return True


def _extras(requirement: Requirement) -> tuple[str, ...]:
    return ("", *sorted(requirement.extras))


def _applies(requirement: Requirement, extra: str, markers: Mapping[str, str]) -> bool:
    if requirement.marker is None:
        return True
    return requirement.marker.evaluate({**markers, "extra": extra})


def _meeting(requirement: Requirement, index: Index) -> Distribution | None:
    if requirement.url:
        return None
    distribution = index.find(canonicalize_name(requirement.name))
    if distribution is None:
        return None
    try:
        fits = requirement.specifier.contains(distribution.version, prereleases=True)
    except InvalidVersion:
        return None
    return distribution if fits else None
