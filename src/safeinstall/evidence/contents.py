"""Whether a file still holds what its RECORD says: reading and hashing, where that is called for.

Installers write RECORD last. A file that was written after it has been edited or overwritten, and
so may be one that two distributions claim; the others would have to be read in vain, some hundred
megabytes of them. Who put a file's time back on purpose is found only when all are read.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Final

from safeinstall.metadata.record import digest

__all__ = ["differing"]

_FEW: Final = 64
"""As many files are hashed before a second thread has begun."""


def differing(folder: str, promised: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the paths below `folder` whose content is not what was `promised`.

    `promised` holds paths and hashes as RECORD writes them. A file that cannot be read, and a hash
    this Python does not know, say nothing.
    """
    if len(promised) <= _FEW:
        return tuple(path for path, hash_ in promised if _differs(folder, path, hash_))
    paths, hashes = zip(*promised, strict=True)
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        wrong = pool.map(_differs, repeat(folder), paths, hashes)
        return tuple(path for path, differs in zip(paths, wrong, strict=True) if differs)


def _differs(folder: str, path: str, promised: str) -> bool:
    algorithm, _, hash_ = promised.partition("=")
    place = os.path.join(folder, path)
    try:
        # A pipe would be waited for.
        return not stat.S_ISREG(os.stat(place).st_mode) or (
            digest(place, algorithm) != hash_.rstrip("=")
        )
    except (OSError, ValueError):
        return False
