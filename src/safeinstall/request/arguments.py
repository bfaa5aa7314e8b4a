"""Read words into a `Request`."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .line import tokenize
from .values import Request, RequestItem

__all__ = ["parse", "parse_arguments"]


def parse(
    line: str | Sequence[str],
    body: str | None = None,
    *,
    cwd: str | os.PathLike[str],
    read: Callable[[str], str] | None = None,
    environ: Mapping[str, str] | None = None,
    prefix: str = "%safeinstall",
) -> Request:
    """Return what a `%safeinstall` line, or a `%%safeinstall` line and its body, asks for."""
    words = tokenize(line) if isinstance(line, str) else tuple(line)
    parsed = [Requirement(word) for word in words]
    items = tuple(
        RequestItem(text=str(each), name=canonicalize_name(each.name), requirement=each)
        for each in parsed
    )
    return Request(cwd=os.path.normpath(Path(cwd).absolute()), items=items)


def parse_arguments(
    argv: Sequence[str],
    *,
    cwd: str | os.PathLike[str] | None = None,
    read: Callable[[str], str] | None = None,
    environ: Mapping[str, str] | None = None,
    prefix: str = "safeinstall install",
) -> Request:
    """Return what the words of a command line (without the program and `install`) ask for."""
    return parse(tuple(argv), cwd=cwd or os.curdir, read=read, environ=environ, prefix=prefix)
