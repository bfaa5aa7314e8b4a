"""The doors of the room: a line, a cell or a command line becomes one `Request`."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from safeinstall.errors import RequestError
from safeinstall.redaction import redact

from .file_text import read_text
from .line import tokenize
from .mistake import ANYTHING, NO_SHELL, OF_A_CELL, Mistake, request_error
from .quoting import join
from .reader import Read, Reader
from .requirements_file import fill, logical_lines
from .values import Request

__all__ = ["parse", "parse_arguments"]


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
    here = os.path.normpath(Path(cwd).absolute())
    if body is None:
        return Reader(words, here, prefix).request(read, known)
    rows, secrets = _body_rows(body, known, words, prefix)
    if not rows:
        asked = Reader(words, here, prefix).request(read, known)
        left = join([*words, ANYTHING] if asked.empty else words)
        line = f"{prefix} {left}" if words else f"%{prefix}\n{ANYTHING}"
        raise RequestError("The cell lists nothing to install.", hint=redact(line))
    every = (*words, *itertools.chain(*rows))
    ends = tuple(itertools.accumulate(map(len, rows), initial=len(words)))
    return Reader(every, here, prefix, secrets, ends).request(read, known)


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


def _body_rows(
    body: str, environ: Mapping[str, str], typed: tuple[str, ...], prefix: str
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Return the words of each of a cell's lines, and the values of variables in them."""
    rows: list[tuple[str, ...]] = []
    secrets: list[str] = []
    shell: RequestError | None = None
    for _, content in logical_lines(body):
        row: list[str] = []
        try:
            words = tokenize(content, prefix=prefix)
        except RequestError as error:
            if not error.message.endswith(NO_SHELL):
                raise
            shell = shell or error
            continue
        for word in words:
            filled, used = fill(word, environ)
            if filled.startswith("-") and not word.startswith("-"):
                raise RequestError(f"{word} is filled in with an option.")
            row.append(filled)
            secrets += used
        rows.append(tuple(row))
    if shell:
        others = (*typed, *itertools.chain(*rows))
        mistake = Mistake(f"{shell.message} {OF_A_CELL}", context=shell.context)
        raise request_error(mistake, others, (len(others), len(others)), prefix, secrets)
    return tuple(row for row in rows if row), tuple(secrets)
