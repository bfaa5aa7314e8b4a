"""The words for a new environment: what was made, what its kernel is called, how to switch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from safeinstall.distributions import Change
from safeinstall.environment import shown
from safeinstall.findings import Suggestion
from safeinstall.operations.new_environment import NewEnvironment
from safeinstall.render.bundle import MIME
from safeinstall.render.html import as_html
from safeinstall.render.message import Message
from safeinstall.render.outcome import outcome_message
from safeinstall.render.text import as_text

__all__ = ["DisplayedNewEnvironment", "new_environment_message"]

_FEW: Final = 5


def new_environment_message(made: NewEnvironment, environ: Mapping[str, str]) -> Message:
    """Return the message; `environ` tells which front end is in use."""
    outcome, kernel = made.outcome, made.kernel
    if kernel is None:
        return _planned(made) if outcome.ok else outcome_message(outcome)
    requested = [change for change in outcome.changes if change.requested]
    named = ", ".join(f"{change.name} {change.after}" for change in requested)
    along = _along([change for change in outcome.changes if not change.requested])
    home = outcome.environment.home
    sees = f"It also sees what {shown(made.overlay_of, home)} holds." if made.overlay_of else ""
    imported = ", ".join(sorted(made.trial.imported)) if made.trial else ""
    proof = f"Its kernel was started once and imports {imported}." if imported else ""
    lines = (along, sees, proof or "Its kernel was started once and answers.")
    return Message(
        mark="✓",
        headline=f"{made.place.shown} made"
        + (f" with {named}" if named else "")
        + f" — Python {outcome.environment.python}, a kernel of its own",
        seconds=outcome.seconds.get("total"),
        lines=tuple(line for line in lines if line),
        ways=_ways(made, environ),
    )


def _along(changes: Sequence[Change]) -> str:
    """Return what came along, in one line: the kernel's own thirty packages are one thing."""
    if len(changes) <= _FEW:
        return "   ".join(f"+ {change.name} {change.after}" for change in changes)
    kernel = next((c for c in changes if c.name == "ipykernel"), changes[0])
    return f"+ {kernel.name} {kernel.after} and {len(changes) - 1} more that they need"


def _planned(made: NewEnvironment) -> Message:
    message = outcome_message(made.outcome)
    return Message(
        mark="·",
        headline=f"Would make {made.place.shown} with a kernel of its own (nothing was left):",
        seconds=message.seconds,
        lines=message.lines,
        ways=message.ways,
    )


def _ways(made: NewEnvironment, environ: Mapping[str, str]) -> tuple[Suggestion, ...]:
    if made.kernel is None:
        return ()
    name, display = made.kernel.name, made.kernel.display_name
    editor = any(key.startswith("VSCODE_") for key in environ)
    menu = (
        f"Select Kernel → Jupyter Kernel… → {display}"
        if editor
        else f"Kernel → Change Kernel… → {display}"
    )
    note = "switch (top right of the notebook)" if editor else "switch this notebook to it"
    console = Suggestion(command=f"jupyter console --kernel {name}", note="in a terminal")
    if not made.in_notebook:
        return (console, Suggestion(command=menu, note="in a notebook"))
    return (Suggestion(command=menu, note=note), console)


@dataclass(frozen=True, slots=True)
class DisplayedNewEnvironment:
    """A new environment that shows itself."""

    made: NewEnvironment
    message: Message

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Return every form of it (IPython asks for it)."""
        return {
            "text/plain": as_text(self.message),
            "text/html": as_html(self.message),
            MIME: self.made.to_dict(),
        }

    def __str__(self) -> str:
        return as_text(self.message)

    __repr__ = __str__
