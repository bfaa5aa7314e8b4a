"""The versions next to one that does not exist, asked of the installer itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from safeinstall.errors import InstallerError
from safeinstall.installers import uv
from safeinstall.operations.world import World
from safeinstall.plan import Chosen, Intent
from safeinstall.request import Request, RequestItem

__all__ = ["nearest"]

_FROM_VERSIONS: Final = re.compile(r"\(from versions: ([^)]*)\)")


def nearest(error: InstallerError, intent: Intent, chosen: Chosen, world: World) -> InstallerError:
    """Return the error with the nearest existing versions named and the line to type.

    pip has listed what there is; of uv two more dry runs ask for the highest version below and
    the lowest above what was asked.
    """
    item = next((item for item in intent.request.items if _names(error.message, item.name)), None)
    if item is None or item.requirement is None:
        return error
    asked = [s.version for s in item.requirement.specifier if s.operator in ("==", "===", "~=")]
    bare = item.requirement.name
    if asked:
        version = asked[0].removesuffix(".*")
        listed = _listed(error.context)
        if listed:
            below, above = _around(version, listed)
        else:
            below = _version(f"{bare}<{version}", intent, chosen, world)
            above = _version(f"{bare}>{version}", intent, chosen, world, lowest=True)
    elif chosen.name != uv.name:
        return error
    else:
        below, above = _version(bare, intent, chosen, world), None
    found = [version for version in (below, above) if version]
    if not found:
        return error
    words = " and ".join(found)
    message = f"{error.message} The nearest {'version is' if len(found) == 1 else 'are'} {words}."
    others = tuple(other.text for other in intent.request.items if other is not item)
    line = intent.line(requirements=(*others, f"{bare}=={found[0]}"))
    return InstallerError(message, code=error.code, context=error.context, hint=line)


def _listed(text: str) -> list[Version]:
    """Return the versions pip has listed in its own words, lowest first."""
    found = _FROM_VERSIONS.search(text)
    versions = []
    for word in found[1].split(",") if found else ():
        try:
            versions.append(Version(word.strip()))
        except InvalidVersion:
            continue
    return sorted(versions)


def _around(asked: str, listed: Sequence[Version]) -> tuple[str | None, str | None]:
    """Return the highest of `listed` below `asked` and the lowest above it."""
    try:
        wanted = Version(asked)
    except InvalidVersion:
        return str(listed[-1]), None
    below = [version for version in listed if version < wanted]
    above = [version for version in listed if version > wanted]
    return str(below[-1]) if below else None, str(above[0]) if above else None


def _names(message: str, name: str | None) -> bool:
    for word in message.split():
        try:
            if name and canonicalize_name(Requirement(word.rstrip(".,")).name) == name:
                return True
        except InvalidRequirement:
            continue
    return False


def _version(
    text: str, intent: Intent, chosen: Chosen, world: World, *, lowest: bool = False
) -> str | None:
    requirement = Requirement(text)
    only = Request(
        items=(
            RequestItem(
                text=text, name=canonicalize_name(requirement.name), requirement=requirement
            ),
        ),
        no_deps=True,
        force_reinstall=True,
    )
    command = uv.plan_command(chosen.launcher[0], only, intent.environment, intent.sources)
    if lowest:
        command = replace(command, argv=(*command.argv, "--resolution", "lowest"))
    answer = world.run(command)
    if not answer.ok:
        return None
    arriving = uv.read_plan(answer.stdout, answer.stderr).arriving
    return arriving[0].version if arriving else None
