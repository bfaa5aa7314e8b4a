"""The versions next to one that does not exist, asked of the installer itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from safeinstall.errors import InstallerError
from safeinstall.operations.candidates import listed, one_version
from safeinstall.operations.context import Context
from safeinstall.plan import InstallerChoice, Intent
from safeinstall.request import InstallRequest

__all__ = ["nearest"]


def nearest(
    error: InstallerError, intent: Intent, chosen: InstallerChoice, context: Context
) -> InstallerError:
    """Return the error with the nearest existing versions named and the line to type.

    pip has listed what there is; of uv two more dry runs ask for the highest version below and
    the lowest above what was asked.
    """
    item = next((item for item in intent.request.items if _names(error.message, item.name)), None)
    if item is None or item.requirement is None:
        return error
    asked = [s.version for s in item.requirement.specifier if s.operator in ("==", "===", "~=")]
    bare = item.requirement.name
    bare_intent = replace(intent, request=InstallRequest())
    if asked:
        version = asked[0].removesuffix(".*")
        known = listed(error.context)
        if known:
            below, above = _around(version, known)
        else:
            below = one_version(f"{bare}<{version}", bare_intent, chosen, context)
            above = one_version(f"{bare}>{version}", bare_intent, chosen, context, lowest=True)
    elif not chosen.installer.picks_versions:
        return error
    else:
        below, above = one_version(bare, bare_intent, chosen, context), None
    found = [version for version in (below, above) if version]
    if not found:
        return error
    words = " and ".join(found)
    message = f"{error.message} The nearest {'version is' if len(found) == 1 else 'are'} {words}."
    others = tuple(other.text for other in intent.request.items if other is not item)
    line = intent.line(requirements=(*others, f"{bare}=={found[0]}"))
    return InstallerError(message, code=error.code, context=error.context, hint=line)


def _around(asked: str, known: Sequence[Version]) -> tuple[str | None, str | None]:
    """Return the highest of `known` below `asked` and the lowest above it."""
    try:
        wanted = Version(asked)
    except InvalidVersion:
        return str(known[-1]), None
    below = [version for version in known if version < wanted]
    above = [version for version in known if version > wanted]
    return str(below[-1]) if below else None, str(above[0]) if above else None


def _names(message: str, name: str | None) -> bool:
    for word in message.split():
        try:
            if name and canonicalize_name(Requirement(word.rstrip(".,")).name) == name:
                return True
        except InvalidRequirement:
            continue
    return False
