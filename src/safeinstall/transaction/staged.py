"""What lies in a staging area: the distributions an installer has unpacked there."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from safeinstall.findings import Finding
from safeinstall.metadata.distribution import DistInfo
from safeinstall.metadata.modules import top_level
from safeinstall.metadata.record import RecordRow
from safeinstall.transaction.errors import TransactionError
from safeinstall.transaction.moves.records import record_of
from safeinstall.transaction.staged_tree import StagedTree

__all__ = [
    "Staged",
    "StagedDistribution",
    "StagedRecord",
    "staged_dist_infos",
    "staged_records",
]

SCRIPT_FOLDERS = ("bin", "Scripts")


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedDistribution:
    """One distribution that a commit would put into the environment.

    Paths are relative to the prefix, with forward slashes: where the files will be.
    """

    name: str
    version: str
    dist_info: str
    files: Mapping[str, str]
    """Every file of its RECORD, with the hash that is promised there (empty when none is)."""
    modules: tuple[str, ...]
    """Top-level import names."""
    bytes: int
    pth: tuple[str, ...]
    """Start-up files: `*.pth` in a folder that Python reads them from."""
    scripts: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Staged:
    """The whole staging area, and what is to be said about it."""

    distributions: tuple[StagedDistribution, ...]
    findings: tuple[Finding, ...]
    unowned: tuple[str, ...]
    """Files of nobody that are in the way: `commit(replacing=...)` may set them aside."""
    sizes: Mapping[str, int]
    """Bytes of every staged file, whoever lists it."""
    departing: Mapping[str, tuple[RecordRow, ...]]
    """RECORD of each leaving distribution by its dist-info folder."""

    @property
    def bytes(self) -> int:
        """Bytes of all files together."""
        return sum(self.sizes.values())


@dataclass(frozen=True, slots=True)
class StagedRecord:
    """One dist-info in the stage with its RECORD, read but not judged."""

    name: str
    version: str
    dist_info: str
    """Absolute."""
    lines: tuple[tuple[str, RecordRow], ...]
    """Each line with the absolute path it means; that may lie outside the stage."""
    problem: str
    """Why RECORD cannot be read, or empty."""

    def distribution(self, tree: StagedTree) -> StagedDistribution:
        """Return the value for those who plan and judge."""
        below = tree.root + os.sep
        inside = {
            tree.name(path): line.digest for path, line in self.lines if path.startswith(below)
        }
        dist_info = tree.name(self.dist_info)
        site = dist_info.rpartition("/")[0]
        below_site = [name[len(site) + 1 :] for name in inside if name.startswith(f"{site}/")]
        at_top = [name for name in inside if name.rpartition("/")[0] == site]
        return StagedDistribution(
            name=self.name,
            version=self.version,
            dist_info=dist_info,
            files=inside,
            modules=tuple(sorted(top_level(below_site, with_code=False))),
            bytes=sum(tree.size(path) for path, _line in self.lines),
            pth=tuple(sorted(name for name in at_top if name.endswith(".pth"))),
            scripts=tuple(
                sorted(name for name in inside if name.rpartition("/")[0] in SCRIPT_FOLDERS)
            ),
        )


def staged_records(stage: str) -> Iterator[StagedRecord]:
    """Read the RECORD of every dist-info below `stage`."""
    return map(_read, staged_dist_infos(stage))


def staged_dist_infos(stage: str) -> Iterator[str]:
    """Yield every dist-info folder below `stage`, whichever layout the installer chose."""
    for folder, subfolders, _files in os.walk(stage):
        subfolders.sort()
        for name in [name for name in subfolders if name.endswith(".dist-info")]:
            yield os.path.join(folder, name)
        if os.path.basename(folder) in ("site-packages", "dist-packages"):
            subfolders.clear()  # thousands of folders below, and no dist-info


def _read(dist_info: str) -> StagedRecord:
    info = DistInfo(dist_info)
    site = os.path.dirname(dist_info)
    try:
        lines = record_of(dist_info)
    except TransactionError as error:
        return StagedRecord(info.name, info.version, dist_info, (), error.message)
    meant = tuple((_meant(site, line.path), line) for line in lines)
    return StagedRecord(info.name, info.version, dist_info, meant, "")


def _meant(site: str, path: str) -> str:
    joined = os.path.join(site, path.replace("/", os.sep))
    plain = ".." not in path and "//" not in path and "/./" not in path
    return joined if plain else os.path.normpath(joined)
