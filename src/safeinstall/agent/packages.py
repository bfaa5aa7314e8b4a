"""What is installed, for each package who needs it, and which versions an index has of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, cast

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from safeinstall import operations, requirements
from safeinstall.agent.jobs import Job, start
from safeinstall.agent.operate import context_of, parsed
from safeinstall.distributions import Distribution, InstalledIndex, snapshot
from safeinstall.errors import SafeInstallError
from safeinstall.metadata.distribution import DistInfo
from safeinstall.operations import carry_out
from safeinstall.operations.planning.resolver import offered_versions as offered
from safeinstall.outcome import Outcome
from safeinstall.request import join

_SINGLY: Final = 60
"""So many packages are asked for one by one when no answer for all together can be had."""


def upgrades(params: Mapping[str, Any]) -> dict[str, Any]:
    """Find newer versions of the packages `names`; the result is `{name: version}`."""
    names = [str(name) for name in params.get("names", ())]

    def work(job: Job) -> dict[str, Any]:
        together = _planned(names, job)
        if together.ok:
            return {"upgrades": _newer(together, names)}
        found: dict[str, str] = {}
        for position, name in enumerate(names[:_SINGLY], start=1):
            job.progress(f"{name}: {position} of {min(len(names), _SINGLY)}")
            found |= _newer(_planned([name], job), [name])
        return {"upgrades": found}

    return start("upgrades", "looking for upgrades", work)


def _planned(names: Sequence[str], job: Job) -> Outcome:
    request = replace(parsed(join(names), confirmed=True), upgrade=True, dry_run=True)
    return cast(Outcome, carry_out(request, context_of(job)))


def _newer(outcome: Outcome, names: Sequence[str]) -> dict[str, str]:
    asked = (one for one in outcome.changes if one.requested and one.name in names)
    return {one.name: one.after for one in asked if one.before and one.after}


_OPERATOR: Final = r"(?:===?|~=|!=|<=|>=|<|>)"
_TYPED: Final = re.compile(
    rf"""(?:^|[\s,"'])
    (?P<whole>
      (?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)
      (?P<extras>\[[\w.,\s-]*\])?
      \s*(?P<clauses>(?:{_OPERATOR}\s*[\w.*+!]+\s*,\s*)*)
      (?:(?P<operator>{_OPERATOR})\s*(?P<part>[\w.*+!]*))?
    )$""",
    re.X,
)
_REST: Final = re.compile(r"[\w.*+!-]*")
_RELEASE: Final = re.compile(r"\d+(?:\.\d+)*\.?(?=\*?$)")


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """One requirement of a line that is not finished yet."""

    name: str
    extras: str
    """With their brackets, or empty."""
    clauses: str
    """The version clauses before the last one, each with its comma."""
    operator: str
    """The last operator, which waits for its version, or empty."""
    part: str
    """What of that version is typed."""
    start: int
    end: int
    """Where in the line it stands."""

    @property
    def wider(self) -> str:
        """The requirement without the clause that is being typed."""
        return f"{self.name}{self.clauses.strip().rstrip(',')}"

    @property
    def narrower(self) -> str:
        """The requirement with the clause that is being typed, as the beginning of a version."""
        release = _RELEASE.match(self.part)
        if release is None:
            return self.wider
        return f"{self.name}{self.clauses}=={release[0].rstrip('.')}.*"

    def bare(self, line: str) -> str:
        """Return the line with the name alone in the place of the requirement."""
        return line[: self.start] + self.name + line[self.end :]

    def completed(self, line: str, version: str) -> str:
        """Return the line with that version in the place of what is being typed."""
        operator = self.operator or "=="
        whole = f"{self.name}{self.extras}{self.clauses}{operator}{version}"
        return line[: self.start] + whole + line[self.end :]


def typed_at(line: str, cursor: int) -> Typed | None:
    """Return the requirement the cursor stands in or behind, or None where there is none."""
    rest = _REST.match(line, cursor)
    end = rest.end() if rest else cursor
    found = _TYPED.search(line[:end])
    if found is None or "://" in line[:end].rpartition(" ")[2]:
        return None
    return Typed(
        name=found["name"],
        extras=found["extras"] or "",
        clauses=found["clauses"],
        operator=found["operator"] or "",
        part=found["part"] or "",
        start=found.start("whole"),
        end=found.end("whole"),
    )


_MOST: Final = 8


def versions(params: Mapping[str, Any]) -> dict[str, Any]:
    """Look up versions for the requirement of `line` at `cursor`, as a job beside all others.

    The result is `{"line", "cursor", "name", "versions": [{"version", "line", "note"}]}`; `line`
    of a version is what the box holds when it is chosen. Nothing to look up, or an index that
    cannot tell: no versions.
    """
    line = str(params.get("line", ""))
    given = params.get("cursor")
    cursor = given if isinstance(given, int) and 0 <= given <= len(line) else len(line)
    typed = typed_at(line, cursor)

    def work(job: Job) -> dict[str, Any]:
        found = _offered(line, typed, job) if typed else []
        name = typed.name if typed else ""
        return {"line": line, "cursor": cursor, "name": name, "versions": found}

    return start("versions", typed.name if typed else "", work, aside=True)


def _offered(line: str, typed: Typed, job: Job) -> list[dict[str, str]]:
    context = context_of(job)
    try:
        request = parsed(typed.bare(line))
    except SafeInstallError:
        return []  # the rest of the line is not finished either
    name = canonicalize_name(typed.name)
    if name not in {item.name for item in request.items}:
        return []  # it is the value of an option
    try:
        found = offered(typed.narrower, request, context, most=_MOST)
        if not found and typed.wider != typed.narrower:
            found = offered(typed.wider, request, context, most=_MOST)
    except (SafeInstallError, InvalidRequirement):
        return []
    here = InstalledIndex(context.environment.sys_path).find(name)
    return [
        {
            "version": version,
            "line": typed.completed(line, version),
            "note": "installed" if here is not None and here.version == version else "",
        }
        for version in found
    ]


def packages(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the packages of this environment by name."""
    environment = operations.this_environment()
    installed = snapshot(environment.paths.site_packages).by_key()
    markers = environment.markers
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
    read = filter(None, map(requirements.parsed, distribution.requires))
    return {canonicalize_name(one.name) for one in read if requirements.applies(one, markers)}


def _broken(distribution: Distribution) -> str:
    """Say what is missing, cheaply: the metadata itself, or the folder it says it brought."""
    info = DistInfo(distribution.metadata)
    if info.is_egg or not Path(info.path).is_dir():
        return ""
    if not distribution.version:
        return "its metadata names no version"
    if not info.has_record:
        return "its list of files (RECORD) is missing" if not distribution.installer else ""
    place = Path(distribution.location)
    missing = [
        name
        for name in info.declared
        if not (place / name).exists() and not any(place.glob(f"{name}.*")) and "/" not in name
    ]
    everything = missing and len(missing) == len(info.declared)
    return f"{', '.join(missing)} is missing" if everything else ""
