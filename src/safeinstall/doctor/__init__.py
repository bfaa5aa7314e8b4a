"""The doctor: look at an environment, say what is wrong, put right what is safe to put right.

Looking starts nothing but, at most, the interpreter itself: `collect` reads, `diagnosis` says what
it means. What is put right (`mend`) is one transaction, which undo takes back.
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from safeinstall.doctor import diagnosis, mend
from safeinstall.doctor.collect import importable, installed, leftover_paths, owners
from safeinstall.doctor.diagnosis import Diagnosis, Examination, Installed, Target, say
from safeinstall.environment import Environment, shown
from safeinstall.errors import TransactionError
from safeinstall.frontend import Frontend
from safeinstall.guards.environment_state import changed_since_conda, conda_package, listed_by_conda
from safeinstall.installers.sources import redirections
from safeinstall.interpreter import installed_pythons
from safeinstall.probe.rules.pip_settings import effective_settings, read_pip_settings
from safeinstall.transaction.in_progress import MARK, left_behind
from safeinstall.transaction.moves.disk import free_bytes
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.store.lock import is_held


def examine(
    target: Target,
    here: Environment,
    *,
    environ: Mapping[str, str],
    cwd: str,
    frontend: Frontend,
    deep: bool = False,
) -> Examination:
    """Look at the environment `target` from this process, which runs in `here`; change nothing.

    `deep` reads every file that is listed.
    """
    began = time.perf_counter()
    found = installed(target.site_packages, deep=deep)
    own = tuple(_with_owner(each, target.prefix) for each in found)
    folders = {os.path.realpath(folder) for folder in target.site_packages}
    others = installed([at for at in target.import_path if os.path.realpath(at) not in folders])
    diagnoses = [
        *_interpreter(target, here, environ, frontend),
        *_transactions(target, frontend),
        *diagnosis.twice(own, frontend),
        *diagnosis.broken(own, frontend),
        *diagnosis.not_as_conda_lists(listed_by_conda(target.prefix), own, frontend),
        *diagnosis.leftovers(leftover_paths(target.site_packages)),
        *_half_made(target),
        *diagnosis.old_pip(own, frontend),
        *_files(target, frontend),
        *_shadowing(target, own, others, environ, cwd),
        *diagnosis.conflicts(own, target.markers, frontend, also=others),
        *_access(target, frontend),
        *_ambient(target, here, environ),
        *diagnosis.low_space(free_bytes(target.prefix), target.prefix, frontend),
    ]
    order = {"refuse": 0, "confirm": 0, "warning": 1, "info": 2}
    diagnoses.sort(key=lambda diagnosis: order[diagnosis.finding.severity.value])
    seconds, said = time.perf_counter() - began, tuple(diagnoses)
    return Examination(target=target, diagnoses=said, distributions=len(own), seconds=seconds)


def _transactions(target: Target, frontend: Frontend) -> Iterator[Diagnosis]:
    try:
        store = Store.open(target.prefix)
        waiting, stuck = store.unfinished(), store.stuck()
        # Who is at work just now is between two states.
        refused = {} if is_held(store.path) else store.refused()
    except TransactionError as error:
        yield say(error.code, error.message, context=error.context)
        return
    line = frontend.line("doctor", "--fix")
    yield from diagnosis.in_progress(waiting, target.prefix, line)
    yield from diagnosis.refused(refused, line)
    yield from diagnosis.undeletable(stuck)


def _interpreter(
    target: Target, here: Environment, environ: Mapping[str, str], frontend: Frontend
) -> Iterator[Diagnosis]:
    home, problem = mend.home_problem(target.prefix)
    base = _base_for(target, here, environ) if problem else ""
    rewrites = mend.home_rewrites(target.prefix, base) if base else ()
    new_one = replace(frontend, python="").new_environment()  # not of the Python that is broken
    yield from diagnosis.wrong_home(home, problem, base, rewrites, target.prefix, new_one)
    if target.environment is None and not problem:
        words = f"{target.python} does not start: {target.trouble}"
        yield say("does-not-start", words, new_one)


def _files(target: Target, frontend: Frontend) -> Iterator[Diagnosis]:
    prefix = target.prefix
    folder = os.path.join(prefix, "bin")
    python = os.path.join(folder, os.path.basename(target.python))
    if (Path(prefix) / "pyvenv.cfg").exists():
        found = mend.scripts(folder, python)
        fixes = mend.script_fixes(found, target.site_packages, python)
        yield from diagnosis.scripts(found, fixes, prefix)
        named = mend.activate_names(prefix)
        yield from diagnosis.moved(named, prefix, mend.activate_rewrites(prefix, named), frontend)
    owner, parts = owners(prefix, target.site_packages)
    if owner and target.environment is not None and target.environment.is_virtual:
        yield from diagnosis.foreign_files(parts, owner, prefix)


def _with_owner(each: Installed, prefix: str) -> Installed:
    """Say what conda calls it, where something is the matter with it: the owner mends it."""
    if each.complete and not each.changed:
        return each
    known = (prefix, each.metadata, canonicalize_name(each.name))
    owner = conda_package(*known)
    changed = changed_since_conda(*known, each.changed) if owner else each.changed
    return replace(each, conda=owner, changed=changed)


def _half_made(target: Target) -> Iterator[Diagnosis]:
    if left_behind(target.prefix) is not None:
        died = f"{target.prefix} was being made when safeinstall died"
        if target.environment is None:
            words, command = f"{died}; it is not complete.", f"rm -r {shlex.quote(target.prefix)}"
        else:
            words = f"{died}, and may lack packages; if it is as you want it, take the mark away."
            command = f"rm {shlex.quote(os.path.join(target.prefix, MARK))}"
        yield say("unfinished-environment", words, command)


def _access(target: Target, frontend: Frontend) -> Iterator[Diagnosis]:
    environment = target.environment
    if environment is None:
        return
    if environment.externally_managed:
        words = f"The packages of {target.prefix} belong to its distributor (EXTERNALLY-MANAGED)."
        yield say("externally-managed", words, info=True)
    for key, access in environment.access:
        if not access.writable and key in ("purelib", "scripts"):
            words = f"Installs cannot write into {access.path}: {access.detail}."
            yield say("not-writable", words, frontend.new_environment("--overlay", "pandas"))


def _ambient(target: Target, here: Environment, environ: Mapping[str, str]) -> Iterator[Diagnosis]:
    home = target.environment.home if target.environment else here.home
    settings = effective_settings(read_pip_settings(environ, target.prefix, home or None))
    own = {os.path.realpath(target.prefix), os.path.realpath(target.python)}
    for found in redirections(environ, settings.values()):
        if os.path.realpath(found.value) not in own:
            elsewhere = f"{found.name}={shown(found.value, home)} leads other installers elsewhere;"
            yield say("ambient-redirect", f"{elsewhere} safeinstall does not obey it.", info=True)
    if environ.get("PYTHONHOME"):
        words = f"PYTHONHOME={environ['PYTHONHOME']} misleads every Python."
        why = "Jupyter and its kernels have to be started without it."
        yield say("python-home", words, "unset PYTHONHOME", context=why)


def _base_for(target: Target, here: Environment, environ: Mapping[str, str]) -> str:
    """Return an interpreter of the target's version, the same release if there is one."""
    minor = ".".join(target.version.split(".")[:2])
    own = str(here.report.get("base_executable") or here.executable)
    if here.python == minor:
        return os.path.realpath(own)
    prefix = os.path.realpath(target.prefix)
    others = (f for f in installed_pythons(environ) if f"{f.version}.".startswith(f"{minor}."))
    fitting = [found for found in others if not os.path.realpath(found.path).startswith(prefix)]
    exact = [found for found in fitting if found.version == target.version]
    return os.path.realpath((exact or fitting)[0].path) if fitting else ""


def _shadowing(
    target: Target,
    own: tuple[Installed, ...],
    others: tuple[Installed, ...],
    environ: Mapping[str, str],
    cwd: str,
) -> Iterator[Diagnosis]:
    """Yield copies and modules that are imported instead of what the environment holds."""
    environment = target.environment
    if environment is None:
        return
    kinds = dict.fromkeys(target.site_packages, "this environment")
    added = filter(None, environ.get("PYTHONPATH", "").split(os.pathsep))
    kinds |= dict.fromkeys(map(os.path.realpath, added), "PYTHONPATH")
    if environment.user_site.path:
        kinds[os.path.realpath(environment.user_site.path)] = "your user site"
    folders = list(dict.fromkeys(os.path.realpath(entry) for entry in target.import_path))
    own_folders = {os.path.realpath(folder) for folder in target.site_packages}
    position = {folder: index for index, folder in enumerate(folders)}
    every = sorted((*own, *others), key=lambda each: position.get(each.folder, 10**6))
    yield from diagnosis.copies(every, kinds)
    first = min((position[f] for f in own_folders if f in position), default=0)
    library = os.path.realpath(environment.paths.stdlib)
    foreign = [folder for folder in folders[:first] if folder not in own_folders]
    front = [f for f in foreign if f != library and not f.startswith(library + os.sep)]
    here = os.path.realpath(cwd)
    front += [here] if here not in front else []
    kinds.setdefault(here, "the notebook's folder")
    held = {each.folder for each in others}
    names = {folder: importable(folder) for folder in front if folder not in held}
    yield from diagnosis.shadowing(names, own, sys.stdlib_module_names, kinds)
