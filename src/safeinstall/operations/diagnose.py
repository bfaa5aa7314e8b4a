"""The stories of what is sick: an environment and its doctor, the kernels of a machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from safeinstall.doctor.collect import target_at, target_of
from safeinstall.doctor.diagnosis import Examination, Lines
from safeinstall.doctor.mend import mend
from safeinstall.kernels.kernel_state import KernelState
from safeinstall.operations.context import Context
from safeinstall.operations.examination import examine
from safeinstall.operations.kernels import Repaired, list_kernels, repair_kernels
from safeinstall.request import DoctorRequest, KernelsRequest

__all__ = ["Kernels", "doctor", "kernels"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Kernels:
    """The kernelspecs of a machine, and those that were put right."""

    states: tuple[KernelState, ...]
    repaired: tuple[Repaired, ...] = ()
    home: str = ""

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
    lines = Lines(
        install=frontend.line("install"),
        doctor=frontend.line("doctor"),
        overlay=frontend.line("install", "--new-env", "--overlay")
        if frontend.in_notebook
        else f"safeinstall new-env .venv --overlay{f' --python {place}' if place else ''}",
    )
    found = examine(target, context, lines, deep=request.deep)
    if request.fix:
        chosen = (d for d in found.diagnoses if d.fix and d.finding.id in request.only)
        repair = mend(replace(found, diagnoses=tuple(chosen)) if request.only else found)
        target = target_at(place, context.cwd) if place else target
        found = replace(examine(target, context, lines, deep=request.deep), repair=repair)
    return replace(found, place=place, redacted=request.redact)


def kernels(request: KernelsRequest, context: Context) -> Kernels:
    """Say what every kernelspec starts; with `repair`, put the named or broken ones right first.

    Raises `RequestError` for a name that no kernel has.
    """
    repaired: Sequence[Repaired] = ()
    if request.repair:
        repaired = repair_kernels(context, request.names)
    prefix = "%kernelenv" if context.frontend.in_notebook else "safeinstall"
    states = list_kernels(context, start=request.start, prefix=prefix)
    return Kernels(states=tuple(states), repaired=tuple(repaired), home=context.environment.home)
