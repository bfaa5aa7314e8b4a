"""Read a line, a cell or a command line into one `Request`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from packaging.utils import canonicalize_name

from safeinstall.errors import RequestError
from safeinstall.redaction import redact

from .file_text import read_text
from .line import tokenize
from .location import absolute, is_url
from .misreading import without_installer
from .mistake import Mistake, request_error
from .option_words import DASHES, OptionWord, read_option, width
from .quoting import join
from .requirement import read_editable, read_hash, read_requirement
from .requirements_file import Files, fill, logical_lines
from .values import Request, RequestItem

__all__ = ["parse", "parse_arguments"]

Read = Callable[[str], str]
"""Returns the text of the file at an absolute path."""

_HOST: Final = re.compile(r"[\w.-]+(?::\d+)?|\[[0-9A-Fa-f:.]+\](?::\d+)?")


def parse(
    line: str | Sequence[str],
    body: str | None = None,
    *,
    cwd: str | os.PathLike[str],
    read: Read = read_text,
    environ: Mapping[str, str] | None = None,
    prefix: str = "%safeinstall",
) -> Request:
    """Return what a `%safeinstall` line, or a `%%safeinstall` line and its `body`, asks for.

    `line` is text to be split by our rules, or words split already, each requirement one word.
    `cwd` is where relative paths start, `read` opens requirements files, `environ` fills
    `${NAME}` in files and cells, `prefix` begins the lines that errors tell to type.
    Raises `RequestError`, and nothing else, for whatever is wrong.
    """
    words = tokenize(line, prefix=prefix) if isinstance(line, str) else tuple(line)
    known = os.environ if environ is None else environ
    secrets: tuple[str, ...] = ()
    if body is not None:
        more, secrets = _body_words(body, known, words, prefix)
        words = (*words, *more)
    here = os.path.normpath(Path(cwd).absolute())
    return _Reader(words, here, prefix, secrets).request(read, known)


def parse_arguments(
    argv: Sequence[str],
    *,
    cwd: str | os.PathLike[str] = ".",
    read: Read = read_text,
    environ: Mapping[str, str] | None = None,
    prefix: str = "safeinstall install",
) -> Request:
    """Return what the words of a command line (without the program and `install`) ask for."""
    return parse(tuple(argv), cwd=cwd, read=read, environ=environ, prefix=prefix)


def _body_words(
    body: str, environ: Mapping[str, str], typed: tuple[str, ...], prefix: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the words of a cell's lines, and the values of variables in them."""
    words: list[str] = []
    secrets: list[str] = []
    for _, content in logical_lines(body):
        for word in tokenize(content, prefix=prefix):
            filled, used = fill(word, environ)
            if used and filled.startswith("-") and not word.startswith("-"):
                raise RequestError(f"{word} is filled in with an option.")
            words.append(filled)
            secrets += (value for value in used if len(value) > 3)
    if not words:
        line = f"{prefix} {join(typed)}" if typed else f"%{prefix}\nNAME"
        raise RequestError("The cell lists nothing to install.", hint=redact(line))
    return tuple(words), tuple(secrets)


@dataclass(slots=True)
class _Reader:
    """Walks over the words once; every mistake knows the words it is about."""

    words: tuple[str, ...]
    cwd: str
    prefix: str
    secrets: tuple[str, ...]
    fields: dict[str, Any] = field(default_factory=dict)
    requirements: list[tuple[int, str]] = field(default_factory=list)
    """Place and text of what to install."""
    editables: list[tuple[int, str]] = field(default_factory=list)
    hashes: dict[int, list[str]] = field(default_factory=dict)
    """By place of the requirement they follow."""

    def request(self, read: Read, environ: Mapping[str, str]) -> Request:
        """Return the request the words make."""
        self._walk()
        typed = [*self._typed(), *self._typed_editables()]
        files = Files(
            cwd=self.cwd,
            read=read,
            environ=environ,
            typed=dict(self.fields),
            typed_editables=frozenset(item.text for item in typed if item.kind == "editable"),
            obey_options="allow-file-options" in self.fields.get("allow", ()),
            command=redact(f"{self.prefix} {join(self.words)}", self.secrets),
        )
        requirement_files = tuple(dict.fromkeys(self.fields.pop("requirement_files", ())))
        for path in requirement_files:
            files.add(path)
        for path in self.fields.pop("constraint_files", ()):
            files.add(path, constraint=True)
        self._obey(files.options)
        sets = {
            name: frozenset(value) if name.startswith("allow") else tuple(dict.fromkeys(value))
            for name, value in self.fields.items()
            if isinstance(value, list)
        }
        return Request(
            **self.fields
            | sets
            | {
                "cwd": self.cwd,
                "items": tuple(dict.fromkeys((*typed, *files.items))),
                "requirement_files": requirement_files,
                "constraint_files": tuple(files.constraint_files),
                "constraints": tuple(dict.fromkeys(files.constraints)),
                "secrets": (*self.secrets, *files.secrets),
            }
        )

    def _walk(self) -> None:
        """Sort the words into options and requirements."""
        if installer := without_installer(self.words):
            text = " ".join(self.words[:installer])
            raise self._error(Mistake(f"`{text}` is not needed here."), 0, installer)
        index, only_names = 0, False
        while index < len(self.words):
            word, start = self.words[index], index
            index += 1
            if word == "--" and not only_names:
                only_names = True
            elif only_names or not word.startswith(("-", *DASHES)):
                self.requirements.append((start, word))
            else:
                try:
                    index = start + self._take(start)
                except Mistake as mistake:
                    stop = start + width(self.words, start)
                    raise self._error(mistake, start, stop) from None

    def _take(self, index: int) -> int:
        """Take in the options at `index`; return how many words they took."""
        word = self.words[index]
        if word[0] in DASHES:
            plain = word.lstrip(DASHES + "-")
            better = f"-{plain}" if len(plain) == 1 else f"--{plain}"
            raise Mistake(f"`{word}` begins with a dash that is no hyphen.", instead=(better,))
        found = read_option(self.words, index)
        for each in found:
            if each.option.command_only and self.prefix.startswith("%"):
                raise Mistake(f"{each.option.names[0]} is for the command line only.")
            self._set(each, index)
        return found[-1].words

    def _set(self, found: OptionWord, index: int = 0) -> None:
        """Put an option into its field."""
        name, value = found.option.field, found.value
        if name == "editables":
            self.editables.append((index, value))
        elif name == "hashes":
            if not self.requirements:
                raise Mistake("--hash follows the requirement it belongs to.")
            self.hashes.setdefault(self.requirements[-1][0], []).append(read_hash(value))
        elif found.option.kind == "switch":
            self.fields[name] = True
        elif found.option.kind == "allow":
            self.fields.setdefault(name, []).append(found.option.names[0].removeprefix("--"))
        elif found.option.kind == "value":
            self.fields[name] = self._value(name, value)
        else:
            self.fields.setdefault(name, []).append(self._value(name, value))

    def _value(self, name: str, value: str) -> str:
        """Return an option's value as it is kept: paths absolute, names canonical."""
        if name in ("requirement_files", "constraint_files") and is_url(value):
            raise Mistake(f"{value} is an address: fetch the file first.")
        if name == "allow_builds":
            return canonicalize_name(value)
        if name == "trusted_hosts" and not _HOST.fullmatch(value):
            raise Mistake(f"`{value}` is no host name.")
        if name in ("index_url", "extra_index_urls") and not is_url(value):
            if not Path(absolute(value, self.cwd)).is_dir():
                raise Mistake(f"`{value}` is neither a URL nor a folder.")
            return absolute(value, self.cwd)
        if name in ("requirement_files", "constraint_files", "find_links") and not is_url(value):
            return absolute(value, self.cwd)
        return value

    def _obey(self, found: Sequence[OptionWord]) -> None:
        """Put the options of files into their fields; a typed value stays."""
        for each in found:
            if each.option.kind != "value" or each.option.field not in self.fields:
                try:
                    self._set(each)
                except Mistake as mistake:
                    raise RequestError(redact(mistake.message, self.secrets)) from None

    def _typed(self) -> list[RequestItem]:
        stdlib_names = "allow-stdlib-name" in self.fields.get("allow", ())
        items = []
        for index, text in self.requirements:
            hashes = tuple(self.hashes.get(index, ()))
            try:
                item = read_requirement(
                    text, cwd=self.cwd, hashes=hashes, stdlib_names=stdlib_names
                )
            except Mistake as mistake:
                raise self._error(mistake, index, index + 1) from None
            items.append(item)
        return items

    def _typed_editables(self) -> list[RequestItem]:
        items = []
        for index, text in self.editables:
            try:
                items.append(read_editable(text, cwd=self.cwd))
            except Mistake as mistake:
                raise self._error(mistake, index, index + 2) from None
        return items

    def _error(self, mistake: Mistake, start: int, stop: int) -> RequestError:
        return request_error(mistake, self.words, (start, stop), self.prefix, self.secrets)
