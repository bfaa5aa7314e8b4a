"""A mistake in one word: what is wrong and what to type in its place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from safeinstall.errors import RequestError
from safeinstall.redaction import redact

from .quoting import join

__all__ = ["ANYTHING", "Mistake", "pointed", "request_error"]

ANYTHING: Final = "NAME"
"""What stands for a requirement in a line that has none left."""


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
    if all(word.startswith("-") for word in left) and not mistake.instead:
        rest = [word for word in left if word != "--"]
        line = mistake.alone or f"{prefix} {join([*rest, ANYTHING])}"
    return RequestError(
        redact(mistake.message, secrets),
        hint=redact(line, secrets),
        context=redact(mistake.context, secrets),
    )
