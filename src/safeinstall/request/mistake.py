"""A mistake in one word: what is wrong and what to type in its place."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Final

from safeinstall.errors import RequestError
from safeinstall.redaction import redact

from .options import OPTION_NAMES
from .quoting import join

__all__ = ["ANYTHING", "NO_SHELL", "OF_A_CELL", "Mistake", "pointed", "request_error"]

ANYTHING: Final = "NAME"
"""What stands for a requirement in a line that has none left."""
NO_SHELL: Final = "%safeinstall runs no shell."
"""How a message ends that is about text for a shell."""
OF_A_CELL: Final = "Each line of a cell lists requirements."
"""What is said besides where that text stood in a cell."""


class Mistake(Exception):  # noqa: N818 - the word of the trade; it never leaves this room
    """Something wrong with a word; whoever knows the whole line turns it into a `RequestError`."""

    def __init__(
        self,
        message: str,
        *,
        instead: Sequence[str] | None = None,
        context: str = "",
        alone: str = "",
        ends: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.instead = instead
        """The words to type in its place; None if the word can only be left out."""
        self.context = context
        self.alone = alone
        """The line to type when nothing else was asked for."""
        self.ends = ends
        """True if the words after it belong to something else, another command perhaps."""


def pointed(text: str, column: int) -> str:
    """Return `text` with a caret below `column`."""
    return f"{text}\n{' ' * column}^"


def request_error(
    mistake: Mistake,
    words: Sequence[str],
    span: tuple[int, int],
    prefix: str,
    secrets: Sequence[str] = (),
) -> RequestError:
    """Return the error for a mistake in `words[span]`, with the whole line put right."""
    start, stop = span
    left = [*words[:start], *(mistake.instead or ()), *(() if mistake.ends else words[stop:])]
    line = f"{prefix} {join(left)}"
    if not mistake.instead and not _names_something(left):
        rest = [word for word in left if word != "--"]
        line = mistake.alone or f"{prefix} {join([*rest, ANYTHING])}"
    return RequestError(
        redact(mistake.message, secrets),
        hint=redact(line, secrets),
        context=redact(mistake.context, secrets),
    )


def _names_something(words: Sequence[str]) -> bool:
    """Tell whether anything to install is among the words: not only options and their values."""
    for before, word in itertools.pairwise(("", *words)):
        option = OPTION_NAMES.get(before)
        lists = option is None or option.field in ("requirement_files", "editables")
        if not word.startswith("-") and (lists or not (option and option.takes_value)):
            return True
    return False
