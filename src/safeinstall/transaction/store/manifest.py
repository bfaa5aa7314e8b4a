"""The manifest of one transaction: every file that came or left, for whoever undoes it.

It lies beside the journal in a file of its own: recovery and history do without it, and it may
name many thousands of files.

Imports on Python 3.8 with the standard library alone: recovery may run in another interpreter.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from safeinstall.transaction.errors import JournalError
from safeinstall.transaction.moves.disk import Disk

__all__ = ["FileStamp", "Manifest", "stamp_of"]

_NAME = "files.json"


class FileStamp(NamedTuple):
    """How a file looked when it was put in place: enough to notice that somebody edited it."""

    size: int
    mtime_ns: int


def stamp_of(status: os.stat_result) -> FileStamp:
    """Return how a file looks."""
    return FileStamp(status.st_size, status.st_mtime_ns)


class Manifest(NamedTuple):
    """Names are of the layout: relative to the prefix, with forward slashes."""

    added: Mapping[str, FileStamp] = {}
    """Files that came."""
    removed: Mapping[str, FileStamp] = {}
    """Files that left, as they were when the commit was planned."""
    created: tuple[str, ...] = ()
    """Folders that were not there before."""
    standing: tuple[str, ...] = ()
    """Folders that would have gone if nothing of others were in them."""
    met: Mapping[str, FileStamp] = {}
    """Files of what came that were there already, being others' as well."""
    left: tuple[str, ...] = ()
    """Files of what went that stayed, being others' as well."""
    found: tuple[str, ...] = ()
    """Files of what came that were there already and nobody's."""

    @property
    def stayed(self) -> frozenset[str]:
        """Files that this transaction knows and did not touch."""
        return frozenset((*self.met, *self.left, *self.found))

    def write(self, directory: str, disk: Disk) -> None:
        """Write it into the folder of its transaction. Raises OSError.

        A power cut may lose it, as it may lose the files it names: then there is no undo.
        """
        text = json.dumps(self._asdict(), separators=(",", ":"))
        disk.write(os.path.join(directory, _NAME), text.encode(), durable=False)

    @classmethod
    def read(cls, directory: str) -> Manifest:
        """Return the manifest of the transaction in `directory`. Raises JournalError."""
        try:
            with open(os.path.join(directory, _NAME), encoding="utf-8") as file:
                return cls.of(json.load(file))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise JournalError(
                f"The list of files of transaction {os.path.basename(directory)} cannot be read:"
                f" {error}; nothing was touched."
            ) from error

    @classmethod
    def of(cls, data: Any) -> Manifest:
        """Return the manifest that is written down in `data`."""
        return cls(
            _stamps(data["added"]),
            _stamps(data["removed"]),
            tuple(map(str, data["created"])),
            tuple(map(str, data.get("standing", ()))),
            _stamps(data.get("met", {})),
            tuple(map(str, data.get("left", ()))),
            tuple(map(str, data.get("found", ()))),
        )


def _stamps(data: Any) -> dict[str, FileStamp]:
    return {path: FileStamp(*stamp) for path, stamp in data.items()}
