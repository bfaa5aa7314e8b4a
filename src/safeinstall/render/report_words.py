"""The words for what was looked at: environment, survey, history, kernels, doctor's report."""

from __future__ import annotations

import getpass
import json
import re
import socket
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from safeinstall import __version__
from safeinstall.doctor.diagnosis import Examination
from safeinstall.environment import Environment, shown, shown_in
from safeinstall.findings import Severity, Suggestion
from safeinstall.frontend import NOTEBOOK, redact
from safeinstall.kernels.kernel_state import KernelState
from safeinstall.operations.context import Context
from safeinstall.operations.diagnose import Kernels, Repaired
from safeinstall.operations.environments import NewEnvironment
from safeinstall.operations.history import History, Recovered
from safeinstall.operations.survey import Survey, Where
from safeinstall.operations.undo import changes_of
from safeinstall.probe.prediction import Prediction
from safeinstall.render.layout import Mark, Message, Table, as_text
from safeinstall.render.outcome_words import new_environment_message
from safeinstall.transaction.store.history import Entry


def report_message(result: Any, context: Context) -> Message:
    """Return the words for a new environment, or for what was looked at."""
    home = context.environment.home
    if isinstance(result, NewEnvironment):
        return new_environment_message(result, context.environ)
    if isinstance(result, History):
        return history_message(result)
    if isinstance(result, Recovered):
        return Message(mark="", headline=result.message)
    if isinstance(result, Survey):
        return survey_message(result)
    if isinstance(result, Where):
        return where_message(result)
    if isinstance(result, Kernels):
        return kernels_message(result)
    if result.redacted:
        first, *rest = report_text(result, home).splitlines()
        return Message(mark="", headline=first, lines=tuple(rest))
    fix = f"{replace(context.frontend, python=result.place).line('doctor')} --fix"
    return doctor_message(result, home, fix)


def short_environment_message(environment: Environment) -> Message:
    """Return the environment in three lines and how to go on."""
    return Message(
        mark=_mark_of(environment),
        headline=f"This kernel runs Python {environment.version} in {environment.label}",
        lines=(
            f"{environment.kind_words[:1].upper()}{environment.kind_words[1:]}, "
            f"interpreter {shown(environment.executable, environment.home)}",
            f"Installs {_verdict(environment)}",
        ),
        ways=(
            Suggestion(command=NOTEBOOK.line("install", "pandas"), note="install a package here"),
            Suggestion(command=NOTEBOOK.opening("env"), note="everything about this environment"),
        ),
    )


def environment_message(environment: Environment) -> Message:
    """Return the facts of the environment, one line each."""
    home, site = environment.home, environment.user_site
    pip = f"pip {environment.pip.version}" if environment.pip else "no pip"
    state = (
        "switched off"
        if not site.enabled
        else "on the import path"
        if site.on_path
        else "enabled, its folder does not exist yet"
        if not site.exists
        else "enabled, not on the import path"
    )
    return Message(
        mark=_mark_of(environment),
        headline=f"{environment.label} — {environment.kind_words}, Python {environment.version}",
        lines=(
            f"interpreter   {shown(environment.executable, home)}",
            f"packages      {shown(environment.paths.purelib, home)}",
            f"installs      {_verdict(environment)}",
            f"user site     {shown(site.path or '', home)}: {state}",
            f"installer     {pip}{_uv(environment)}",
        ),
    )


def _mark_of(environment: Environment) -> Mark:
    if environment.locked or environment.externally_managed:
        return "✗"
    return "✓" if environment.importable_destination() else "!"


def _verdict(environment: Environment) -> str:
    if environment.externally_managed:
        return "refused: its packages have another owner (EXTERNALLY-MANAGED)"
    locked = environment.locked
    if locked:
        return f"refused: {locked.detail}".replace(environment.home + "/", "~/")
    if not environment.importable_destination():
        return "would not be importable: the folder is not on the import path"
    return "go right: %safeinstall installs here and this kernel imports from here"


def _uv(environment: Environment) -> str:
    return f", uv at {shown(environment.uv, environment.home)}" if environment.uv else ""


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
            rows=tuple(_prediction_row(command, p, home) for command, p in survey.rows),
            notes=tuple(_prediction_folder(p, home) for _, p in survey.rows),
            remarks=remarks,
        ),
        ways=ways,
    )


def where_message(where: Where) -> Message:
    """Return where each install command of a cell would lead."""
    predictions, environment = where.predictions, where.environment
    if not predictions:
        return Message(mark="·", headline="There is no install command in this text.")
    right = all(
        (p.importable_now or p.outcome in ("env-site", "already-satisfied", "no-change"))
        and not any("redirection" in note for note in p.notes)
        for p in predictions
    )
    return Message(
        mark="✓" if right else "!",
        headline=f"Seen from {environment.label} (Python {environment.version}):",
        table=Table(
            header=_HEADER,
            rows=tuple(
                _prediction_row(_short(p.command), p, environment.home) for p in predictions
            ),
            notes=tuple(_prediction_folder(p, environment.home) for p in predictions),
            remarks=(
                *(
                    shown_in(text[:1].upper() + text[1:], environment.home) + "."
                    for p in predictions
                    for text in (p.reason, *p.notes)
                ),
                *(shown_in(text, environment.home) for text in where.asked),
            ),
        ),
    )


def _prediction_row(command: str, prediction: Prediction, home: str) -> tuple[str, ...]:
    verdict = _VERDICTS.get(prediction.outcome, prediction.outcome)
    if prediction.removes and prediction.path:
        verdict = f"nothing: removes from {verdict}"
    runs = shown(prediction.interpreter or "", home) or "—"
    return command, verdict, _importable(prediction), runs


def _prediction_folder(prediction: Prediction, home: str) -> str:
    """Return the folder that would receive the files, unless it is this environment's own."""
    return "" if prediction.outcome == "env-site" else shown(prediction.path or "", home)


def _importable(prediction: Prediction) -> str:
    if prediction.removes or (
        prediction.path is None and prediction.outcome != "already-satisfied"
    ):
        return "—"
    if prediction.importable_now:
        return "yes"
    if prediction.importable_after_restart:
        return "after a restart"
    return "not known" if prediction.importable_after_restart is None else "no"


def _short(command: str) -> str:
    line = " ".join(command.split())
    return line if len(line) <= 40 else line[:37] + "..."


_NAMED = 3


def history_message(history: History) -> Message:
    """Return what was done to the environment, the newest first."""
    environment = history.environment
    if not history.entries:
        return Message(
            mark="·", headline=f"safeinstall has changed nothing in {environment.label} yet."
        )
    kept = sum(entry.bytes_kept for entry in history.entries) / 1_000_000
    undoable = next((entry for entry in history.entries if entry.undoable), None)
    return Message(
        mark="·",
        headline=f"What was done to {environment.label} ({kept:.1f} MB kept for undo):",
        table=Table(
            header=("id", "when", "what", "undo"),
            rows=tuple(_history_row(entry) for entry in history.entries),
        ),
        ways=(
            Suggestion(
                command=history.frontend.line("undo", undoable.id), note="puts everything back"
            ),
        )
        if undoable
        else (),
    )


def _history_row(entry: Entry) -> tuple[str, str, str, str]:
    words = [_change(c.name, c.before, c.after) for c in changes_of(entry)]
    more = len(words) - _NAMED
    what = ", ".join(words[:_NAMED]) + (f" and {more} more" if more > 0 else "") or entry.command
    state = "undone" if entry.state == "undone" else "yes" if entry.undoable else "not now"
    if entry.undoes:
        what = f"undo of {entry.undoes}: {what}"
    return entry.id, _when(entry.time), what, state


def _change(name: str, before: str | None, after: str | None) -> str:
    if before is None:
        return f"+ {name} {after}"
    if after is None:
        return f"- {name} {before}"
    return f"~ {name} {before} → {after}"


def _when(time: str) -> str:
    """Return local date and time to the minute."""
    try:
        moment = datetime.fromisoformat(time.replace("Z", "+00:00"))
    except ValueError:
        return time
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"


def kernels_message(kernels: Kernels) -> Message:
    """Return the kernels of a machine: one row each, then what is wrong and what to type."""
    states, home = kernels.states, kernels.home
    broken = [state for state in states if not state.healthy]
    count = f"{len(states)} kernel{'s' if len(states) != 1 else ''}"
    wrong = f", {len(broken)} of them not as they should be" if broken else ", all in order"
    width = max((len(state.spec.name) for state in states), default=0)
    rows = [_kernel_row(state, home, width) for state in states]
    done = [_repair_row(each, home) for each in kernels.repaired]
    remarks = [
        shown_in(line, home)
        for state in states
        for finding in state.findings
        for line in (finding.message, *(f"  {said}" for said in finding.context.splitlines()[-1:]))
    ]
    ways = tuple(
        dict.fromkeys(
            way
            for state in broken
            for finding in state.findings
            if finding.severity is not Severity.INFO
            for way in finding.hint
        )
    )
    return Message(
        mark="!" if broken else "✓",
        headline=count + wrong,
        lines=(*rows, *remarks, *done),
        ways=ways,
    )


def _kernel_row(state: KernelState, home: str, width: int) -> str:
    spec, found = state.spec, state.interpreter
    mark = "✓" if state.healthy else "!"
    name = f"{spec.name:<{width}}"
    if not spec.is_python and not spec.problem:
        return f"{mark} {name}  {spec.language or 'unknown language'}: {spec.display_name}"
    program = shown(state.launch.program, home) if state.launch else "nothing"
    none = "it chooses the interpreter" if state.chooses else "no interpreter"
    facts = [f"Python {found.version}", found.kind] if found else [none]
    if found and not found.writable:
        facts.append(f"not yours to write ({found.owner})")
    if found and found.has_ipykernel is False:
        facts.append("no ipykernel")
    if state.starts is not None:
        facts.append("starts" if state.starts else "does not start")
    return f"{mark} {name}  {program} — {', '.join(facts)}"


def _repair_row(repaired: Repaired, home: str) -> str:
    if not repaired.python:
        return f"{repaired.name} was left as it is: {repaired.reason}."
    return (
        f"{repaired.name} now starts {shown(repaired.python, home)} ({repaired.reason}); "
        f"the old file is {shown(repaired.kept, home)}."
    )


_MOST = 40


def doctor_message(found: Examination, home: str, fix_line: str) -> Message:
    """Return the message; `fix_line` is what puts right what is safe to put right."""
    place = shown(found.target.prefix, home)
    repair = found.repair
    grave = [d for d in found.diagnoses if d.finding.severity is not Severity.INFO]
    head = f"{place} — Python {found.target.version}, {found.distributions} distributions: "
    if repair is not None:
        head += f"{len(repair.done)} put right" if repair.done else "nothing to put right"
        head += f", {len(grave)} left" if grave else ""
    else:
        count = f"{len(grave)} thing{'s' if len(grave) != 1 else ''} to put right"
        head += count if grave else "in order"
    lines = [f"✓ {words}" for words in (repair.done if repair else ())]
    for diagnosis in found.diagnoses[:_MOST]:
        finding = diagnosis.finding
        mark = "·" if finding.severity is Severity.INFO else "!"
        lines.append(f"{mark} {shown_in(finding.message, home)}")
        lines += [f"  {shown_in(line, home)}" for line in finding.context.splitlines()[:2]]
    if len(found.diagnoses) > _MOST:
        lines.append(f"and {len(found.diagnoses) - _MOST} more (--json lists all)")
    ways: list[Suggestion] = []
    curable = [d for d in found.diagnoses if d.fix]
    if curable and repair is None:
        ways.append(
            Suggestion(command=fix_line, note=f"puts {len(curable)} of them right, can be undone")
        )
    ways += [way for d in found.diagnoses if d.fix is None for way in d.finding.hint]
    mark_: Mark = "!" if grave else "✓"
    return Message(
        mark=mark_,
        headline=head,
        seconds=found.seconds,
        lines=tuple(lines),
        ways=tuple(dict.fromkeys(ways))[:8],
    )


def report_text(found: Examination, home: str) -> str:
    """Return the text for a bug report: no user name, no home path, no host name, no secret."""
    target = found.target
    environment = target.environment
    facts = [f"safeinstall {__version__}", f"Python {target.version}"]
    if environment is not None:
        facts += [
            f"{environment.implementation}, {environment.kind}",
            f"platform {environment.report.get('platform', '')}",
            f"pip {environment.pip.version}" if environment.pip else "no pip",
            "uv found" if environment.uv else "no uv",
        ]
    message = doctor_message(found, home, "")
    codes = [f"{d.finding.code}: {d.finding.message}" for d in found.diagnoses]
    text = "\n".join(
        ["; ".join(facts), as_text(Message(mark="", headline=message.headline)), *codes]
    )
    return anonymous(text, home)


def report_data(found: Examination, home: str) -> dict[str, Any]:
    """Return the JSON form as fit for a bug report as the text."""
    data: dict[str, Any] = json.loads(anonymous(json.dumps(found.to_dict()), home))
    return data


def anonymous(text: str, home: str) -> str:
    """Return `text` without what tells who and where its writer is."""
    text = redact(text)
    homes = {home, str(Path(home).resolve()) if home else "", str(Path("~").expanduser())}
    for each in sorted(filter(lambda h: len(h) > 1, homes), key=len, reverse=True):
        text = text.replace(each, "~")
    text = re.sub(r"(/home/|/Users/)[^/\s:]+", r"\1USER", text)
    for name, word in ((_user(), "USER"), (socket.gethostname(), "HOST")):
        if len(name) > 1:
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", word, text)
    return text


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
