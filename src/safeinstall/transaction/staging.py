"""The inspection of a staging area: values and findings, from files that nobody uses yet."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from safeinstall.findings import Finding
from safeinstall.metadata.record import RecordRow
from safeinstall.transaction import staged_checks as checks
from safeinstall.transaction.bombs import check_bombs
from safeinstall.transaction.moves.additions import Arrivals
from safeinstall.transaction.promises import check_records
from safeinstall.transaction.staged import Staged, StagedRecord, staged_records
from safeinstall.transaction.staged_tree import StagedTree
from safeinstall.transaction.startup_files import check_startup

__all__ = ["inspect_stage"]


def inspect_stage(
    tree: StagedTree,
    *,
    departing: Mapping[str, tuple[RecordRow, ...]],
    arriving: Arrivals,
    owner: Mapping[str, str],
    reserved_ok: Collection[str],
    hashes: bool,
    max_bytes: int,
) -> Staged:
    """Return what lies in the staging area and what is to be said about it.

    `departing`: RECORD of each leaving distribution by its dist-info folder.
    `owner`: which distribution each colliding file belongs to.
    """
    records = list(staged_records(tree.root))
    distributions = tuple(record.distribution(tree) for record in records)
    twice = _brought_twice(records)
    names = {
        tree.name(path): [who for who, _digest in by]
        for path, by in twice.items()
        if len({digest for _who, digest in by}) > 1
    }
    findings: Iterator[Finding] = chain(
        checks.check_escapes(tree, records, arriving),
        check_records(records, tree, twice, hashes=hashes),
        checks.check_collisions(arriving, owner, names),
        checks.check_reserved(distributions, reserved_ok),
        check_startup(tree.root, distributions),
        checks.check_size(distributions, max_bytes),
        check_bombs(tree),
    )
    sizes = {tree.name(path): status.st_size for path, status in tree.files.items()}
    return Staged(
        distributions=distributions,
        findings=tuple(findings),
        unowned=tuple(hit.name for hit in arriving.collisions if hit.name not in owner),
        sizes=sizes,
        departing=departing,
    )


def _brought_twice(records: list[StagedRecord]) -> dict[str, list[tuple[str, str]]]:
    """Return the paths that several distributions list: who, and which content each means."""
    seen: dict[str, list[tuple[str, str]]] = {}
    for record in records:
        for path, line in record.lines:
            seen.setdefault(path, []).append((record.name, line.digest))
    return {
        path: by for path, by in seen.items() if len(by) > 1 and len({who for who, _ in by}) > 1
    }
