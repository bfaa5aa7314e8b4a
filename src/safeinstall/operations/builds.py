"""Plan without running anybody's code: wheels only, and what has to be built is asked about.

Both installers are told `--only-binary :all:`; a name in `--no-binary` is the exception (uv:
`BuildOptions::no_build_package`, pip: `FormatControl.get_allowed_formats`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import Final
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename

from safeinstall.errors import InstallerError
from safeinstall.findings import Finding
from safeinstall.guards import origins
from safeinstall.guards.policy import weigh
from safeinstall.metadata.installed_state import InstalledState
from safeinstall.operations.context import Context
from safeinstall.operations.engine import make_plan
from safeinstall.plan import InstallerChoice, Intent, Plan
from safeinstall.request import RequestItem

__all__ = ["plan_without_builds"]

_ROUNDS: Final = 12
"""Each round may bring to light one more package that has to be built."""
_NAMED: Final = (
    re.compile(r"Wheels are required for `([^`]+)`"),
    re.compile(r"Building source distributions for `([^`]+)` is disabled"),
)
_SKIPPED: Final = re.compile(r"No sources permitted for (?P<name>[^:\s]+): (?P<url>\S+)")


def plan_without_builds(
    intent: Intent, chosen: InstallerChoice, context: Context, fingerprint: InstalledState
) -> tuple[Plan | None, tuple[Finding, ...]]:
    """Return a plan that builds nothing but what was allowed, or None and the question.

    Raises `InstallerError` when the request cannot be met either way.
    """
    sources = intent.sources
    if ":all:" in sources.no_binary:
        return make_plan(intent, chosen, context, fingerprint), ()
    allowed = {canonicalize_name(name) for name in intent.request.allow_builds}
    building: set[str] = {canonicalize_name(name) for name in sources.no_binary}
    told: tuple[Finding, ...] = ()
    needed: set[str] = {
        item.name for item in intent.request.items if _is_source(item) and item.name
    }
    explicit: set[str] = {i.name for i in intent.request.items if origins.is_explicit(i) and i.name}
    for _ in range(_ROUNDS):
        asked = needed - building - allowed - explicit
        if asked:
            finding = origins.builds_from_source(intent, asked)
            told = weigh([finding], intent, context.policy) if finding else ()
            if any(each.stops for each in told):
                return None, told
        building |= needed
        careful = replace(sources, only_binary=(":all:",), no_binary=tuple(sorted(building)))
        try:
            return make_plan(replace(intent, sources=careful), chosen, context, fingerprint), told
        except InstallerError as error:
            found = _named(error) or _skipped(error, intent, chosen, context, careful.no_binary)
            needed = found - building
            if not needed:
                raise
            if _about_unnamed_folder(error, intent):
                explicit |= needed
    raise InstallerError("Too many packages have to be built from source.", code="build-failed")


def _is_source(item: RequestItem) -> bool:
    return item.kind in ("archive", "vcs", "folder", "editable")


def _named(error: InstallerError) -> set[str]:
    """Return the names uv says it would have to build."""
    return {
        canonicalize_name(name) for pattern in _NAMED for name in pattern.findall(error.context)
    }


def _about_unnamed_folder(error: InstallerError, intent: Intent) -> bool:
    """Tell whether what has to be built is a folder that was typed and has no name yet."""
    folders = [i.text for i in intent.request.items if origins.is_explicit(i) and i.name is None]
    places = re.findall(r"@ (file://[^`\s]+)", error.context)
    paths = {unquote(urlsplit(place).path).rstrip("/") for place in places}
    return any(folder.split("[")[0].rstrip("/") in paths for folder in folders)


def _skipped(
    error: InstallerError,
    intent: Intent,
    chosen: InstallerChoice,
    context: Context,
    no_binary: tuple[str, ...],
) -> set[str]:
    """Return the names of which pip found source archives only; it is asked once more, aloud."""
    sources = replace(intent.sources, only_binary=(":all:",), no_binary=no_binary)
    command = chosen.installer.plan_command(intent.request, intent.environment, sources)
    louder = chosen.installer.louder(command, level=3)
    if louder is None or error.code not in ("not-found", "no-such-version", "conflict"):
        return set()
    text = context.run(louder).output
    wanted = {
        canonicalize_name(name)
        for name in re.findall(r"No matching distribution found for ([A-Za-z0-9._-]+)", text)
    }
    return {name for name in _sources_of(text, intent) if name in wanted}


def _sources_of(text: str, intent: Intent) -> Collection[str]:
    found: set[str] = set()
    asked = {item.name: item.requirement for item in intent.request.items}
    for skipped in _SKIPPED.finditer(text):
        file = unquote(urlsplit(skipped["url"]).path).rpartition("/")[2]
        try:
            name, version = parse_sdist_filename(file)
        except InvalidSdistFilename:
            continue
        requirement = asked.get(name)
        if requirement is not None and not requirement.specifier.contains(version, True):
            continue
        if name == canonicalize_name(skipped["name"]):
            found.add(str(name))
    return found
