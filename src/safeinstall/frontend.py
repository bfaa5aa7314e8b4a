"""The door somebody stands at: every line to type is written here, in the words of that door.

A notebook has magics, a terminal commands, Python calls. What is written can be read back: words
are quoted so that `request.tokenize`, and a shell, split them as they were.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal
from urllib.parse import quote as quote_url
from urllib.parse import unquote

Door = Literal["notebook", "terminal", "python"]

_MAGICS: Final = {
    "install": "%safeinstall",
    "uninstall": "%safeuninstall",
    "undo": "%safeundo",
    "history": "%safeundo --list",
    "env": "%kernelenv",
    "where": "%kernelenv --where",
    "doctor": "%kernelenv --doctor",
    "kernels": "%kernelenv --kernels",
    "recover": "%reload_ext safeinstall",
}
"""Command -> the magic that does it; what is missing here is typed in a terminal."""
_CALLS: Final = frozenset({"install", "uninstall", "undo", "history"})
"""Commands that are functions of the package."""
MASK: Final = "****"
"""What stands in the place of a secret."""
_PLAIN: Final = re.compile(
    r"(?:[A-Za-z0-9_./\\-]|~(?=/))"  # no operator first
    r"(?:[A-Za-z0-9_./\\:@+%\[\]=?&#~-]*[A-Za-z0-9_./\\\]-])?"  # none last
)
"""Words that need no quotes: no blank or comma, no operator a shell or `tokenize` would see."""


def quote(word: str) -> str:
    """Return `word` as it is typed, in quotes where needed.

    There are no escapes, so a word with both kinds of quotes is written in pieces, as in a shell.
    """
    if _PLAIN.fullmatch(word.replace(MASK, "x")) and word.count("[") <= word.count("]"):
        return word  # an open bracket would take the next word in
    if '"' not in word and not ("$" in word or "`" in word):
        return f'"{word}"'
    if "'" not in word:
        return f"'{word}'"
    return "'\"'".join(f'"{piece}"' for piece in word.split('"'))


def join(words: Iterable[str]) -> str:
    """Return the line that `tokenize` splits into `words`."""
    return " ".join(quote(word) for word in words)


@dataclass(frozen=True, kw_only=True, slots=True)
class Frontend:
    """Where a person reads what we say, and how a line is typed there."""

    door: Door = "notebook"
    python: str = ""
    """The interpreter named with `--python`: lines for a terminal are about it as well."""
    install: str = ""
    """How an install begins here where that is not the plain command (a new environment)."""

    @property
    def in_notebook(self) -> bool:
        """True where magics are typed."""
        return self.door == "notebook"

    @property
    def this_folder(self) -> str:
        """What the folder is called that somebody works in."""
        return "beside this notebook" if self.in_notebook else "here"

    def opening(self, command: str) -> str:
        """Return how a line for `command` begins: `%safeinstall`, `safeinstall install`."""
        if command == "install" and self.install:
            return self.install
        if self.in_notebook and command in _MAGICS:
            return _MAGICS[command]
        return f"safeinstall {command}"

    def cell(self, *lines: str) -> str:
        """Return lines that list requirements as they are typed here: a cell, or one line."""
        opening = self.opening("install")
        return (
            "\n".join((f"%{opening}", *lines)) if self.in_notebook else " ".join((opening, *lines))
        )

    def line(self, command: str, *words: str) -> str:
        """Return the line to type for `command` with `words`.

        For Python, an option's value is attached (`--index-url=URL`), or it is a switch.
        """
        if self.door == "python" and command in _CALLS:
            arguments = sorted(map(_argument, words), key=lambda word: not word.startswith('"'))
            if command == "install" and self.install:
                return f"{', '.join([self.install.removesuffix(')'), *arguments])})"
            return f"safeinstall.{command}({', '.join(arguments)})"
        if self.python and not self.in_notebook and not {"--python", "new-env"} & {command, *words}:
            words = (*words, "--python", self.python)
        return f"{self.opening(command)} {join(words)}".strip()

    def help(self, command: str) -> str:
        """Return the line that shows what may be typed: where nothing better can be known."""
        if self.door == "python" and command in _CALLS:
            return f"help(safeinstall.{command})"
        return f"{self.opening(command)} --help"

    def new_environment(self, *words: str) -> str:
        """Return the line that makes a new environment in this folder, with a kernel of its own."""
        if self.in_notebook:
            return self.line("install", "--new-env", *words)
        about = ("--python", self.python) if self.python else ()
        return self.line("new-env", ".venv", *words, *about)

    def shell(self, command: str) -> str:
        """Return a command of another program as it is typed here."""
        return f"!{command}" if self.in_notebook else command


NOTEBOOK: Final = Frontend()
TERMINAL: Final = Frontend(door="terminal")
PYTHON: Final = Frontend(door="python")


def _argument(word: str) -> str:
    """Return one word as an argument of a call."""
    if not word.startswith("--"):
        return json.dumps(word, ensure_ascii=False)
    name, equals, value = word[2:].partition("=")
    return f"{name.replace('-', '_')}={json.dumps(value) if equals else True}"


_SECRET_KEY: Final = (
    r"(?:[\w.~-]|%[0-9a-f]{2}){0,40}?"
    r"(?:token|key|secret|password|passwd|pwd|signature|credential|auth)"
    r"(?:[\w.~-]|%[0-9a-f]{2}){0,40}|sig|pass"
)
_USER: Final = r"[^\s/?#:@\"'<>\[]{0,100}"
_NO_PORT: Final = r"(?!\s|\d{1,5}(?:[/?#\"'<>\s]|$))"
_USER_INFO: Final = re.compile(
    r"//(?P<info>[^\s/?#\"'<>]{0,500}"
    # what a URL may not hold in the raw, and people type all the same
    rf"|{_USER}:{_NO_PORT}(?:\S{{0,500}}|[^\n]{{0,300}}?))@"
)
_QUERY_VALUE: Final = re.compile(
    rf"(?P<key>[?&;#](?:{_SECRET_KEY})=)(?P<value>[^&;#\s\"'<>]*)", re.IGNORECASE
)
_SHORTEST: Final = 4
"""Fewer characters are no secret, and stand in every other word."""
_LONGEST_IN_PIECES: Final = 500
_LONGEST_NAME: Final = 8
"""What stands alone before the `@` is a token when it is longer."""


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` without user names and passwords of URLs, secret query values and `secrets`.

    `//user:password@host` and `//token@host` become `//****@host`; the bare account name `git`,
    which every hosting service shares, stays. A secret is found also where it is cut by the end of
    a line. Redacting twice changes nothing more.
    """
    for secret in sorted({*secrets}, key=len, reverse=True):
        if len(secret) >= _SHORTEST and secret not in MASK:
            text = text.replace(secret, MASK)
            if "\n" in text and len(secret) <= _LONGEST_IN_PIECES:
                text = _in_pieces(secret).sub(MASK, text)
    text = _USER_INFO.sub(_without_user, text)
    return _QUERY_VALUE.sub(rf"\g<key>{MASK}", text)


@lru_cache(maxsize=64)
def _in_pieces(secret: str) -> re.Pattern[str]:
    """Return what finds a secret that whoever wrapped the lines has cut."""
    return re.compile(r"(?:[ \t]*\n[ \t]*)?".join(map(re.escape, secret)))


def _without_user(match: re.Match[str]) -> str:
    """Return the start of a URL with its user information masked."""
    info = match["info"]
    return f"//{info if info in ('git', '') else MASK}@"


_PASSWORD_AHEAD: Final = re.compile(rf"{_USER}:{_NO_PORT}[^@]{{0,500}}@")


def credentials(word: str) -> tuple[str, ...]:
    """Return what is secret in a word that is, or ends in, a URL: in all the ways it is written.

    Read leniently: what follows `//user:` up to the last `@` before the host is a password,
    whatever characters it has.
    """
    found = [match["value"] for match in _QUERY_VALUE.finditer(word)]
    rest = word.partition("//")[2]
    ends = re.search(r"[/?#]", rest)
    host = rest[: ends.start()] if ends else rest
    if "@" not in host and _PASSWORD_AHEAD.match(rest):
        host = rest  # the password has what ends a host
    info, _, _ = host.rpartition("@")
    user, colon, password = info.partition(":")
    if colon or len(user) > _LONGEST_NAME:
        found.append(password if colon else user)
    plain = [unquote(each) for each in found]
    ways = {*found, *plain, *(quote_url(each, "") for each in plain)}
    return tuple(sorted(ways - {"", MASK}))
