"""Split a magic line into words, the way it reads and never the way a shell would.

Quotes of both kinds group and are removed; a backslash is an ordinary character, so that Windows
paths survive; `#` starts a comment only at a word's beginning, so that `#subdirectory=` survives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from packaging.markers import InvalidMarker, Marker

from safeinstall.errors import RequestError
from safeinstall.frontend import redact
from safeinstall.request.commands import TypedAt
from safeinstall.request.corrections import NO_SHELL, pointed
from safeinstall.request.options import OPTION_NAMES

AT_A_MAGIC: Final = TypedAt()
_OPENS: Final = ("<", ">", "=", "!=", "~=", "@", "[", "(", ",")
"""How a word begins that goes on with the requirement before it."""
_AWAITS: Final = ("<", ">", "=", "@", ",")
"""How a requirement ends that the next word goes on with."""
_NEXT_NAME: Final = re.compile(r",(?:\s+(?![<>=!~])|(?=[A-Za-z./~]))")
"""A comma between two requirements: no operator follows it."""
_CURLY: Final = str.maketrans("“”„‟«»‘’‚‛", '""""""\'\'\'\'')
_UNQUOTED_VALUE: Final = re.compile(r"(<=|>=|===?|!=|~=|<|>)\s*([\w.*]+)")
_MARKER_START: Final = re.compile(
    r"\s*\(*\s*(?:python_|os_name|sys_|platform_|implementation_|extra)"
)


@dataclass(frozen=True, slots=True)
class _Word:
    """One blank-separated piece of the line."""

    text: str
    """Without its quotes."""
    start: int
    end: int
    quoted: bool
    """True if any part of it stood in quotes."""
    semicolon: int
    """Where in the line its first `;` outside quotes and URLs is, or -1."""
    head: str
    """Its text before that `;`."""

    @property
    def joins(self) -> bool:
        """True if it may be part of a requirement written with blanks."""
        return not self.quoted and not self.text.startswith("-")


def tokenize(line: str, *, at: TypedAt = AT_A_MAGIC) -> tuple[str, ...]:
    """Return the words of `line`; a requirement written with blanks is one word.

    `pandas >= 2` and `numpy >=2, <3` are one, `pandas, polars` are two. Raises `RequestError` for
    a quote without its partner, several lines, and a `;` that starts no environment marker.
    """
    line = line.strip()
    if len(line.splitlines()) > 1:
        rows = line.splitlines()
        raise RequestError(
            "This takes one line; several lines go below a %% magic.",
            hint=redact(at.frontend.cell(*rows)),
        )
    words = list(_split(line, at))
    tokens: list[str] = []
    index = 0
    while index < len(words):
        word = words[index]
        before = words[index - 1] if index else None
        is_value = before is not None and not before.quoted and _takes_value(before.text)
        if is_value and word.semicolon >= 0:
            _check_marker(line, word.head, line[word.semicolon + 1 :], word.semicolon, at)
        if is_value or (not word.joins and word.semicolon < 0):
            tokens.append(word.text)
            index += 1
        else:
            index, found = _requirements(line, words, index, at)
            tokens += found
    return tuple(tokens)


def _takes_value(text: str) -> bool:
    return text in OPTION_NAMES and OPTION_NAMES[text].takes_value


def _split(line: str, at: TypedAt) -> Iterator[_Word]:
    """Yield the blank-separated words of `line`, without a comment."""
    position = 0
    while position < len(line):
        if line[position].isspace():
            position += 1
        elif line[position] == "#":
            return
        else:
            word = _word_at(line, position, at)
            yield word
            position = word.end


def _word_at(line: str, start: int, at: TypedAt) -> _Word:
    """Return the word that begins at `start`."""
    text, position, quoted, semicolon, head = "", start, False, -1, ""
    while position < len(line) and not line[position].isspace():
        character = line[position]
        if character in "\"'":
            close = line.find(character, position + 1)
            if close < 0:
                words, better = f"The quote {character} has no partner.", f"{line}{character}"
                raise _error(words, better, pointed(line, position), at)
            text += line[position + 1 : close]
            position, quoted = close + 1, True
            continue
        if ord(character) in _CURLY:
            words = f"{character} is a typographic quote, which is no quote here."
            raise _error(words, line.translate(_CURLY), pointed(line, position), at)
        if character == ";" and semicolon < 0 and "://" not in text:
            semicolon, head = position, text
        text += character
        position += 1
    return _Word(text, start, position, quoted, semicolon, head)


def _requirements(line: str, words: list[_Word], index: int, at: TypedAt) -> tuple[int, list[str]]:
    """Return where to go on, and the requirements written from `words[index]` on."""
    text = ""
    while index < len(words):
        word = words[index]
        if word.semicolon >= 0 and (word.joins or not text):
            head = f"{text} {word.head}".strip()
            end = next((w.start for w in words[index:] if w.text[:1] == "-"), words[-1].end)
            marker = line[word.semicolon + 1 : end].strip()
            _check_marker(line, head, marker, word.semicolon, at)
            index = next((i for i, w in enumerate(words) if w.start >= end), len(words))
            *others, last = _names(head) or [""]
            return index, [*others, f"{last} ; {marker}"]
        if not word.joins or (text and not _goes_on(text, word.text)):
            break
        text = f"{text} {word.text}".strip()
        index += 1
    return index, _names(text)


def _goes_on(text: str, following: str) -> bool:
    """Return whether the word `following` belongs to the requirement `text`."""
    is_open = text.count("[") > text.count("]") or text.count("(") > text.count(")")
    return is_open or text.endswith(_AWAITS) or following.startswith(_OPENS)


def _names(text: str) -> list[str]:
    """Split `a, b>=1,<2` at the commas between requirements."""
    pieces, start = [], 0
    for comma in _NEXT_NAME.finditer(text):
        piece = text[start : comma.start()]
        inside = piece.count("[") > piece.count("]") or piece.count("(") > piece.count(")")
        within_place = comma[0] == "," and ("/" in piece or "\\" in piece)
        if not inside and not within_place:
            pieces.append(piece)
            start = comma.end()
    pieces.append(text[start:])
    return [piece for piece in (each.strip(" ,") for each in pieces) if piece]


def _check_marker(line: str, head: str, marker: str, position: int, at: TypedAt) -> None:
    """Raise unless what follows the `;` at `position` is an environment marker (PEP 508)."""
    try:
        Marker(marker)
    except (InvalidMarker, RecursionError):
        words, better = f"`;` ends nothing here: {NO_SHELL}", line[:position].strip() or "--help"
        if _MARKER_START.match(marker):
            words = f"`{marker}` is no environment marker: its values stand in quotes."
            quoted = _UNQUOTED_VALUE.sub(r'\1 "\2"', marker)
            better = f"'{head}; {quoted}'"
        raise _error(words, better, pointed(line, position), at) from None


def _error(message: str, better: str, context: str, at: TypedAt) -> RequestError:
    """Return the error with the line to type instead."""
    return RequestError(message, hint=redact(f"{at.opening} {better}"), context=redact(context))
