"""`safeinstall uninstall`: remove distributions, undoable."""

from __future__ import annotations

from collections.abc import Sequence

from safeinstall import operations, render
from safeinstall.cli.answer import answer, world
from safeinstall.request import parse_arguments

__all__ = ["run"]

_PREFIX = "safeinstall uninstall"


def run(words: Sequence[str]) -> int:
    """Carry out the command and return its exit status."""
    request = parse_arguments(words, prefix=_PREFIX)
    outcome = operations.uninstall(request, world(request.python, _PREFIX))
    text = render.as_text(render.outcome_message(outcome))
    answer(text, outcome.to_dict() if request.json else None, failed=not outcome.ok)
    return outcome.exit_status
