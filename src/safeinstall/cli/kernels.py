"""`safeinstall kernels`: what every kernelspec really starts, and `--repair`."""

from __future__ import annotations

from collections.abc import Sequence

from safeinstall import render
from safeinstall.cli.answer import answer, world
from safeinstall.cli.options import read_options
from safeinstall.operations.kernels import Repaired, list_kernels, repair_kernels, to_dict
from safeinstall.render.report_words import kernels_message

__all__ = ["run"]

_USAGE = "safeinstall kernels [--start] [--repair] [NAME...] [--json]"


def run(words: Sequence[str]) -> int:
    """Carry out the command and return its exit status: 1 when a kernel is not in order."""
    options = read_options(
        words, usage=_USAGE, switches=("--start", "--repair"), most_words=len(words)
    )
    here = world(options.value("--python"))
    repaired: tuple[Repaired, ...] = ()
    if "--repair" in options:
        repaired = repair_kernels(here, options.words)
    states = list_kernels(here, start="--start" in options, prefix="safeinstall")
    message = kernels_message(states, here.environment.home, repaired)
    answer(render.as_text(message), to_dict(states, repaired) if "--json" in options else None)
    return 0 if all(state.healthy for state in states) else 1
