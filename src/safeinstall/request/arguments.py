"""The doors of the room: a line, a cell or a command line becomes one `Request`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from safeinstall.errors import RequestError
from safeinstall.redaction import redact

from .file_text import read_text
from .line import tokenize
from .mistake import ANYTHING
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
    secrets: tuple[str, ...] = ()
    if body is not None:
        more, secrets = _body_words(body, known, words, prefix)
        words = (*words, *more)
    here = os.path.normpath(Path(cwd).absolute())
    return Reader(words, here, prefix, secrets).request(read, known)


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
            if filled.startswith("-") and not word.startswith("-"):
                raise RequestError(f"{word} is filled in with an option.")
            words.append(filled)
            secrets += used
    if not words:
        line = f"{prefix} {join(typed)}" if typed else f"%{prefix}\n{ANYTHING}"
        raise RequestError("The cell lists nothing to install.", hint=redact(line))
    return tuple(words), tuple(secrets)
