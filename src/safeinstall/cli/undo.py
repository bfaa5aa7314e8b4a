"""`safeinstall undo [ID]`: put back exactly what a transaction replaced or added."""

from __future__ import annotations

from collections.abc import Sequence

from safeinstall import operations, render
from safeinstall.cli.answer import answer, world
from safeinstall.cli.options import read_options
from safeinstall.operations import elsewhere

__all__ = ["run"]

_USAGE = "safeinstall undo [ID] [--force] [--user] [--python PATH] [--json]"


def run(words: Sequence[str]) -> int:
    """Carry out the command and return its exit status."""
    options = read_options(words, usage=_USAGE, switches=("--force", "--user"), most_words=1)
    there = elsewhere.outside(world(options.value("--python"), "safeinstall undo"))
    if "--user" in options:
        there = elsewhere.at_user_site(there)
    id = options.words[0] if options.words else None
    outcome = operations.undo(there, id, force="--force" in options)
    text = render.as_text(render.outcome_message(outcome))
    answer(text, outcome.to_dict() if "--json" in options else None, failed=not outcome.ok)
    return outcome.exit_status
