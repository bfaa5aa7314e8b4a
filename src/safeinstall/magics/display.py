"""Messages and outcomes as values a notebook shows, and stops that fail the cell."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from safeinstall import render
from safeinstall.errors import SafeInstallError, SafeInstallStopped
from safeinstall.findings import Suggestion
from safeinstall.magics import colab
from safeinstall.outcome import Outcome

__all__ = ["Shown", "result", "usage_stop"]


class Shown:
    """A message that shows itself; `data` is the same for programs."""

    def __init__(self, message: render.Message, data: Mapping[str, Any] | None = None) -> None:
        self.message = message
        self.data = data

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        made: dict[str, Any] = {
            "text/plain": render.as_text(self.message),
            "text/html": render.as_html(self.message),
        }
        return made if self.data is None else {**made, "application/json": dict(self.data)}

    def __repr__(self) -> str:
        return render.as_text(self.message)


def result(
    outcome: Outcome, *, verbose: bool = False, quiet: bool = False
) -> render.DisplayedOutcome:
    """Return the outcome to be shown, or raise `SafeInstallStopped`: the cell fails."""
    if not outcome.ok:
        raise SafeInstallStopped(render.error_text(outcome, verbose=verbose), outcome)
    if outcome.restart == "needed" and "google.colab" in sys.modules:
        colab.offer_restart(outcome)
    return render.displayed(outcome, verbose=verbose, quiet=quiet)


def usage_stop(error: SafeInstallError) -> SafeInstallStopped:
    """Return the stop that says what is wrong with a line, where, and what to type instead."""
    message = render.Message(
        mark="✗",
        headline=f"Nothing changed. {error.message}",
        lines=tuple(error.context.splitlines()),
        ways=(Suggestion(command=error.hint),) if error.hint else (),
    )
    return SafeInstallStopped(render.as_text(message))
