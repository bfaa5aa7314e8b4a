"""Everything that is missing for a kernel, where an installer names only the first thing.

Both stop at the first package they cannot get. For uv an override whose marker never holds takes
that package out of the next dry run (`uv pip install --help`: "Overrides are used to force specific
versions"), for pip an empty wheel stands in for it; that run then names the second, until nothing
is missing: some 20 ms each with uv, half a second with pip, and only after a failure.
"""

from __future__ import annotations

import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from safeinstall.findings import Finding, Severity
from safeinstall.operations.choice import choose
from safeinstall.operations.context import Context
from safeinstall.operations.new_request import KERNEL
from safeinstall.operations.stand_ins import write_stand_in
from safeinstall.plan import InstallerChoice, Intent
from safeinstall.request import InstallRequest

__all__ = ["about_kernel", "missing", "missing_for_pip"]

_MOST: Final = 60
_SECONDS: Final = 30.0
"""How long pip is asked at most."""
_TO_BE_HAD: Final = ("not-found", "no-such-version")
"""Failures of pip after which it is worth while to ask what else is missing."""
_PIPS: Final = re.compile(r"satisfies the requirement (?P<wanted>[^\s;(]+)")
_NAME: Final = r"(?P<name>[A-Za-z0-9][\w.-]*?)(?:\[[^\]]*\])?"
_MISSING: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_NAME} was not found in",
        rf"\bno versions? of {_NAME}(?=[<>=!~,\s]|$)",
        rf"\bonly (?:the following versions of )?{_NAME}(?:[<>=!~]\S*)? (?:is|are) available",
        rf"\b{_NAME}(?:[<>=!~]\S*)? has no wheels with a matching",
    )
)


def about_kernel(
    finding: Finding, request: InstallRequest, context: Context, chosen: InstallerChoice
) -> Finding:
    """Return the finding, about ipykernel and all that is missing for it where that is the reason.

    `context`: the one in which the kernel was to be installed.
    """
    if finding.severity is not Severity.REFUSE:
        return finding
    only = replace(request, items=(KERNEL,))
    intent = context.meet(only)
    if chosen.installer.takes_overrides:
        lacking = missing(intent, chosen, context)
    else:
        # the pip that was chosen serves the present environment, and would find its packages there
        pips = choose(only, context.environment) if finding.code in _TO_BE_HAD else None
        lacking = missing_for_pip(intent, pips, context) if pips else ()
    named = "ipykernel" in f"{finding.message}\n{finding.context}"
    if not lacking and (chosen.installer.takes_overrides or not named):
        return finding
    if len(lacking) < 2 and (not lacking or lacking[0].startswith("ipykernel")):
        message = f"A kernel needs ipykernel, and it cannot be installed: {finding.message}"
    else:
        count = "a package" if len(lacking) == 1 else f"{len(lacking)} packages"
        message = (
            f"A kernel needs ipykernel, and {count} for it cannot be had here: "
            f"{', '.join(lacking)}."
        )
    return replace(finding, message=message)


def missing(intent: Intent, chosen: InstallerChoice, context: Context) -> tuple[str, ...]:
    """Return what the request needs and uv cannot get, with the versions that would do.

    Empty when all is there, and when uv fails for a reason that names no package.
    """
    found: dict[str, str] = {}
    installer = chosen.installer
    command = installer.plan_command(intent.request, intent.environment, intent.sources)
    with tempfile.TemporaryDirectory(prefix="safeinstall-") as folder:
        overrides = Path(folder, "overrides.txt")
        while len(found) < _MOST:
            lines = [f"{name} ; python_version < '0'\n" for name in found]
            overrides.write_text("".join(lines), "utf-8")
            asked = installer.overriding(command, str(overrides)) if found else command
            answer = context.run(asked)
            if answer.ok:
                break
            text = " ".join(answer.output.split())
            name = next((hit["name"] for p in _MISSING if (hit := p.search(text))), "")
            if not name or name in found:
                break
            wanted = re.search(rf"depends? on ({re.escape(name)}[^\s]*?),? (?:we|and|or)\b", text)
            found[name] = wanted[1].rstrip(",") if wanted else name
    return tuple(found.values())


def missing_for_pip(intent: Intent, chosen: InstallerChoice, context: Context) -> tuple[str, ...]:
    """Return what the request needs and pip cannot get, with the versions that would do."""
    found: dict[str, str] = {}
    end = time.monotonic() + _SECONDS
    context.progress("asking what is missing")
    with tempfile.TemporaryDirectory(prefix="safeinstall-") as folder:
        links = (*intent.sources.find_links, folder)
        sources = replace(intent.sources, find_links=links)
        command = chosen.installer.plan_command(intent.request, intent.environment, sources)
        command = replace(command, cwd=folder)  # a `pip` beside the notebook would be imported
        while len(found) < _MOST and time.monotonic() < end:
            answer = context.run(command)
            hit = _PIPS.search(answer.output)
            if answer.ok or hit is None:
                break
            try:
                requirement = Requirement(hit["wanted"])
            except InvalidRequirement:
                break
            found.setdefault(canonicalize_name(requirement.name), hit["wanted"])
            if not write_stand_in(requirement, Path(folder)):
                break
    return tuple(found.values())
