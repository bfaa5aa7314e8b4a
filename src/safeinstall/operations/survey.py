"""Survey: where each way to install would lead right now, and what gets in the way."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safeinstall import inspection, probe
from safeinstall.environment import Environment
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.installers.sources import redirections
from safeinstall.operations.world import World
from safeinstall.probe.prediction import Prediction
from safeinstall.probe.rules.pip_settings import effective_settings, read_pip_settings

__all__ = ["Survey", "survey"]

_SAMPLE: Final = "some-package-not-installed"
"""A requirement that is nowhere yet, so that "already satisfied" does not hide the destination."""
_COMMANDS: Final = ("%pip", "!pip", "!python -m pip", "!uv pip")
_CONDA: Final = ("%conda", "!conda")
_SHADOWS_NAMED: Final = 6
_OLD_PIP: Final = (23, 0)
"""Older pip does not know EXTERNALLY-MANAGED (PEP 668) and resolves less carefully."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """Everything about the environment that decides where installs go."""

    environment: Environment
    rows: tuple[tuple[str, Prediction], ...]
    """Command (without a requirement) and where it would lead."""
    findings: tuple[Finding, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "schema": 1,
            **self.environment.to_dict(),
            "where": [{"command": c, **prediction_dict(p)} for c, p in self.rows],
            "findings": [finding.to_dict() for finding in self.findings],
            "report": dict(self.environment.report),
        }


def prediction_dict(prediction: Prediction) -> dict[str, Any]:
    """Return a prediction as JSON-able data."""
    fields = ("outcome", "path", "interpreter", "importable_now", "importable_after_restart")
    return {
        **{name: getattr(prediction, name) for name in fields},
        "reason": prediction.reason,
        "notes": list(prediction.notes),
    }


def survey(world: World) -> Survey:
    """Return the survey of the world; nothing is started and nothing is changed.

    For another interpreter the facts are its own and the variables are this process's.
    """
    environment = world.environment
    rows = tuple(_rows(world))
    findings = (
        *_redirecting(world),
        *_old_pip(environment),
        *_user_site_first(environment),
        *_shadows(environment),
        *_others(rows, environment),
    )
    order = (Severity.REFUSE, Severity.CONFIRM, Severity.WARNING, Severity.INFO)
    ranked = sorted(findings, key=lambda finding: order.index(finding.severity))
    return Survey(environment=environment, rows=rows, findings=tuple(ranked))


def _rows(world: World) -> Iterator[tuple[str, Prediction]]:
    conda = world.environment.kind == "conda" or bool(world.environ.get("CONDA_PREFIX"))
    for command in (*_COMMANDS, *(_CONDA if conda else ())):
        found = probe.predict(
            f"{command} install {_SAMPLE}",
            environ=world.environ,
            cwd=world.cwd,
            facts=world.environment.report,
        )
        if found:
            yield command, found[0]


def _redirecting(world: World) -> Iterator[Finding]:
    environment = world.environment
    read = read_pip_settings(world.environ, environment.prefix, environment.home or None)
    settings = tuple(effective_settings(read).values())
    for found in redirections(world.environ, settings):
        if not environment.is_named_by(found.value):
            yield Finding(
                code="ambient-redirect",
                severity=Severity.WARNING,
                message=f"{found.name}={found.value} leads installs elsewhere; "
                "%safeinstall does not obey it.",
            )


def _old_pip(environment: Environment) -> Iterator[Finding]:
    pip = environment.pip
    if pip is not None and pip.release < _OLD_PIP:
        yield Finding(
            code="pip-outdated",
            severity=Severity.WARNING,
            message=f"pip {pip.version} is old: it does not know "
            "which environments belong to somebody else, and finds fewer conflicts.",
            hint=(Suggestion(command="%safeinstall --upgrade pip", note="a new pip, here"),),
        )


def _user_site_first(environment: Environment) -> Iterator[Finding]:
    path = [os.path.realpath(entry) for entry in environment.sys_path if entry]
    user, own = (
        os.path.realpath(place or "/")
        for place in (environment.user_site.path, environment.paths.purelib)
    )
    if user in path and own in path and path.index(user) < path.index(own):
        yield Finding(
            code="user-site-first",
            severity=Severity.INFO,
            message=f"The user site {environment.user_site.path} comes before the environment: "
            "a copy there wins over what is installed here.",
        )


def _shadows(environment: Environment) -> Iterator[Finding]:
    """Name distributions of the environment that an earlier entry of the path has too."""
    own = {os.path.realpath(folder) for folder in environment.paths.site_packages}
    names = set(inspection.InstalledIndex(environment.paths.site_packages))
    for entry in _earlier(environment.sys_path, own):
        twice = sorted(names & set(inspection.InstalledIndex([entry])))
        if twice:
            more = len(twice) - _SHADOWS_NAMED
            listed = ", ".join(twice[:_SHADOWS_NAMED]) + (f" and {more} more" if more > 0 else "")
            yield Finding(
                code="shadowed",
                severity=Severity.WARNING,
                message=f"{entry} comes first: its copies of {listed} are imported.",
            )


def _earlier(sys_path: Sequence[str], own: set[str]) -> Iterator[str]:
    for entry in sys_path:
        if entry and os.path.realpath(entry) in own:
            return
        if entry and Path(entry).is_dir():
            yield entry


def _others(rows: Sequence[tuple[str, Prediction]], environment: Environment) -> Iterator[Finding]:
    """Name the interpreters that answer to `pip` and `python` on PATH and are not this one."""
    answers: Mapping[str, str] = {
        command.lstrip("!"): prediction.interpreter
        for command, prediction in rows
        if command.startswith("!")
        and prediction.interpreter
        and prediction.interpreter_prefix not in (None, environment.prefix)
    }
    for interpreter in dict.fromkeys(answers.values()):
        commands = ", ".join(f"`{name}`" for name, each in answers.items() if each == interpreter)
        yield Finding(
            code="other-interpreter",
            severity=Severity.INFO,
            message=f"{commands} on PATH: another Python, {interpreter}.",
        )
