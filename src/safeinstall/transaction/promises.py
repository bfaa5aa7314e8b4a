"""Is every staged file what its RECORD promises?"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from safeinstall.digests import digest
from safeinstall.findings import Finding, Severity
from safeinstall.metadata.record import RecordRow
from safeinstall.transaction.staged import StagedRecord
from safeinstall.transaction.staged_tree import StagedTree
from safeinstall.transaction.wording import finding, some

__all__ = ["check_records"]


def check_records(
    records: Iterable[StagedRecord],
    tree: StagedTree,
    twice: Collection[str],
    *,
    hashes: bool,
) -> Iterator[Finding]:
    """Compare every RECORD with what is staged; the paths in `twice` are ignored here.

    `hashes` false = sizes only.
    """
    records = list(records)
    false = _false_promises(records, tree, twice, hashes)
    listed: set[str] = set()
    for record in records:
        who = f"{record.name} {record.version}"
        if record.problem:
            yield finding("record-mismatch", Severity.REFUSE, f"{who}: {record.problem}")
            continue
        missing = [line.path for path, line in record.lines if path not in tree.files]
        wrong = [line.path for path, line in record.lines if path in false]
        listed.update(path for path, _line in record.lines)
        if wrong:
            yield finding(
                "record-mismatch",
                Severity.REFUSE,
                f"{who}: {some(wrong)} not what its RECORD says (size or hash differ).",
                "The package is damaged or was tampered with.",
            )
        if missing:
            yield finding(
                "record-mismatch",
                Severity.WARNING,
                f"{who}: its RECORD lists {some(missing, verb='')} which the package"
                " does not contain.",
            )
    unlisted = tree.files.keys() - listed
    stray = sorted(path for path in unlisted if not path.endswith((".pyc", ".dist-info")))
    if stray:
        yield finding(
            "record-mismatch",
            Severity.WARNING,
            f"{some([os.path.basename(path) for path in stray])} in no RECORD; it is installed"
            " and undone with the rest.",
        )


def _false_promises(
    records: Iterable[StagedRecord], tree: StagedTree, twice: Collection[str], hashes: bool
) -> set[str]:
    """Return the paths whose size or content is another than promised."""
    false: set[str] = set()
    unread: dict[str, RecordRow] = {}
    for record in records:
        for path, line in record.lines:
            status = tree.files.get(path)
            if status is None or path in twice:
                continue
            if line.size is not None and status.st_size != line.size:
                false.add(path)
            elif hashes and line.digest:
                unread[path] = line
    return false | _misread(unread)


def _misread(unread: Mapping[str, RecordRow]) -> set[str]:
    # Hashing is most of the work of an inspection, and Python lets go of its lock for it.
    paths = sorted(unread)
    workers = min(4, os.cpu_count() or 1, len(paths))

    def judge(first: int) -> list[str]:
        return [path for path in paths[first::workers] if not _agrees(path, unread[path])]

    if workers < 2:
        return set(judge(0)) if paths else set()
    with ThreadPoolExecutor(workers) as pool:
        return {path for part in pool.map(judge, range(workers)) for path in part}


def _agrees(path: str, line: RecordRow) -> bool:
    try:
        return digest(path, line.algorithm) == line.digest
    except ValueError:
        return True  # a hash this Python does not know says nothing
