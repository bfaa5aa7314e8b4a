"""The only module that reads interpreters and dist-info from disk."""

from __future__ import annotations

import csv
import json
import os
import re
import secrets
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from packaging.markers import default_environment
from packaging.utils import canonicalize_name

from safeinstall import probe
from safeinstall.command import Command
from safeinstall.distributions import Distribution, Snapshot
from safeinstall.environment import Environment
from safeinstall.errors import EnvironmentReportError
from safeinstall.probe.facts.running_interpreter import facts as probe_facts

__all__ = [
    "InstalledIndex",
    "changed_since",
    "marker_environment",
    "parse_probe",
    "probe_command",
    "snapshot",
    "this_environment",
]

_METADATA_DIRECTORY = re.compile(r"^(?P<name>.+?)(?:-(?P<version>[^-]+))?(?:-py[\d.]+)?$")
_ASKED: Final = ("name", "version", "requires-dist")
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_HEADER_END: Final = re.compile(rb"\r?\n\r?\n")


def this_environment() -> Environment:
    """Return the environment of the running interpreter (no process is started)."""
    return Environment.from_report(probe_facts())


def probe_command(python: str, cookie: str | None = None) -> tuple[Command, str]:
    """Return the command that makes another interpreter report its facts, and its cookie.

    No flag is added: `-I` or `-s` would switch off the user site, which is to be measured.
    """
    cookie = cookie or secrets.token_hex(16)
    script = Path(probe.__file__)
    return Command(argv=(python, str(script), cookie), overrides={"PYTHONIOENCODING": "utf-8"}), (
        cookie
    )


def parse_probe(python: str, stdout: str, cookie: str) -> Environment:
    """Return the environment described between the cookies in `stdout`.

    Raises `EnvironmentReportError` when there is no report (not a Python, too old, broken).
    """
    start, end = stdout.find(cookie), stdout.rfind(cookie[::-1])
    if start < 0 or end < start:
        raise EnvironmentReportError(
            f"{python} gives no answer that a Python 3.8 or newer would give.",
            code="not-a-python",
        )
    return Environment.from_report(json.loads(stdout[start + len(cookie) : end]))


def marker_environment(environment: Environment) -> dict[str, str]:
    """Return what PEP 508 markers are evaluated against in this environment.

    Exact for the running interpreter; for another one on this machine the version and the
    implementation are its own, the rest is shared.
    """
    here: dict[str, str] = {key: str(value) for key, value in default_environment().items()}
    if environment.executable != sys.executable:
        implementation = environment.implementation
        here |= {
            "python_version": environment.python,
            "python_full_version": environment.version,
            "implementation_version": environment.version,
            "implementation_name": implementation,
            "platform_python_implementation": {"cpython": "CPython", "pypy": "PyPy"}.get(
                implementation, implementation
            ),
        }
    return here


class InstalledIndex:
    """Installed distributions by canonical name, each read when first asked for.

    Only directory names are listed at first (0.2 ms for 40 distributions); the metadata of those
    that are reached is read up to its first blank line.
    """

    def __init__(self, directories: Sequence[str]) -> None:
        self._where: dict[str, str] = {}
        for directory in directories:
            for name in _metadata_names(directory):
                key = canonicalize_name(_split(name)[0])
                self._where.setdefault(key, os.path.join(directory, name))
        self._read: dict[str, Distribution | None] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._where)

    def find(self, name: str) -> Distribution | None:
        """Return the first distribution of this canonical name on the path, or None."""
        if name not in self._read:
            path = self._where.get(name)
            self._read[name] = _distribution(path) if path else None
        return self._read[name]

    def complete(self, distribution: Distribution) -> bool:
        """Tell whether every file of its RECORD (bytecode aside) exists."""
        if not distribution.metadata.endswith(".dist-info"):
            return True  # eggs have no RECORD to hold them to
        record = Path(distribution.metadata, "RECORD")
        try:
            with record.open(encoding="utf-8", newline="") as lines:
                rows = [row[0] for row in csv.reader(lines) if row]
        except (OSError, ValueError, csv.Error):
            return False
        return all(
            os.path.lexists(os.path.join(distribution.location, row))
            for row in rows
            if not row.endswith(".pyc")
        )


def snapshot(directories: Sequence[str], *, since: float | None = None) -> Snapshot:
    """Return every distribution of these directories with its requirements.

    `since`, in seconds since 1970: what has lain there from before is known by its name alone,
    without its requirements; that costs a tenth.
    """
    found = [
        (_named(os.path.join(directory, name), since) if since is not None else None)
        or _distribution(os.path.join(directory, name))
        for directory in dict.fromkeys(directories)
        for name in sorted(_metadata_names(directory))
    ]
    return Snapshot(tuple(distribution for distribution in found if distribution))


def _metadata_names(directory: str) -> list[str]:
    try:
        with os.scandir(directory or os.curdir) as entries:
            return [e.name for e in entries if e.name.endswith((".dist-info", ".egg-info"))]
    except OSError:
        return []


def _split(directory_name: str) -> tuple[str, str]:
    stem = directory_name.rsplit(".", 1)[0]
    found = _METADATA_DIRECTORY.match(stem)
    return (found["name"], found["version"] or "") if found else (stem, "")


def changed_since(metadata: str, since: float) -> bool:
    """Tell whether a metadata directory came, or got or lost a file, at `since` or later."""
    try:
        status = os.stat(metadata)  # noqa: PTH116 - two hundred times for one undo
    except OSError:
        return True
    return max(status.st_mtime, status.st_ctime) >= since


def _named(path: str, since: float) -> Distribution | None:
    """Return what the name of a metadata directory tells; None when it is newer than `since`."""
    name, version = _split(os.path.basename(path))
    if not version or changed_since(path, since):
        return None
    return Distribution(name=name, version=version, location=os.path.dirname(path), metadata=path)


def _distribution(path: str) -> Distribution | None:
    """Read one metadata directory; None when it is no distribution (no metadata in it)."""
    name, version = _split(os.path.basename(path))
    headers = _headers(path)
    if headers is None:
        return None
    return Distribution(
        name=next(iter(headers["name"]), "") or name,
        version=next(iter(headers["version"]), "") or version,
        location=os.path.dirname(path),
        metadata=path,
        requires=tuple(headers["requires-dist"]),
        installer=_text(Path(path, "INSTALLER")).strip(),
    )


def _headers(path: str) -> Mapping[str, list[str]] | None:
    """Return the values of the fields that are asked for, by name in lower case."""
    for candidate in ("METADATA", "PKG-INFO", ""):
        try:
            content = Path(path, candidate).read_bytes()
        except OSError:
            continue
        return _fields(_HEADER_END.split(content, maxsplit=1)[0].decode("utf-8", "replace"))
    return None


def _fields(head: str) -> Mapping[str, list[str]]:
    """Read the headers of core metadata (RFC 822 with continuation lines).

    `email.parser` says the same and takes ten times as long: hundreds are read for one install.
    """
    found: dict[str, list[str]] = {field: [] for field in _ASKED}
    last: list[str] | None = None
    for line in _LINE_END.split(head):
        if line[:1] in (" ", "\t"):
            if last:
                last[-1] += f"\n{line}"
            continue
        name, colon, value = line.partition(":")
        last = found.get(name.lower()) if colon else None
        if last is not None:
            last.append(value.strip(" \t"))
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace")
    except OSError:
        return ""
