"""Changes to this environment, each as a job: install, uninstall, undo."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from safeinstall import operations, render
from safeinstall.agent.jobs import Job, start
from safeinstall.agent.shell import ipython
from safeinstall.agent.state import remarks_made
from safeinstall.config import keeping
from safeinstall.operations.world import World
from safeinstall.outcome import Outcome
from safeinstall.plan import Plan
from safeinstall.request import Request, parse

__all__ = ["in_words", "install", "parsed", "undo", "uninstall", "world_of"]

_ASKING = ("surprises", "always", "never")
_NEEDS_ANOTHER = frozenset({"not-writable", "externally-managed", "virtualenv-required"})
"""Findings to which an environment of one's own is the way on."""


def install(params: Mapping[str, Any]) -> dict[str, Any]:
    """Install what `line` asks for, as after `%safeinstall`.

    `ask` says when the plan is shown before it is applied: `surprises` (it changes something that
    was installed and not named), `always`, `never`. `confirmed` means the plan was seen;
    `examined`, that damage was looked for before: then it is looked for again.
    """
    request = parsed(str(params.get("line", "")), confirmed=bool(params.get("confirmed")))
    ask = params.get("ask") if params.get("ask") in _ASKING else "surprises"
    if params.get("confirmed"):
        ask = "never"

    def work(job: Job) -> dict[str, Any]:
        world = replace(world_of(job), agreed=_agreement(str(ask)))
        words = in_words(operations.install(request, world))
        if params.get("examined"):
            from safeinstall.agent.doctor import fresh_findings

            words["findings"] = fresh_findings(world)
        return words

    return start("install", request.display(), work)


def uninstall(params: Mapping[str, Any]) -> dict[str, Any]:
    """Take the packages of `line` out again."""
    request = parsed(str(params.get("line", "")), confirmed=bool(params.get("confirmed")))

    def work(job: Job) -> dict[str, Any]:
        world = replace(world_of(job), prefix="%safeuninstall")
        return in_words(operations.uninstall(request, world))

    return start("uninstall", request.display(), work)


def undo(params: Mapping[str, Any]) -> dict[str, Any]:
    """Undo the transaction `id`, or the last one in force."""
    wanted = params.get("id")

    def work(job: Job) -> dict[str, Any]:
        return in_words(operations.undo(world_of(job), str(wanted) if wanted else None))

    return start("undo", "undo", work)


def parsed(line: str, *, confirmed: bool = False) -> Request:
    """Return the request that was typed, with every question answered when it was confirmed."""
    request = parse(line, cwd=os.getcwd())  # noqa: PTH109 - a string is wanted
    return replace(request, yes=True) if confirmed else request


def world_of(job: Job) -> World:
    """Return the world of this process in which the job's work can be watched and cancelled."""
    return replace(
        operations.here(job.progress), run=job.run, keeping=operations.Keeping(*keeping(ipython()))
    )


def in_words(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as JSON together with the words for it; a remark is made once."""
    message = render.outcome_message(outcome.without_repeats(remarks_made()))
    return {
        "outcome": outcome.to_dict(),
        "new_environment": any(found.code in _NEEDS_ANOTHER for found in outcome.findings),
        "message": {
            "mark": message.mark,
            "headline": render.clean(message.headline),
            "lines": [render.clean(line) for line in message.lines],
            "ways": [way.to_dict() for way in message.ways],
            "details": render.clean(message.details),
        },
    }


def _agreement(ask: str) -> Callable[[Plan], bool]:
    """Return what decides whether a plan is applied without being shown first."""
    if ask == "always":
        return lambda plan: False
    if ask == "never":
        return lambda plan: True
    return lambda plan: all(change.requested or change.before is None for change in plan.changes)
