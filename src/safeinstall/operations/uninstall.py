"""Uninstall through the same door as install: journaled, undoable, never a prompt."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping, Sequence

from safeinstall import importing, inspection
from safeinstall.distributions import Change, Changes, Distribution
from safeinstall.errors import RequestError, SafeInstallError
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.guards.requirements import closure, new_violations
from safeinstall.guards.surroundings import Owner
from safeinstall.metadata.distribution import DistInfo
from safeinstall.metadata.installed_state import InstalledState
from safeinstall.operations.area import forget_oldest, moved, recovered_first
from safeinstall.operations.replanning import EnvironmentBusy, replanned
from safeinstall.operations.world import World
from safeinstall.outcome import Outcome, finding_of
from safeinstall.ownership import owners_of
from safeinstall.request import Request
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.transaction import remove_distributions

__all__ = ["uninstall"]

_KERNEL = "ipykernel"


def uninstall(request: Request, world: World) -> Outcome:
    """Remove the named distributions from the environment, or change nothing and say why.

    What others need is removed only with `--allow-conflicts`; what the kernel is made of, and what
    another program owns, never. Raises `RequestError` for a request that is not just names.
    """
    started = time.perf_counter()
    names = _names(request, world.prefix)
    recovered = recovered_first(world)
    try:
        return replanned(lambda: _attempted(names, request, world, started, recovered), world)
    except EnvironmentBusy as busy:
        return moved(world, "uninstall", started, failure=finding_of(busy), status="failed")


def _attempted(
    names: Sequence[str],
    request: Request,
    world: World,
    started: float,
    recovered: tuple[Finding, ...],
) -> Outcome | None:
    """Judge and remove; None when somebody else changed the environment in between."""
    site_packages = world.environment.paths.site_packages
    state = InstalledState(site_packages).look()
    own = inspection.snapshot_of(state.distributions).by_key()
    visible = inspection.snapshot(world.environment.sys_path, known=state).by_key()
    refusal = _not_ours(names, own, visible, world) or _kernel(names, visible, world)
    leaving = [own[name] for name in names if name in own]
    if refusal is None:
        refusal = _unrecorded(leaving, request, world) or _needed(leaving, visible, request, world)
    if refusal is not None:
        confirm = refusal.severity is Severity.CONFIRM
        status = "needs-confirmation" if confirm else "refused"
        return moved(world, "uninstall", started, failure=refusal, status=status)
    if not leaving:
        missing = Finding(
            code="not-installed",
            severity=Severity.INFO,
            message=f"{', '.join(names)}: not installed here, so there is nothing to remove.",
        )
        return moved(
            world, "uninstall", started, findings=(*recovered, missing), status="satisfied"
        )
    changes = Changes.of(
        Change(name=each.name, before=each.version, after=None, requested=True) for each in leaving
    )
    if request.dry_run:
        return moved(world, "uninstall", started, changes=changes, status="planned")
    before = importing.loaded_files(world.environment.prefix) if world.live else {}
    try:
        area = Store.open(world.environment.prefix)
        with area.lock(
            wait=not request.no_wait,
            on_wait=lambda holder: world.progress("waiting for another install to finish"),
        ):
            recover_store(area)
            if not state.holds():
                return None  # what we waited for may have brought what needs it
            done = remove_distributions(
                area,
                [each.metadata for each in leaving],
                request.line(world.prefix),
                known=state.distributions,
            )
            forget_oldest(area, world)
    except (SafeInstallError, OSError) as error:
        return moved(world, "uninstall", started, failure=finding_of(error), status="failed")
    return moved(
        world, "uninstall", started, changes=changes, id=done.id, before=before, findings=recovered
    )


def _names(request: Request, prefix: str) -> tuple[str, ...]:
    wrong = next((i for i in request.items if i.kind != "named" or not i.name), None)
    if wrong is not None or request.empty:
        text = wrong.text if wrong else "nothing"
        raise RequestError(f"Names are uninstalled, not {text}.", hint=f"{prefix} pandas")
    bound = next((i for i in request.items if i.requirement and i.requirement.specifier), None)
    if bound is not None:
        raise RequestError(
            f"{bound.text} names a version; what is installed goes, whatever its version.",
            hint=f"{prefix} {bound.name}",
        )
    return tuple(dict.fromkeys(str(item.name) for item in request.items))


def _not_ours(
    names: Sequence[str],
    own: Mapping[str, Distribution],
    visible: Mapping[str, Distribution],
    world: World,
) -> Finding | None:
    """Refuse what lies outside the environment or belongs to conda, apt or another program."""
    found = [each for name in names if (each := own.get(name) or visible.get(name)) is not None]
    owners = owners_of(found, world.environment)
    for each in found:
        owner = owners.get(each.key)
        if owner is not None:
            return Finding(
                code="foreign-owner",
                severity=Severity.REFUSE,
                message=f"{each.name} {each.version} in {each.location} is not this "
                "environment's to remove.",
                context=f"Known from {owner.where}." if owner.who != "outside" else "",
                hint=_owners_command(each, owner, world),
            )
    return None


def _owners_command(found: Distribution, owner: Owner, world: World) -> tuple[Suggestion, ...]:
    if owner.who == "conda":
        magic = "%conda remove --yes" if world.prefix.startswith("%") else "conda remove"
        prefix = shlex.quote(world.environment.prefix)
        command = f"{magic} --prefix {prefix} {owner.package or found.key}"
    elif owner.who == "apt":
        command = f"sudo apt remove python3-{found.key}"
    else:
        return ()
    return (Suggestion(command=command, note="its owner's command"),)


def _kernel(
    names: Sequence[str], visible: Mapping[str, Distribution], world: World
) -> Finding | None:
    """Refuse to take apart what the running kernel is made of, and safeinstall with it."""
    markers = inspection.marker_environment(world.environment)
    needed = closure([_KERNEL], visible, markers)
    hit = next((name for name in names if name in needed and name in visible), None)
    if hit is None:
        return None
    return Finding(
        code="kernel-stack",
        severity=Severity.REFUSE,
        message=f"The kernel itself needs {visible[hit].name}: without it no notebook would run "
        f"in {world.environment.label}.",
    )


def _unrecorded(leaving: Sequence[Distribution], request: Request, world: World) -> Finding | None:
    """Refuse what has no list of its files (PEP 376): nobody knows what to remove.

    A lost list is made anew by its own line; an egg never had one.
    """
    door = "%safeinstall" if world.prefix.startswith("%") else "safeinstall install"
    if request.python:
        door += f" --python {shlex.quote(request.python)}"
    for found in leaving:
        if not DistInfo(found.metadata).has_record:
            return Finding(
                code="no-record",
                severity=Severity.REFUSE,
                message=f"{found.name} {found.version} has no list of its files "
                f"({found.metadata}): nobody can know what belongs to it.",
                hint=(
                    Suggestion(
                        command=f"{door} --force-reinstall {found.name}=={found.version}",
                        note="makes it whole; then it can be removed",
                    ),
                )
                if not DistInfo(found.metadata).is_egg
                else (),
            )
    return None


def _needed(
    leaving: Sequence[Distribution],
    visible: Mapping[str, Distribution],
    request: Request,
    world: World,
) -> Finding | None:
    """Ask before others lose what they need: who requires it, and which line goes on."""
    gone = {found.key for found in leaving}
    after = {name: found for name, found in visible.items() if name not in gone}
    markers = inspection.marker_environment(world.environment)
    broken = new_violations(visible, after, markers)
    if not broken or request.allows("allow-conflicts") or request.yes:
        return None
    words = [f"{each.owner} {each.owner_version} needs {each.requirement}" for each in broken]
    more = f" and {len(words) - 4} more" if len(words) > 4 else ""
    return Finding(
        code="breaks-installed",
        severity=Severity.CONFIRM,
        message=f"Others need it: {'; '.join(words[:4])}{more}.",
        hint=(
            Suggestion(
                command=request.allowing("--allow-conflicts").line(world.prefix),
                note="removes it all the same",
            ),
        ),
    )
