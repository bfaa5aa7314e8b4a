"""The files of an installed distribution, by the names of the layout."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from safeinstall.metadata.record import RecordError, RecordRow, read_record
from safeinstall.transaction.errors import TransactionError
from safeinstall.transaction.moves.layout import EscapesPrefix, Layout

__all__ = ["owned_files", "record_of"]


def record_of(dist_info: str) -> tuple[RecordRow, ...]:
    """Return what the RECORD of `dist_info` lists. Raises TransactionError without one."""
    try:
        return read_record(dist_info).rows
    except RecordError as error:
        raise TransactionError(
            f"{os.path.basename(dist_info)} has no readable RECORD:"
            " nobody knows which files are its own.",
            code="no-record",
            context=str(error),
        ) from error


def owned_files(layout: Layout, dist_info: str, lines: Iterable[RecordRow]) -> Iterator[str]:
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
