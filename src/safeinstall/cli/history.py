"""`safeinstall history`: the transactions that are kept; `--prune` forgets old ones."""

from __future__ import annotations

from collections.abc import Sequence

from safeinstall import operations, render
from safeinstall.cli.answer import answer, world
from safeinstall.cli.options import read_options
from safeinstall.errors import RequestError
from safeinstall.render.report_words import history_message

__all__ = ["run"]

_USAGE = "safeinstall history [--prune] [--keep 10] [--python PATH] [--json]"


def run(words: Sequence[str]) -> int:
    """Carry out the command and return its exit status."""
    options = read_options(words, usage=_USAGE, switches=("--prune",), values=("--keep",))
    there = world(options.value("--python"), "safeinstall undo")
    if "--prune" in options:
        keep = options.value("--keep") or str(operations.KEEP)
        if not keep.isdigit():
            raise RequestError(f"--keep takes a whole number, not {keep!r}.", hint=_USAGE)
        operations.prune(there, keep=int(keep))
    found = operations.history(there)
    message = history_message(found, there.environment, "safeinstall undo")
    answer(render.as_text(message), found.to_dict() if "--json" in options else None)
    return 0
