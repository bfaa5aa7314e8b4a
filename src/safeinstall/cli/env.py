"""`safeinstall env`: show the environment installs go into."""

from __future__ import annotations

from collections.abc import Sequence

from safeinstall import render
from safeinstall.cli.answer import answer, world
from safeinstall.cli.options import read_options

__all__ = ["run"]


def run(words: Sequence[str]) -> int:
    """Carry out the command and return its exit status."""
    options = read_options(words, usage="safeinstall env [--python PATH] [--json]")
    environment = world(options.value("--python")).environment
    data = {"schema": 1, **environment.to_dict(), "report": dict(environment.report)}
    text = render.as_text(render.environment_message(environment))
    answer(text, data if "--json" in options else None)
    return 0
