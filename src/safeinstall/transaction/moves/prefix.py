"""The files of an environment: one name for each, whatever links lead to it, and whose it is."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterable, Iterator

from safeinstall.errors import EscapesPrefix, TransactionError
from safeinstall.metadata.distribution import DistInfo, distributions_in
from safeinstall.metadata.record import RealFolders, RecordError, RecordRow
from safeinstall.transaction.store.journal import FOLDER

INTERPRETER = re.compile(r"pyvenv\.cfg|(?i:(bin|Scripts)/(python|pypy)[\d.]*[tdw]?(\.exe)?)")
"""What is the environment itself, whatever a RECORD says."""
_ODD = ("\n.", "\n/", "//", "/.")
"""Signs of a path that leads up, or is not written as names are."""
KEPT_FOLDERS = ("", "bin", "Scripts", "include", "Include", "lib", "lib64", "Lib")
"""What an environment keeps even when it is empty."""


class Layout:
    """The prefix, and the names of files below it: relative, with forward slashes.

    `lib64/x` and `lib/x` are the same name when `lib64` is a link to `lib`; a link that is itself
    the last part is not followed.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = os.path.realpath(prefix)
        self.own = os.path.join(self.prefix, FOLDER)
        # APFS and NTFS usually do not tell `Foo` from `foo`; ask the disk, not the platform.
        shouted = os.path.join(self.prefix, FOLDER.upper())
        self.folds_case = os.path.lexists(shouted) and os.path.lexists(self.own)
        self._start = self.prefix.rstrip(os.sep) + os.sep
        self._folders: dict[str, str] = {}
        self._real = RealFolders()

    def key(self, name: str) -> str:
        """Return what two names have in common when they mean one file."""
        return name.casefold() if self.folds_case else name

    def path(self, name: str) -> str:
        """Return the absolute path of a name."""
        if not name:
            return self.prefix
        return self._start + (name if os.sep == "/" else name.replace("/", os.sep))

    def name(self, path: str) -> str:
        """Return the one name of an absolute `path`. Raises EscapesPrefix."""
        folder, last = os.path.split(path if ".." not in path else os.path.normpath(path))
        real = self._folders.get(folder)
        if real is None:
            real = self._folders[folder] = self._inside(self._real.of(folder), path)
        return f"{real}/{last}" if real else last

    def folder(self, name: str) -> str:
        """Return the folder that `name` leads to, through links. Raises EscapesPrefix."""
        return self._inside(os.path.realpath(self.path(name)), name)

    def _inside(self, real: str, shown: str) -> str:
        if real == self.prefix:
            return ""
        if not real.startswith(self.prefix + os.sep):
            raise EscapesPrefix(f"{shown} leads out of the environment {self.prefix}.")
        inside = real[len(self.prefix) + 1 :].replace(os.sep, "/")
        if inside.split("/")[0] == FOLDER:
            raise EscapesPrefix(f"{shown} leads into {self.own}, which is not part of it.")
        return inside


def record_rows(info: DistInfo) -> tuple[RecordRow, ...]:
    """Return what the RECORD of `info` lists. Raises TransactionError where none can be read."""
    try:
        return info.record.rows
    except RecordError as error:
        raise TransactionError(
            f"{info.entry} has no readable RECORD: nobody knows which files are its own.",
            code="no-record",
            context=str(error),
        ) from error


def owned_files(layout: Layout, dist_info: str, rows: Iterable[RecordRow]) -> Iterator[str]:
    """Yield the names of the files of one installed distribution, missing ones too.

    `rows`: its RECORD. Raises EscapesPrefix when one lies outside the environment.
    """
    site = os.path.dirname(os.path.realpath(dist_info))
    inside: dict[str, str] = {}  # thousands of files lie in a few hundred folders
    for row in rows:
        folder, _, last = row.path.rpartition("/")
        if last in ("", ".", ".."):
            yield _name(layout, site, row.path, dist_info)
            continue
        if folder not in inside:
            inside[folder] = _name(layout, site, row.path, dist_info).removesuffix(last)
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


def installed(
    folders: Iterable[str], *, without: Collection[str] = (), known: Iterable[DistInfo] = ()
) -> list[DistInfo]:
    """List the dist-infos in `folders`, except those whose real path is in `without`.

    A folder of which something is `known` is not listed again.
    """
    real = RealFolders()
    listed: dict[str, list[DistInfo]] = {}
    for info in known:
        listed.setdefault(real.of(info.folder), []).append(info)
    return [
        info
        for folder in dict.fromkeys(map(os.path.realpath, folders))
        for info in listed.get(folder) or distributions_in([folder])
        if not info.is_egg and os.path.join(folder, info.entry) not in without
    ]


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
            below = {key: name for key, name in wanted.items() if key.startswith(start)}
            beside[info.folder] = {key.removeprefix(start): name for key, name in below.items()}
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
        return paths, [p for p in paths if p.startswith(("/", ".")) or "//" in p or "/." in p]
    return paths, []
