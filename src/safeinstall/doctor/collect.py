"""What an environment shows when it is only looked at: read from disk, nothing is changed.

Everything works on an environment whose interpreter cannot start any more. The tree of a folder is
listed once; a RECORD line is then a look into a table: two hundred distributions have to be done
within a second. All sizes are compared, and the hashes of what is suspect: installers write RECORD
last, so a file that was written after it has been edited or overwritten, and so may be one that two
distributions claim. The others would have to be read in vain, some hundred megabytes of them; who
put a file's time back on purpose is found only when all are read.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Final, NamedTuple

from safeinstall.doctor.diagnosis import Installed, Target
from safeinstall.environment import Environment
from safeinstall.errors import EnvironmentReportError, SafeInstallError
from safeinstall.interpreter import environment_of
from safeinstall.metadata.distribution import DistInfo, distributions_in
from safeinstall.metadata.record import (
    Record,
    RecordError,
    RecordRow,
    digest,
    read_record,
    top_level,
)
from safeinstall.probe.facts.interpreter import pyvenv_settings
from safeinstall.probe.facts.search_path import listed
from safeinstall.probe.facts.writability import user_name
from safeinstall.transaction.moves.disk import is_unseen

_UV_SCRATCH: Final = re.compile(r"\.tmp[A-Za-z0-9]{6}$")
_FEW: Final = 64
"""As many files are hashed before a second thread has begun."""
_SCAN: Final = 4000
"""Names looked at in a notebook folder: it may be somebody's whole home."""


def target_of(environment: Environment) -> Target:
    """Return an environment that answered."""
    return Target(
        prefix=environment.prefix,
        python=environment.executable,
        version=environment.version,
        site_packages=environment.paths.site_packages,
        import_path=tuple(entry for entry in environment.sys_path if entry),
        environment=environment,
    )


def target_at(place: str, cwd: str) -> Target:
    """Return the environment of an interpreter or folder, also when it cannot start.

    Raises `EnvironmentReportError` when nothing there looks like an environment.
    """
    try:
        return target_of(environment_of(place))
    except SafeInstallError as error:
        trouble = error.message
    path = Path(cwd, Path(place).expanduser())
    prefix = path.parent.parent if path.parent.name == "bin" else path
    if not (found := sorted(prefix.glob("lib/python3.*/site-packages"))):
        words = f"There is no Python environment at {place}."
        raise EnvironmentReportError(words, code="not-a-python")
    folder = str(found[-1])
    python = path if path != prefix else prefix / "bin" / "python"
    if python.is_symlink() and not python.exists():
        trouble = f"{python} leads to {os.path.realpath(python)}, which is not there."
    settings = pyvenv_settings(str(prefix))
    named = settings.get("version_info") or settings.get("version") or ""
    minor = found[-1].parent.name.removeprefix("python")
    return Target(
        prefix=str(prefix),
        python=str(python),
        version=named if named.startswith(f"{minor}.") else minor,
        site_packages=(folder,),
        import_path=(folder,),
        environment=None,
        trouble=trouble,
    )


def installed(folders: Sequence[str], *, deep: bool = False) -> tuple[Installed, ...]:
    """Return what lies in the folders, in their order; `deep` reads every file they list."""
    found: list[Installed] = []
    for folder in dict.fromkeys(os.path.realpath(each) for each in folders):
        if infos := [info for info in distributions_in([folder]) if info.entry[:1] != "~"]:
            records = [read_record(info.path, strict=False) for info in infos]
            rows = [_rows(record) for record in records]
            check = _Check(folder, _files(folder), _disputed(rows), deep)
            found += [_read(*each, check) for each in zip(infos, records, rows, strict=True)]
    return tuple(found)


def leftover_paths(folders: Iterable[str]) -> tuple[str, ...]:
    """Return what killed installers left: pip's `~name`, uv's `.tmpXXXXXX`."""
    real = dict.fromkeys(map(os.path.realpath, folders))
    entries = ((folder, name) for folder in real for name in listed(folder))
    wrong = (pair for pair in entries if pair[1].startswith("~") or _UV_SCRATCH.match(pair[1]))
    return tuple(os.path.join(*pair) for pair in wrong)


def importable(folder: str) -> list[str]:
    """Return what an import could find in a folder of somebody's own."""
    try:
        entries = [entry for entry, _ in zip(os.scandir(folder or "."), range(_SCAN), strict=False)]
    except OSError:
        return []
    names = {entry.name[:-3] for entry in entries if entry.name.endswith(".py")}
    others = (entry for entry in entries if not entry.name.endswith(".py") and entry.is_dir())
    names |= {entry.name for entry in others if Path(entry.path, "__init__.py").exists()}
    return sorted(name for name in names if name.isidentifier())


def owners(prefix: str, folders: Sequence[str]) -> tuple[str, dict[str, list[str]]]:
    """Return whose the environment is, and the parts by owner: the folders and what is in them."""
    parts: dict[int, list[str]] = {}
    for folder in dict.fromkeys((os.path.join(prefix, "bin"), *folders)):
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    owner = entry.stat(follow_symlinks=False).st_uid
                    parts.setdefault(owner, []).append(entry.path)
        except OSError:
            continue
    try:
        owner = os.stat(prefix).st_uid
    except OSError:
        return "", {}
    return user_name(owner), {user_name(uid): sorted(paths) for uid, paths in parts.items()}


class _Check(NamedTuple):
    """What RECORD lines are held against."""

    folder: str
    files: dict[str, tuple[int, int]]
    """Size and time of each file, by its path from there."""
    disputed: frozenset[str]
    deep: bool


def _rows(record: Record) -> tuple[RecordRow, ...]:
    try:
        return record.rows
    except RecordError:
        return ()


def _read(info: DistInfo, record: Record, rows: Sequence[RecordRow], check: _Check) -> Installed:
    found = Installed(name=info.name, version=info.version, folder=info.folder, metadata=info.path)
    if info.is_egg:
        return replace(found, has_record=False)
    missing, changed, listed = _compared(rows, check, info.entry)
    parts = (info.path, *(os.path.join(info.path, name) for name in ("METADATA", "RECORD")))
    there = () if os.path.islink(info.path) else filter(os.path.lexists, parts)
    closed = [path for path in there if not os.access(path, os.R_OK)]
    return replace(
        found,
        installer=info.installer,
        unreadable=bool(closed),
        mine=all(os.lstat(each).st_uid == os.geteuid() for each in closed),
        # what is there and was not read just now may say all there is to say
        has_metadata=any((info.headers or {}).get("name", ())) or info.is_unread,
        has_record=bool(record.text),
        requires=info.requires,
        modules=tuple(name for name in top_level(row.path for row in rows) if name[0] != "_"),
        listed=listed,
        missing=missing,
        changed=changed,
    )


def _compared(
    rows: Sequence[RecordRow], check: _Check, own: str
) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Return files missing, files changed, and how many files of the code are listed."""
    missing, changed, suspects, listed = [], [], [], 0
    _, recorded = check.files.get(f"{own}/RECORD", (0, 0))
    for row in rows:
        path = row.path
        if path.endswith(".pyc") or path.startswith(own):
            continue
        listed += 1
        if (seen := check.files.get(path)) is None:
            try:
                status = os.stat(os.path.join(check.folder, path))
            except OSError as error:
                if is_unseen(error, path):
                    missing.append(path)
                continue  # another error says nothing about it
            seen = (status.st_size, status.st_mtime_ns)
        # Scripts are looked at by their shebang: whoever moves them, rewrites that line.
        if path.startswith("..") and "/bin/" in path:
            continue
        if row.size is not None and row.size != seen[0]:
            changed.append(path)
        elif row.digest and (check.deep or seen[1] > recorded or path in check.disputed):
            suspects.append(row)
    return tuple(missing), (*changed, *_differing(check.folder, suspects)), listed


def _disputed(records: Iterable[Sequence[RecordRow]]) -> frozenset[str]:
    """Return the files that two RECORDs list with different hashes: one of them was overwritten."""
    hashes: dict[str, str] = {}
    pairs = ((row.path, row.digest) for record in records for row in record)
    return frozenset(path for path, has in pairs if hashes.setdefault(path, has) != has)


def _differing(folder: str, suspects: Sequence[RecordRow]) -> tuple[str, ...]:
    """Return the paths below `folder` whose content is not what their row says.

    A file that cannot be read, and a hash this Python does not know, say nothing.
    """

    def differs(row: RecordRow) -> bool:
        place = os.path.join(folder, row.path)
        try:
            plain = stat.S_ISREG(os.stat(place).st_mode)  # a pipe would be waited for
            return not plain or digest(place, row.algorithm) != row.digest
        except (OSError, ValueError):
            return False

    if len(suspects) <= _FEW:
        return tuple(row.path for row in suspects if differs(row))
    with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
        wrong = pool.map(differs, suspects)
        return tuple(row.path for row, is_wrong in zip(suspects, wrong, strict=True) if is_wrong)


def _files(folder: str) -> dict[str, tuple[int, int]]:
    """Return size and time of every file below `folder`, by its path from there with `/`."""
    files: dict[str, tuple[int, int]] = {}
    waiting = [("", folder)]
    while waiting:
        start, place = waiting.pop()
        try:
            with os.scandir(place) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name != "__pycache__":
                            waiting.append((f"{start}{entry.name}/", entry.path))
                    elif not entry.is_symlink():
                        status = entry.stat(follow_symlinks=False)
                        files[start + entry.name] = (status.st_size, status.st_mtime_ns)
        except OSError:
            continue
    return files
