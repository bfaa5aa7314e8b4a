"""The words for a history of transactions."""

from __future__ import annotations

from datetime import datetime

from safeinstall.environment import Environment
from safeinstall.findings import Suggestion
from safeinstall.operations.area import History, changes_of
from safeinstall.render.message import Message, Table
from safeinstall.transaction.store.history import Entry

__all__ = ["history_message"]

_NAMED = 3


def history_message(history: History, environment: Environment, prefix: str) -> Message:
    """Return what was done to the environment, the newest first; `prefix` begins an undo line."""
    if not history.entries:
        return Message(
            mark="·", headline=f"safeinstall has changed nothing in {environment.label} yet."
        )
    kept = sum(entry.bytes_kept for entry in history.entries) / 1_000_000
    undoable = next((entry for entry in history.entries if entry.undoable), None)
    return Message(
        mark="·",
        headline=f"What was done to {environment.label} ({kept:.1f} MB kept for undo):",
        table=Table(
            header=("id", "when", "what", "undo"),
            rows=tuple(_row(entry) for entry in history.entries),
        ),
        ways=(Suggestion(command=f"{prefix} {undoable.id}", note="puts everything back"),)
        if undoable
        else (),
    )


def _row(entry: Entry) -> tuple[str, str, str, str]:
    words = [_change(c.name, c.before, c.after) for c in changes_of(entry)]
    more = len(words) - _NAMED
    what = ", ".join(words[:_NAMED]) + (f" and {more} more" if more > 0 else "") or entry.command
    state = "undone" if entry.state == "undone" else "yes" if entry.undoable else "not now"
    if entry.undoes:
        what = f"undo of {entry.undoes}: {what}"
    return entry.id, _when(entry.time), what, state


def _change(name: str, before: str | None, after: str | None) -> str:
    if before is None:
        return f"+ {name} {after}"
    if after is None:
        return f"- {name} {before}"
    return f"~ {name} {before} → {after}"


def _when(time: str) -> str:
    """Return local date and time to the minute."""
    try:
        moment = datetime.fromisoformat(time.replace("Z", "+00:00"))
    except ValueError:
        return time
    return f"{moment.astimezone():%Y-%m-%d %H:%M}"
