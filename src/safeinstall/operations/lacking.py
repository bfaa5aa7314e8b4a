"""Everything that is missing for a kernel, where an installer names only the first thing.

uv stops at the first package it cannot get. An override whose marker never holds takes that package
out of the next dry run (`uv pip install --help`: "Overrides are used to force specific versions"),
which then names the second, until nothing is missing: some 20 ms each, and only after a failure.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Final

from safeinstall.findings import Finding, Severity
from safeinstall.installers import uv
from safeinstall.operations.locate import intend
from safeinstall.operations.new_request import KERNEL
from safeinstall.operations.world import World
from safeinstall.plan import Chosen, Intent
from safeinstall.request import Request

__all__ = ["about_kernel", "missing"]

_MOST: Final = 60
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


def about_kernel(finding: Finding, request: Request, world: World, chosen: Chosen) -> Finding:
    """Return the finding, about ipykernel and all that is missing for it where that is the reason.

    `world`: the one in which the kernel was to be installed.
    """
    if finding.severity is not Severity.REFUSE:
        return finding
    only = replace(request, items=(KERNEL,))
    intent = intend(only, world.environment, world.environ, world.prefix, world.settings_prefix)
    lacking = missing(intent, chosen, world) if chosen.name == uv.name else ()
    named = "ipykernel" in f"{finding.message}\n{finding.context}"
    if not lacking and (chosen.name == uv.name or not named):
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


def missing(intent: Intent, chosen: Chosen, world: World) -> tuple[str, ...]:
    """Return what the request needs and uv cannot get, with the versions that would do.

    Empty when all is there, and when uv fails for a reason that names no package.
    """
    found: dict[str, str] = {}
    command = uv.plan_command(
        chosen.launcher[0], intent.request, intent.environment, intent.sources
    )
    with tempfile.TemporaryDirectory(prefix="safeinstall-") as folder:
        overrides = Path(folder, "overrides.txt")
        while len(found) < _MOST:
            lines = [f"{name} ; python_version < '0'\n" for name in found]
            overrides.write_text("".join(lines), "utf-8")
            more = ("--override", str(overrides)) if found else ()
            answer = world.run(replace(command, argv=(*command.argv, *more)))
            if answer.ok:
                break
            text = " ".join(answer.output.split())
            name = next((hit["name"] for p in _MISSING if (hit := p.search(text))), "")
            if not name or name in found:
                break
            wanted = re.search(rf"depends? on ({re.escape(name)}[^\s]*?),? (?:we|and|or)\b", text)
            found[name] = wanted[1].rstrip(",") if wanted else name
    return tuple(found.values())
