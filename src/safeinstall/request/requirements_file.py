"""Read requirements and constraint files, by the grammar of pip (`req_file.py`).

A file comes from somebody else more often than not. So what it lists is data: options in it, which
could send the installer to another index, are refused unless they were typed as well.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from safeinstall.errors import RequestError
from safeinstall.frontend import join, quote, redact
from safeinstall.request.commands import RequestItem, near
from safeinstall.request.corrections import Mistake, pointed
from safeinstall.request.line import tokenize
from safeinstall.request.option_parser import OptionWord, kept_file, read_option, width
from safeinstall.request.requirement import (
    absolute,
    closest_path,
    read_editable,
    read_hash,
    read_requirement,
)

_BOMS: Final = (  # UTF-16's little-endian mark is how UTF-32's begins: the long ones go first
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODING: Final = re.compile(rb"coding[:=]\s*([-\w.]+)")


def read_text(path: str) -> str:
    """Return the text of the file at `path`: by its byte order mark, its coding line, or UTF-8."""
    data = Path(path).read_bytes()
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding)
    for line in data.split(b"\n")[:2]:
        if line.startswith(b"#") and (coding := _CODING.search(line)):
            return data.decode(coding[1].decode("ascii"))
    return data.decode("utf-8")


def problem_of(error: Exception, name: str) -> str:
    """Return one sentence about why the file called `name` could not be read."""
    if isinstance(error, FileNotFoundError):
        return f"There is no file {name}."
    if isinstance(error, IsADirectoryError):
        return f"{name} is a folder, not a file."
    if isinstance(error, UnicodeDecodeError):
        return f"{name} is not {error.encoding} text (byte {error.start})."
    if isinstance(error, LookupError):
        return f"{name} names an encoding that Python does not know."
    reason = getattr(error, "strerror", None) or str(error)
    return f"{name} cannot be read: {reason}."


_COMMENT: Final = re.compile(r"(?:^|\s+)#.*$")
_VARIABLE: Final = re.compile(r"\$\{([A-Z0-9_]+)\}")
_OPTIONS: Final = re.compile(r"(?:^|\s)(?=-)")


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the lines with something on them and their numbers.

    A backslash at the end joins the next line; a comment starts at `#` after a blank and ends a
    joined line.
    """
    parts: list[str] = []
    first = 0
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1):
        first = first if parts else number
        comment = _COMMENT.match(line)
        if line.endswith("\\") and not comment:
            parts.append(line.removesuffix("\\"))
            continue
        joined = "".join((*parts, f" {line}" if comment else line))
        parts = []
        if content := _COMMENT.sub("", joined).strip():
            yield first, content
    if content := _COMMENT.sub("", "".join(parts)).strip():
        yield first, content


def fill(text: str, environ: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Return `text` with `${NAME}` filled in from `environ`, and the values that may be secret.

    As in pip: capitals, digits and `_` only, and a variable that is not set stays as written.
    A part of a URL may be secret; a version or a name is not.
    """
    used: list[str] = []

    def value(match: re.Match[str]) -> str:
        found = environ.get(match[1], "")
        if found:
            used.append(found)
        return found or match[0]

    filled = _VARIABLE.sub(value, text)
    return filled, tuple(each for each in used if len(each) > 3 and "://" in filled)


@dataclass(slots=True)
class Files:
    """Collects what the files of one request list."""

    cwd: str
    read: Callable[[str], str]
    environ: Mapping[str, str]
    typed: Mapping[str, object]
    """The options typed, by field."""
    typed_editables: frozenset[str]
    """The texts of the editables typed."""
    obey_options: bool
    """True after `--allow-file-options`."""
    command: str
    """The line typed, for hints."""
    items: list[RequestItem] = field(default_factory=list)
    constraints: list[RequestItem] = field(default_factory=list)
    constraint_files: list[str] = field(default_factory=list)
    options: list[OptionWord] = field(default_factory=list)
    """Options of the files that are obeyed."""
    secrets: list[str] = field(default_factory=list)
    seen: set[tuple[str, bool]] = field(default_factory=set)
    """Files read already, and whether as constraints."""

    def add(self, path: str, *, constraint: bool = False, within: tuple[str, ...] = ()) -> None:
        """Read the file at the absolute `path` and whatever it includes.

        Raises `Mistake` if the file itself cannot be read, `RequestError` for what is in it.
        """
        shown = self._near(path)
        if path in within:
            chain = " → ".join(self._near(each) for each in (*within, path))
            raise RequestError(f"{shown} includes itself.", context=chain)
        if (path, constraint) in self.seen:
            return
        self.seen.add((path, constraint))
        if constraint:
            self.constraint_files.append(path)
        for number, line in logical_lines(self._text(path)):
            try:
                self._line(line, f"{shown}:{number}", (*within, path), constraint)
            except Mistake as mistake:
                hidden = tuple(self.secrets)
                remedy = f"Put line {number} of {shown} right, or take it out."
                better = " ".join(mistake.instead or ())
                if better and better == redact(better, hidden):
                    remedy = f"Write into line {number} of {shown}: {better}"
                raise RequestError(
                    redact(f"{shown}:{number}: {mistake.message}", hidden),
                    hint=self.command,
                    context=redact(f"{mistake.context or line}\n{remedy}", hidden),
                ) from None

    def _near(self, path: str) -> str:
        return near(path, self.cwd).removeprefix("./")

    def _text(self, path: str) -> str:
        """Return the text of a file, or say in one sentence why there is none."""
        try:
            return self.read(path)
        except (OSError, ValueError, LookupError) as error:
            close = closest_path(path) if isinstance(error, FileNotFoundError) else ""
            instead = (close,) if close else None
            raise Mistake(problem_of(error, self._near(path)), instead=instead) from None

    def _line(self, line: str, origin: str, within: tuple[str, ...], constraint: bool) -> None:
        """Take in one logical line. The `instead` of a mistake is the pieces of a whole one."""
        start = _OPTIONS.search(line)
        text = line[: start.start()].strip() if start else line
        rest = line[start.start() :].strip() if start else ""
        words = tuple(self._fill(word) for word in _words(rest))
        if not text:
            self._option_line(words, origin, within, constraint)
            return
        with _beside(text, ""):
            hashes = _hashes(words)
        with _beside("", rest):
            filled = self._fill(text)
            item = read_requirement(filled, cwd=self.cwd, origin=origin, hashes=tuple(hashes))
        if constraint and item.name is None:
            raise Mistake("a constraint begins with a name.", context=pointed(item.text, 0))
        (self.constraints if constraint else self.items).append(item)

    def _fill(self, word: str) -> str:
        """Return the word filled in; what comes out may be no option unless one was written."""
        filled, used = fill(word, self.environ)
        self.secrets += used
        if filled.startswith("-") and not word.startswith("-"):
            raise Mistake(f"{word} is filled in with an option.")
        return filled

    def _option_line(
        self, words: tuple[str, ...], origin: str, within: tuple[str, ...], constraint: bool
    ) -> None:
        for found in tuple(_options_in(words)):
            kind = found.option.field
            if kind in ("requirement_files", "constraint_files"):
                self._include(found, within, constraint or kind == "constraint_files")
            elif kind == "editables":
                self._editable(found, origin, constraint)
            elif not found.option.in_files:
                raise Mistake(f"{found.option.names[0]} does not belong into a file: type it.")
            elif self.obey_options:
                self.options.append(found)
            elif not self._was_typed(found, within[-1]):
                self._refuse(found, origin)

    def _include(self, found: OptionWord, within: tuple[str, ...], constraint: bool) -> None:
        folder = str(Path(within[-1]).parent)
        try:
            self.add(kept_file(found.value, folder), constraint=constraint, within=within)
        except Mistake as mistake:
            if mistake.instead:
                close = near(mistake.instead[0], folder).removeprefix("./")
                mistake.instead = (found.option.names[1], quote(close))
            raise

    def _editable(self, found: OptionWord, origin: str, constraint: bool) -> None:
        with _beside("" if "/" not in found.value else found.option.names[1], ""):
            item = read_editable(found.value, cwd=self.cwd, origin=origin)
        if constraint:
            raise Mistake("a constraint cannot be editable.")
        if item.text in self.typed_editables:
            return  # the typed one stands already
        if not self.obey_options:
            self._refuse(found, origin)
        self.items.append(item)

    def _was_typed(self, found: OptionWord, path: str) -> bool:
        typed = self.typed.get(found.option.field)
        if isinstance(typed, (list, tuple)):
            folders = (self.cwd, str(Path(path).parent))
            places = (found.value, *(absolute(found.value, folder) for folder in folders))
            return any(place in typed for place in places)
        return typed == (found.value or True)

    def _refuse(self, found: OptionWord, origin: str) -> None:
        """Say that the file asks for an option which was not typed."""
        words = found.option.names[0] + (f" {quote(found.value)}" if found.value else "")
        hidden = tuple(self.secrets)
        raise RequestError(
            redact(f"{origin} asks for {words}: type it too if you want it.", hidden),
            hint=redact(f"{self.command} {words}", hidden),
            context=f"{self.command} --allow-file-options",
            code="file-option",
        )


@contextmanager
def _beside(before: str, after: str) -> Iterator[None]:
    """Put what stands around the mistaken piece of a line into what is offered for it."""
    try:
        yield
    except Mistake as mistake:
        if mistake.instead:
            pieces = (before, *mistake.instead, "" if mistake.ends else after)
            mistake.instead = tuple(filter(None, pieces))
        raise


def _words(text: str) -> tuple[str, ...]:
    """Return the words of the options in a line."""
    try:
        return tokenize(text)
    except RequestError as error:  # its hint is for a line that was typed
        raise Mistake(error.message, context=error.context) from None


def _hashes(words: tuple[str, ...]) -> list[str]:
    """Return the hashes behind a requirement; any other option there is a mistake."""
    hashes: list[str] = []
    for found in _options_in(words):
        if found.option.field != "hashes":
            raise Mistake(f"{found.option.names[0]} does not belong behind a requirement.")
        hashes.append(read_hash(found.value))
    return hashes


def _options_in(words: tuple[str, ...]) -> Iterator[OptionWord]:
    """Yield the options in `words`; anything else between them is a mistake."""
    index = 0
    while index < len(words):
        if not words[index].startswith("-"):
            raise Mistake(f"`{words[index]}` does not belong behind an option.")
        with _beside(join(words[:index]), join(words[index + width(words, index) :])):
            found = read_option(words, index)
        yield from found
        index += found[-1].words
