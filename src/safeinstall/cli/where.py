"""`safeinstall where`: where would a cell install, seen from this interpreter?"""

from __future__ import annotations

from collections.abc import Sequence

from safeinstall import operations, render
from safeinstall.cli.answer import answer, world
from safeinstall.cli.options import read_options
from safeinstall.errors import RequestError
from safeinstall.render.report_words import where_message

__all__ = ["run"]

_USAGE = 'safeinstall where --cell "!pip install pandas" [--deep] [--json]'


def run(words: Sequence[str]) -> int:
    """Carry out the command and return its exit status."""
    options = read_options(words, usage=_USAGE, switches=("--deep",), values=("--cell",))
    if "--cell" not in options:
        raise RequestError("`where` needs the text of a cell.", hint=_USAGE)
    here = world(options.value("--python"))
    found = operations.where(options.value("--cell"), here, ask="--deep" in options)
    message = where_message(found.cell, found.predictions, here.environment)
    text = "\n".join([render.as_text(message), *found.asked])
    answer(text, found.to_dict() if "--json" in options else None)
    return 0
