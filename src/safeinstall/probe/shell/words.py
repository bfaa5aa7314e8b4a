"""The words of a shell command: in pieces as they are read, as text once variables are known."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping

__all__ = ["PLAIN", "QUOTED", "QUOTED_VARIABLE", "UNKNOWN", "VARIABLE", "Word", "expand_word"]

PLAIN, QUOTED, VARIABLE, QUOTED_VARIABLE, UNKNOWN = range(5)
"""The kinds of a piece: what may still happen to its text."""


class Word(NamedTuple):
    """One word as the program would get it."""

    text: str
    certain: bool
    """False where part of the text could only be known by running something."""


def expand_word(
    pieces: tuple[tuple[str, int], ...], environ: Mapping[str, str], home: str
) -> list[Word]:
    """Return the words *pieces* become: none for an empty variable, several after splitting."""
    words: list[Word] = []
    text, certain, started = "", True, False
    for at, (piece, kind) in enumerate(pieces):
        if kind == PLAIN and at == 0 and (piece == "~" or piece.startswith("~/")):
            piece = home + piece[1:]
        if kind in (PLAIN, QUOTED):
            text, started = text + piece, True
        elif kind == QUOTED_VARIABLE:
            text, started = text + environ.get(piece, ""), True
        elif kind == UNKNOWN:
            text, certain, started = text + piece, False, True
        else:
            value = environ.get(piece, "")
            parts = value.split()
            if parts and value[:1].isspace() and started:
                words.append(Word(text, certain))
                text, certain = "", True
            for index, part in enumerate(parts):
                if index:
                    words.append(Word(text, certain))
                    text, certain = "", True
                text, started = text + part, True
    if started:
        words.append(Word(text, certain))
    return words
