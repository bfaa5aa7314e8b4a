"""What changes something here, each as a job: install, undo, a new environment, repair.

Damage is looked for when somebody asks, and put right as transactions, one finding or all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safeinstall import operations, render
from safeinstall.agent.attention import action, finding, install_actions, message
from safeinstall.agent.facts import ipython
from safeinstall.agent.jobs import Job, remarks_made, start
from safeinstall.doctor.diagnosis import Diagnosis
from safeinstall.environment import shown_in
from safeinstall.findings import Finding, Severity
from safeinstall.guards.request import not_typed
from safeinstall.interpreter import environment_of
from safeinstall.magics import options_of
from safeinstall.magics.door import configured
from safeinstall.operations import Context, carry_out
from safeinstall.outcome import Outcome
from safeinstall.plan import Plan
from safeinstall.render.outcome_words import made_here
from safeinstall.request import (
    DoctorRequest,
    HistoryRequest,
    InstallRequest,
    KernelsRequest,
    Request,
    UndoRequest,
    parse,
    parse_uninstall,
    tokenize,
)

_ASKING = ("surprises", "always", "never")
_NEEDS_ANOTHER = frozenset({"not-writable", "externally-managed", "virtualenv-required"})
"""Findings to which an environment of one's own is the way on."""


def install(params: Mapping[str, Any]) -> dict[str, Any]:
    """Install what `line` asks for, as after `%safeinstall`.

    `ask` says when the plan is shown before it is applied: `surprises` (it changes something that
    was installed and not named), `always`, `never`. `confirmed` means the plan was seen;
    `examined`, that damage was looked for before: then it is looked for again; `taken_over`, that
    nobody typed the line: what it decides is asked first.
    """
    confirmed = bool(params.get("confirmed"))
    line = str(params.get("line", ""))
    request = parsed(line, confirmed=confirmed)
    ask = params.get("ask") if params.get("ask") in _ASKING else "surprises"

    def work(job: Job) -> dict[str, Any]:
        agreed = _agreement("never" if confirmed else str(ask))
        context = replace(context_of(job), agreed=agreed)
        if params.get("taken_over") and (question := _question(line, context)):
            return question
        words = in_words(carry_out(request, context), context)
        if params.get("examined"):
            words["findings"] = _fresh_findings(context)
        return words

    return start("install", request.display(), work)


def uninstall(params: Mapping[str, Any]) -> dict[str, Any]:
    """Take the packages of `line` out again."""
    request = parse_uninstall(str(params.get("line", "")), cwd=str(Path.cwd()))
    if params.get("confirmed"):
        request = replace(request, yes=True)
    return _started("uninstall", request.display(), request)


def undo(params: Mapping[str, Any]) -> dict[str, Any]:
    """Undo the transaction `id`, or the last one in force."""
    return _started("undo", "undo", UndoRequest(id=str(params.get("id") or "")))


def new_environment(params: Mapping[str, Any]) -> dict[str, Any]:
    """Make the environment `path` (default: `.venv` beside the notebook) with what `line` lists.

    The result names the kernel, to which the panel switches the notebook.
    """
    line = str(params.get("line", ""))
    request = replace(
        parsed(line, confirmed=True),
        # beside the notebook, as the panel says: a bare name alone would be a place of ours
        new_env=str(Path.cwd() / Path(str(params.get("path") or ".venv")).expanduser()),
        overlay=bool(params.get("overlay")),
    )
    taken_over = line if params.get("taken_over") else ""
    return _started("new-environment", f"new environment {request.new_env}", request, taken_over)


def outcome(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what may be done about the outcome `id` as `made`, None if it is not this process's.

    A file may hold any output; only what a magic has shown in this process has its id.
    """
    return {"made": made_here.get(str(params.get("id")))}


def history(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the transactions that are kept, the newest first."""
    kept = carry_out(HistoryRequest(), operations.here()).to_dict()["transactions"]
    return list(kept)


def examine(params: Mapping[str, Any]) -> dict[str, Any]:
    """Look for damage in this environment and in the kernelspecs; nothing is changed."""

    def work(job: Job) -> dict[str, Any]:
        context = context_of(job)
        found: Any = _examined(context)
        told = _told(found, context)
        if not told:
            words = f"{found.distributions} packages looked at: nothing is the matter."
            return {"message": message("✓", words), "findings": []}
        count = "1 thing needs" if len(told) == 1 else f"{len(told)} things need"
        return {"message": message("!", f"{count} attention, see below."), "findings": told}

    return start("examine", "looking for damage", work)


def repair(params: Mapping[str, Any]) -> dict[str, Any]:
    """Put right the findings `ids`, in one transaction that can be undone."""
    ids = frozenset(str(one) for one in params.get("ids", ()))

    def work(job: Job) -> dict[str, Any]:
        context = context_of(job)
        job.progress("putting it right")
        found: Any = carry_out(DoctorRequest(fix=True, only=ids), context)
        home = context.environment.home
        done = [shown_in(words, home) for words in found.repair.done]
        headline = f"{len(done)} put right" if done else "It is in order already."
        return {
            "message": message("✓", headline, done),
            "transaction": found.repair.transaction,
            "findings": _told(found, context),
        }

    return start("repair", "repair", work)


def repair_kernel(params: Mapping[str, Any]) -> dict[str, Any]:
    """Write the kernelspec `name` anew, for the interpreter `python` where one is named.

    The old file is kept beside it.
    """
    name, python = str(params.get("name", "")), str(params.get("python", ""))

    def work(job: Job) -> dict[str, Any]:
        context = context_of(job)
        home = context.environment.home
        if python:
            context = replace(context, environment=environment_of(python))
        request = KernelsRequest(names=(name,), repair=True, python=python)
        found: Any = carry_out(request, context)
        (done,) = found.repaired
        if not done.python:
            words = message("✗", f"{name} was not repaired: {shown_in(done.reason, home)}")
        else:
            kept = [f"The old file is {shown_in(done.kept, home)}."] if done.kept else []
            now = shown_in(done.python, home)
            words = message("✓", f"{name} starts {now} now ({done.reason}).", kept)
        return {"message": words, "findings": _fresh_findings(context)}

    return start("repair", f"repair kernel {name}", work)


def parsed(line: str, *, confirmed: bool = False) -> InstallRequest:
    """Return the request that was typed, with every question answered when it was confirmed."""
    request = parse(line, cwd=str(Path.cwd()))
    return replace(request, yes=True) if confirmed else request


def context_of(job: Job) -> Context:
    """Return the context of this process in which the job's work can be watched and cancelled."""
    context = replace(operations.here(job.progress), run=job.run)
    return configured(context, options_of(ipython()))


def in_words(result: Any, context: Context) -> dict[str, Any]:
    """Return what came of it as JSON together with the words for it; a remark is made once."""
    outcome: Outcome = getattr(result, "outcome", result)
    told = outcome.without_repeats(remarks_made()) if outcome is result else result
    words = render.message_of(told, context)
    kernel = getattr(result, "kernel", None)
    return {
        "outcome": outcome.to_dict(),
        "new_environment": any(found.code in _NEEDS_ANOTHER for found in outcome.findings),
        "message": words.to_dict(),
        "kernel": kernel.to_dict() if kernel else None,
    }


def _question(line: str, context: Context) -> dict[str, Any] | None:
    """Return what is asked before a line that nobody typed is carried out, None if nothing is.

    `confirm` says what the request becomes by the answer: this is answered, and nothing else.
    """
    intent = context.meet(parsed(line))
    if (found := not_typed(intent)) is None:
        return None
    asked = Outcome(
        status="needs-confirmation",
        environment=context.environment,
        destination=intent.destination,
        asked=intent.line(),
        frontend=context.frontend,
        findings=(found,),
        live=context.live,
    )
    return {**in_words(asked, context), "confirm": {"taken_over": False}}


def _started(kind: str, title: str, request: Request, taken_over: str = "") -> dict[str, Any]:
    def work(job: Job) -> dict[str, Any]:
        context = context_of(job)
        if taken_over and (question := _question(taken_over, context)):
            return question
        return in_words(carry_out(request, context), context)

    return start(kind, title, work)


def _agreement(ask: str) -> Callable[[Plan], bool]:
    """Return what decides whether a plan is applied without being shown first."""
    if ask in ("always", "never"):
        return lambda plan: ask == "never"
    return lambda plan: all(change.requested or change.before is None for change in plan.changes)


def _examined(context: Context) -> Any:
    context.progress("looking at the packages")
    return carry_out(DoctorRequest(), context)


def _fresh_findings(context: Context) -> list[dict[str, Any]]:
    """Look again, after something was changed."""
    return _told(_examined(context), context)


def _told(found: Any, context: Context) -> list[dict[str, Any]]:
    """Return what is worth a person's attention, with buttons."""
    home = context.environment.home
    grave = [d for d in found.diagnoses if d.finding.severity is not Severity.INFO]
    told = [_shown(d.finding, home, _ways(d)) for d in grave]
    curable = [d.finding.id for d in grave if d.fix]
    if len(curable) > 1:
        every = action("Repair all", "repair", ids=curable, title=f"Repair all {len(curable)}")
        first = next(index for index, d in enumerate(grave) if d.fix)
        told[first]["actions"].append(every)
    kernels: Any = carry_out(KernelsRequest(), context)
    for state in kernels.states:
        for each in state.findings:
            if each.severity is not Severity.INFO:
                told.append(_shown(each, home, _kernel_ways(each, state.spec.name)))
    return told


def _ways(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    each = diagnosis.finding
    if diagnosis.fix:
        title = f"Repair: {diagnosis.fix.words}"
        return [action("Repair", "repair", ids=[each.id], title=title)]
    commands = [way.command for way in each.hint]
    again = any("--force-reinstall" in command for command in commands)
    return install_actions("Install again" if again else "Install", commands, examined=True)


def _kernel_ways(each: Finding, name: str) -> list[dict[str, Any]]:
    line = next((way.command for way in each.hint if "--repair" in way.command), "")
    if not line:
        return []
    _, _, python = line.partition(" --python ")
    title = f"Repair kernel {name}" + (f": let it start {python}" if python else "")
    words = {"name": name, "python": tokenize(python)[0]} if python else {"name": name}
    return [action("Repair kernel", "repair_kernel", title=title, **words)]


def _shown(each: Finding, home: str, actions: Collection[Mapping[str, Any]]) -> dict[str, Any]:
    words = {"severity": each.severity.value, "context": shown_in(each.context, home)}
    ways = [] if actions else [way.to_dict() for way in each.hint]
    return finding(each.code, shown_in(each.message, home), *actions, suggestions=ways, **words)
