"""Read the files of one request: lines by the grammar of pip (`req_file.py`), and those in TOML.

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
from safeinstall.request.commands import Demand, RequestItem, near
from safeinstall.request.corrections import Mistake, pointed
from safeinstall.request.line import tokenize
from safeinstall.request.lock_file import in_lock
from safeinstall.request.option_parser import OptionWord, kept_file, read_option, width
from safeinstall.request.requirement import (
    absolute,
    closest_path,
    read_editable,
    read_hash,
    read_requirement,
)
from safeinstall.request.toml_files import (
    Listed,
    check_known,
    extras_of,
    in_group,
    in_project,
    in_script,
    kind_of,
    read_toml,
    strings,
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


_COMMENT: Final = re.compile(r"(?:^|(?<!\s)\s+)#.*$")
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
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Those typed without a path, which a lock may be meant to have."""
    items: list[RequestItem] = field(default_factory=list)
    constraints: list[RequestItem] = field(default_factory=list)
    constraint_files: list[str] = field(default_factory=list)
    options: list[OptionWord] = field(default_factory=list)
    """Options of the files that are obeyed."""
    secrets: list[str] = field(default_factory=list)
    seen: set[tuple[str, bool]] = field(default_factory=set)
    """Files read already, and whether as constraints."""
    lock: str = ""
    """The lock that was read, as it is shown."""
    lock_groups: list[str] = field(default_factory=list)
    known_extras: dict[str, list[str]] = field(default_factory=dict)
    """By file: the extras of each that may have some."""
    demands: list[Demand] = field(default_factory=list)
    cutoffs: list[tuple[str, str]] = field(default_factory=list)
    """Cut-offs of uploads, and where each of them stands."""
    unheeded: list[str] = field(default_factory=list)

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
        text = self._text(path)
        if kind_of(path) != "lines":
            if constraint or within:
                raise Mistake(f"{shown} stands on the line itself: -r {shown}.")
            with self._completed():
                self._toml(text, path, shown)
            return
        if constraint:
            self.constraint_files.append(path)
        for number, line in logical_lines(text):
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
        with _beside(lambda: (text, "")):
            hashes = _hashes(words)
        with _beside(lambda: ("", rest)):
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
            else:
                self._obey(found, origin, within[-1])

    def _obey(self, found: OptionWord, origin: str, path: str) -> None:
        """Note an option that was allowed; refuse one that was neither allowed nor typed."""
        if self.obey_options:
            self.options.append(found)
        elif not self._was_typed(found, path):
            self._refuse(found, origin)

    def _toml(self, text: str, path: str, shown: str) -> None:
        """Take in what a script, a pyproject.toml or a lock lists."""
        kind = kind_of(path)
        if kind == "script":
            self._listed(in_script(text, shown), path, shown)
            return
        data = read_toml(text, shown)
        if kind == "project":
            self.known_extras[shown] = list(extras_of(data))
            self._listed(in_project(data, shown, self.extras, str(Path(path).parent)), path, shown)
            return
        self.lock = shown
        self.known_extras[shown] = list(strings(data, "extras"))
        self.lock_groups = [*strings(data, "dependency-groups"), *strings(data, "default-groups")]
        items, demands = in_lock(data, path, shown, self.extras, self.groups)
        self.items += items
        self.demands += demands

    def add_group(self, path: str, name: str) -> None:
        """Read a dependency group of the pyproject.toml at the absolute `path`.

        Raises as `add` does, and `Mistake` for a group that it does not have.
        """
        shown = self._near(path)
        text = self._text(path)
        with self._completed():
            self._listed(in_group(text, shown, name), path, shown)

    def check_group(self, name: str) -> None:
        """Raise `Mistake` unless the lock has the group."""
        check_known(name, self.lock_groups, f"{self.lock} has no group")

    def check_extra(self, name: str) -> None:
        """Raise `Mistake` unless one of the files has the extra."""
        if not self.known_extras:
            words = "--extra is of a -r pyproject.toml or pylock.toml; a package's own follow it"
            raise Mistake(f"{words}: NAME[{name}].")
        shown = " and ".join(self.known_extras)
        every = [each for names in self.known_extras.values() for each in names]
        check_known(name, every, f"{shown} has no extra")

    def _listed(self, listed: Listed, path: str, shown: str) -> None:
        folder = str(Path(path).parent)
        is_project = kind_of(path) == "project"
        uv_reads = is_project and Path(self.cwd).is_relative_to(folder)
        for words in listed.words(folder, sources_only=uv_reads):
            found = read_option(words, 0)[0] if len(words) > 1 else None
            try:
                if found is None:
                    item = read_requirement(words[0], cwd=folder, origin=shown)
                    if item.requirement is None:
                        raise Mistake(f"`{words[0]}` is no requirement (PEP 508).")
                    self.items.append(item)
                elif found.option.field == "editables":
                    self._editable(found, shown, constraint=False)
                else:
                    self._obey(found, shown, path)
            except Mistake as mistake:
                better = f"Write there: {mistake.instead[0]}" if mistake.instead else ""
                context = redact("\n".join(filter(None, (mistake.context, better))))
                said = redact(f"{shown}: {mistake.message}")
                raise RequestError(said, context=context) from None
        self.note(listed, shown, shown, sources_only=uv_reads)

    def note(self, listed: Listed, origin: str, within: str, *, sources_only: bool = False) -> None:
        """Note what a file, or the block of a cell, says besides its lines.

        `origin` is what it is called at the beginning of a sentence, `within` in the middle.
        """
        if listed.requires_python:
            self.demands.append(Demand(origin=origin, python=listed.requires_python))
        keys = listed.unheeded(sources_only=sources_only)
        if listed.cutoff and not sources_only:
            self.cutoffs.append((listed.cutoff, f"exclude-newer in {within}"))
        self.unheeded += [f"{key} in {within}" for key in keys]

    @contextmanager
    def _completed(self) -> Iterator[None]:
        """Give what is wrong in a file its line to type: the same one, once the file is right."""
        try:
            yield
        except RequestError as error:
            if not error.hint and not error.command:
                error.hint = self.command
            raise

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
        with _beside(lambda: ("" if "/" not in found.value else found.option.names[1], "")):
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
def _beside(around: Callable[[], tuple[str, str]]) -> Iterator[None]:
    """Put what stands around the mistaken piece of a line into what is offered for it."""
    try:
        yield
    except Mistake as mistake:
        if mistake.instead:
            before, after = around()
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
        rest = index + width(words, index)
        with _beside(lambda: (join(words[:index]), join(words[rest:]))):  # noqa: B023 - at once
            found = read_option(words, index)
        yield from found
        index += found[-1].words
