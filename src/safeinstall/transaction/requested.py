"""REQUESTED: the mark of a distribution that somebody asked for by name (PEP 376)."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable

from safeinstall.metadata.distribution import DistInfo, normalized
from safeinstall.metadata.record import RecordError
from safeinstall.transaction.moves.disk import Disk
from safeinstall.transaction.staged import staged_dist_infos

__all__ = ["keep_requested"]


def keep_requested(stage: str, names: Iterable[str], disk: Disk) -> None:
    """Take the mark, and its line in RECORD, from every staged distribution not among `names`.

    An installer that is given exact pins marks them all. Raises OSError.
    """
    asked = {normalized(name) for name in names}
    for info in map(DistInfo, staged_dist_infos(stage)):
        if normalized(info.name) in asked or not info.requested:
            continue
        try:
            text = info.record.text
        except RecordError:
            continue  # it is going to be refused for that
        disk.unlink(os.path.join(info.path, "REQUESTED"))
        left = re.sub(rf"(?m)^{re.escape(info.entry)}/REQUESTED,[^\n]*\n?", "", text)
        record = os.path.join(info.path, "RECORD")
        # As a new file: an installer may have linked this one with its cache.
        disk.write(record, left.encode(), stat.S_IMODE(os.stat(record).st_mode), durable=False)
