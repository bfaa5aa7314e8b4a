"""Where installs would go: each way to type one, or the cell that is asked about."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from safeinstall import probe
from safeinstall.distributions import InstalledIndex
from safeinstall.environment import Environment
from safeinstall.findings import Finding, Severity, Suggestion, some
from safeinstall.installers.sources import redirections
from safeinstall.operations.context import Context
from safeinstall.probe.prediction import Prediction
from safeinstall.probe.rules import pip_rules
from safeinstall.probe.rules.pip_settings import effective_settings, read_pip_settings
from safeinstall.request import SurveyRequest, WhereRequest
from safeinstall.runner import Command

_SAMPLE: Final = "some-package-not-installed"
"""A requirement that is nowhere yet, so that "already satisfied" does not hide the destination."""
_COMMANDS: Final = ("%pip", "!pip", "!pip3", "!python -m pip", "!python3 -m pip")
_VERSIONED: Final = re.compile(r"python(\d+)\.(\d+)")
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
    exit_status: int = 0

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
    told = {name: getattr(prediction, name) for name in (*fields, "reason")}
    return {**told, "notes": list(prediction.notes)}


def survey(request: SurveyRequest, context: Context) -> Survey:
    """Return the survey of the context; nothing is started and nothing is changed.

    For another interpreter the facts are its own and the variables are this process's.
    """
    environment = context.environment
    rows = tuple(_rows(context))
    findings = (
        *context.outdated(),
        *_redirecting(context),
        *_old_pip(context),
        *_user_site_first(environment),
        *_shadows(environment),
        *_others(rows, environment),
    )
    order = (Severity.REFUSE, Severity.CONFIRM, Severity.WARNING, Severity.INFO)
    ranked = sorted(findings, key=lambda finding: order.index(finding.severity))
    return Survey(environment=environment, rows=rows, findings=tuple(ranked))


def _rows(context: Context) -> Iterator[tuple[str, Prediction]]:
    conda = context.environment.kind == "conda" or bool(context.environ.get("CONDA_PREFIX"))
    pythons = (f"!{name} -m pip" for name in _versions_on(context.environ.get("PATH", "")))
    # asked is where a package would go that can be had, and `_SAMPLE` stands for any
    had = replace(context, environ={**context.environ, "PIP_NO_INDEX": "0", "UV_NO_INDEX": "0"})
    for command in (*_COMMANDS, *pythons, "!uv pip", *(_CONDA if conda else ())):
        found = _predicted(f"{command} install {_SAMPLE}", had)
        # a shim of pyenv for a version that is not chosen is no Python
        shim = _VERSIONED.match(command, 1) and found and found[0].outcome == "command-not-found"
        if found and not shim:
            yield command, found[0]


def _predicted(cell: str, context: Context) -> Sequence[Prediction]:
    report = context.environment.report
    return probe.predict(cell, environ=context.environ, cwd=context.cwd, facts=report)


def _versions_on(path: str) -> list[str]:
    """Return the programs called `pythonX.Y` on PATH, the oldest first."""
    found = set()
    for entry in path.split(os.pathsep):
        with contextlib.suppress(OSError):
            names = (file.name for file in Path(entry).iterdir())
            found |= {name for name in names if _VERSIONED.fullmatch(name)}
    return sorted(found, key=lambda name: [int(part) for part in name[6:].split(".")])


def _redirecting(context: Context) -> Iterator[Finding]:
    environment = context.environment
    read = read_pip_settings(context.environ, environment.prefix, environment.home or None)
    settings = tuple(effective_settings(read).values())
    for found in redirections(context.environ, settings):
        if not environment.is_named_by(found.value):
            setting = f"{found.name}={found.value}"
            words = f"{setting} leads installs elsewhere; %safeinstall does not obey it."
            yield Finding.warn("ambient-redirect", words)


def _old_pip(context: Context) -> Iterator[Finding]:
    pip = context.environment.pip
    if pip is not None and pip.release < _OLD_PIP:
        way = Suggestion(context.frontend.line("install", "--upgrade", "pip"), "a new pip, here")
        lacks = "which environments belong to somebody else, and finds fewer conflicts"
        yield Finding.warn(
            "pip-outdated", f"pip {pip.version} is old: it does not know {lacks}.", way
        )


def _user_site_first(environment: Environment) -> Iterator[Finding]:
    path = [os.path.realpath(entry) for entry in environment.sys_path if entry]
    user, own = (
        os.path.realpath(place or "/")
        for place in (environment.user_site.path, environment.paths.purelib)
    )
    if user in path and own in path and path.index(user) < path.index(own):
        place = f"The user site {environment.user_site.path} comes before the environment"
        words = f"{place}: a copy there wins over what is installed here."
        yield Finding.remark("user-site-first", words)


def _shadows(environment: Environment) -> Iterator[Finding]:
    """Name distributions of the environment that an earlier entry of the path has too."""
    own = {os.path.realpath(folder) for folder in environment.paths.site_packages}
    names = set(InstalledIndex(environment.paths.site_packages))
    for entry in _earlier(environment.sys_path, own):
        twice = sorted(names & set(InstalledIndex([entry])))
        if twice:
            listed = some(twice, _SHADOWS_NAMED)
            words = f"{entry} comes first: its copies of {listed} are imported."
            yield Finding.warn("shadowed", words)


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
        words = f"{commands} on PATH: another Python, {interpreter}."
        yield Finding.remark("other-interpreter", words)


_DEEP_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Where:
    """The predictions for one cell."""

    cell: str
    environment: Environment
    predictions: tuple[Prediction, ...]
    asked: tuple[str, ...] = ()
    """What the installer itself answered when it was asked, one line for each question."""
    exit_status: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "schema": 1,
            "cell": self.cell,
            "predictions": [
                {"command": p.command, "line": p.line, "tool": p.tool, **prediction_dict(p)}
                for p in self.predictions
            ],
            "asked": list(self.asked),
        }


def where(request: WhereRequest, context: Context) -> Where:
    """Return where each install command of the cell would put its files; nothing is installed.

    With `deep`, an uncertain answer is checked by starting the installer itself on a name that
    does not exist: it decides as always, and then finds nothing (0.4-0.7 s).
    """
    asked: list[str] = []
    settled = []
    for prediction in _predicted(request.cell, context):
        if request.deep and prediction.tool == "pip" and prediction.interpreter:
            argv = pip_rules.question(prediction.interpreter, prediction.options)
            answer = context.run(Command(argv=argv, cwd=context.cwd), timeout=_DEEP_SECONDS)
            said = pip_rules.read_answer(answer.output)
            asked.append(f"{prediction.command}: pip says {said.sentence!r}")
            prediction = _settled(prediction, said)
        settled.append(prediction)
    here, cell = context.environment, request.cell
    return Where(cell=cell, environment=here, predictions=tuple(settled), asked=tuple(asked))


def _settled(prediction: Prediction, said: pip_rules.Answer) -> Prediction:
    """Return the prediction after pip has spoken: confirmed, decided, or not known after all."""
    if prediction.outcome == "unknown" and said.outcome not in ("unknown", "site", "elsewhere"):
        return prediction._replace(outcome=said.outcome, reason=said.sentence)
    if pip_rules.agrees(prediction.outcome, said) is False:
        return prediction._replace(
            outcome="unknown",
            path=None,
            importable_now=None,
            importable_after_restart=None,
            reason=f"the rules say {prediction.outcome} ({prediction.reason}), "
            f"pip itself says {said.sentence!r}",
        )
    return prediction
