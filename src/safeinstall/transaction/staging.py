"""The staging area: what an installer has unpacked there, read once for everybody who asks."""

from __future__ import annotations

import os
import re
import shutil
import stat
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from safeinstall.distributions import StagedDistribution
from safeinstall.errors import TransactionError
from safeinstall.metadata.distribution import DistInfo, is_metadata, normalized
from safeinstall.metadata.modules import top_level
from safeinstall.metadata.record import Record, RecordError, RecordRow
from safeinstall.transaction.moves.disk import Disk
from safeinstall.transaction.moves.prefix import record_rows

LITTER = frozenset({".lock", ".gitignore", "CACHEDIR.TAG"})
"""What an installer leaves in the root of any prefix for its own use; it stays in the stage."""


class StagedTree(NamedTuple):
    """Everything below `root` but the installer's own litter, by absolute path."""

    root: str
    files: dict[str, os.stat_result]
    links: dict[str, str]
    """Where each symbolic link leads."""

    def name(self, path: str) -> str:
        """Return the path relative to the root, with forward slashes."""
        return path[len(self.root) + 1 :].replace(os.sep, "/")


def read_tree(root: str) -> StagedTree:
    """Read the tree below `root`. Raises OSError."""
    tree = StagedTree(root, {}, {})
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        for entry in os.scandir(folder):
            if entry.is_symlink():
                tree.links[entry.path] = os.readlink(entry.path)
            elif entry.is_dir():
                waiting.append(entry.path)
            elif folder != root or entry.name not in LITTER:
                tree.files[entry.path] = entry.stat()
    return tree


def dist_infos(stage: str) -> Iterator[DistInfo]:
    """Yield every dist-info below `stage`, whichever layout the installer chose."""
    for folder, subfolders, _files in os.walk(stage):
        subfolders.sort()
        for info in (DistInfo(os.path.join(folder, n)) for n in filter(is_metadata, subfolders)):
            if not info.is_egg:
                yield info
        if os.path.basename(folder) in ("site-packages", "dist-packages"):
            subfolders.clear()  # thousands of folders below, and no dist-info


def describe(info: DistInfo, tree: StagedTree) -> StagedDistribution:
    """Return what a dist-info in the stage says of itself."""
    problem, outside = "", []
    files: dict[str, RecordRow] = {}
    try:
        for row in record_rows(info):
            path = _meant(info.folder, row.path)
            if path.startswith(tree.root + os.sep):
                files[tree.name(path)] = row
            else:
                outside.append(row.path)
    except TransactionError as error:
        problem = error.message
    site = f"{tree.name(info.folder)}/"
    below = [name[len(site) :] for name in files if name.startswith(site)]
    sizes = (tree.files.get(os.path.join(tree.root, name)) for name in files)
    return StagedDistribution(
        name=info.name,
        version=info.version,
        info=info,
        dist_info=tree.name(info.path),
        files=files,
        outside=tuple(outside),
        problem=problem,
        modules=tuple(sorted(top_level(below, with_code=False))),
        bytes=sum(status.st_size for status in sizes if status),
        pth=tuple(
            sorted(site + name for name in below if "/" not in name and name.endswith(".pth"))
        ),
    )


def _meant(site: str, path: str) -> str:
    joined = os.path.join(site, path.replace("/", os.sep))
    plain = ".." not in path and "//" not in path and "/./" not in path
    return joined if plain else os.path.normpath(joined)


def keep_requested(
    infos: Iterable[DistInfo], names: Iterable[str], disk: Disk
) -> Iterator[DistInfo]:
    """Take the mark of what was asked for from every staged distribution not among `names`.

    An installer that is given exact pins marks them all (PEP 376, REQUESTED). Yields them as they
    are afterwards. Raises OSError.
    """
    asked = {normalized(name) for name in names}
    for info in infos:
        try:
            text = "" if normalized(info.name) in asked or not info.requested else info.record.text
        except RecordError:
            text = ""  # it is going to be refused for that
        if not text:
            yield info
            continue
        disk.unlink(os.path.join(info.path, "REQUESTED"))
        left = re.sub(rf"(?m)^{re.escape(info.entry)}/REQUESTED,[^\n]*\n?", "", text)
        record = os.path.join(info.path, "RECORD")
        # As a new file: an installer may have linked this one with its cache.
        disk.write(record, left.encode(), stat.S_IMODE(os.stat(record).st_mode), durable=False)
        yield info.with_record(Record(left))


def clear(stage: str) -> None:
    """Take away what a failed attempt left: the next one would believe its metadata."""
    for entry in os.scandir(stage):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def lay_out_as(stage: str, wanted: str, python: str) -> bool:
    """Give what was unpacked the layout of its destination: its packages in the folder `wanted`.

    `python`: the version in the names of folders. Tells False, and the stage is of no use, where
    that cannot be done by a rename at the same depth: RECORD names scripts relative to packages.
    """
    local = os.path.join(stage, "local")
    if os.path.isdir(local):  # Debian's pip up to 26.2 (`posix_local`)
        for name in os.listdir(local):
            os.rename(os.path.join(local, name), os.path.join(stage, name))
        os.rmdir(local)
    for name in ("site-packages", "dist-packages"):
        inside = os.path.join("lib", f"python{python}", name)
        if inside == wanted or not os.path.isdir(os.path.join(stage, inside)):
            continue
        if inside.count(os.sep) != wanted.count(os.sep):
            return False
        target = os.path.join(stage, wanted)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.rename(os.path.join(stage, inside), target)
    return True
