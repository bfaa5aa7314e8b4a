"""Which installed distribution a file belongs to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection, Iterable

from safeinstall.transaction.errors import TransactionError
from safeinstall.transaction.layout import EscapesPrefix, Layout
from safeinstall.transaction.records import identity, read_record

__all__ = ["installed", "owners"]

_ODD = ("\n.", "\n/", "//", "/.")
"""Signs of a path that leads up, or is not written as names are."""


def installed(folders: Iterable[str], without: Collection[str] = ()) -> list[str]:
    """List the dist-info folders in `folders`, except those whose real path is in `without`."""
    found: dict[str, None] = {}
    for folder in folders:
        try:
            names = sorted(os.listdir(folder))
        except OSError:
            continue
        real = os.path.realpath(folder)
        for name in names:
            if name.endswith(".dist-info"):
                found[os.path.join(real, name)] = None
    return [path for path in found if path not in without]


def owners(layout: Layout, names: Collection[str], dist_infos: Iterable[str]) -> dict[str, str]:
    """Return which of `names` belong to one of the distributions, and to which (its name).

    A distribution without a readable RECORD owns nothing that could be known.
    """
    wanted = {layout.key(name): name for name in names}
    found: dict[str, str] = {}
    if not wanted:
        return found
    beside: dict[str, dict[str, str]] = {}  # by folder of packages: `wanted` as a RECORD there says
    for dist_info in dist_infos:
        site = os.path.dirname(dist_info)
        if site not in beside:
            try:
                start = layout.key(layout.name(os.path.join(site, "x"))[:-1])
            except EscapesPrefix:
                continue
            beside[site] = {
                key.removeprefix(start): name
                for key, name in wanted.items()
                if key.startswith(start)
            }
        paths, odd = _paths(dist_info)
        keys = map(layout.key, paths) if layout.folds_case else paths
        hits = [beside[site].get(key) for key in beside[site].keys() & keys]
        for path in odd:
            with contextlib.suppress(EscapesPrefix):
                hits.append(wanted.get(layout.key(layout.name(os.path.join(site, path)))))
        for hit in filter(None, hits):
            found.setdefault(hit, identity(dist_info)[0])
    return found


def _paths(dist_info: str) -> tuple[list[str], list[str]]:
    """Return what its RECORD lists, and once more what is not written the plain way."""
    # Two hundred RECORDs are read for one commit: a line without quotes needs no csv reader.
    try:
        with open(os.path.join(dist_info, "RECORD"), encoding="utf-8") as file:
            text = file.read()
        if '"' in text:
            paths = [line.path for line in read_record(dist_info)]
        else:
            # Not `splitlines`: a file name may hold what Unicode calls a line break.
            paths = [line.partition(",")[0] for line in text.split("\n")]
    except (OSError, UnicodeDecodeError, TransactionError):
        return [], []
    if text.startswith((".", "/")) or '"' in text or any(mark in text for mark in _ODD):
        return paths, [
            path for path in paths if path.startswith(("/", ".")) or "//" in path or "/." in path
        ]
    return paths, []
