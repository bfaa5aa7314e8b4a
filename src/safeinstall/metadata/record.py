"""RECORD: which files a distribution says it has installed, and the modules that it so brings.

PEP 376 and PEP 427 say what it looks like.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

_CHUNK = 1 << 20
_CODE = (".py", ".so", ".pyd")
_FEW = 8
"""Packages of one namespace that are looked at: they come and go together."""
_SHARED = frozenset(
    {"test", "tests", "testing", "doc", "docs", "example", "examples", "benchmark", "benchmarks"}
    | {"scripts", "samples", "tools", "conftest", "setup"}
)
"""Names at the top level that no distribution owns alone."""


class RecordError(ValueError):
    """A RECORD that is not there, cannot be read, or is no text; says the reason alone."""


class RecordRow(NamedTuple):
    """One line of a RECORD."""

    path: str
    """As written: relative to the folder that holds the dist-info, or absolute."""
    algorithm: str
    digest: str
    """In URL-safe base 64 without padding; empty when the line has no hash."""
    size: int | None


class Record:
    """One RECORD, read once; what is asked of it is worked out when first asked for."""

    __slots__ = ("_rows", "quoted", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        """As it is on disk, ends of lines too; empty when there is none."""
        self.quoted = '"' in text
        """True when a path may hold what separates fields or lines."""
        self._rows: tuple[RecordRow, ...] | None = None

    @property
    def rows(self) -> tuple[RecordRow, ...]:
        """Its lines. Raises RecordError for one that no csv reader understands."""
        if self._rows is None:
            self._rows = tuple(map(_row, self.cells()))
        return self._rows

    @property
    def paths(self) -> list[str]:
        """The paths alone, for a tenth of the time. Raises RecordError as `rows` does."""
        if self._rows is not None or self.quoted:
            return [row.path for row in self.rows]
        paths = (line.partition(",")[0] for line in _lines(self.text))
        return [path for path in paths if path]

    def cells(self) -> Iterator[list[str]]:
        """Yield each line as its fields, those without a path left out. Raises RecordError."""
        # A line without quotes needs no csv reader, and seldom has any: that halves the time.
        plain = (line.split(",") for line in _lines(self.text))
        rows: Iterable[list[str]] = csv.reader(io.StringIO(self.text)) if self.quoted else plain
        try:
            yield from (row for row in rows if row and row[0])
        except csv.Error as error:
            raise RecordError(str(error)) from error


def read_record(dist_info: str, *, strict: bool = True) -> Record:
    """Read `dist_info`/RECORD.

    Raises RecordError when there is none, when it is no UTF-8, or no csv. With `strict` false what
    cannot be decoded is replaced and one that is not there is empty.
    """
    try:
        path, errors = os.path.join(dist_info, "RECORD"), "strict" if strict else "replace"
        with open(path, encoding="utf-8", errors=errors, newline="") as file:
            record = Record(file.read())
        if strict and record.quoted:
            _ = record.rows  # only then can it fail
    except (OSError, ValueError) as error:
        if strict:
            raise RecordError(str(error)) from error
        return Record("")
    return record


class RealFolders:
    """What `os.path.realpath` says of folders; it is as true as the folders stay where they are.

    A RECORD has many paths in few folders: each folder on the way is looked at once for all.
    """

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, folder: str) -> str:
        """Return the real path of `folder`, of links resolved in every part."""
        if (known := self._known.get(folder)) is None:
            parent, last = os.path.split(folder)
            if parent == folder or last in ("", ".", ".."):
                known = os.path.realpath(folder)
            else:
                known = os.path.join(self.of(parent), last)
                if os.path.islink(known):
                    known = os.path.realpath(known)
            self._known[folder] = known
        return known


def digest(path: str, algorithm: str) -> str:
    """Return the hash of a file as RECORD writes it: URL-safe base 64 without padding.

    Raises OSError, and ValueError for an algorithm that this Python does not know or that has no
    length of its own.
    """
    known = algorithm in hashlib.algorithms_guaranteed
    state = getattr(hashlib, algorithm)() if known else hashlib.new(algorithm)
    if not state.digest_size:
        raise ValueError(f"{algorithm} has no length of its own")
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:  # thousands of small files: a file object each would cost as much as the hashing
        while chunk := os.read(descriptor, _CHUNK):
            state.update(chunk)
    finally:
        os.close(descriptor)
    return base64.urlsafe_b64encode(state.digest()).rstrip(b"=").decode("ascii")


def _lines(text: str) -> list[str]:
    # Not `splitlines`: a file name may hold what Unicode calls a line break.
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.split("\n")


def _row(cells: list[str]) -> RecordRow:
    algorithm, _, digest = (cells[1] if len(cells) > 1 else "").partition("=")
    size = cells[2] if len(cells) > 2 else ""
    number = int(size) if size.isdecimal() else None
    return RecordRow(cells[0], algorithm, digest.rstrip("="), number)


def top_level(paths: Iterable[str], *, with_code: bool = True) -> tuple[str, ...]:
    """Return the import names that `paths` (below a folder of packages) give, in their order.

    `with_code` false: a folder counts whatever is in it (a namespace package, say).
    """
    found: dict[str, None] = {}
    for path in paths:
        first, slash, rest = path.partition("/")
        if not slash:
            if not first.endswith(_CODE):
                continue
            first = first.partition(".")[0]
        elif with_code and not rest.endswith(_CODE):
            continue
        if first.isidentifier() and first != "__pycache__":
            found[first] = None
    return tuple(found)


def roots(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the names by which the code among `paths` is imported: `numpy`, sorted.

    Where folders hold no code of their own (PEP 420), an import of them proves nothing: then it is
    the packages that lie highest below, `google.cloud.storage`, or one module.
    """
    code = {path for path in paths if path.endswith(_CODE)}
    packages = {path.rpartition("/")[0] for path in code if "/__init__." in path}
    found: dict[str, set[tuple[int, bool, bool, str]]] = {}
    for path in code:
        folders = path.split("/")
        file = folders.pop()
        depths = range(1, len(folders) + 1)
        depth = next((n for n in depths if "/".join(folders[:n]) in packages), 0)
        parts = folders[:depth] or [*folders, file.partition(".")[0]]
        if all(part.isidentifier() and part != "__pycache__" for part in parts):
            rank = (len(parts), not depth, parts[-1][0] == "_", ".".join(parts))
            found.setdefault(parts[0], set()).add(rank)
    names = []
    for ranks in found.values():
        best = min(ranks)
        names += [rank[3] for rank in sorted(ranks) if rank[:3] == best[:3]][
            : 1 if best[1] else _FEW
        ]
    return tuple(sorted(names))


def meant(modules: Sequence[str]) -> tuple[str, ...]:
    """Return those whose import proves something: not `tests`, which many share, unless alone."""
    return tuple(name for name in modules if name.lower() not in _SHARED) or tuple(modules)


def public(modules: Sequence[str]) -> tuple[str, ...]:
    """Return those for people; where there are none, those that are not Python's own business."""
    not_pythons = tuple(name for name in modules if name[:2] != "__")
    return tuple(name for name in not_pythons if name[:1] != "_") or not_pythons
