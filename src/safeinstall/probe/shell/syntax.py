"""Shell text taken apart as ``sh -c`` would: simple commands with words, variables, redirections.

Only what decides where an install goes is understood. What cannot be known without running
something (``$(...)``, loops over files) stays in the word as text and is marked as uncertain.
"""

from __future__ import annotations

import re
from typing import Callable, Mapping, NamedTuple

_PLAIN, _QUOTED, _VARIABLE, _QUOTED_VARIABLE, _UNKNOWN = range(5)
"""The kinds of a piece: what may still happen to its text."""
_SUBSTITUTION = re.compile(r"(?:\$\((?![({])(.*)\)|`(.*)`)$", re.S)
_OPERATORS = ("&&", "||", ";;", "|&", ";", "|", "&", "\n", "(", ")")
_REDIRECTIONS = ("&>>", "<<<", "<<-", "&>", ">>", "<<", ">&", "<&", ">|", "<>", ">", "<")
_MOST_COMMANDS = 400
_SPECIAL = frozenset("\\ \t\r#'\"$`&|;<>()\n")
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


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
        if kind == _PLAIN and at == 0 and (piece == "~" or piece.startswith("~/")):
            piece = home + piece[1:]
        if kind in (_PLAIN, _QUOTED):
            text, started = text + piece, True
        elif kind == _QUOTED_VARIABLE:
            text, started = text + environ.get(piece, ""), True
        elif kind == _UNKNOWN:
            text, certain, started = text + piece, False, True
        else:
            value = environ.get(piece, "")
            if (parts := value.split()) and value[:1].isspace() and started:
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


class Simple(NamedTuple):
    """One simple command."""

    pieces: tuple[tuple[tuple[str, int], ...], ...]
    """Its words, each in pieces; ``expand_word`` turns them into text."""
    redirections: tuple[tuple[str, str], ...]
    """Pairs of operator and target, in order."""
    before: str
    """The operator in front of it: ``""``, ``;``, ``&&``, ``|`` ..."""
    text: str
    line: int
    """The line of the source on which it starts, counted from 0."""
    depth: int
    """How many parentheses it stands in; a subshell forgets its variables."""


def substituted(simple: Simple, output: Callable[[str], str]) -> Simple:
    """Return the command with what *output* says each ``$(...)`` in it prints, where it knows."""

    def filled(piece: tuple[str, int]) -> tuple[str, int]:
        found = _SUBSTITUTION.match(piece[0]) if piece[1] == _UNKNOWN else None
        text = output((found.group(1) or found.group(2) or "").strip()) if found else ""
        return (text, _QUOTED) if text else piece

    return simple._replace(pieces=tuple(tuple(map(filled, word)) for word in simple.pieces))


def _end_of_substitution(text: str, at: int) -> int:
    """Return the place after the ``$(...)`` or ``${...}`` that opens at *at*."""
    close = {"(": ")", "{": "}"}[text[at]]
    depth = 0
    for here in range(at, len(text)):
        if text[here] == text[at]:
            depth += 1
        elif text[here] == close:
            depth -= 1
            if not depth:
                return here + 1
    return len(text)


class _Reader:
    """The state of one pass over the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.commands: list[Simple] = []
        self.words: list[tuple[tuple[str, int], ...]] = []
        self.pieces: list[tuple[str, int]] = []
        self.in_word = False
        self.redirections: list[tuple[str, str]] = []
        self.wanted = ""
        self.before = ""
        self.start = 0
        self.depth = 0
        self.heredocs: list[tuple[str, bool]] = []

    def add(self, text: str, kind: int) -> None:
        self.in_word = True
        if self.pieces and self.pieces[-1][1] == kind and kind in (_PLAIN, _QUOTED):
            self.pieces[-1] = (self.pieces[-1][0] + text, kind)
        else:
            self.pieces.append((text, kind))

    def end_word(self) -> None:
        if not self.in_word:
            return
        word = tuple(self.pieces)
        self.pieces, self.in_word = [], False
        if self.wanted:
            target = "".join(piece for piece, _ in word)
            if self.wanted in ("<<", "<<-"):
                self.heredocs.append((target, self.wanted == "<<-"))
            self.redirections.append((self.wanted, target))
            self.wanted = ""
        else:
            self.words.append(word)

    def end_command(self, operator: str) -> None:
        self.end_word()
        if self.words or self.redirections:
            source = self.text[self.start : self.at].lstrip()
            line = self.text.count("\n", 0, self.at - len(source))
            parts = tuple(self.words), tuple(self.redirections), self.before, source.rstrip()
            self.commands.append(Simple(*parts, line, self.depth))
            self.before = operator
        elif operator not in ("\n", ""):
            self.before = operator
        self.words, self.redirections, self.wanted = [], [], ""
        self.depth = max(0, self.depth + {"(": 1, ")": -1}.get(operator, 0))

    def skip_heredocs(self) -> None:
        """Step over the text of here-documents: it is data, not commands."""
        for mark, dedent in self.heredocs:
            while self.at < len(self.text):
                end = self.text.find("\n", self.at)
                end = len(self.text) if end < 0 else end
                line = self.text[self.at : end]
                self.at = min(end + 1, len(self.text))
                if (line.lstrip("\t") if dedent else line) == mark:
                    break
        self.heredocs = []

    def variable(self, quoted: bool) -> None:
        """Read what follows a dollar sign."""
        text, start = self.text, self.at
        kind = _QUOTED_VARIABLE if quoted else _VARIABLE
        follows = text[start + 1 : start + 2]
        if follows in ("(", "{"):
            self.at = _end_of_substitution(text, start + 1)
            inner = text[start + 2 : self.at - 1]
            simple = follows == "{" and inner and all(c in _NAME for c in inner)
            self.add(inner if simple else text[start : self.at], kind if simple else _UNKNOWN)
            return
        end = start + 1
        while end < len(text) and text[end] in _NAME:
            end += 1
        if end > start + 1 and not text[start + 1].isdigit():
            self.at = end
            self.add(text[start + 1 : end], kind)
        else:
            self.at = start + 1
            self.add("$", _QUOTED if quoted else _PLAIN)

    def double_quoted(self) -> None:
        self.add("", _QUOTED)
        self.at += 1
        text = self.text
        while self.at < len(text) and text[self.at] != '"':
            char = text[self.at]
            if char == "\\" and text[self.at + 1 : self.at + 2] in ("$", "`", '"', "\\", "\n"):
                if text[self.at + 1] != "\n":
                    self.add(text[self.at + 1], _QUOTED)
                self.at += 2
            elif char == "$":
                self.variable(True)
            elif char == "`":
                self.backquoted()
            else:
                end = self.at + 1
                while end < len(text) and text[end] not in '"\\$`':
                    end += 1
                self.add(text[self.at : end], _QUOTED)
                self.at = end
        self.at += 1

    def backquoted(self) -> None:
        end = self.text.find("`", self.at + 1)
        end = len(self.text) if end < 0 else end + 1
        self.add(self.text[self.at : end], _UNKNOWN)
        self.at = end

    def redirection(self) -> bool:
        for operator in _REDIRECTIONS:
            if self.text.startswith(operator, self.at):
                # `2>` : the digits in front belong to the operator, not to a word
                if self.in_word and all(k == _PLAIN and p.isdigit() for p, k in self.pieces):
                    self.pieces, self.in_word = [], False
                self.end_word()
                self.wanted = operator
                self.at += len(operator)
                return True
        return False

    def operator(self) -> bool:
        for operator in _OPERATORS:
            if self.text.startswith(operator, self.at):
                self.end_command(operator)
                self.at += len(operator)
                self.start = self.at
                if operator == "\n" and self.heredocs:
                    self.skip_heredocs()
                    self.start = self.at
                return True
        return False

    def read(self) -> list[Simple]:
        text = self.text
        while self.at < len(text) and len(self.commands) < _MOST_COMMANDS:
            char = text[self.at]
            if char == "\\":
                if text[self.at + 1 : self.at + 2] != "\n":
                    self.add(text[self.at + 1 : self.at + 2], _QUOTED)
                self.at += 2
            elif char in " \t\r":
                self.end_word()
                self.at += 1
            elif char == "#" and not self.in_word:
                end = text.find("\n", self.at)
                self.at = len(text) if end < 0 else end
            elif char == "'":
                end = text.find("'", self.at + 1)
                end = len(text) if end < 0 else end
                self.add(text[self.at + 1 : end], _QUOTED)
                self.at = end + 1
            elif char == '"':
                self.double_quoted()
            elif char == "$":
                self.variable(False)
            elif char == "`":
                self.backquoted()
            elif char not in _SPECIAL or (not self.redirection() and not self.operator()):
                end = self.at + 1
                while end < len(text) and text[end] not in _SPECIAL:
                    end += 1
                self.add(text[self.at : end], _PLAIN)
                self.at = end
        self.end_command("")
        return self.commands


def split_shell(text: str) -> list[Simple]:
    """Return the simple commands of *text* in order; any text is accepted."""
    return _Reader(text).read()
