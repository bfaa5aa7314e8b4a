"""One version at a time: the highest or lowest that the sources have within a requirement."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from safeinstall.operations.context import Context
from safeinstall.plan import InstallerChoice, Intent
from safeinstall.request import InstallRequest, RequestItem

__all__ = ["alone", "listed", "one_version"]

_FROM_VERSIONS: Final = re.compile(r"\(from versions: ([^)]*)\)")


def alone(text: str, request: InstallRequest | None = None) -> InstallRequest:
    """Return a request for nothing but `text`, whatever is installed; options of `request` stay."""
    requirement = Requirement(text)
    item = RequestItem(text=text, name=canonicalize_name(requirement.name), requirement=requirement)
    return replace(request or InstallRequest(), items=(item,), no_deps=True, force_reinstall=True)


def one_version(
    text: str,
    intent: Intent,
    chosen: InstallerChoice,
    context: Context,
    *,
    lowest: bool = False,
    timeout: float | None = None,
) -> str | None:
    """Ask for the highest (or lowest) version within `text`; None when there is none.

    Raises `SafeInstallError` when `timeout` seconds were not enough.
    """
    request = alone(text, intent.request)
    command = chosen.installer.version_command(
        request, intent.environment, intent.sources, lowest=lowest
    )
    answer = context.run(command, timeout=timeout)
    if not answer.ok:
        return None
    arriving = chosen.installer.read_plan(answer.stdout, answer.stderr).arriving
    return arriving[0].version if arriving else None


def listed(text: str) -> list[Version]:
    """Return the versions pip has listed in its own words, lowest first."""
    found = _FROM_VERSIONS.search(text)
    versions = []
    for word in found[1].split(",") if found else ():
        try:
            versions.append(Version(word.strip()))
        except InvalidVersion:
            continue
    return sorted(versions)
