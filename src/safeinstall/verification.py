"""After the fact: did it land, does a fresh process import it, does this kernel?

Metadata alone is no proof (one copy's metadata may be read while another copy is imported): the
files an import would use are compared with the files of the new RECORD.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

from safeinstall.command import Command
from safeinstall.environment import Environment, shown
from safeinstall.findings import Finding, Severity

__all__ = [
    "Arrival",
    "Verdict",
    "fresh_command",
    "judge",
    "outdated",
    "read_fresh",
    "shadow_findings",
]

_SCRIPT = """
import importlib.util, json, sys
def origin(name):
    try:
        spec = importlib.util.find_spec(name)
    except Exception:
        return []
    if spec is None:
        return []
    if spec.origin and spec.origin not in ("namespace", "frozen", "built-in"):
        return [spec.origin]
    return list(spec.submodule_search_locations or ())
print(sys.argv[1] + json.dumps({name: origin(name) for name in sys.argv[2:]}) + sys.argv[1][::-1])
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A requested distribution as it stands in the environment after the commit."""

    name: str
    version: str
    modules: tuple[str, ...]
    """Its top-level importable names."""
    files: frozenset[str]
    """Absolute paths of the files of its new RECORD."""
    path_files: tuple[str, ...] = ()
    """Its `.pth` files, which Python reads at start-up only."""
    source: str | None = None
    """The project folder of an editable install: there its modules live."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What was found about one requested distribution; None means not asked."""

    name: str
    landed: bool
    fresh: bool | None
    """A new process of the same interpreter, flags and folder imports it from the new files."""
    kernel: bool | None
    """So does this kernel, now."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "landed": self.landed,
            "fresh": self.fresh,
            "kernel": self.kernel,
        }


def fresh_command(
    environment: Environment, modules: Sequence[str], cookie: str, cwd: str
) -> Command:
    """Return what asks a new process, started as the kernel was, where modules would come from."""
    argv = (environment.executable, *environment.flags.arguments(), "-c", _SCRIPT, cookie, *modules)
    return Command(argv=argv, cwd=cwd, overrides={"PYTHONIOENCODING": "utf-8"})


def read_fresh(stdout: str, cookie: str) -> dict[str, tuple[str, ...]] | None:
    """Return the origins a fresh process reported, or None when it did not start properly."""
    start, end = stdout.find(cookie), stdout.rfind(cookie[::-1])
    if start < 0 or end < start:
        return None
    data = json.loads(stdout[start + len(cookie) : end])
    return {name: tuple(places) for name, places in data.items()}


def judge(
    arrivals: Sequence[Arrival],
    present: Set[str],
    fresh: Mapping[str, tuple[str, ...]] | None,
    kernel: Mapping[str, tuple[str, ...]] | None,
) -> tuple[Verdict, ...]:
    """Return the verdict about each arrival from what two processes said about its modules.

    `present`: absolute paths of the files that are in place as they were staged.
    """
    return tuple(
        Verdict(
            name=arrival.name,
            landed=arrival.files <= present,
            fresh=None if fresh is None else _comes_from(arrival, fresh),
            kernel=None if kernel is None else _comes_from(arrival, kernel),
        )
        for arrival in arrivals
    )


def outdated(arrivals: Sequence[Arrival], verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """Return the modules a fresh process would import from the new files but this kernel does not.

    The kernel has loaded them from another copy: only a restart brings the new one.
    """
    names = {verdict.name for verdict in verdicts if verdict.fresh and verdict.kernel is False}
    return tuple(module for a in arrivals if a.name in names for module in a.modules)


def shadow_findings(
    arrivals: Sequence[Arrival], fresh: Mapping[str, tuple[str, ...]], home: str = ""
) -> tuple[Finding, ...]:
    """Return a refusal for each module that a fresh process imports from another copy."""
    return tuple(
        Finding(
            code="shadowed",
            severity=Severity.REFUSE,
            message=f"import {module} would find {shown(places[0], home)}, not the copy just "
            f"installed ({arrival.name} {arrival.version}).",
            context="An earlier entry of the import path holds another copy: give that one "
            "another name, or take it away.",
        )
        for arrival in arrivals
        for module in arrival.modules
        if (places := fresh.get(module, ())) and not _is_own(arrival, places)
    )


def _comes_from(arrival: Arrival, origins: Mapping[str, tuple[str, ...]]) -> bool:
    return all(
        bool(origins.get(module)) and _is_own(arrival, origins[module])
        for module in arrival.modules
    )


def _is_own(arrival: Arrival, places: Sequence[str]) -> bool:
    """Tell whether an import that uses `places` uses the arrival's files."""
    files = {os.path.normcase(file) for file in arrival.files}
    folders = {os.path.dirname(file) for file in files}
    for place in places:
        if os.path.basename(place) == "__init__.py":
            # a package shared by several distributions (pkgutil style): one folder, many owners
            shared = os.path.normcase(os.path.dirname(place))
            if any(f == shared or f.startswith(shared + os.sep) for f in folders):
                return True
        for path in {os.path.normcase(place), os.path.normcase(os.path.realpath(place))}:
            if path in files or any(
                folder == path or folder.startswith(path + os.sep) for folder in folders
            ):
                return True
            if arrival.source and path.startswith(os.path.normcase(arrival.source)):
                return True
    return False
