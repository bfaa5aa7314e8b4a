"""Uninstall through the same door as install: journaled, undoable, never a prompt."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from safeinstall.distributions import Change, Changes, Distribution, snapshot, snapshot_of
from safeinstall.errors import SafeInstallError
from safeinstall.findings import Finding, Severity, Suggestion, some
from safeinstall.frontend import Frontend
from safeinstall.guards.environment_state import Owner, owners_of
from safeinstall.metadata.distribution import DistInfo, InstalledState, is_metadata, normalized
from safeinstall.metadata.record import RecordError, RecordRow, digest
from safeinstall.operations.context import (
    Context,
    forget_oldest,
    left_files,
    of_transactions,
    recovered_first,
)
from safeinstall.operations.install import REPLANS, EnvironmentBusy
from safeinstall.operations.undo import outcome_of_moves
from safeinstall.outcome import Outcome, Status, finding_of
from safeinstall.request import UninstallRequest
from safeinstall.requirements import closure, new_violations
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.transaction import remove_distributions

_KERNEL = "ipykernel"


def uninstall(request: UninstallRequest, context: Context) -> Outcome:
    """Remove the named distributions from the environment, or change nothing and say why.

    What others need is removed only with `--allow-conflicts`; what the kernel is made of, and what
    another program owns, never.
    """
    started = time.perf_counter()
    if request.user:
        context = of_transactions(context, user=True)
    recovered = recovered_first(context)
    try:
        for _ in range(REPLANS):
            outcome = _attempt(request, context, started, recovered)
            if outcome is not None:
                return outcome
            context.progress("the environment was changed by another program: planning again")
        raise EnvironmentBusy
    except (SafeInstallError, OSError) as error:
        reason = finding_of(error, context.frontend)
        return outcome_of_moves(context, "uninstall", started, "failed", reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class Judged:
    """What a request to uninstall meets in an environment; nothing is changed."""

    state: InstalledState
    leaving: tuple[Distribution, ...]
    """What the environment itself holds of what was named."""
    objection: Finding | None
    """What speaks against removing it, None for nothing."""


def judged(request: UninstallRequest, context: Context) -> Judged:
    """Return what would leave, and what speaks against it."""
    names = tuple(dict.fromkeys(str(item.name) for item in request.items))
    state = InstalledState(context.environment.paths.site_packages).look()
    own = snapshot_of(state.distributions).by_key()
    visible = snapshot(context.environment.sys_path, known=state).by_key()
    leaving = tuple(own[name] for name in names if name in own)
    objection = _kernel(names, visible, context) or _not_ours(names, own, visible, context)
    objection = objection or _unrecorded(leaving, context)
    objection = objection or _needed(leaving, visible, request, context)
    return Judged(state=state, leaving=leaving, objection=objection)


def _attempt(
    request: UninstallRequest, context: Context, started: float, recovered: tuple[Finding, ...]
) -> Outcome | None:
    """Judge and remove; None when somebody else changed the environment in between."""
    found = judged(request, context)
    leaving, state = found.leaving, found.state
    if found.objection is not None:
        confirm = found.objection.severity is Severity.CONFIRM
        status: Status = "needs-confirmation" if confirm else "refused"
        return outcome_of_moves(context, "uninstall", started, status, found.objection)
    if not leaving:
        names = dict.fromkeys(str(item.name) for item in request.items)
        folders = filter(Path.is_dir, map(Path, context.environment.paths.site_packages))
        known = {info.path for info in state.distributions}
        listed = (path for folder in folders for path in folder.iterdir())
        if any(is_metadata(path.name) and str(path) not in known for path in listed):
            return None  # a folder could not be listed before
        for info in state.distributions:
            if normalized(info.name) in names and info.is_unread:
                unknown = f"{info.path} cannot be read: nobody knows what is installed there."
                raise SafeInstallError(unknown, code="system-error")
        words = f"{', '.join(names)}: not installed here, so there is nothing to remove."
        missing = Finding.remark("not-installed", words)
        return outcome_of_moves(context, "uninstall", started, "satisfied", *recovered, missing)
    changes = Changes.of(
        Change(name=each.name, before=each.version, after=None, requested=True) for each in leaving
    )
    if request.dry_run:
        return outcome_of_moves(context, "uninstall", started, "planned", changes=changes)
    before = context.loaded_files()
    area = Store.open(context.environment.prefix)
    with area.lock(
        wait=not request.no_wait,
        on_wait=lambda holder: context.progress("waiting for another install to finish"),
    ):
        recover_store(area)
        if not state.holds():
            return None  # what we waited for may have brought what needs it
        line = request.line(context.frontend)
        harmed = tuple(_overwritten(leaving, state.distributions, context.frontend))
        done = remove_distributions(
            area, [each.metadata for each in leaving], line, known=state.distributions
        )
        forget_oldest(area, context)
    return outcome_of_moves(
        context,
        "uninstall",
        started,
        "done",
        *recovered,
        *harmed,
        *left_files(done, context),
        changes=changes,
        id=done.id,
        before=before,
    )


def _overwritten(
    leaving: Sequence[Distribution], installed: Sequence[DistInfo], frontend: Frontend
) -> Iterator[Finding]:
    """Yield whose files what leaves had written over: they stay, with the content of what leaves.

    Two distributions may list the same files: opencv-python and opencv-python-headless do.
    """
    going = {each.metadata for each in leaving}
    gone = {os.path.join(i.folder, p) for i in installed if i.path in going for p in _paths(i)}
    for info in installed:
        shared = {path for path in _paths(info) if os.path.join(info.folder, path) in gone}
        if info.path in going or not shared:
            continue
        rows = [row for row in info.record.rows if row.path in shared]
        wrong = [row.path for row in rows if _differs(os.path.join(info.folder, row.path), row)]
        if wrong:
            who = " and ".join(each.name for each in leaving)
            pin = f"{info.name}=={info.version}"
            over = f"{who} had written over {some(wrong)} of {info.name} {info.version}"
            words = f"{over}: it has to be installed again."
            way = Suggestion(frontend.line("install", "--force-reinstall", pin), "makes it whole")
            yield Finding.warn("files-overwritten", words, way)


def _paths(info: DistInfo) -> list[str]:
    try:
        return info.record.paths
    except RecordError:
        return []


def _differs(path: str, row: RecordRow) -> bool:
    """Tell whether a file is there and is not what its row promises."""
    try:
        return bool(row.digest) and digest(path, row.algorithm) != row.digest
    except (OSError, ValueError):
        return False


def _not_ours(
    names: Sequence[str],
    own: Mapping[str, Distribution],
    visible: Mapping[str, Distribution],
    context: Context,
) -> Finding | None:
    """Refuse what lies outside the environment or belongs to conda, apt or another program."""
    found = [each for name in names if (each := own.get(name) or visible.get(name)) is not None]
    owners = owners_of(found, context.environment)
    for each in found:
        owner = owners.get(each.key)
        if owner is not None:
            place = f"{each.name} {each.version} in {each.location}"
            return Finding.refuse(
                "foreign-owner",
                f"{place} is not this environment's to remove.",
                *_owners_command(each, owner, context),
                context=f"Known from {owner.where}." if owner.who != "outside" else "",
            )
    return None


def _owners_command(found: Distribution, owner: Owner, context: Context) -> tuple[Suggestion, ...]:
    environment, frontend = context.environment, context.frontend
    if owner.who == "outside" and found.location == environment.user_site.path:
        line = frontend.line("uninstall", "--user", found.name)
        return (Suggestion(line, "takes it out of your user site"),)
    if owner.who == "conda" and Path(environment.prefix, "conda-meta", "pixi").exists():
        command = frontend.shell(f"pixi remove {owner.package or found.key}")
    elif owner.who == "conda":
        magic = "%conda remove --yes" if context.frontend.in_notebook else "conda remove"
        prefix = shlex.quote(context.environment.prefix)
        command = f"{magic} --prefix {prefix} {owner.package or found.key}"
    elif owner.who == "apt" and owner.package:
        command = f"sudo apt remove {owner.package}"
    else:
        return ()
    return (Suggestion(command, "its owner's command"),)


def _kernel(
    names: Sequence[str], visible: Mapping[str, Distribution], context: Context
) -> Finding | None:
    """Refuse to take apart what the running kernel is made of, and safeinstall with it."""
    markers = context.environment.markers
    needed = closure([_KERNEL], visible, markers)
    hit = next((name for name in names if name in needed and name in visible), None)
    if hit is None:
        return None
    lost = f"without it no notebook would run in {context.environment.label}"
    return Finding.refuse("kernel-stack", f"The kernel itself needs {visible[hit].name}: {lost}.")


def _unrecorded(leaving: Sequence[Distribution], context: Context) -> Finding | None:
    """Refuse what has no list of its files (PEP 376): nobody knows what to remove.

    A lost list is made anew by its own line; an egg never had one.
    """
    for found in leaving:
        info = DistInfo(found.metadata)
        if not info.has_record:
            what = f"{found.name} {found.version} has no list of its files ({found.metadata})"
            pin = f"{found.name}=={found.version}"
            again = context.frontend.line("install", "--force-reinstall", pin)
            way = Suggestion(again, "makes it whole; then it can be removed")
            words = f"{what}: nobody can know what belongs to it."
            return Finding.refuse("no-record", words, *(() if info.is_egg else (way,)))
    return None


def _needed(
    leaving: Sequence[Distribution],
    visible: Mapping[str, Distribution],
    request: UninstallRequest,
    context: Context,
) -> Finding | None:
    """Ask before others lose what they need: who requires it, and which line goes on."""
    gone = {found.key for found in leaving}
    after = {name: found for name, found in visible.items() if name not in gone}
    markers = context.environment.markers
    broken = new_violations(visible, after, markers)
    if not broken or request.allows("allow-conflicts") or request.yes:
        return None
    words = [f"{each.owner} {each.owner_version} needs {each.requirement}" for each in broken]
    more = f" and {len(words) - 4} more" if len(words) > 4 else ""
    line = request.allowing("--allow-conflicts").line(context.frontend)
    note = "shows what would go" if request.dry_run else "removes it all the same"
    way = Suggestion(line, note)
    return Finding.ask("breaks-installed", f"Others need it: {'; '.join(words[:4])}{more}.", way)
