"""The doctor: look at an environment, say what is wrong, put right what is safe to put right.

Looking starts nothing but, at most, the interpreter itself. What is put right is one transaction:
files are set aside or written anew, and undo brings them back.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from safeinstall.diagnosis import distributions as judge
from safeinstall.diagnosis import surroundings as around
from safeinstall.diagnosis.values import Diagnosis, Installed, Shown, say
from safeinstall.environment import shown
from safeinstall.evidence import layout
from safeinstall.evidence.distributions import installed, leftover_paths
from safeinstall.installers.sources import redirections
from safeinstall.operations.context import Context
from safeinstall.operations.patients import Patient
from safeinstall.operations.pythons import installed_pythons
from safeinstall.operations.unfinished import MARK, left_behind
from safeinstall.operations.winners import other_folders, winners
from safeinstall.ownership import changed_since_conda, conda_package
from safeinstall.probe.rules.pip_settings import effective_settings, read_pip_settings
from safeinstall.transaction import Area, Recovery, TransactionError, free_bytes
from safeinstall.transaction.patch import NewFile, patch

__all__ = ["Examination", "Treatment", "examine", "treat"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Treatment:
    """What was put right."""

    done: tuple[str, ...]
    transaction: str | None
    """The transaction that undo takes back, or None when there was none."""
    recovered: Recovery | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """What the doctor found."""

    patient: Patient
    diagnoses: tuple[Diagnosis, ...]
    distributions: int
    seconds: float
    treatment: Treatment | None = None
    place: str = ""
    """The interpreter or folder that was named, or empty."""
    redacted: bool = False
    """True when a text for a bug report is wanted."""

    @property
    def exit_status(self) -> int:
        """1 when something is left to put right."""
        return 0 if self.redacted or self.healthy else 1

    @property
    def healthy(self) -> bool:
        """True when nothing but remarks was found."""
        return all(d.finding.severity.value == "info" for d in self.diagnoses)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        treatment = self.treatment
        return {
            "schema": 1,
            "prefix": self.patient.prefix,
            "python": self.patient.python,
            "version": self.patient.version,
            "starts": self.patient.environment is not None,
            "distributions": self.distributions,
            "findings": [diagnosis.to_dict() for diagnosis in self.diagnoses],
            "fixed": list(treatment.done) if treatment else [],
            "transaction": treatment.transaction if treatment else None,
            "seconds": round(self.seconds, 4),
        }


def examine(patient: Patient, context: Context, words: Shown, *, deep: bool = False) -> Examination:
    """Look at the environment; nothing is changed. `deep` reads every file that is listed."""
    began = time.perf_counter()
    own = tuple(
        _with_owner(each, patient.prefix) for each in installed(patient.site_packages, deep=deep)
    )
    others = installed(other_folders(patient))
    diagnoses = [
        *_interpreter(patient, context),
        *_transactions(patient, words),
        *judge.twice(own, words),
        *judge.broken(own, words),
        *judge.leftovers(leftover_paths(patient.site_packages)),
        *_half_made(patient),
        *judge.old_pip(own, words),
        *_files(patient),
        *winners(patient, context, own, others),
        *_conflicts(patient, own, others, words),
        *_access(patient, words),
        *_ambient(patient, context),
        *around.low_space(free_bytes(patient.prefix), patient.prefix),
    ]
    order = {"refuse": 0, "confirm": 0, "warning": 1, "info": 2}
    diagnoses.sort(key=lambda diagnosis: order[diagnosis.finding.severity.value])
    return Examination(
        patient=patient,
        diagnoses=tuple(diagnoses),
        distributions=len(own),
        seconds=time.perf_counter() - began,
    )


def treat(examination: Examination) -> Treatment:
    """Put right what is safe, as one transaction. Raises `TransactionError`: then nothing was."""
    patient = examination.patient
    remedies = [d.remedy for d in examination.diagnoses if d.remedy is not None]
    area = Area.open(patient.prefix)
    if not remedies:
        return Treatment(done=(), transaction=None)
    with area.lock(timeout=10.0, command="safeinstall doctor"):
        recovered = area.recover()
        aside = list(dict.fromkeys(path for remedy in remedies for path in remedy.aside))
        files = {
            rewrite.path: NewFile(rewrite.content, rewrite.mode, rewrite.link)
            for remedy in remedies
            for rewrite in remedy.rewrites
        }
        aside = [path for path in aside if os.path.lexists(path)]
        if not aside and not files:
            done = tuple(remedy.words for remedy in remedies if remedy.recover)
            return Treatment(done=done, transaction=None, recovered=recovered)
        committed = patch(area, aside, files, "safeinstall doctor --fix")
    return Treatment(
        done=tuple(remedy.words for remedy in remedies),
        transaction=committed.id,
        recovered=recovered,
    )


def _transactions(patient: Patient, words: Shown) -> Iterator[Diagnosis]:
    try:
        waiting = Area.open(patient.prefix).unfinished()
    except TransactionError as error:
        yield say(error.code, error.message, context=error.context)
        return
    yield from around.unfinished(waiting, patient.prefix, f"{words.doctor} --fix")


def _interpreter(patient: Patient, context: Context) -> Iterator[Diagnosis]:
    home, problem = layout.home_problem(patient.prefix)
    base = _base_for(patient, context) if problem else ""
    rewrites = layout.home_rewrites(patient.prefix, base) if base else ()
    yield from around.wrong_home(home, problem, base, rewrites, patient.prefix)
    if patient.environment is None and not problem:
        yield say(
            "does-not-start",
            f"{patient.python} does not start: {patient.trouble}",
            "safeinstall new-env .venv",
        )


def _files(patient: Patient) -> Iterator[Diagnosis]:
    prefix = patient.prefix
    folder = os.path.join(prefix, "bin")
    python = os.path.join(folder, os.path.basename(patient.python))
    if (Path(prefix) / "pyvenv.cfg").exists():
        found = layout.scripts(folder, python)
        fixes = layout.script_fixes(found, patient.site_packages, python)
        yield from around.scripts(found, fixes, prefix)
        named = layout.activate_names(prefix)
        yield from around.moved(named, prefix, layout.activate_rewrites(prefix, named))
    owner, parts = layout.owners(prefix, patient.site_packages)
    if owner and patient.environment is not None and patient.environment.is_virtual:
        yield from around.foreign_files(parts, owner, prefix)


def _with_owner(each: Installed, prefix: str) -> Installed:
    """Say what conda calls it, where something is the matter with it: the owner mends it."""
    if each.complete and not each.changed:
        return each
    known = (prefix, each.metadata, canonicalize_name(each.name))
    owner = conda_package(*known)
    changed = changed_since_conda(*known, each.changed) if owner else each.changed
    return replace(each, conda=owner, changed=changed)


def _half_made(patient: Patient) -> Iterator[Diagnosis]:
    if left_behind(patient.prefix) is not None:
        yield say(
            "unfinished-environment",
            f"{patient.prefix} was being made when safeinstall died ({MARK}); it is not complete.",
            f"rm -r {shlex.quote(patient.prefix)}",
        )


def _conflicts(
    patient: Patient, own: tuple[Installed, ...], others: tuple[Installed, ...], words: Shown
) -> Iterator[Diagnosis]:
    if patient.markers is not None:
        yield from judge.conflicts(own, patient.markers, words, also=others)


def _access(patient: Patient, words: Shown) -> Iterator[Diagnosis]:
    environment = patient.environment
    if environment is None:
        return
    if environment.externally_managed:
        yield say(
            "externally-managed",
            f"The packages of {patient.prefix} belong to its distributor (EXTERNALLY-MANAGED).",
            info=True,
        )
    for key, access in environment.access:
        if not access.writable and key in ("purelib", "scripts"):
            yield say(
                "not-writable",
                f"Installs cannot write into {access.path}: {access.detail}.",
                f"{words.overlay} pandas",
            )


def _ambient(patient: Patient, context: Context) -> Iterator[Diagnosis]:
    home = patient.environment.home if patient.environment else context.environment.home
    settings = effective_settings(read_pip_settings(context.environ, patient.prefix, home or None))
    for found in redirections(context.environ, settings.values()):
        if os.path.realpath(found.value) in (
            os.path.realpath(patient.prefix),
            os.path.realpath(patient.python),
        ):
            continue
        yield say(
            "ambient-redirect",
            f"{found.name}={shown(found.value, home)} leads other installers elsewhere; "
            "safeinstall does not obey it.",
            info=True,
        )
    if context.environ.get("PYTHONHOME"):
        yield say(
            "python-home",
            f"PYTHONHOME={context.environ['PYTHONHOME']} misleads every Python.",
            "unset PYTHONHOME",
            context="Jupyter and its kernels have to be started without it.",
        )


def _base_for(patient: Patient, context: Context) -> str:
    """Return an interpreter of the patient's version, the same release if there is one."""
    minor = ".".join(patient.version.split(".")[:2])
    here = context.environment
    own = str(here.report.get("base_executable") or here.executable)
    fitting = [
        found
        for found in installed_pythons(context.environ, context)
        if f"{found.version}.".startswith(f"{minor}.")
        and not os.path.realpath(found.path).startswith(os.path.realpath(patient.prefix))
    ]
    if here.python == minor:
        return os.path.realpath(own)
    exact = [found for found in fitting if found.version == patient.version]
    return os.path.realpath((exact or fitting)[0].path) if fitting else ""
