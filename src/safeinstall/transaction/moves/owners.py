"""Which installed distribution a file belongs to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable

from safeinstall.metadata.distribution import DistInfo, distributions_in
from safeinstall.metadata.record import RecordError
from safeinstall.transaction.moves.layout import EscapesPrefix, Layout

__all__ = ["installed", "owners"]

_ODD = ("\n.", "\n/", "//", "/.")
"""Signs of a path that leads up, or is not written as names are."""


def installed(folders: Iterable[str], without: Collection[str] = ()) -> list[DistInfo]:
    """List the dist-infos in `folders`, except those whose real path is in `without`."""
    found = distributions_in(map(os.path.realpath, folders))
    return [info for info in found if not info.is_egg and info.path not in without]


def owners(layout: Layout, names: Collection[str], infos: Iterable[DistInfo]) -> dict[str, str]:
    """Return which of `names` belong to one of the distributions, and to which (its name).

    A distribution without a readable RECORD owns nothing that could be known.
    """
    wanted = {layout.key(name): name for name in names}
    found: dict[str, str] = {}
    if not wanted:
        return found
    beside: dict[str, dict[str, str]] = {}  # by folder of packages: `wanted` as a RECORD there says
    for info in infos:
        if info.folder not in beside:
            try:
                start = layout.key(layout.name(os.path.join(info.folder, "x"))[:-1])
            except EscapesPrefix:
                continue
            beside[info.folder] = {
                key.removeprefix(start): name
                for key, name in wanted.items()
                if key.startswith(start)
            }
        paths, odd = _paths(info)
        keys = map(layout.key, paths) if layout.folds_case else paths
        hits = [beside[info.folder].get(key) for key in beside[info.folder].keys() & keys]
        for path in odd:
            with contextlib.suppress(EscapesPrefix):
                hits.append(wanted.get(layout.key(layout.name(os.path.join(info.folder, path)))))
        for hit in filter(None, hits):
            found.setdefault(hit, info.name)
    return found


def _paths(info: DistInfo) -> tuple[list[str], list[str]]:
    """Return what its RECORD lists, and once more what is not written the plain way."""
    try:
        record = info.record
        paths = record.paths
    except RecordError:
        return [], []
    text = record.text
    if text.startswith((".", "/")) or record.quoted or any(mark in text for mark in _ODD):
        return paths, [
            path for path in paths if path.startswith(("/", ".")) or "//" in path or "/." in path
        ]
    return paths, []
