"""REQUESTED: the mark of a distribution that somebody asked for by name (PEP 376)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from safeinstall.transaction.disk import Disk
from safeinstall.transaction.records import identity, normalized
from safeinstall.transaction.staged import staged_dist_infos

__all__ = ["keep_requested"]


def keep_requested(stage: str, names: Iterable[str], disk: Disk) -> None:
    """Take the mark, and its line in RECORD, from every staged distribution not among `names`.

    An installer that is given exact pins marks them all. Raises OSError.
    """
    asked = {normalized(name) for name in names}
    for dist_info in staged_dist_infos(stage):
        marker = os.path.join(dist_info, "REQUESTED")
        if normalized(identity(dist_info)[0]) in asked or not os.path.lexists(marker):
            continue
        disk.unlink(marker)
        record = os.path.join(dist_info, "RECORD")
        with open(record, encoding="utf-8", newline="") as file:
            lines = file.readlines()
        own = f"{os.path.basename(dist_info)}/REQUESTED,"
        left = "".join(line for line in lines if not line.startswith(own))
        # As a new file: an installer may have linked this one with its cache.
        disk.write(record, left.encode(), stat.S_IMODE(os.stat(record).st_mode), durable=False)
