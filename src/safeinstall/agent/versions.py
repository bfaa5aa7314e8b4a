"""The versions of the requirement that is being typed, while it is being typed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from packaging.requirements import InvalidRequirement
from packaging.utils import canonicalize_name

from safeinstall import inspection
from safeinstall.agent.install import parsed, world_of
from safeinstall.agent.jobs import Job, start
from safeinstall.errors import SafeInstallError
from safeinstall.operations.versions import versions as offered
from safeinstall.request import Request
from safeinstall.request.typed import Typed, typed_at

__all__ = ["versions"]

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
    world = world_of(job)
    try:
        request = parsed(typed.bare(line))
    except SafeInstallError:
        return []  # the rest of the line is not finished either
    if not _asks_for(request, typed.name):
        return []
    found: tuple[str, ...] = ()
    for requirement in dict.fromkeys((typed.narrower, typed.wider)):
        try:
            found = offered(requirement, request, world, most=_MOST)
        except (SafeInstallError, InvalidRequirement):
            return []
        if found:
            break
    index = inspection.InstalledIndex(world.environment.sys_path)
    here = index.find(canonicalize_name(typed.name))
    return [
        {
            "version": version,
            "line": typed.completed(line, version),
            "note": "installed" if here is not None and here.version == version else "",
        }
        for version in found
    ]


def _asks_for(request: Request, name: str) -> bool:
    """Tell whether the word is a requirement, and not the value of an option."""
    return canonicalize_name(name) in {item.name for item in request.items}
