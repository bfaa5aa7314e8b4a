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
        self, message: str, *, instead: Sequence[str] | None = None, context: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.instead = instead
        """The words to type in its place; None if the word can only be left out."""
        self.context = context


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
    instead = [*words[:start], *(mistake.instead or ()), *words[stop:]]
    if not instead and not mistake.instead:
        instead = [ANYTHING]
    return RequestError(
        redact(mistake.message, secrets),
        hint=redact(f"{prefix} {join(instead)}", secrets),
        context=redact(mistake.context, secrets),
    )
