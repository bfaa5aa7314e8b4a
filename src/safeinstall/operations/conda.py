"""An install carried out by the environment's own conda, mamba or micromamba.

These programs change an environment themselves: there is no staging, and what was is found in
conda's own history, not in ours. What can be done before is: the dry run is shown as the same
plan, the guards judge it, and what conda would write over although another installer owns it
stops everything.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import time
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from safeinstall import guards, importing
from safeinstall.distributions import snapshot_of
from safeinstall.errors import InstallerError
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.guards import conflicts
from safeinstall.installers import DryRun
from safeinstall.installers.conda import Conda, find_program, pixi_line
from safeinstall.installers.sources import ResolvedRequest
from safeinstall.metadata.distribution import InstalledState
from safeinstall.operations.context import Context
from safeinstall.operations.planning import plan_facts
from safeinstall.outcome import DoneBy, Outcome
from safeinstall.plan import InstallerChoice, Plan

_DRY_SECONDS = 600.0


def install_with_conda(
    intent: ResolvedRequest, context: Context, told: tuple[Finding, ...] = ()
) -> Outcome:
    """Carry out the request with conda; raises `InstallerError` when that cannot be.

    `told`: what the guards have said of the request itself (a mistaken name is among that).
    """
    began = time.perf_counter()
    environment, request = intent.environment, intent.request
    if request.prove_import or request.import_seconds:
        words = "--prove-import puts back what cannot be imported; what conda does, only conda can."
        hint = intent.line(prove_import=False, import_seconds="")
        raise InstallerError(words, code="option-conflict", hint=hint)
    program = _program(intent, context)
    context.progress(f"asking {program.kind} what it would change")
    try:
        command = program.plan_command(request, environment, intent.sources)
    except InstallerError as error:  # it is nothing for conda: PyPI's has it
        error.hint = intent.line(installer="auto")
        raise
    answer = context.run(command, timeout=_DRY_SECONDS)
    plan = _plan(intent, program, program.read_plan(answer.stdout, answer.stderr))

    def outcome(status: str, *findings: Finding) -> Outcome:
        return Outcome(
            status=status,  # type: ignore[arg-type]
            environment=environment,
            destination=intent.destination,
            asked=intent.line(),
            changes=plan.changes,
            installer=DoneBy(name=program.kind, version="", reason=program.found),
            frontend=context.frontend,
            findings=(*told, *findings),
            live=context.live,
            seconds={"total": time.perf_counter() - began},
            restart="needed" if stale else "none",
            stale=stale,
        )

    stale: tuple[importing.StaleModule, ...] = ()
    foreign = _owned_by_others(plan, environment.prefix)
    if not plan.changes:
        return outcome("satisfied")
    if foreign is not None:
        return outcome("refused", foreign)
    said = _judged(plan, context)
    if request.dry_run:
        return outcome("planned", *said)
    if any(finding.stops for finding in said):
        refused = any(finding.severity is Severity.REFUSE for finding in said)
        return outcome("refused" if refused else "needs-confirmation", *said)
    if not context.agreed(plan):
        return outcome("planned", *said)
    before = context.loaded_files()
    context.progress(f"{program.kind} is changing {environment.label}")
    done = context.run(program.install_command(request, environment))
    program.read_plan(done.stdout, done.stderr)
    if context.live:
        importing.refresh(environment.paths.site_packages, ())
        stale = importing.replaced_since(before)
    said = tuple(finding for finding in said if finding.code != "replaces-loaded")
    return outcome("done", *said, _history(program, environment.prefix))


def _judged(plan: Plan, context: Context) -> tuple[Finding, ...]:
    """Return what the guards say of conda's plan.

    All of those for a plan but `foreign_owner`: that conda's packages are conda's is no objection
    here (`_owned_by_others` is the counterpart). What needs a second solve or a way back is not
    there: no plan with the kernel's parts kept, no version that suits everybody, no second kernel
    before it counts. A package that conda names otherwise than PyPI is not matched with what it
    brings, and raises nothing.
    """
    around = replace(plan_facts(plan, context), owners={})
    said = guards.examine_plan(
        plan, around, conflicts.violations_of(plan, around), "", context.policy
    )
    return tuple(_without_way_back(f, plan) if f.code == "kernel-stack" else f for f in said)


def _without_way_back(finding: Finding, plan: Plan) -> Finding:
    """Do not promise that the kernel is tried out first: conda changes it at once."""
    if plan.intent.request.allows("allow-kernel-change"):
        message = "This kernel may not start again: conda changes what it runs on at once."
        return replace(finding, message=message)
    *ways, allowed = finding.hint
    return replace(finding, hint=(*ways, replace(allowed, note="without trying a kernel first")))


def _program(intent: ResolvedRequest, context: Context) -> Conda:
    environment = intent.environment
    hint = intent.line(installer="auto")
    if environment.kind != "conda":
        words = f"{environment.label} is no conda environment."
        raise InstallerError(words, code="no-installer", hint=hint)
    meta = Path(environment.prefix, "conda-meta")
    history = ""
    with contextlib.suppress(OSError):
        history = (meta / "history").read_text("utf-8", errors="replace")
    program = find_program(
        environment.prefix,
        context.environ,
        lambda path: os.access(path, os.X_OK) and Path(path).is_file(),
        history,
        (meta / "pixi").exists(),
    )
    if program is None:
        words = f"No conda, mamba or micromamba that manages {environment.label} is found."
        raise InstallerError(words, code="no-installer", hint=hint)
    if program.kind == "pixi":
        words = f"{environment.label} belongs to a pixi project; pixi writes its manifest itself."
        raise InstallerError(words, code="pixi-project", hint=pixi_line(intent.request))
    return program


def _plan(intent: ResolvedRequest, program: Conda, resolved: DryRun) -> Plan:
    environment = intent.environment
    asked = frozenset(item.name for item in intent.request.items if item.name)
    state = InstalledState(environment.paths.site_packages).look()
    return Plan(
        intent=intent,
        chosen=InstallerChoice(installer=program, version="", reason=program.found),
        changes=resolved.changes({}, asked),
        resolved=resolved,
        installed=snapshot_of(state.distributions),
        state=state,
    )


def _owned_by_others(plan: Plan, prefix: str) -> Finding | None:
    """Refuse to let conda write over what pip or uv installed: nobody would own the mixture."""
    packages = {
        canonicalize_name(path.name.removesuffix(".json").rsplit("-", 2)[0])
        for path in Path(prefix, "conda-meta").glob("*-*-*.json")
    }
    installed = plan.installed.by_key()
    hit = [
        installed[key]
        for key in (canonicalize_name(change.name) for change in plan.changes.arriving)
        if key in installed and key not in packages and installed[key].installer != "conda"
    ]
    if not hit:
        return None
    names = [found.name for found in hit]
    told = ", ".join(f"{found.name} {found.version}" for found in hit)
    owner = hit[0].installer or "another installer"
    removed = plan.intent.frontend.line("uninstall", *names)
    return Finding.refuse(
        "foreign-owner",
        f"{told} came through {owner}, and conda would write over it.",
        Suggestion(plan.intent.line(installer="auto"), "stay with PyPI's"),
        Suggestion(removed, "then conda may bring its own"),
        context="Afterwards neither of the two could remove or upgrade it cleanly.",
    )


def _history(program: Conda, prefix: str) -> Finding:
    line = f"{program.path} install --prefix {shlex.quote(prefix)} --revision N"
    words = f"To undo: {line} (`conda list --revisions` shows N)."
    return Finding.remark("undo-by-conda", words)
