"""The words for the kernels of a machine: one row each, then what is wrong and what to type."""

from __future__ import annotations

from collections.abc import Sequence

from safeinstall.environment import shown, shown_in
from safeinstall.findings import Severity
from safeinstall.kernels.kernel_state import KernelState
from safeinstall.operations.kernels import Repaired
from safeinstall.render.message import Message

__all__ = ["kernels_message"]


def kernels_message(
    states: Sequence[KernelState], home: str, repaired: Sequence[Repaired] = ()
) -> Message:
    """Return the message."""
    broken = [state for state in states if not state.healthy]
    count = f"{len(states)} kernel{'s' if len(states) != 1 else ''}"
    wrong = f", {len(broken)} of them not as they should be" if broken else ", all in order"
    width = max((len(state.spec.name) for state in states), default=0)
    rows = [_row(state, home, width) for state in states]
    done = [_repair_row(each, home) for each in repaired]
    remarks = [
        shown_in(line, home)
        for state in states
        for finding in state.findings
        for line in (finding.message, *(f"  {said}" for said in finding.context.splitlines()[-1:]))
    ]
    ways = tuple(
        dict.fromkeys(
            way
            for state in broken
            for finding in state.findings
            if finding.severity is not Severity.INFO
            for way in finding.hint
        )
    )
    return Message(
        mark="!" if broken else "✓",
        headline=count + wrong,
        lines=(*rows, *remarks, *done),
        ways=ways,
    )


def _row(state: KernelState, home: str, width: int) -> str:
    spec, found = state.spec, state.interpreter
    mark = "✓" if state.healthy else "!"
    name = f"{spec.name:<{width}}"
    if not spec.is_python and not spec.problem:
        return f"{mark} {name}  {spec.language or 'unknown language'}: {spec.display_name}"
    program = shown(state.launch.program, home) if state.launch else "nothing"
    none = "it chooses the interpreter" if state.chooses else "no interpreter"
    facts = [f"Python {found.version}", found.kind] if found else [none]
    if found and not found.writable:
        facts.append(f"not yours to write ({found.owner})")
    if found and found.has_ipykernel is False:
        facts.append("no ipykernel")
    if state.starts is not None:
        facts.append("starts" if state.starts else "does not start")
    return f"{mark} {name}  {program} — {', '.join(facts)}"


def _repair_row(repaired: Repaired, home: str) -> str:
    if not repaired.python:
        return f"{repaired.name} was left as it is: {repaired.reason}."
    return (
        f"{repaired.name} now starts {shown(repaired.python, home)} ({repaired.reason}); "
        f"the old file is {shown(repaired.kept, home)}."
    )
