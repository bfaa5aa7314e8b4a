"""Write words so that `tokenize` reads them back: the inverse of `line`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

__all__ = ["join", "quote"]

_PLAIN: Final = re.compile(
    r"(?:[A-Za-z0-9_./\\-]|~(?=/))"  # no operator first
    r"(?:[A-Za-z0-9_./\\:@+%\[\]=?&#~-]*[A-Za-z0-9_./\\\]-])?"  # none last
)
"""Words that need no quotes: no blank or comma, no operator a shell or `tokenize` would see."""


def quote(word: str) -> str:
    """Return `word` as it is typed, in quotes where needed.

    There are no escapes, so a word with both kinds of quotes is written in pieces, as in a shell.
    """
    if _PLAIN.fullmatch(word) and word.count("[") <= word.count("]"):
        return word  # an open bracket would take the next word in
    if '"' not in word and not ("$" in word or "`" in word):
        return f'"{word}"'
    if "'" not in word:
        return f"'{word}'"
    return "'\"'".join(f'"{piece}"' for piece in word.split('"'))


def join(words: Iterable[str]) -> str:
    """Return the line that `tokenize` splits into `words`."""
    return " ".join(quote(word) for word in words)
