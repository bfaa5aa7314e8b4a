"""A new environment with a kernel of its own: made, filled, registered, started once, or gone.

A virtual environment cannot be moved, so it is made where it will stay; a mark in it says that it
is unfinished, and on any failure or interrupt what was made is taken away again, and nothing else.
What a killed run left is gone on with where it is an environment, and set aside where it is none.
What goes into it goes through the same door as any install: plan, staging, checks, commit.
"""

from __future__ import annotations

import os
import re
import shlex
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Any, Final

from jupyter_core.paths import jupyter_data_dir
from packaging.utils import canonicalize_name

from safeinstall.distributions import InstalledIndex
from safeinstall.environment import Destination, Environment, shown
from safeinstall.errors import InstallerError, SafeInstallError
from safeinstall.findings import Finding, Suggestion
from safeinstall.installers import hashed
from safeinstall.interpreter import environment_of, find_python, managed_pythons
from safeinstall.kernels import (
    ARGUMENTS,
    Registered,
    Spec,
    find_specs,
    free_display_name,
    free_name,
    kept_name,
    kernel_folders,
    register,
    registry,
    repair,
    user_folder,
)
from safeinstall.kernels.trial_starts import Trial, try_kernel
from safeinstall.metadata.distribution import DistInfo, InstalledState
from safeinstall.metadata.record import RecordError, meant, public
from safeinstall.operations.context import Context
from safeinstall.operations.environments import overlay
from safeinstall.operations.environments.unavailable import KERNEL, about_kernel
from safeinstall.operations.install import install
from safeinstall.operations.planning.installer_choice import choose
from safeinstall.outcome import Outcome, finding_of
from safeinstall.plan import InstallerChoice
from safeinstall.probe.facts.writability import describe_access
from safeinstall.request import InstallRequest
from safeinstall.transaction.in_progress import (
    Leftover,
    Making,
    left_behind,
    only_begun,
    set_aside,
)

_ROOM_NEEDED: Final = 60 * 2**20
"""Bytes that an environment with a kernel takes at least, unpacked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A place for an environment."""

    path: str
    label: str
    """What tells it from others: `.venv in proj`, or its name."""
    kernel: str
    """The name its kernelspec would like to have."""
    home: str

    @property
    def shown(self) -> str:
        """The path with the home directory shortened."""
        return shown(self.path, self.home)

    def display_name(self, python: str, overlay: bool = False) -> str:
        """Return what the kernel is called in menus."""
        return f"Python {python} ({self.label}{', overlay' if overlay else ''})"


def place_of(asked: str, home: str) -> Place:
    """Return the place meant by an absolute path or a bare name.

    A name goes below `jupyter_core.paths.jupyter_data_dir()`, which each user has for himself.
    """
    if not PurePath(asked).is_absolute():
        return Place(path=os.path.join(_own_folder(), asked), label=asked, kernel=asked, home=home)
    path = os.path.normpath(asked)
    name, folder = os.path.basename(path), os.path.basename(os.path.dirname(path))
    label = f"{name} in {folder}" if folder else name
    hidden = name.startswith(".") or name in ("venv", "env")
    kernel = f"{folder}-{name.strip('.')}" if hidden and folder else name
    return Place(path=path, label=label, kernel=kernel, home=home)


def next_free(place: Place) -> str:
    """Return a path or name like this one for which nothing is there."""
    count = 2
    while os.path.lexists(f"{place.path}-{count}"):
        count += 1
    named = os.path.dirname(place.path) == _own_folder()
    return f"{place.label if named else place.path}-{count}"


def _free_place(place: Place) -> str:
    """Return a name under which the user has a place elsewhere; empty where that is none either."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", place.kernel).strip("-") or "notebooks"
    elsewhere = os.path.join(_own_folder(), name)
    if place.path.startswith(_own_folder()) or not describe_access(elsewhere)["writable"]:
        return ""
    if not os.path.lexists(elsewhere):
        return name
    return next_free(Place(path=elsewhere, label=name, kernel=name, home=place.home))


def _own_folder() -> str:
    return os.path.join(str(jupyter_data_dir()), "safeinstall", "environments")


def check(place: Place, line: Callable[[str], str]) -> None:
    """Raise `SafeInstallError` unless an environment can be made here; nothing is touched.

    `line` returns what is to be typed for another path or name.
    """
    taken = os.path.lexists(place.path) and not only_begun(place.path)
    if taken and left_behind(place.path) is None:
        hint = line(next_free(place))
        raise SafeInstallError(_occupied(place), hint=hint, code="place-taken")
    access = describe_access(place.path)
    if not access["writable"]:
        hint = line(name) if (name := _free_place(place)) else ""
        words = f"No environment can be made at {place.shown}: {access['detail']}."
        raise SafeInstallError(words, hint=hint, code="place-not-writable")
    status = os.statvfs(str(access["probed"])) if hasattr(os, "statvfs") else None
    if status is not None and status.f_bavail * status.f_frsize < _ROOM_NEEDED:
        free = f"{status.f_bavail * status.f_frsize / 2**20:.0f} MB are free"
        takes = f"a kernel alone takes {_ROOM_NEEDED / 2**20:.0f} MB"
        words = f"There is no room for an environment at {place.shown}: {free} and {takes}."
        raise SafeInstallError(words, code="no-space")


def _occupied(place: Place) -> str:
    folder = Path(place.path)
    if (folder / "pyvenv.cfg").exists():
        return f"{place.shown} is an environment already; it is left as it is."
    if folder.is_symlink():
        real = replace(place, path=os.path.realpath(folder))
        return f"{place.shown} is a link to {real.shown}; it is left as it is."
    if folder.is_dir():
        project = any((folder / name).exists() for name in ("pyproject.toml", "setup.py"))
        what = "is a project, not a place for an environment" if project else "is not empty"
        return f"{place.shown} {what}; it is left as it is."
    return f"{place.shown} exists and is no folder; it is left as it is."


_OLDEST: Final = (3, 8)


def _base_of(request: InstallRequest, context: Context, chosen: InstallerChoice) -> Environment:
    """Return the interpreter the new environment is made from."""
    here = context.environment
    if request.overlay:
        named = request.python.removeprefix("python")
        by_path = os.sep in named  # then the context is that interpreter's already
        if named and not by_path and not f"{here.version}.".startswith(f"{named}."):
            seen = f"the packages of {here.label}, which are made for Python {here.python}"
            words = f"--overlay shows {seen}; another Python cannot use them."
            hint = _line_of(request, context, python="")
            raise SafeInstallError(words, hint=hint, code="option-conflict")
        return here
    if not request.python:
        return here  # an environment of a virtual one is made from the interpreter below it
    also = managed_pythons(chosen.installer, context.run)
    try:
        found = find_python(request.python, here, context.environ, also)
    except SafeInstallError as error:
        if error.hint:
            error.hint = _line_of(request, context, python=error.hint)
        raise
    if tuple(map(int, found.python.split("."))) < _OLDEST:
        words = f"Python {found.version} is too old for a kernel of today: 3.8 is the oldest."
        hint = _line_of(request, context, python="")
        raise SafeInstallError(words, hint=hint, code="python-too-old")
    return found


def _with_kernel(request: InstallRequest) -> InstallRequest:
    """Return what is installed: the request with ipykernel, as a plain install."""
    named = any(item.name == "ipykernel" for item in request.items)
    return replace(
        request,
        items=request.items if named else (*request.items, KERNEL),
        new_env="",
        overlay=False,
        python="",
        user=False,
        break_system_packages=False,
    )


def _line_of(request: InstallRequest, context: Context, **changes: Any) -> str:
    """Return the line to type for the request with `changes`."""
    return request.line(context.frontend, json=False, **changes)


def _filled(wanted: InstallRequest, inside: Context) -> Outcome:
    """Install; where hashes are asked for, the kernel first, whose files nobody has listed.

    What is made is removed as a whole when either fails.
    """
    if KERNEL not in wanted.items or not (wanted.locked or hashed(wanted)):
        return install(wanted, inside)
    alone = replace(wanted, items=(KERNEL,), requirement_files=(), groups=(), require_hashes=False)
    first = install(alone, inside)
    if not first.ok:
        return first
    items = tuple(item for item in wanted.items if item is not KERNEL)
    return install(replace(wanted, items=items), inside)


def _without_kernel(finding: Finding) -> Finding:
    """Take ipykernel, which nobody typed, out of the lines to type."""
    hint = tuple(
        replace(way, command=" ".join(w for w in way.command.split(" ") if w != "ipykernel"))
        for way in finding.hint
    )
    return replace(finding, hint=hint)


def _import_names(
    request: InstallRequest, outcome: Outcome, new: Environment, present: Environment
) -> dict[str, tuple[str, ...]]:
    """Return the modules to import for each distribution the request names, by canonical name.

    A distribution may be in the new environment or, in an overlay, in the present one.
    """
    folders = new.paths.site_packages
    if request.overlay:
        folders = tuple(dict.fromkeys((*folders, *new.sys_path, *present.sys_path)))
    index = InstalledIndex(folders)
    names = {item.name for item in request.items if item.name}
    if any(item.name is None for item in request.items):
        names |= {canonicalize_name(change.name) for change in outcome.changes} - {"ipykernel"}
    found = {name: index.find(name) for name in sorted(names)}
    return {
        name: public(meant(DistInfo(distribution.metadata).modules))
        for name, distribution in found.items()
        if distribution is not None
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class NewEnvironment:
    """What came of making an environment."""

    outcome: Outcome
    place: Place
    kernel: Registered | None = None
    """None when nothing was made."""
    trial: Trial | None = None
    overlay_of: str = ""
    """The environment whose packages it sees, or empty."""

    @property
    def ok(self) -> bool:
        """True when it was made, or would be."""
        return self.outcome.ok

    @property
    def exit_status(self) -> int:
        """Exit status of the outcome."""
        return self.outcome.exit_status

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome's JSON form with the kernel that was made."""
        return self.outcome.to_dict() | {
            "kernelspec": self.kernel.to_dict() if self.kernel else None,
            "overlay_of": self.overlay_of or None,
        }


def new_environment(request: InstallRequest, context: Context) -> NewEnvironment:
    """Make the environment and the kernel that `request.new_env` names, with what it lists.

    Afterwards both exist and the kernel imports what was asked for, or neither exists.
    Raises `SafeInstallError` when it cannot be done; an install that stops says so in the outcome.
    """
    began = time.perf_counter()
    place = place_of(request.new_env, context.environment.home)
    if request.installer == "conda":
        words = "A new environment is made by uv or pip; conda makes its own (conda create)."
        hint = _line_of(request, context, installer="auto")
        raise SafeInstallError(words, hint=hint, code="option-conflict")
    if request.no_deps and not request.overlay:
        words = "--no-deps would leave out what the new kernel itself needs."
        hint = _line_of(request, context, no_deps=False)
        raise SafeInstallError(words, hint=hint, code="option-conflict")
    check(place, lambda other: _line_of(request, context, new_env=other))
    registry(kernel_folders(), user_folder())  # said before anything is made
    chosen = choose(context.meet(replace(request, python="")), context)
    base = _base_of(request, context, chosen)
    making = Making(place.path, request.overlay)
    maker = _Maker(request, context, place, chosen, making, began)
    try:
        made = maker.made(base)
        if made.kernel is not None:
            making.keep()
            return made
        rest = making.undo(maker.brought)
        found = made.outcome.findings
        if rest and made.outcome.status != "planned":
            found += (Finding.warn("unfinished-environment", f"{place.shown}:{rest}"),)
        return replace(made, outcome=replace(made.outcome, findings=found))
    except OSError as error:
        rest = making.undo(maker.brought)
        words = f"{place.shown} could not be made: {error.strerror or error}.{rest}"
        code = "no-space" if error.errno in (28, 122) else "place-not-writable"
        raise SafeInstallError(words, context=str(error.filename or ""), code=code) from error
    except KeyboardInterrupt:
        rest = making.undo(maker.brought)
        gone = "what was there is left; the same line goes on with it"
        gone = gone if making.resumed else "it and its kernel were removed again"
        words = f"Interrupted while {place.shown} was being made: {gone}.{rest}"
        raise SafeInstallError(words, code="interrupted") from None
    except SafeInstallError as error:
        error.message += making.undo(maker.brought)
        raise
    except BaseException:
        making.undo(maker.brought)
        raise


@dataclass(slots=True)
class _Maker:
    request: InstallRequest
    context: Context
    place: Place
    chosen: InstallerChoice
    making: Making
    began: float
    brought: frozenset[str] = frozenset()
    """What packages have put into the new folder, by the first part of its name."""

    def made(self, base: Environment) -> NewEnvironment:
        """Carry it out; what is left on failure is the caller's to remove."""
        over = self.request.overlay
        plan = None
        wanted = _with_kernel(self.request)
        if self.chosen.installer.counts_python_path and not over:
            # pip takes for installed what PYTHONPATH shows; the new environment must hold it itself
            wanted = replace(wanted, force_reinstall=True)
        inner = replace(self.context, settings_prefix=self.context.environment.prefix, live=False)
        if over:
            try:
                plan, wanted = overlay.needed(wanted, inner, self.chosen)
            except InstallerError as error:
                reason = finding_of(error, self.context.frontend)
                error.message = about_kernel(reason, wanted, inner, self.chosen).message
                raise
        self.context.progress(f"making {self.place.shown}")
        told = self.begun(base)
        new = self.chosen.installer.serving(environment_of(self.place.path))
        if over:
            overlay.write_path_file(self.context.environment, new)
        asked = self.request
        begun = InstallRequest(
            cwd=asked.cwd, python=asked.python, overlay=over, new_env=asked.new_env
        )
        frontend = replace(inner.frontend, install=_line_of(begun, self.context))
        inside = replace(inner, environment=new, frontend=frontend)
        if plan is None or plan.changes:
            outcome = _filled(wanted, inside)
        else:
            destination, frontend = Destination.of(new), self.context.frontend
            outcome = Outcome(
                status="done", environment=new, destination=destination, frontend=frontend
            )
        outcome = self.retold(outcome, inside)
        outcome = replace(outcome, findings=(*told, *outcome.findings))
        self.brought = _tops(new)
        if outcome.status not in ("done", "satisfied") or self.request.dry_run:
            return NewEnvironment(outcome=outcome, place=self.place)
        return self.with_kernel(outcome)

    def begun(self, base: Environment) -> tuple[Finding, ...]:
        """Have an empty environment, or what a killed run left of one; return what is to be told.

        Raises `SafeInstallError` where that is another kind of environment than asked for.
        """
        left = left_behind(self.place.path)
        told: tuple[Finding, ...] = ()
        if left is not None and (there := _standing(left)):
            alike = (there.python, left.overlay) == (base.python, self.request.overlay)
            if not alike:
                hint = _line_of(self.request, self.context, new_env=next_free(self.place))
                kind = f"of Python {there.python}{', an overlay' * left.overlay}"
                words = f"{self.place.shown} is an environment {kind}; it is left as it is."
                raise SafeInstallError(words, hint=hint, code="place-taken")
            self.making.resume()
            words = f"{self.place.shown} was begun by a run that was killed; this one went on."
            return (Finding.remark("unfinished-environment", words),)
        if left is not None:
            aside = replace(self.place, path=set_aside(self.place.path)).shown
            words = f"What a killed run left at {self.place.shown} is no environment"
            way = Suggestion(f"rm -r {shlex.quote(aside)}", "removes it")
            told = (Finding.remark("unfinished-environment", f"{words}: it is {aside} now.", way),)
        self.making.begin()
        self.make_empty(base)
        self.making.stands()
        return told

    def make_empty(self, base: Environment) -> None:
        """Make an environment with nothing in it."""
        system_site = self.request.overlay and overlay.sees_base(self.context.environment)
        command = self.chosen.installer.environment_command(
            base.executable, self.place.path, prompt=self.place.label, system_site=system_site
        )
        answer = self.context.run(command)
        if not answer.ok:
            lines = [line for line in answer.output.splitlines() if line.strip()]
            words = f"{base.executable} makes no environment at {self.place.shown}."
            code = "no-space" if "os error 28" in answer.output else "environment-not-made"
            raise SafeInstallError(words, context="\n".join(lines[-4:]), code=code)

    def with_kernel(self, outcome: Outcome) -> NewEnvironment:
        """Register the kernel, start it once, and let it import what was asked for."""
        new = outcome.environment
        python = os.path.join(self.place.path, os.path.relpath(new.executable, new.prefix))
        folders = kernel_folders()
        specs, folder = find_specs(folders, user_folder()), registry(folders, user_folder())
        name = free_name(self.place.kernel, specs, python, folder)
        plain = self.place.display_name(new.python, self.request.overlay)
        display = free_display_name(plain, specs, name, self.place.shown)
        at = str(Path(folder).absolute() / name)
        there = next((spec for spec in specs if spec.folder == at), None)
        if there is None:
            self.making.registers(os.path.join(folder, name))
            kernel = register(name, display, python, self.place.path, folder=folder)
        else:
            kernel = self.rewritten(there, python, display)
        self.context.progress(f"starting the kernel {display} once")
        wanted = _import_names(self.request, outcome, new, self.context.environment)
        trial = try_kernel(
            name,
            [module for modules in wanted.values() for module in modules],
            environ=self.context.environ,
            cwd=self.context.cwd,
        )
        _judge(trial, wanted, display, "left as it is" if self.making.resumed else "removed again")
        seconds = dict(outcome.seconds)
        seconds |= {"kernel": trial.seconds, "total": time.perf_counter() - self.began}
        verdicts = tuple(
            replace(verdict, kernel=True)
            for verdict in outcome.verification
            if canonicalize_name(verdict.name) in wanted or not wanted
        )
        return NewEnvironment(
            outcome=replace(outcome, status="done", seconds=seconds, verification=verdicts),
            place=self.place,
            kernel=kernel,
            trial=trial,
            overlay_of=self.context.environment.prefix if self.request.overlay else "",
        )

    def rewritten(self, spec: Spec, python: str, display: str) -> Registered:
        """Let the user's own kernelspec of this name start the new environment; it is kept."""
        if spec.argv != (python, *ARGUMENTS) or spec.display_name != display:
            kept = kept_name(spec)
            self.making.keeps(os.path.join(spec.folder, "kernel.json"), kept)
            repair(spec, (python, *ARGUMENTS), display, kept)
        return Registered(name=spec.name, display_name=display, folder=spec.folder, python=python)

    def retold(self, outcome: Outcome, inside: Context) -> Outcome:
        """Return the outcome as that of this request: its line, its remarks, what was asked."""
        asked = {item.name for item in self.request.items if item.name}
        changes = outcome.changes.asked_for(asked) if asked else outcome.changes
        # What is set for the server's shell cannot redirect a place that was named.
        findings = tuple(f for f in outcome.findings if f.code != "ambient-redirect")
        if outcome.status == "failed":
            wanted = _with_kernel(self.request)
            findings = tuple(about_kernel(f, wanted, inside, self.chosen) for f in findings)
        if "ipykernel" not in asked:
            findings = tuple(_without_kernel(finding) for finding in findings)
        line, frontend = _line_of(self.request, self.context), self.context.frontend
        return replace(outcome, changes=changes, findings=findings, asked=line, frontend=frontend)


def _standing(left: Leftover) -> Environment | None:
    """Return the environment that a killed run left; None where it had not come so far."""
    try:
        return environment_of(left.path) if left.stands else None
    except SafeInstallError:
        return None


def _tops(new: Environment) -> frozenset[str]:
    """Return the first part of every name that the packages of an environment have in it."""
    found = set()
    for info in InstalledState(new.paths.site_packages).look().distributions:
        with suppress(RecordError):
            inside = os.path.relpath(info.folder, new.prefix)
            led = [path for path in info.record.paths if path.startswith("../")]
            found |= {PurePath(os.path.normpath(os.path.join(inside, p))).parts[0] for p in led}
    return frozenset(found - {os.pardir})


def _judge(trial: Trial, wanted: dict[str, tuple[str, ...]], display: str, after: str) -> None:
    """Raise `SafeInstallError` unless the kernel started and imports something of everything."""
    if not trial.started:
        words = f"The new kernel {display} does not start; it was {after}."
        said = "\n".join(trial.stderr.splitlines()[-12:])
        raise SafeInstallError(words, context=said, code="kernel-does-not-start")
    for name, modules in wanted.items():
        if modules and not any(module in trial.imported for module in modules):
            reasons = [f"import {module}: {trial.failed.get(module, '')}" for module in modules]
            raise SafeInstallError(
                f"{name} was installed, but the new kernel cannot import it; it was {after}.",
                context="\n".join(reasons[:6]),
                code="not-importable",
            )
