"""The inspection of a staging area: values and findings, from files that nobody uses yet."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from itertools import chain

from safeinstall.findings import Finding
from safeinstall.transaction import staged_checks as checks
from safeinstall.transaction.arrivals import INSTALLER_LITTER, Arrivals
from safeinstall.transaction.bombs import check_bombs
from safeinstall.transaction.departures import Departures
from safeinstall.transaction.staged import Staged, StagedRecord, staged_records
from safeinstall.transaction.startup_files import check_startup

__all__ = ["inspect_stage"]


def inspect_stage(
    stage: str,
    *,
    departing: Departures,
    arriving: Arrivals,
    owner: Mapping[str, str],
    reserved_ok: Collection[str],
    hashes: bool,
    max_bytes: int,
) -> Staged:
    """Return what lies below `stage` and what is to be said about it.

    `owner`: which distribution each colliding file belongs to.
    """
    sizes: dict[str, int] = {}
    links: list[str] = []
    for path, status in _walk(stage):
        if status is None:
            links.append(path)
        else:
            sizes[path] = status
    records = list(staged_records(stage))
    distributions = tuple(record.distribution(stage, sizes) for record in records)
    twice = _brought_twice(records)
    names = {
        path[len(stage) + 1 :].replace(os.sep, "/"): [who for who, _digest in by]
        for path, by in twice.items()
        if len({digest for _who, digest in by}) > 1
    }
    findings: Iterator[Finding] = chain(
        checks.check_escapes(stage, records, arriving, links),
        checks.check_records(records, sizes, twice, hashes),
        checks.check_collisions(arriving, owner, names),
        checks.check_reserved(distributions, reserved_ok),
        check_startup(stage, distributions),
        checks.check_size(distributions, max_bytes),
        check_bombs(stage, sizes),
    )
    return Staged(
        distributions=distributions,
        findings=tuple(findings),
        unowned=tuple(hit.name for hit in arriving.collisions if hit.name not in owner),
        bytes=sum(sizes.values()),
        file_count=len(sizes),
        largest_file=max(sizes.values(), default=0),
    )


def _walk(stage: str) -> Iterator[tuple[str, int | None]]:
    """Yield every file and its size; None for a link."""
    waiting = [stage]
    while waiting:
        folder = waiting.pop()
        for entry in os.scandir(folder):
            if entry.is_symlink():
                yield entry.path, None
            elif entry.is_dir():
                waiting.append(entry.path)
            elif folder != stage or entry.name not in INSTALLER_LITTER:
                yield entry.path, entry.stat().st_size


def _brought_twice(records: list[StagedRecord]) -> dict[str, list[tuple[str, str]]]:
    """Return the paths that several distributions list: who, and which content each means."""
    seen: dict[str, list[tuple[str, str]]] = {}
    for record in records:
        for path, line in record.lines:
            seen.setdefault(path, []).append((record.name, line.digest))
    return {path: by for path, by in seen.items() if len({who for who, _digest in by}) > 1}
