"""Damage: looked for when somebody asks, put right as transactions, one finding or all of them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from safeinstall.agent.actions import action, finding, install_actions
from safeinstall.agent.install import world_of
from safeinstall.agent.jobs import Job, start
from safeinstall.doctor.collect import target_of
from safeinstall.doctor.diagnosis import Diagnosis, Examination, Lines
from safeinstall.doctor.mend import mend
from safeinstall.environment import shown_in
from safeinstall.findings import Finding, Severity
from safeinstall.operations import examination
from safeinstall.operations.kernels import list_kernels, repair_kernels
from safeinstall.operations.world import World

__all__ = ["examine", "fresh_findings", "repair", "repair_kernel"]


def examine(params: Mapping[str, Any]) -> dict[str, Any]:
    """Look for damage in this environment and in the kernelspecs; nothing is changed."""

    def work(job: Job) -> dict[str, Any]:
        world = world_of(job)
        found = _examined(world)
        told = _told(found, world)
        if not told:
            words = f"{found.distributions} packages looked at: nothing is the matter."
            return {"message": _message("✓", words), "findings": []}
        count = "1 thing needs" if len(told) == 1 else f"{len(told)} things need"
        return {"message": _message("!", f"{count} attention, see below."), "findings": told}

    return start("examine", "looking for damage", work)


def repair(params: Mapping[str, Any]) -> dict[str, Any]:
    """Put right the findings `ids`, in one transaction that can be undone."""
    ids = {str(one) for one in params.get("ids", ())}

    def work(job: Job) -> dict[str, Any]:
        world = world_of(job)
        found = _examined(world)
        chosen = tuple(d for d in found.diagnoses if d.fix and _id(d.finding) in ids)
        job.progress("putting it right")
        repaired = mend(replace(found, diagnoses=chosen))
        home = world.environment.home
        done = [shown_in(words, home) for words in repaired.done]
        headline = f"{len(done)} put right" if done else "It is in order already."
        return {
            "message": _message("✓", headline, done),
            "transaction": repaired.transaction,
            "findings": fresh_findings(world),
        }

    return start("repair", "repair", work)


def repair_kernel(params: Mapping[str, Any]) -> dict[str, Any]:
    """Write the kernelspec `name` anew; the old file is kept beside it."""
    name = str(params.get("name", ""))

    def work(job: Job) -> dict[str, Any]:
        world = world_of(job)
        home = world.environment.home
        (done,) = repair_kernels(world, [name])
        if not done.python:
            message = _message("✗", f"{name} was not repaired: {shown_in(done.reason, home)}")
        else:
            kept = [f"The old file is {shown_in(done.kept, home)}."] if done.kept else []
            python = shown_in(done.python, home)
            message = _message("✓", f"{name} starts {python} now ({done.reason}).", kept)
        return {"message": message, "findings": fresh_findings(world)}

    return start("repair", f"repair kernel {name}", work)


def fresh_findings(world: World) -> list[dict[str, Any]]:
    """Look again, after something was changed."""
    return _told(_examined(world), world)


def _examined(world: World) -> Examination:
    world.progress("looking at the packages")
    return examination.examine(target_of(world.environment), world, Lines())


def _told(found: Examination, world: World) -> list[dict[str, Any]]:
    """Return what is worth a person's attention, with buttons."""
    home = world.environment.home
    grave = [d for d in found.diagnoses if d.finding.severity is not Severity.INFO]
    told = [_shown(d.finding, home, _ways(d)) for d in grave]
    curable = [_id(d.finding) for d in grave if d.fix]
    if len(curable) > 1:
        every = action("Repair all", "repair", ids=curable, title=f"Repair all {len(curable)}")
        first = next(index for index, d in enumerate(grave) if d.fix)
        told[first]["actions"].append(every)
    for state in list_kernels(world):
        for each in state.findings:
            if each.severity is not Severity.INFO:
                told.append(_shown(each, home, _kernel_ways(each, state.spec.name)))
    return told


def _ways(diagnosis: Diagnosis) -> list[dict[str, Any]]:
    each = diagnosis.finding
    if diagnosis.fix:
        title = f"Repair: {diagnosis.fix.words}"
        return [action("Repair", "repair", ids=[_id(each)], title=title)]
    commands = [way.command for way in each.hint]
    again = any("--force-reinstall" in command for command in commands)
    return install_actions("Install again" if again else "Install", commands, examined=True)


def _kernel_ways(each: Finding, name: str) -> list[dict[str, Any]]:
    if not any("--repair" in way.command for way in each.hint):
        return []
    return [action("Repair kernel", "repair_kernel", name=name, title=f"Repair kernel {name}")]


def _shown(each: Finding, home: str, actions: Collection[Mapping[str, Any]]) -> dict[str, Any]:
    return finding(
        each.code,
        shown_in(each.message, home),
        *actions,
        severity=each.severity.value,
        context=shown_in(each.context, home),
        suggestions=[] if actions else [way.to_dict() for way in each.hint],
    )


def _id(each: Finding) -> str:
    """Name a finding so that it is known again when one looks again."""
    return hashlib.sha256(f"{each.code}\0{each.message}".encode()).hexdigest()[:16]


def _message(mark: str, headline: str, lines: Collection[str] = ()) -> dict[str, Any]:
    return {"mark": mark, "headline": headline, "lines": list(lines), "ways": [], "details": ""}
