"""What is to be said about staged files before any of them comes into the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from safeinstall.findings import Finding, Severity
from safeinstall.metadata.distribution import normalized
from safeinstall.transaction.moves.additions import Arrivals
from safeinstall.transaction.staged import SCRIPT_FOLDERS, StagedDistribution, StagedRecord
from safeinstall.transaction.staged_tree import StagedTree
from safeinstall.transaction.wording import finding, some

__all__ = [
    "check_collisions",
    "check_escapes",
    "check_reserved",
    "check_size",
]

RESERVED_SCRIPT = re.compile(
    r"(python[\d.]*[tdw]?(-config)?|pypy[\d.]*|pip[\d.]*|(de)?activate([._].+)?)(\.exe)?",
    re.IGNORECASE,
)


def check_escapes(
    tree: StagedTree, records: Iterable[StagedRecord], arriving: Arrivals
) -> Iterator[Finding]:
    """Refuse whatever would lead out of the environment: RECORD lines, links, linked folders."""
    for record in records:
        outside = [
            line.path for path, line in record.lines if not path.startswith(tree.root + os.sep)
        ]
        if outside:
            yield finding(
                "escapes-prefix",
                Severity.REFUSE,
                f"{record.name} {record.version} would put {some(outside, verb='')} outside the"
                " environment.",
            )
    for link in tree.links:
        yield finding(
            "escapes-prefix",
            Severity.REFUSE,
            f"{tree.name(link)} is a symbolic link to {os.readlink(link)};"
            " packages bring files, not links.",
        )
    for message in arriving.escapes:
        yield finding("escapes-prefix", Severity.REFUSE, message)


def check_collisions(
    arriving: Arrivals, owner: Mapping[str, str], twice: Mapping[str, list[str]]
) -> Iterator[Finding]:
    """Name the files in the way: somebody's (refuse), nobody's, or staged by two (confirm)."""
    by_owner: dict[str, list[str]] = {}
    for collision in arriving.collisions:
        by_owner.setdefault(owner.get(collision.name, ""), []).append(collision.name)
    for name, files in sorted(by_owner.items()):
        if name:
            yield finding(
                "file-collision",
                Severity.REFUSE,
                f"{some(files)} already there and belongs to {name}, which is not part of the"
                " plan.",
                f"Installing over it would break {name}.",
            )
        else:
            yield finding(
                "file-collision",
                Severity.CONFIRM,
                f"{some(files)} already there and belongs to no installed distribution.",
                "It would be set aside, and undo would put it back.",
            )
    for names, files in _grouped(twice):
        yield finding(
            "file-collision",
            Severity.CONFIRM,
            f"{' and '.join(names)} both bring {some(files, verb='')} with different contents.",
            "Only one of them can be complete.",
        )


def check_reserved(
    distributions: Iterable[StagedDistribution], reserved_ok: Collection[str]
) -> Iterator[Finding]:
    """Refuse scripts that would take the place of the interpreter, pip or the activation."""
    for distribution in distributions:
        for name in distribution.files:
            folder, _, file = name.rpartition("/")
            if file in reserved_ok or not (
                name == "pyvenv.cfg"
                or (folder in SCRIPT_FOLDERS and RESERVED_SCRIPT.fullmatch(file))
            ):
                continue
            if file.lower().startswith("pip") and normalized(distribution.name) == "pip":
                continue
            yield finding(
                "reserved-script",
                Severity.REFUSE,
                f"{distribution.name} {distribution.version} brings {name}, which would replace a"
                " part of the environment itself.",
            )


def check_size(distributions: Collection[StagedDistribution], limit: int) -> Iterator[Finding]:
    """Ask before something enormous comes in."""
    total = sum(distribution.bytes for distribution in distributions)
    if total > limit:
        biggest = max(distributions, key=lambda distribution: distribution.bytes)
        yield finding(
            "too-big",
            Severity.CONFIRM,
            f"The unpacked packages take {total / 2**30:.1f} GiB; {biggest.name} alone takes"
            f" {biggest.bytes / 2**30:.1f} GiB.",
        )


def _grouped(twice: Mapping[str, list[str]]) -> list[tuple[tuple[str, ...], list[str]]]:
    groups: dict[tuple[str, ...], list[str]] = {}
    for name, owners in sorted(twice.items()):
        groups.setdefault(tuple(owners), []).append(name)
    return sorted(groups.items())
