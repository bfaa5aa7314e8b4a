"""`safeinstall env`: show the environment installs go into, and where each command would lead."""

from __future__ import annotations

from collections.abc import Sequence

from safeinstall import operations, render
from safeinstall.cli.answer import answer, world
from safeinstall.cli.options import read_options
from safeinstall.render.report_words import survey_message

__all__ = ["run"]


def run(words: Sequence[str]) -> int:
    """Carry out the command and return its exit status."""
    options = read_options(words, usage="safeinstall env [--python PATH] [--json]")
    found = operations.survey(world(options.value("--python")))
    text = render.as_text(survey_message(found))
    answer(text, found.to_dict() if "--json" in options else None)
    return 0
