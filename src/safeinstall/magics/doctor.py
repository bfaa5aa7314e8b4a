"""What `%kernelenv --doctor` does."""

from __future__ import annotations

from dataclasses import replace

from safeinstall import operations
from safeinstall.diagnosis.values import Shown as Words
from safeinstall.errors import RequestError
from safeinstall.magics.display import Shown
from safeinstall.operations.doctor import examine, treat
from safeinstall.operations.patients import patient_of
from safeinstall.render.layout import Message
from safeinstall.render.report_words import doctor_message, report_text

__all__ = ["run"]

_LINE = "%kernelenv --doctor"


def run(words: list[str]) -> Shown:
    """Return what is wrong with this kernel's environment; `--fix` puts right what is safe."""
    strange = [word for word in words if word not in ("--doctor", "--fix", "--deep", "--redact")]
    if strange:
        raise RequestError(f"{strange[0]} is not understood here.", hint=f"{_LINE} --fix")
    here = operations.here()
    patient = patient_of(here.environment)
    deep = "--deep" in words
    found = examine(patient, here, Words(), deep=deep)
    if "--fix" in words:
        treatment = treat(found)
        found = replace(examine(patient, here, Words(), deep=deep), treatment=treatment)
    home = here.environment.home
    if "--redact" in words:
        first, *rest = report_text(found, home).splitlines()
        return Shown(Message(mark="", headline=first, lines=tuple(rest)))
    return Shown(doctor_message(found, home, f"{_LINE} --fix"), found.to_dict())
