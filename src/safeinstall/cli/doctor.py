"""`safeinstall doctor`: what is wrong with an environment; `--fix` puts right what is safe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from safeinstall import operations, render
from safeinstall.cli.answer import answer
from safeinstall.cli.options import read_options
from safeinstall.diagnosis.values import Shown
from safeinstall.operations.doctor import examine, treat
from safeinstall.operations.patients import patient_at, patient_of
from safeinstall.render.report_words import doctor_message, report_data, report_text
from safeinstall.request import quote

__all__ = ["run"]

_USAGE = "safeinstall doctor [--python PATH] [--fix] [--deep] [--redact] [--json]"


def run(words: Sequence[str]) -> int:
    """Carry out the command and return its exit status: 1 when something is left to put right.

    `--python` may name an environment whose interpreter does not start any more; `--deep` reads
    and hashes every file.
    """
    options = read_options(words, usage=_USAGE, switches=("--fix", "--deep", "--redact"))
    here = replace(operations.here(), live=False)
    place = options.value("--python")
    patient = patient_at(place, here) if place else patient_of(here.environment)
    named = f" --python {quote(place)}" if place else ""
    shown = Shown(
        install=f"safeinstall install{named}",
        doctor=f"safeinstall doctor{named}",
        overlay=f"safeinstall new-env .venv --overlay{named}",
    )
    deep = "--deep" in options
    found = examine(patient, here, shown, deep=deep)
    if "--fix" in options:
        treatment = treat(found)
        patient = patient_at(place, here) if place else patient
        found = replace(examine(patient, here, shown, deep=deep), treatment=treatment)
    home = here.environment.home
    if "--redact" in options:
        answer(report_text(found, home), report_data(found, home) if "--json" in options else None)
        return 0
    text = render.as_text(doctor_message(found, home, f"{shown.doctor} --fix"))
    answer(text, found.to_dict() if "--json" in options else None)
    return 0 if found.healthy else 1
