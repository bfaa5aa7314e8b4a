"""Which installed distribution a file belongs to."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable

from safeinstall.transaction.errors import TransactionError
from safeinstall.transaction.layout import EscapesPrefix, Layout
from safeinstall.transaction.records import identity, read_record

__all__ = ["installed", "owners"]


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
    for dist_info in dist_infos:
        site = os.path.dirname(dist_info)
        try:
            prefix = layout.name(os.path.join(site, "x"))[:-1]
        except EscapesPrefix:
            continue
        for path in _paths(dist_info):
            if path.startswith(("/", ".")) or "//" in path or "/." in path:
                try:
                    name = layout.name(os.path.join(site, path))
                except EscapesPrefix:
                    continue
            else:
                name = prefix + path
            hit = wanted.get(layout.key(name))
            if hit is not None:
                found.setdefault(hit, identity(dist_info)[0])
    return found


def _paths(dist_info: str) -> list[str]:
    # Two hundred RECORDs are read for one commit: a line without quotes needs no csv reader.
    try:
        with open(os.path.join(dist_info, "RECORD"), encoding="utf-8") as file:
            text = file.read()
        if '"' in text:
            return [line.path for line in read_record(dist_info)]
    except (OSError, UnicodeDecodeError, TransactionError):
        return []
    # Not `splitlines`: a file name may hold what Unicode calls a line break.
    return [line.partition(",")[0] for line in text.split("\n")]
