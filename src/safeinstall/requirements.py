"""The one judge of requirements (PEP 508): met, not met, what follows from them.

Three questions are asked of installed distributions: does a request hold already (`satisfied`),
what would a change break (`new_violations`), what does a distribution rest on (`closure`). Only
requirements that name a distribution which changes are parsed: with 200 distributions in an
environment that is a handful of thousands.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final, Protocol

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from safeinstall.distributions import Distribution
from safeinstall.request import Demand, InstallRequest

_NAME: Final = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[)?")
_EXTRA: Final = re.compile(r"\bextra\b")
Set = Mapping[str, Distribution]
"""Distributions by canonical name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """One requirement that a set does not meet."""

    owner: str
    owner_version: str
    requirement: str
    """Name and versions, without extras and markers: fit to be a constraint."""
    name: str
    """Canonical name of what is required."""
    found: str | None
    """The version the set has, None when it has none."""

    @property
    def words(self) -> str:
        """The violation in words: `pandas 2.3.3 needs numpy>=2.0`."""
        return f"{self.owner} {self.owner_version} needs {self.requirement}"


class Index(Protocol):
    """Installed distributions, read when asked for."""

    def find(self, name: str) -> Distribution | None:
        """Return the distribution an import would see under this canonical name."""
        ...


@dataclass(frozen=True, slots=True)
class Met:
    """The installed distributions by which requirements are met, as far as metadata tells."""

    requested: tuple[Distribution, ...] = ()
    all: tuple[Distribution, ...] = ()
    """Those, and what they need in turn."""


@lru_cache(maxsize=4096)
def parsed(text: str) -> Requirement | None:
    """Return the requirement, or None when it is none (old metadata; hostile metadata)."""
    try:
        return Requirement(text)
    except (InvalidRequirement, RecursionError):
        return None


def version_of(text: str | None) -> Version:
    """Return a version; that of nothing, or of what PEP 440 does not know, is 0."""
    try:
        return Version(text or "0")
    except InvalidVersion:
        return Version("0")


def applies(
    requirement: Requirement, markers: Mapping[str, str], extras: Collection[str] = ()
) -> bool:
    """Tell whether the requirement counts where `markers` hold and these extras are asked for."""
    marker = requirement.marker
    cases = ({**markers, "extra": extra} for extra in ("", *extras))
    return marker is None or any(map(marker.evaluate, cases))


def meets(version: str, requirement: Requirement) -> bool | None:
    """Tell whether an installed version is what is required; None when nobody can say.

    A direct reference (PEP 610) is another one's content, an old version need not follow PEP 440.
    """
    try:
        return None if requirement.url else requirement.specifier.contains(version, True)
    except InvalidVersion:
        return None


def satisfied(request: InstallRequest, index: Index, markers: Mapping[str, str]) -> Met | None:
    """Return the installed distributions that meet the request, or None when it is not surely met.

    Anything not fully understood (direct references, constraints, options that ask for a change) is
    answered with None: the installer then decides. Hashes are of files that come, and none has to
    (pip: `Factory._iter_found_candidates`; uv the same). `markers` is the marker environment of the
    interpreter. Requirements of requirements are followed, with their markers and extras, unless
    the request says `--no-deps`.
    """
    if request.upgrade or request.force_reinstall or request.pre or request.constraint_files:
        return None
    if any(item.kind != "named" for item in request.items):
        return None
    requirements = [item.requirement for item in request.items if item.requirement is not None]
    if not requirements or len(requirements) != len(request.items):
        return None
    return met(requirements, index, markers, alone=request.no_deps or bool(request.locked))


def met(
    requirements: Iterable[Requirement],
    index: Index,
    markers: Mapping[str, str],
    *,
    alone: bool = False,
) -> Met | None:
    """Return what meets the requirements that count here; None when one is not surely met.

    `alone`: what they need in turn is not looked at.
    """
    here = [requirement for requirement in requirements if applies(requirement, markers)]
    found: dict[str, Distribution] = {}
    for requirement in here:
        if (distribution := _meeting(requirement, index)) is None:
            return None
        found[distribution.key] = distribution
    requested = tuple(found.values())
    if not alone:
        waiting = [(_meeting(each, index), each.extras) for each in here]
        if not _closure_holds(waiting, found, index, markers):
            return None
    return Met(requested, tuple(found.values()))


def unmet(demand: Demand, version: str, markers: Mapping[str, str]) -> bool:
    """Tell whether Python `version` is not what a file demands, where `markers` hold.

    What is no version, or no marker, demands nothing that could be met.
    """
    try:
        if demand.marker and not Marker(demand.marker).evaluate(dict(markers)):
            return False
        if demand.environments and not Marker(demand.environments).evaluate(dict(markers)):
            return True
        return not SpecifierSet(demand.python).contains(version, prereleases=True)
    except (InvalidMarker, InvalidSpecifier, RecursionError):
        return True


def _closure_holds(
    roots: Iterable[tuple[Distribution | None, Collection[str]]],
    found: dict[str, Distribution],
    index: Index,
    markers: Mapping[str, str],
) -> bool:
    """Tell whether what the roots need is met; what meets it is added to `found`."""
    seen: set[tuple[str, str]] = set()
    waiting = [(it, extra) for it, extras in roots if it for extra in ("", *sorted(extras))]
    known = frozenset(markers.items())
    while waiting:
        distribution, extra = waiting.pop()
        if (distribution.key, extra) in seen:
            continue
        seen.add((distribution.key, extra))
        if (requirements := _needs(distribution.requires, extra, known)) is None:
            return False
        for requirement in requirements:
            if (needed := _meeting(requirement, index)) is None:
                return False
            found.setdefault(needed.key, needed)
            waiting += [(needed, wanted) for wanted in ("", *sorted(requirement.extras))]
    return True


@lru_cache(maxsize=4096)
def _needs(
    requires: tuple[str, ...], extra: str, markers: frozenset[tuple[str, str]]
) -> tuple[Requirement, ...] | None:
    """Return the requirements that count where `markers` hold; None where one is none.

    Remembered, because markers are most of the work and the same is asked again and again.
    """
    read = [parsed(text) for text in requires]
    here = dict(markers)
    if None in read:
        return None
    return tuple(each for each in read if each is not None and applies(each, here, (extra,)))


def _meeting(requirement: Requirement, index: Index) -> Distribution | None:
    distribution = index.find(canonicalize_name(requirement.name))
    return distribution if distribution and meets(distribution.version, requirement) else None


def new_violations(before: Set, after: Set, markers: Mapping[str, str]) -> tuple[Violation, ...]:
    """Return what `after` violates and `before` did not: only the plan's own damage.

    Owners that are new or replaced are judged too, by the metadata `after` has for them.
    """
    keys = before.keys() | after.keys()
    changed = {key for key in keys if _state(before.get(key)) != _state(after.get(key))}
    if not changed:
        return ()
    old = {(v.owner, v.name) for v in _violations(before, changed, markers)}
    return tuple(v for v in _violations(after, changed, markers) if (v.owner, v.name) not in old)


def _state(distribution: Distribution | None) -> tuple[str, tuple[str, ...]] | None:
    return (distribution.version, distribution.requires) if distribution else None


def _violations(
    distributions: Set, changed: Collection[str], markers: Mapping[str, str]
) -> list[Violation]:
    extras = _Extras(distributions, markers)
    found = []
    for key, owner in distributions.items():
        for text in owner.requires:
            if key not in changed and _name_of(text) not in changed:
                continue
            requirement = parsed(text)
            if requirement is None or not applies(requirement, markers, extras.of(key, text)):
                continue
            if violation := _judged(owner, requirement, distributions):
                found.append(violation)
    return found


def _judged(owner: Distribution, requirement: Requirement, among: Set) -> Violation | None:
    name = canonicalize_name(requirement.name)
    there = among.get(name)
    if there is not None and meets(there.version, requirement) is not False:
        return None
    return Violation(
        owner=owner.name,
        owner_version=owner.version,
        requirement=f"{requirement.name}{requirement.specifier}",
        name=name,
        found=there.version if there else None,
    )


def _is_about_extras(text: str) -> bool:
    """Tell whether a requirement counts only where an extra is asked for."""
    return bool(_EXTRA.search(text.partition(";")[2]))


class _Extras:
    """Which extras of a distribution the others ask for; found out when first needed."""

    def __init__(self, distributions: Set, markers: Mapping[str, str]) -> None:
        self._distributions = distributions
        self._markers = markers

    def of(self, key: str, text: str) -> Collection[str]:
        """Return the extras that any distribution asks of `key`, as far as `text` is about one."""
        return self._known.get(key, ()) if _is_about_extras(text) else ()

    @cached_property
    def _known(self) -> dict[str, set[str]]:
        known: dict[str, set[str]] = {}
        pairs = [(owner, text) for owner, d in self._distributions.items() for text in
                 d.requires if "[" in text.partition(";")[0]]  # fmt: skip
        for _ in range(3):  # an extra may switch on requirements with extras of their own
            for owner, text in pairs:
                requirement = parsed(text)
                asked = known.get(owner, ()) if _is_about_extras(text) else ()
                if requirement is not None and applies(requirement, self._markers, asked):
                    name = canonicalize_name(requirement.name)
                    known.setdefault(name, set()).update(requirement.extras)
        return known


def closure(roots: Collection[str], among: Set, markers: Mapping[str, str]) -> frozenset[str]:
    """Return the canonical names of `roots` and of all they require, as far as installed."""
    found: set[str] = set()
    waiting: list[tuple[str, frozenset[str]]] = [(root, frozenset()) for root in roots]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if name not in among or (name, extras) in seen:
            continue
        seen.add((name, extras))
        found.add(name)
        for text in among[name].requires:
            if not extras and _is_about_extras(text):
                continue
            if (requirement := parsed(text)) and applies(requirement, markers, extras):
                waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return frozenset(found)


def wanted_by(key: str, among: Set) -> Iterator[str]:
    """Yield the names of the distributions that name `key` in a requirement without an extra."""
    for distribution in among.values():
        named = (text for text in distribution.requires if _name_of(text) == key)
        if not all(map(_is_about_extras, named)):
            yield distribution.name


@lru_cache(maxsize=16384)
def _name_of(text: str) -> str:
    found = _NAME.match(text)
    return canonicalize_name(found[1]) if found else ""
