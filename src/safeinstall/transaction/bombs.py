"""Archives that are small only because there is next to nothing in them: zip bombs."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from typing import Final

from safeinstall.findings import Finding, Severity
from safeinstall.transaction.staged_tree import StagedTree

__all__ = ["check_bombs"]

_SUSPICIOUS: Final = 100 * 2**20
_SAMPLE: Final = 2**18
_SAMPLES: Final = 4
_RATIO: Final = 500
"""Deflate ends at 1032:1; weights, libraries and tables stay below 50:1."""


def check_bombs(tree: StagedTree) -> Iterator[Finding]:
    """Ask before huge files come in whose samples all compress to almost nothing.

    Only what is huge is opened, and read in four places.
    """
    huge = {path: s.st_size for path, s in tree.files.items() if s.st_size > _SUSPICIOUS}
    found = [path for path, size in huge.items() if _is_empty(path, size)]
    if not found:
        return
    total = sum(huge[path] for path in found)
    name = tree.name(found[0])
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    yield Finding(
        code="too-big",
        severity=Severity.CONFIRM,
        message=f"{os.path.basename(name)}{more} fills {total / 2**20:.0f} MiB of the disk with "
        "next to nothing, as a zip bomb does.",
        context=name,
    )


def _is_empty(path: str, size: int) -> bool:
    try:
        with open(path, "rb") as file:
            for number in range(_SAMPLES):
                file.seek(number * (size - _SAMPLE) // (_SAMPLES - 1))
                sample = file.read(_SAMPLE)
                if len(zlib.compress(sample)) * _RATIO > len(sample):
                    return False
    except OSError:
        return False
    return True
