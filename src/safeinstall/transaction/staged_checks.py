"""What is to be said about staged files before any of them comes into the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from safeinstall.findings import Finding, Severity
from safeinstall.transaction.arrivals import Arrivals
from safeinstall.transaction.records import RecordLine, digest, normalized
from safeinstall.transaction.staged import SCRIPT_FOLDERS, StagedDistribution, StagedRecord

__all__ = [
    "check_collisions",
    "check_escapes",
    "check_records",
    "check_reserved",
    "check_size",
]

RESERVED_SCRIPT = re.compile(
    r"(python[\d.]*[tdw]?(-config)?|pypy[\d.]*|pip[\d.]*|(de)?activate([._].+)?)(\.exe)?",
    re.IGNORECASE,
)


def check_records(
    records: Iterable[StagedRecord], files: Collection[str], twice: Collection[str], hashes: bool
) -> Iterator[Finding]:
    """Compare every RECORD with `files` (absolute, all that is staged); `twice`: ignored here."""
    records = list(records)
    listed: set[str] = set()
    promised = {
        path: line
        for record in records
        for path, line in record.lines
        if path in files and path not in twice
    }
    false = _false_promises(promised, hashes)
    for record in records:
        who = f"{record.name} {record.version}"
        if record.problem:
            yield _finding("record-mismatch", Severity.REFUSE, f"{who}: {record.problem}")
            continue
        missing, wrong = [], []
        for path, line in record.lines:
            listed.add(path)
            if path not in files:
                missing.append(line.path)
            elif path in false:
                wrong.append(line.path)
        if wrong:
            yield _finding(
                "record-mismatch",
                Severity.REFUSE,
                f"{who}: {_some(wrong)} not what its RECORD says (size or hash differ).",
                "The package is damaged or was tampered with.",
            )
        if missing:
            yield _finding(
                "record-mismatch",
                Severity.WARNING,
                f"{who}: its RECORD lists {_some(missing, verb='')} which the package"
                " does not contain.",
            )
    stray = sorted(
        path for path in files if path not in listed and not path.endswith((".pyc", ".dist-info"))
    )
    if stray:
        yield _finding(
            "record-mismatch",
            Severity.WARNING,
            f"{_some([os.path.basename(path) for path in stray])} in no RECORD; it is installed"
            " and undone with the rest.",
        )


def _false_promises(promised: Mapping[str, RecordLine], hashes: bool) -> set[str]:
    # Hashing is most of the work of an inspection, and Python lets go of its lock for it.
    paths = sorted(promised)
    workers = min(4, os.cpu_count() or 1) if hashes else 1

    def judge(first: int) -> list[str]:
        return [p for p in paths[first::workers] if not _agrees(p, promised[p], hashes)]

    if workers == 1:
        return set(judge(0))
    with ThreadPoolExecutor(workers) as pool:
        return {path for part in pool.map(judge, range(workers)) for path in part}


def _agrees(path: str, line: RecordLine, hashes: bool) -> bool:
    if line.size is not None and os.path.getsize(path) != line.size:
        return False
    if not hashes or not line.digest:
        return True
    try:
        return digest(path, line.algorithm) == line.digest
    except ValueError:
        return True  # a hash this Python does not know says nothing


def check_escapes(
    stage: str, records: Iterable[StagedRecord], arriving: Arrivals, links: Iterable[str]
) -> Iterator[Finding]:
    """Refuse whatever would lead out of the environment: RECORD lines, links, linked folders."""
    for record in records:
        outside = [line.path for path, line in record.lines if not path.startswith(stage + os.sep)]
        if outside:
            yield _finding(
                "escapes-prefix",
                Severity.REFUSE,
                f"{record.name} {record.version} would put {_some(outside, verb='')} outside the"
                " environment.",
            )
    for link in links:
        yield _finding(
            "escapes-prefix",
            Severity.REFUSE,
            f"{os.path.relpath(link, stage)} is a symbolic link to {os.readlink(link)};"
            " packages bring files, not links.",
        )
    for message in arriving.escapes:
        yield _finding("escapes-prefix", Severity.REFUSE, message)


def check_collisions(
    arriving: Arrivals, owner: Mapping[str, str], twice: Mapping[str, list[str]]
) -> Iterator[Finding]:
    """Name the files in the way: somebody's (refuse), nobody's, or staged by two (confirm)."""
    by_owner: dict[str, list[str]] = {}
    for collision in arriving.collisions:
        by_owner.setdefault(owner.get(collision.name, ""), []).append(collision.name)
    for name, files in sorted(by_owner.items()):
        if name:
            yield _finding(
                "file-collision",
                Severity.REFUSE,
                f"{_some(files)} already there and belongs to {name}, which is not part of the"
                " plan.",
                f"Installing over it would break {name}.",
            )
        else:
            yield _finding(
                "file-collision",
                Severity.CONFIRM,
                f"{_some(files)} already there and belongs to no installed distribution.",
                "It would be set aside, and undo would put it back.",
            )
    for names, files in _grouped(twice):
        yield _finding(
            "file-collision",
            Severity.CONFIRM,
            f"{' and '.join(names)} both bring {_some(files, verb='')} with different contents.",
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
            yield _finding(
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
        yield _finding(
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


def _some(names: list[str], verb: str = "is") -> str:
    if len(names) == 1:
        return f"{names[0]} {verb}".strip()
    rest = f" and {len(names) - 1} more file{'s' if len(names) > 2 else ''}"
    return f"{names[0]}{rest} {'are' if verb else ''}".strip()


def _finding(code: str, severity: Severity, message: str, context: str = "") -> Finding:
    return Finding(code=code, severity=severity, message=message, context=context)
