"""Read what a plan meets: who owns what it replaces, what is loaded, what wins an import."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from packaging.utils import canonicalize_name

from safeinstall import importing, names, ownership
from safeinstall.distributions import Distribution, Snapshot, snapshot
from safeinstall.environment import Environment
from safeinstall.guards.environment_state import EnvironmentState, Loaded, OtherKernel
from safeinstall.metadata.record import RecordError, RecordRow, read_record
from safeinstall.operations.context import Context
from safeinstall.plan import Plan


def plan_facts(plan: Plan, context: Context) -> EnvironmentState:
    """Return the facts around the plan; nothing is touched and no process is started."""
    environment = plan.intent.environment
    visible = _visible(plan, environment)
    by_key = visible.by_key()
    leaving = [
        by_key[key]
        for change in plan.changes.leaving
        if (key := canonicalize_name(change.name)) in by_key
    ]
    pids = other_kernels(environment.prefix) if leaving else ()
    return EnvironmentState(
        visible=visible,
        markers=environment.markers,
        loaded=_loaded(plan, leaving) if context.live else (),
        owners=ownership.owners_of(leaving, environment),
        kernels=tuple(OtherKernel(pid=pid) for pid in pids),
        home_is_kept=_home_is_kept(environment),
        shadows=shadows_of(_guessed(plan), environment, context.cwd),
    )


def shadows_of(modules: Iterable[str], environment: Environment, cwd: str) -> dict[str, str]:
    """Return which of the top-level modules an earlier entry of the import path holds, and where.

    A folder without `__init__.py` does not count: a real package behind it wins (PEP 420).
    """
    own = {os.path.realpath(path) for path in environment.paths.site_packages}
    earlier = []
    for entry in environment.sys_path:
        if os.path.realpath(entry or cwd) in own:
            break
        earlier.append(entry or cwd)
    stdlib = (environment.paths.stdlib, os.path.join(environment.paths.stdlib, "lib-dynload"))
    folders = [
        path for path in dict.fromkeys(earlier) if path not in stdlib and path[-4:] != ".zip"
    ]
    if environment.flags.isolated:
        folders = [path for path in folders if path != cwd]
    found = {}
    for module in modules:
        for folder in folders:
            place = next((p for p in _forms(folder, module) if os.path.lexists(p)), None)
            if place:
                found[module] = place.removesuffix(f"{os.sep}__init__.py")
                break
    return found


def _forms(folder: str, module: str) -> tuple[str, ...]:
    path = os.path.join(folder, module)
    return (os.path.join(path, "__init__.py"), f"{path}.py")


def _visible(plan: Plan, environment: Environment) -> Snapshot:
    """Return what the interpreter can import; what the plan was made from is not read again."""
    own = {os.path.realpath(path) for path in environment.paths.site_packages}
    found: list[Distribution] = []
    taken = False
    for entry in environment.sys_path:
        if entry and os.path.realpath(entry) in own:
            found += () if taken else plan.installed.distributions
            taken = True
        elif entry and entry != environment.paths.stdlib:
            found += snapshot([entry]).distributions
    return Snapshot(tuple(found if taken else (*found, *plan.installed.distributions)))


def _loaded(plan: Plan, leaving: Iterable[Distribution]) -> tuple[Loaded, ...]:
    again = {canonicalize_name(c.name) for c in plan.changes if c.kind == "reinstalled"}
    owner = {
        path: distribution.name
        for distribution in leaving
        if distribution.key not in again
        for path in _recorded(distribution.metadata, distribution.location)
    }
    by_owner: dict[str, list[importing.StaleModule]] = {}
    for module, path in importing.loaded_from(owner):
        by_owner.setdefault(owner[path], []).append(module)
    return tuple(
        Loaded(
            name=name,
            modules=tuple(module.name for module in modules),
            compiled=sum(module.compiled for module in modules),
        )
        for name, modules in by_owner.items()
    )


def _guessed(plan: Plan) -> list[str]:
    """Return what the requested ones are probably imported as: not known before staging."""
    modules = []
    for change in plan.changes.requested:
        known = [name for name in names.modules_of(change.name) if "." not in name]
        modules += known or [change.name.replace("-", "_").replace(".", "_")]
    return modules


def _home_is_kept(environment: Environment) -> bool:
    try:
        return os.stat(environment.home).st_dev != os.stat(environment.prefix).st_dev  # noqa: PTH116
    except OSError:
        return False


def other_kernels(prefix: str, *, proc: str = "/proc", own: int | None = None) -> tuple[int, ...]:
    """Return the process ids of other ipykernels whose interpreter lies below `prefix`.

    Where processes cannot be listed (no /proc) nothing is said.
    """
    own = os.getpid() if own is None else own
    found = []
    try:
        entries = [entry for entry in Path(proc).iterdir() if entry.name.isdigit()]
    except OSError:
        return ()
    for entry in entries:
        try:
            with (entry / "cmdline").open("rb") as file:
                words = os.fsdecode(file.read(4096)).split("\0")
        except OSError:
            continue
        below = words[0].startswith(prefix.rstrip("/\\") + os.sep)
        if int(entry.name) != own and _is_kernel(words) and below:
            found.append(int(entry.name))
    return tuple(sorted(found))


def _is_kernel(words: list[str]) -> bool:
    return any(
        word in ("ipykernel_launcher", "ipykernel") or word.endswith("ipykernel_launcher.py")
        for word in words[1:6]
    )


def _recorded(metadata: str, folder: str) -> dict[str, str]:
    """Return absolute path -> hash from the RECORD in `metadata`, its rows relative to `folder`."""
    try:
        return placed_rows(read_record(metadata).rows, folder)
    except RecordError:
        return {}


def placed_rows(lines: Iterable[RecordRow], folder: str) -> dict[str, str]:
    """Return absolute path -> hash of RECORD rows that are relative to `folder`."""
    return {
        os.path.normpath(path) if ".." in path else path: line.digest
        for line in lines
        for path in [os.path.join(folder, line.path)]
    }
