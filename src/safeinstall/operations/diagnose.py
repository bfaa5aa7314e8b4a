"""The stories of what is sick: an environment and its doctor, the kernels of a machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from safeinstall import doctor as examination
from safeinstall.distributions import InstalledIndex
from safeinstall.doctor.collect import target_at, target_of
from safeinstall.doctor.diagnosis import Diagnosis, Examination, Target
from safeinstall.doctor.mend import mend
from safeinstall.environment import Environment
from safeinstall.errors import RequestError, SafeInstallError
from safeinstall.findings import Finding
from safeinstall.frontend import Frontend
from safeinstall.interpreter import environment_of, find_python
from safeinstall.kernels import ARGUMENTS, Spec, find_specs, kernel_folders, repair, user_folder
from safeinstall.kernels.kernel_state import (
    Interpreter,
    KernelState,
    Launch,
    Server,
    judge_spec,
    promised_version,
    resolve,
)
from safeinstall.kernels.trial_starts import try_kernel
from safeinstall.operations.context import Context, interruptible
from safeinstall.outcome import finding_of
from safeinstall.probe.facts.writability import user_name
from safeinstall.request import DoctorRequest, KernelsRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Repaired:
    """A kernelspec that was written anew, or why it was not."""

    name: str
    python: str = ""
    kept: str = ""
    """Where the old file is kept."""
    reason: str
    """Why this interpreter; or, with an empty `python`, why nothing could be done."""

    def to_dict(self) -> dict[str, str]:
        """Return the JSON form."""
        return asdict(self)


def list_kernels(
    context: Context,
    *,
    start: bool = False,
    folders: Sequence[str] = (),
) -> tuple[KernelState, ...]:
    """Return every kernelspec with what it starts; `start` tries each Python kernel once."""
    specs = find_specs(folders or kernel_folders(), user_folder())
    server = _server(context)
    asked: dict[str, Interpreter | None] = {}
    states, others = [], _Others(context)
    for spec in specs:
        launch = resolve(spec, server)
        found = None
        if launch is not None and launch.exists and launch.how != "launcher" and spec.is_python:
            context.progress(f"asking {spec.name}")
            if launch.program not in asked:
                asked[launch.program] = _asked(launch)
            found = asked[launch.program]
        state = judge_spec(spec, launch, found, context.frontend, partial(others.of, spec))
        if start and spec.is_python and spec.argv and not spec.hidden_by:
            state = _tried(state, context, folders)
        states.append(state)
    return tuple(states)


def repair_kernels(
    context: Context, names: Sequence[str] = (), *, folders: Sequence[str] = (), named: bool = False
) -> tuple[Repaired, ...]:
    """Write the kernelspecs anew that are broken (or those named), the old file kept beside each.

    The interpreter is the one in the spec where it exists, else the environment its folder lies
    in: never one that has nothing to do with it, unless it is `named` (the context's own). Raises
    `RequestError` for a name that nobody has.
    """
    states = {
        s.spec.name: s for s in list_kernels(context, folders=folders) if not s.spec.hidden_by
    }
    unknown = [name for name in names if name.lower() not in states]
    if unknown:
        known = ", ".join(sorted(states))
        raise RequestError(f"There is no kernel called {unknown[0]}.", context=known)
    wanted = [states[name.lower()] for name in names] or [
        state for state in states.values() if not state.healthy
    ]
    return tuple(_repaired(state, context, named) for state in wanted)


def _repaired(state: KernelState, context: Context, named_python: bool) -> Repaired:
    spec = state.spec
    if spec.argv and not spec.is_python:
        return Repaired(name=spec.name, reason="it is no Python kernel")
    codes = {finding.code for finding in state.findings}
    if codes == {"kernelspec-no-ipykernel"}:
        reason = "its interpreter has no ipykernel; the line above installs it"
        return Repaired(name=spec.name, reason=reason)
    if "kernelspec-unjudged" in codes and not named_python:
        return Repaired(name=spec.name, reason="it cannot be judged from here")
    if state.chooses and not _hands_over(spec):
        reason = f"only who wrote {spec.argv[0]} knows how it takes the connection file"
        return Repaired(name=spec.name, reason=reason)
    python, reason, named = _interpreter_for(state, context, named_python)
    if not python:
        return Repaired(name=spec.name, reason=reason)
    display = spec.display_name
    promised = promised_version(spec)
    if promised and named and not named.startswith(promised):
        display = display.replace(promised, ".".join(named.split(".")[:2]))
    try:
        kept = repair(spec, _words(state, python), display)
    except SafeInstallError as error:
        return Repaired(name=spec.name, reason=error.message)
    return Repaired(name=spec.name, python=python, kept=kept, reason=reason)


def _words(state: KernelState, python: str) -> tuple[str, ...]:
    """Return the `argv` that starts `python`: what else was written there has its reasons."""
    spec, launch = state.spec, state.launch
    if launch is None or not _hands_over(spec):
        return (python, *ARGUMENTS)
    if launch.position < 0:
        same = os.path.basename(python) == os.path.basename(spec.argv[0])
        return (python, *spec.argv[1:]) if same else (python, *ARGUMENTS)
    front, back = spec.argv[: launch.position], spec.argv[launch.position + 1 :]
    starts_ipykernel = any(word.startswith("ipykernel") for word in back)
    return (*front, python, *back) if starts_ipykernel else (python, *ARGUMENTS)


def _hands_over(spec: Spec) -> bool:
    return any("{connection_file}" in word for word in spec.argv)


def _interpreter_for(
    state: KernelState, context: Context, named_python: bool
) -> tuple[str, str, str]:
    """Return the interpreter a kernelspec should start, why, and its version."""
    if named_python:
        here = context.environment
        if _has_ipykernel(here):
            return here.executable, "the interpreter that was named", here.version
        return "", f"{here.executable} has no ipykernel", ""
    spec, launch, found = state.spec, state.launch, state.interpreter
    promised = promised_version(spec)
    if launch is not None and launch.how == "launcher":
        return launch.program, "the program it starts now", ""
    if launch is not None and found is not None:
        misnamed = promised and not f"{found.version}.".startswith(f"{promised}.")
        if not misnamed or launch.how == "absolute":
            return launch.program, "the interpreter it starts now", found.version
    home = Path(spec.folder).parents[3] if len(Path(spec.folder).parents) > 3 else None
    if home is not None and (home / "pyvenv.cfg").exists() and (home / "bin" / "python").exists():
        return str(home / "bin" / "python"), "the environment its file lies in", ""
    if launch is not None and launch.how == "relative":
        for folder in (context.cwd, spec.folder):
            path = os.path.normpath(os.path.join(folder, spec.argv[0]))
            if os.access(path, os.X_OK):
                return path, f"found from {folder}", ""
    return "", "its interpreter is gone: name the one it shall start, with --python PATH", ""


class _Others:
    """Interpreters that may be offered where a kernelspec's own is gone, each looked for once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[str, str] = {}

    def of(self, spec: Spec) -> str:
        """Return one with ipykernel, of the version that the kernelspec promises; else nothing."""
        promised = promised_version(spec)
        if promised not in self._known:
            self._known[promised] = self._find(promised)
        return self._known[promised]

    def _find(self, promised: str) -> str:
        here = self._context.environment
        try:
            found = find_python(promised, here, self._context.environ) if promised else here
        except SafeInstallError:
            return ""
        return found.executable if _has_ipykernel(found) else ""


def _tried(state: KernelState, context: Context, folders: Sequence[str]) -> KernelState:
    context.progress(f"starting {state.spec.name}")
    trial = try_kernel(
        state.spec.name, environ=context.environ, cwd=context.cwd, folders=folders, timeout=30.0
    )
    if trial.started:
        return replace(state, starts=True)
    words, said = f"{state.spec.name} does not start.", "\n".join(trial.stderr.splitlines()[-6:])
    finding = Finding.warn("kernel-does-not-start", words, context=said)
    return replace(state, starts=False, findings=(*state.findings, finding))


def _asked(launch: Launch) -> Interpreter | None:
    try:
        environment = environment_of(launch.program)
    except SafeInstallError:
        return None
    owner = ""
    with suppress(OSError):
        owner = user_name(Path(environment.prefix).stat().st_uid)
    return Interpreter(
        version=environment.version,
        prefix=environment.prefix,
        kind=environment.kind,
        writable=environment.locked is None and environment.externally_managed is None,
        owner=owner,
        has_ipykernel=_has_ipykernel(environment),
    )


def _has_ipykernel(environment: Environment) -> bool:
    return InstalledIndex(environment.sys_path).find("ipykernel") is not None


def _server(context: Context) -> Server:
    """Return the server as far as it can be known from a process it started.

    The kernel inherits its PATH; that its interpreter is ours is an assumption, true where
    Jupyter and the kernel are one environment.
    """
    path, version = context.environ.get("PATH", os.defpath), sys.version_info[:2]
    return Server(executable=sys.executable, prefix=sys.prefix, version=version, path=path)


@dataclass(frozen=True, kw_only=True, slots=True)
class Kernels:
    """The kernelspecs of a machine, and those that were put right."""

    states: tuple[KernelState, ...]
    repaired: tuple[Repaired, ...] = ()
    home: str = ""
    start_line: str = ""
    """The line that starts each once."""

    @property
    def exit_status(self) -> int:
        """1 when a kernel is not in order."""
        return 0 if all(state.healthy for state in self.states) else 1

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "schema": 1,
            "kernels": [state.to_dict() for state in self.states],
            "repaired": [each.to_dict() for each in self.repaired],
        }


def doctor(request: DoctorRequest, context: Context) -> Examination:
    """Say what is wrong with the environment; with `fix`, put right what is safe first.

    `request.python` may name an environment whose interpreter does not start any more.
    """
    place = request.python
    target = target_at(place, context.cwd) if place else target_of(context.environment)
    frontend = replace(context.frontend, python=place)
    with interruptible(target.prefix):
        found = _treated(request, target, context, frontend)
    own = () if place else context.outdated()
    outdated = tuple(Diagnosis(finding=finding) for finding in own)
    diagnoses = (*outdated, *found.diagnoses)
    return replace(found, diagnoses=diagnoses, place=place, redacted=request.redact)


def _treated(
    request: DoctorRequest, target: Target, context: Context, frontend: Frontend
) -> Examination:
    place = request.python
    found = _examined(target, context, frontend, deep=request.deep)
    if request.fix:
        chosen = (d for d in found.diagnoses if d.fix and d.finding.id in request.only)
        repair = mend(replace(found, diagnoses=tuple(chosen)) if request.only else found)
        failure = repair.failure
        try:
            target = target_at(place, context.cwd) if place else target
            found = _examined(target, context, frontend, deep=request.deep)
        except (SafeInstallError, OSError) as error:  # what was done is said all the same
            left = (d for d in found.diagnoses if not d.fix or d.fix.words not in repair.done)
            found, failure = replace(found, diagnoses=tuple(left)), failure or error
        if failure is not None:
            stopped = Diagnosis(finding=finding_of(failure, frontend))
            found = replace(found, diagnoses=(stopped, *found.diagnoses))
        found = replace(found, repair=repair)
    return found


def kernels(request: KernelsRequest, context: Context) -> Kernels:
    """Say what every kernelspec starts; with `repair`, put the named or broken ones right first.

    Raises `RequestError` for a name that no kernel has.
    """
    repaired = (
        repair_kernels(context, request.names, named=bool(request.python and request.names))
        if request.repair
        else ()
    )
    states = list_kernels(context, start=request.start)
    start_line = context.frontend.line("kernels", "--start")
    home = context.environment.home
    return Kernels(states=states, repaired=repaired, home=home, start_line=start_line)


def _examined(
    target: Target, context: Context, frontend: Frontend, *, deep: bool = False
) -> Examination:
    """Say what is wrong with `target`; nothing is changed. `deep` reads every listed file."""
    here, environ = context.environment, context.environ
    return examination.examine(
        target, here, environ=environ, cwd=context.cwd, frontend=frontend, deep=deep
    )
