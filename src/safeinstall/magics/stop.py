"""The exception that fails a cell without a wall of traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from safeinstall.outcome import Outcome

__all__ = ["SafeInstallStopped"]


class SafeInstallStopped(Exception):  # noqa: N818 - what a notebook shows: a stop, not a crash
    """A refusal or failure: the cell fails, so that "run all" stops; the message is complete."""

    def __init__(self, text: str, outcome: Outcome | None = None) -> None:
        super().__init__(text)
        self.outcome = outcome

    def _render_traceback_(self) -> list[str]:
        """Return the message alone: where in our code it was raised helps nobody."""
        return [str(self)]
