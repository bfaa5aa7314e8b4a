"""The words for what was looked at: environment, survey, history, kernels, doctor's report."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from safeinstall import __version__
from safeinstall.environment import Environment, shown, shown_in
from safeinstall.findings import Severity, Suggestion
from safeinstall.frontend import NOTEBOOK
from safeinstall.operations.context import Context
from safeinstall.operations.undo import changes_of
from safeinstall.render.layout import Mark, Message, Table, anonymous, as_text
from safeinstall.render.outcome_words import new_environment_message

if TYPE_CHECKING:  # a look at one thing does not pay for all the others
    from safeinstall.doctor.diagnosis import Examination
    from safeinstall.kernels.kernel_state import KernelState
    from safeinstall.operations.diagnose import Kernels, Repaired
    from safeinstall.operations.history import History
    from safeinstall.operations.survey import Survey, Where
    from safeinstall.probe.prediction import Prediction
    from safeinstall.transaction.store.history import Entry


def report_message(result: Any, context: Context) -> Message:
    """Return the words for a new environment, or for what was looked at."""
    return WORDS[type(result).__name__](result, context)


def short_environment_message(environment: Environment, way: Suggestion) -> Message:
    """Return the environment in three lines and how to go on; `way` installs a package here."""
    return Message(
        mark=_mark_of(environment),
        headline=f"This kernel runs Python {environment.version} in {environment.label}",
        lines=(
            f"{environment.kind_words[:1].upper()}{environment.kind_words[1:]}, "
            f"interpreter {shown(environment.executable, environment.home)}",
            f"Installs {_verdict(environment)}",
        ),
        suggestions=(
            way if way.note else replace(way, note="install a package here"),
            Suggestion(NOTEBOOK.opening("env"), "everything about this environment"),
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
    remarks = [
        f"{'·' if finding.severity is Severity.INFO else '!'} {finding.message}"
        for finding in survey.findings
    ]
    ways = tuple(way for finding in survey.findings for way in finding.hint)
    table = _predictions_table(survey.rows, remarks, survey.environment.home)
    return replace(environment_message(survey.environment), table=table, suggestions=ways)


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
    rows = [(_short(p.command), p) for p in predictions]
    reasons = [f"{t[:1].upper()}{t[1:]}." for p in predictions for t in (p.reason, *p.notes)]
    return Message(
        mark="✓" if right else "!",
        headline=f"Seen from {environment.label} (Python {environment.version}):",
        table=_predictions_table(rows, [*reasons, *where.asked], environment.home),
    )


def _predictions_table(
    rows: Sequence[tuple[str, Prediction]], remarks: Sequence[str], home: str
) -> Table:
    """Return where each command would lead.

    Noted is the folder that would receive the files, unless it is this environment's own.
    """

    def row(command: str, prediction: Prediction) -> tuple[str, ...]:
        verdict = _VERDICTS.get(prediction.outcome, prediction.outcome)
        if prediction.removes and prediction.path:
            verdict = f"nothing: removes from {verdict}"
        runs = shown(prediction.interpreter or "", home) or "—"
        return command, verdict, _importable(prediction), runs

    return Table(
        header=_HEADER,
        rows=tuple(row(*each) for each in rows),
        notes=tuple("" if p.outcome == "env-site" else shown(p.path or "", home) for _, p in rows),
        remarks=tuple(shown_in(remark, home) for remark in remarks),
    )


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
        headline = f"safeinstall has changed nothing in {environment.label} yet."
        return Message(mark="·", headline=headline)
    kept = sum(entry.bytes_kept for entry in history.entries) / 1_000_000
    ways = [
        Suggestion(history.frontend.line("undo", entry.id), "puts everything back")
        for entry in history.entries
        if entry.undoable
    ]
    rows = tuple(_history_row(entry) for entry in history.entries)
    return Message(
        mark="·",
        headline=f"What was done to {environment.label} ({kept:.1f} MB kept for undo):",
        table=Table(header=("id", "when", "what", "undo"), rows=rows),
        suggestions=tuple(ways[:1]),
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
    untried = [state for state in states if state.spec.is_python and state.starts is None]
    wrong = f", {len(broken)} of them not as they should be" if broken else ", all in order"
    if untried and not broken:
        wrong = ": nothing is known against them, and none was started"
    width = max((len(state.spec.name) for state in states), default=0)
    rows = [_kernel_row(state, home, width) for state in states]
    done = [_repair_row(each, home) for each in kernels.repaired]
    remarks = [
        shown_in(line, home)
        for state in states
        for finding in state.findings
        for line in (finding.message, *(f"  {said}" for said in finding.context.splitlines()[-1:]))
    ]
    start = (Suggestion(kernels.start_line, "starts each once"),) if untried else ()
    grave = [f for state in broken for f in state.findings if f.severity is not Severity.INFO]
    return Message(
        mark="!" if broken else "✓",
        headline=count + wrong,
        lines=(*rows, *remarks, *done),
        suggestions=tuple(dict.fromkeys(way for finding in grave for way in finding.hint)) or start,
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
        note = f"puts {len(curable)} of them right, can be undone"
        ways.append(Suggestion(fix_line, note))
    ways += [way for d in found.diagnoses if d.fix is None for way in d.finding.hint]
    return Message(
        mark="!" if grave else "✓",
        headline=head,
        seconds=found.seconds,
        lines=tuple(lines),
        suggestions=tuple(dict.fromkeys(ways))[:8],
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
    head = as_text(Message(mark="", headline=message.headline))
    return anonymous("\n".join(["; ".join(facts), head, *codes]), home)


def report_data(found: Examination, home: str) -> dict[str, Any]:
    """Return the JSON form as fit for a bug report as the text."""
    data: dict[str, Any] = json.loads(anonymous(json.dumps(found.to_dict()), home))
    return data


def _examination_message(found: Examination, context: Context) -> Message:
    if found.redacted:
        first, *rest = report_text(found, context.environment.home).splitlines()
        return Message(mark="", headline=first, lines=tuple(rest))
    fix = f"{replace(context.frontend, python=found.place).line('doctor')} --fix"
    return doctor_message(found, context.environment.home, fix)


WORDS: Final[Mapping[str, Callable[[Any, Context], Message]]] = {
    "NewEnvironment": lambda made, context: new_environment_message(made, context.environ),
    "History": lambda history, context: history_message(history),
    "Autoload": lambda done, context: Message(mark="✓", headline=done.sentence),
    "Recovered": lambda recovered, context: Message(mark="", headline=recovered.message),
    "Survey": lambda survey, context: survey_message(survey),
    "Where": lambda where, context: where_message(where),
    "Kernels": lambda kernels, context: kernels_message(kernels),
    "Examination": _examination_message,
}
"""What says the words, by the name of the result's type."""
