"""What `%kernelenv --doctor` does."""

from __future__ import annotations

from dataclasses import replace

from safeinstall import operations
from safeinstall.doctor.collect import target_of
from safeinstall.doctor.diagnosis import Lines
from safeinstall.doctor.mend import mend
from safeinstall.errors import RequestError
from safeinstall.magics.display import Shown
from safeinstall.operations.examination import examine
from safeinstall.render.doctor import doctor_message, report_text
from safeinstall.render.message import Message

__all__ = ["run"]

_LINE = "%kernelenv --doctor"


def run(words: list[str]) -> Shown:
    """Return what is wrong with this kernel's environment; `--fix` puts right what is safe."""
    strange = [word for word in words if word not in ("--doctor", "--fix", "--deep", "--redact")]
    if strange:
        raise RequestError(f"{strange[0]} is not understood here.", hint=f"{_LINE} --fix")
    here = operations.here()
    target = target_of(here.environment)
    deep = "--deep" in words
    found = examine(target, here, Lines(), deep=deep)
    if "--fix" in words:
        repair = mend(found)
        found = replace(examine(target, here, Lines(), deep=deep), repair=repair)
    home = here.environment.home
    if "--redact" in words:
        first, *rest = report_text(found, home).splitlines()
        return Shown(Message(mark="", headline=first, lines=tuple(rest)))
    return Shown(doctor_message(found, home, f"{_LINE} --fix"), found.to_dict())
