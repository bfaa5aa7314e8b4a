"""The words for a survey: the environment, where each command would lead, what gets in the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from safeinstall.environment import Environment, shown, shown_in
from safeinstall.operations.survey import Survey
from safeinstall.probe.prediction import Prediction
from safeinstall.render.environment import environment_message
from safeinstall.render.message import Message, Table

__all__ = ["survey_message", "where_message"]

_HEADER: Final = ("command", "would install into", "importable here", "runs")
_VERDICTS: Final = {
    "env-site": "this environment",
    "user-site": "your user site",
    "target-dir": "another folder",
    "prefix": "another prefix",
    "root-dir": "another root",
    "wrong-interpreter": "another Python",
    "refused-externally-managed": "refused: belongs to the system",
    "refused-require-virtualenv": "refused: no virtual environment",
    "refused-permission": "refused: not writable",
    "refused-option-conflict": "refused: options contradict",
    "refused-user-site-unavailable": "refused: no user site here",
    "refused-cannot-uninstall": "refused: cannot replace",
    "no-installer": "no such installer there",
    "command-not-found": "no such command",
    "already-satisfied": "nothing: already there",
    "no-change": "nothing",
    "fails": "fails",
    "unknown": "not known",
}


def survey_message(survey: Survey) -> Message:
    """Return five lines of facts, one table, then what to know."""
    message = environment_message(survey.environment)
    home = survey.environment.home
    remarks = tuple(
        ("! " if finding.severity.value != "info" else "· ") + shown_in(finding.message, home)
        for finding in survey.findings
    )
    ways = tuple(way for finding in survey.findings for way in finding.hint)
    return replace(
        message,
        table=Table(
            header=_HEADER,
            rows=tuple(_row(command, p, home) for command, p in survey.rows),
            notes=tuple(_place(p, home) for _, p in survey.rows),
            remarks=remarks,
        ),
        ways=ways,
    )


def where_message(
    cell: str, predictions: tuple[Prediction, ...], environment: Environment
) -> Message:
    """Return where each install command of a cell would lead."""
    if not predictions:
        return Message(mark="·", headline="There is no install command in this text.")
    right = all(
        p.outcome in ("env-site", "already-satisfied", "no-change")
        and not any("redirection" in note for note in p.notes)
        for p in predictions
    )
    return Message(
        mark="✓" if right else "!",
        headline=f"Seen from {environment.label} (Python {environment.version}):",
        table=Table(
            header=_HEADER,
            rows=tuple(_row(_short(p.command), p, environment.home) for p in predictions),
            notes=tuple(_place(p, environment.home) for p in predictions),
            remarks=tuple(
                shown_in(text[:1].upper() + text[1:], environment.home) + "."
                for p in predictions
                for text in (p.reason, *p.notes)
            ),
        ),
    )


def _row(command: str, prediction: Prediction, home: str) -> tuple[str, ...]:
    verdict = _VERDICTS.get(prediction.outcome, prediction.outcome)
    runs = shown(prediction.interpreter or "", home) or "—"
    return command, verdict, _importable(prediction), runs


def _place(prediction: Prediction, home: str) -> str:
    """Return the folder that would receive the files, unless it is this environment's own."""
    return "" if prediction.outcome == "env-site" else shown(prediction.path or "", home)


def _importable(prediction: Prediction) -> str:
    if prediction.path is None and prediction.outcome != "already-satisfied":
        return "—"
    if prediction.importable_now:
        return "yes"
    if prediction.importable_after_restart:
        return "after a restart"
    return "not known" if prediction.importable_after_restart is None else "no"


def _short(command: str) -> str:
    line = " ".join(command.split())
    return line if len(line) <= 40 else line[:37] + "..."
