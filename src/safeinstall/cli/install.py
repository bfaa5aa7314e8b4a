"""`safeinstall install`: install into an environment, or change nothing and say why."""

from __future__ import annotations

from collections.abc import Sequence

from safeinstall import operations, render
from safeinstall.cli.answer import answer, world
from safeinstall.request import parse_arguments, usage

__all__ = ["run"]


def run(words: Sequence[str]) -> int:
    """Carry out the command and return its exit status."""
    request = parse_arguments(words)
    if request.help:
        print(usage())
        return 0
    outcome = operations.install(request, world(request.python))
    message = render.outcome_message(outcome, quiet=request.quiet)
    text = render.as_text(message, verbose=request.verbose)
    answer(text, outcome.to_dict() if request.json else None, failed=not outcome.ok)
    return outcome.exit_status
