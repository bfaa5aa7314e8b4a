"""The versions of one package that the sources offer for this interpreter, the newest first."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from safeinstall.errors import SafeInstallError
from safeinstall.operations.candidates import alone, listed, one_version
from safeinstall.operations.choice import choose
from safeinstall.operations.context import Context
from safeinstall.plan import InstallerChoice, Intent
from safeinstall.request import InstallRequest

__all__ = ["versions"]

_SECONDS: Final = 6.0
"""After this long whatever was found so far is the answer."""


def versions(
    requirement: str, request: InstallRequest, context: Context, *, most: int
) -> tuple[str, ...]:
    """Return up to `most` versions within `requirement`; the options of `request` count.

    pip lists all it sees at once; uv is asked for the next lower one until it has none. Raises
    `InstallerError` when there is no installer; an index that cannot tell gives no versions.
    """
    # a dry run: the answer does not depend on whose environment it is
    request = replace(request, break_system_packages=True, dry_run=True)
    chosen = choose(request, context.environment)
    intent = context.meet(request)
    try:
        if chosen.installer.picks_versions:
            return _one_by_one(Requirement(requirement), intent, chosen, context, most)
        return _all_at_once(Requirement(requirement), intent, chosen, context)[:most]
    except SafeInstallError:
        return ()


def _one_by_one(
    wanted: Requirement, intent: Intent, chosen: InstallerChoice, context: Context, most: int
) -> tuple[str, ...]:
    end = time.monotonic() + _SECONDS
    found: list[str] = []
    within = str(wanted)
    while len(found) < most and (left := end - time.monotonic()) > 0:
        try:
            version = one_version(within, intent, chosen, context, timeout=left)
            if version is None or version in found:
                break
            found.append(version)
            lower = wanted.specifier & f"<{Version(version).public}"
        except (SafeInstallError, InvalidVersion):
            break  # too slow, or nothing to compare: what there is, is the answer
        next_one = Requirement(str(wanted))
        next_one.specifier = lower
        within = str(next_one)
    return tuple(found)


def _all_at_once(
    wanted: Requirement, intent: Intent, chosen: InstallerChoice, context: Context
) -> tuple[str, ...]:
    """Ask pip for a version that cannot be: it says which there are."""
    request = alone(f"{wanted.name}==0.dev0+none", intent.request)
    command = chosen.installer.plan_command(request, intent.environment, intent.sources)
    known = listed(context.run(command, timeout=_SECONDS).output)
    return tuple(str(version) for version in reversed(list(wanted.specifier.filter(known))))
