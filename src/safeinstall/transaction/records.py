"""RECORD: which files a distribution says it has installed (PEP 376, PEP 427)."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from safeinstall.transaction.errors import TransactionError
from safeinstall.transaction.layout import EscapesPrefix, Layout

__all__ = ["RecordLine", "identity", "normalized", "owned_files", "read_record"]


class RecordLine(NamedTuple):
    """One line of a RECORD."""

    path: str
    """As written: relative to the folder that holds the dist-info, or absolute."""
    algorithm: str
    digest: str
    """In URL-safe base 64 without padding; empty when the line has no hash."""
    size: int | None


def read_record(dist_info: str) -> tuple[RecordLine, ...]:
    """Read `dist_info`/RECORD. Raises TransactionError when there is none or it is no text."""
    try:
        with open(os.path.join(dist_info, "RECORD"), encoding="utf-8", newline="") as file:
            return tuple(_lines(file.read()))
    except (OSError, ValueError, csv.Error) as error:
        raise TransactionError(
            f"{os.path.basename(dist_info)} has no readable RECORD:"
            " nobody knows which files are its own.",
            code="no-record",
            context=str(error),
        ) from error


def _lines(text: str) -> Iterator[RecordLine]:
    # A line without quotes needs no csv reader, and seldom has any: that halves the time.
    rows = csv.reader(io.StringIO(text)) if '"' in text else _plain_rows(text)
    for row in rows:
        if not row or not row[0]:
            continue
        algorithm, _, digest_text = (row[1] if len(row) > 1 else "").partition("=")
        size = row[2] if len(row) > 2 else ""
        yield RecordLine(
            row[0], algorithm, digest_text.rstrip("="), int(size) if size.isdecimal() else None
        )


def _plain_rows(text: str) -> Iterator[list[str]]:
    # Not `splitlines`: a file name may hold what Unicode calls a line break.
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        yield line.split(",")


def owned_files(layout: Layout, dist_info: str, lines: Iterable[RecordLine]) -> Iterator[str]:
    """Yield the names of the files of one installed distribution, missing ones too.

    `lines`: its RECORD. Raises EscapesPrefix when one lies outside the environment.
    """
    site = os.path.dirname(os.path.realpath(dist_info))
    inside: dict[str, str] = {}  # thousands of files lie in a few hundred folders
    for line in lines:
        folder, _, last = line.path.rpartition("/")
        if last in ("", ".", ".."):
            yield _name(layout, site, line.path, dist_info)
            continue
        if folder not in inside:
            inside[folder] = _name(layout, site, line.path, dist_info).removesuffix(last)
        yield inside[folder] + last
    # Installers and people leave notes there that no RECORD lists.
    for folder, _, files in os.walk(dist_info):
        for file in files:
            yield layout.name(os.path.join(folder, file))


def _name(layout: Layout, site: str, path: str, dist_info: str) -> str:
    try:
        return layout.name(os.path.join(site, path.replace("/", os.sep)))
    except EscapesPrefix as error:
        raise EscapesPrefix(
            f"RECORD of {os.path.basename(dist_info)} lists {path}, which lies outside the"
            " environment; it cannot be moved safely."
        ) from error


def normalized(name: str) -> str:
    """Return the one spelling of a distribution's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def identity(dist_info: str) -> tuple[str, str]:
    """Return name and version of a dist-info folder, from METADATA, else from its own name."""
    found: dict[str, str] = {}
    try:
        with open(os.path.join(dist_info, "METADATA"), encoding="utf-8", errors="replace") as file:
            for line in file:
                field, separator, value = line.partition(":")
                if not separator or len(found) == 2:
                    break
                if field.lower() in ("name", "version"):
                    found[field.lower()] = value.strip()
    except OSError:
        pass
    stem = os.path.basename(dist_info).rpartition(".")[0]
    name, _, version = stem.partition("-")
    return found.get("name") or name, found.get("version") or version
