"""Prove a commit: it landed, a new process imports it, a kernel starts, and this one sees it."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Mapping, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from safeinstall import importing, verification
from safeinstall.environment import shown
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.kernels import trial_starts
from safeinstall.operations.world import World
from safeinstall.outcome import Restart
from safeinstall.plan import Intent
from safeinstall.verification import Arrival, Verdict

__all__ = ["Evidence", "Proof", "proved"]

_FRESH_SECONDS: Final = 60.0
_NAMED: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What was staged, and therefore must be found now."""

    arrivals: tuple[Arrival, ...]
    """The requested distributions."""
    sizes: Mapping[str, int]
    """Every file that was moved in, of all distributions, with its size."""
    changed: frozenset[str]
    """Files whose content is another one now, or gone."""
    kernel: tuple[str, ...] = ()
    """The members of the kernel's own stack that changed: then a second kernel must start."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What was found; with a `failure` the transaction has to be rolled back."""

    verdicts: tuple[Verdict, ...]
    failure: Finding | None = None
    restart: Restart = "none"
    stale: tuple[importing.StaleModule, ...] = field(default=())


def proved(evidence: Evidence, intent: Intent, world: World) -> Proof:
    """Return what is true after the commit; this process is refreshed only when all is well."""
    arrivals = evidence.arrivals
    with ThreadPoolExecutor(1) as beside:  # a new process takes longer than looking at every file
        looking = beside.submit(_present, evidence.sizes)
        fresh, noise = _asked_afresh(arrivals, world)
        present = looking.result()
    missing = sorted(evidence.sizes.keys() - present)
    verdicts = verification.judge(arrivals, present, None if missing else fresh, None)
    if missing:
        return Proof(verdicts=verdicts, failure=_lost(missing, world))
    if fresh is None:
        return Proof(verdicts=verdicts, failure=_no_process(noise))
    if not all(verdict.fresh for verdict in verdicts):
        return Proof(verdicts=verdicts, failure=_elsewhere(arrivals, verdicts, fresh, intent))
    if evidence.kernel:
        why = _second_kernel(world)
        if why is not None:
            return Proof(verdicts=verdicts, failure=_no_kernel(evidence.kernel, why))
    if not world.live:
        return Proof(verdicts=verdicts)
    return _here(evidence, present, fresh, world)


def _here(
    evidence: Evidence, present: Set[str], fresh: Mapping[str, tuple[str, ...]], world: World
) -> Proof:
    arrivals = evidence.arrivals
    path_files = [file for arrival in arrivals for file in arrival.path_files]
    refreshed = importing.refresh(world.environment.paths.site_packages, path_files)
    stale = importing.stale_modules(evidence.changed)
    found = importing.origins(module for arrival in arrivals for module in arrival.modules)
    verdicts = verification.judge(arrivals, present, fresh, found)
    if not stale:
        stale = importing.loaded(verification.outdated(arrivals, verdicts))
    restart: Restart = "needed" if stale else "refreshed" if refreshed else "none"
    return Proof(verdicts=verdicts, restart=restart, stale=stale)


def _present(sizes: Mapping[str, int]) -> frozenset[str]:
    """Return the files that are where they should be, with the size they had when staged."""
    found = []
    for path, size in sizes.items():
        with contextlib.suppress(OSError):
            if os.lstat(path).st_size == size:
                found.append(path)
    return frozenset(found)


def _asked_afresh(
    arrivals: tuple[Arrival, ...], world: World
) -> tuple[Mapping[str, tuple[str, ...]] | None, str]:
    """Return what a new process says about the modules, or None and its last words."""
    modules = tuple(dict.fromkeys(module for arrival in arrivals for module in arrival.modules))
    if not modules:
        return {}, ""
    cookie = secrets.token_hex(16)
    command = verification.fresh_command(world.environment, modules, cookie, world.cwd)
    answered = world.run(command, timeout=_FRESH_SECONDS)
    return verification.read_fresh(answered.stdout, cookie), answered.stderr.strip()


def _second_kernel(world: World) -> str | None:
    world.progress("starting a second kernel to see whether it answers")
    cookie = secrets.token_hex(16)
    command = trial_starts.answer_command(world.environment, cookie, world.cwd)
    answered = world.run(command, timeout=trial_starts.SECONDS)
    return trial_starts.read_answer(answered.stdout, cookie)


def _lost(missing: list[str], world: World) -> Finding:
    named = ", ".join(shown(path, world.environment.home) for path in missing[:_NAMED])
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    return Finding(
        code="not-landed",
        severity=Severity.REFUSE,
        message=f"After the install {named}{more} is not what was unpacked: another program "
        "changed it meanwhile.",
    )


def _no_process(noise: str) -> Finding:
    return Finding(
        code="not-fresh",
        severity=Severity.REFUSE,
        message="A new process of this kernel's Python did not start after the install.",
        context=noise.splitlines()[-1] if noise else "",
    )


def _elsewhere(
    arrivals: tuple[Arrival, ...],
    verdicts: tuple[Verdict, ...],
    fresh: Mapping[str, tuple[str, ...]],
    intent: Intent,
) -> Finding:
    failed = {verdict.name for verdict in verdicts if not verdict.fresh}
    home = intent.environment.home
    for finding in verification.shadow_findings(
        [arrival for arrival in arrivals if arrival.name in failed], fresh, home
    ):
        return finding
    names = ", ".join(
        f"{module} ({arrival.name} {arrival.version})"
        for arrival in arrivals
        if arrival.name in failed
        for module in arrival.modules
        if not fresh.get(module)
    )
    return Finding(
        code="not-fresh",
        severity=Severity.REFUSE,
        message=f"A new process of this kernel's Python cannot import {names}.",
    )


def _no_kernel(changed: tuple[str, ...], why: str) -> Finding:
    return Finding(
        code="kernel-stack",
        severity=Severity.REFUSE,
        message=f"With {', '.join(changed[:_NAMED])} changed, a second kernel did not start and "
        "answer 1 + 1.",
        context=why,
        hint=(Suggestion(command="%kernelenv", note="what this kernel runs on"),),
    )
