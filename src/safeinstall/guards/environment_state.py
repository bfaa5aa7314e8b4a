"""What a plan meets: everything the guards need to know besides the plan itself.

Whose an installed distribution is, is read from the records conda, Debian and others leave.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from safeinstall.distributions import Distribution, Snapshot
from safeinstall.environment import Environment


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """A distribution of which this kernel has loaded modules that the plan replaces."""

    name: str
    modules: tuple[str, ...]
    """Their dotted names."""
    compiled: int = 0
    """How many of them are compiled code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """Who put a distribution there, when that is no installer of ours."""

    who: str
    """`conda`, `apt`, `outside`, or the content of INSTALLER."""
    where: str = ""
    """Record or folder that shows it."""
    package: str = ""
    """Its name for the owner, when it has another one there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherKernel:
    """Another live kernel of this environment."""

    pid: int


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentState:
    """The facts around one plan, read before anything is touched."""

    visible: Snapshot = field(default_factory=Snapshot)
    """What the interpreter can import, on its whole path; the first of a name wins."""
    markers: Mapping[str, str] = field(default_factory=dict)
    """The marker environment of the interpreter (PEP 508)."""
    loaded: tuple[Loaded, ...] = ()
    owners: Mapping[str, Owner] = field(default_factory=dict)
    """By canonical name: distributions the plan would replace or remove and that are not ours."""
    kernels: tuple[OtherKernel, ...] = ()
    home_is_kept: bool = False
    """True when the home folder lies on another file system than the environment."""
    shadows: Mapping[str, str] = field(default_factory=dict)
    """Top-level module -> file or folder earlier on the import path that wins over it."""


_DPKG: Final = Path("/var/lib/dpkg/info")
_SYSTEM_INSTALLERS: Final = {"debian": "apt", "conda": "conda", "rpm": "rpm", "portage": "portage"}
_PREFIXES_OF_PEOPLE: Final = ("/usr/local/",)
"""Debian's own scheme for what pip installs: not apt's."""


def owners_of(distributions: Iterable[Distribution], environment: Environment) -> dict[str, Owner]:
    """Return, by canonical name, the owner of each distribution that is not ours to change."""
    folders = (environment.prefix, *environment.paths.site_packages)
    inside = {os.path.realpath(path) for path in folders}
    records = _CondaRecords(environment.prefix)
    owners = {each.key: _owner(each, inside, records) for each in distributions}
    return {key: owner for key, owner in owners.items() if owner is not None}


def conda_package(prefix: str, metadata: str, key: str) -> str:
    """Return what conda calls the distribution whose metadata folder this is, or an empty text.

    `key` is its canonical name; it is empty too when conda has not installed it.
    """
    record = _CondaRecords(prefix).of(metadata, key)
    return _package(record) if record else ""


_CONDA_LISTS: Final = re.compile(rb'/site-packages/([^/"\\]+\.(?:dist|egg)-info)(?=[/"])')


@dataclass(frozen=True, kw_only=True, slots=True)
class CondaPackage:
    """What a record of conda says is installed (`conda-meta/NAME-VERSION-BUILD.json`)."""

    name: str
    version: str
    metadata: frozenset[str]
    """The names of the metadata folders among its files; none for what is no Python."""


def listed_by_conda(prefix: str) -> Iterator[CondaPackage]:
    """Yield what conda believes to be in the environment; its records are searched, not parsed."""
    for record in sorted(Path(prefix, "conda-meta").glob("*-*-*.json")):
        try:
            found = frozenset(map(os.fsdecode, _CONDA_LISTS.findall(record.read_bytes())))
        except OSError:
            continue
        name, version, _ = record.name.removesuffix(".json").rsplit("-", 2)
        yield CondaPackage(name=name, version=version, metadata=found)


def changed_since_conda(
    prefix: str, metadata: str, key: str, files: Sequence[str]
) -> tuple[str, ...]:
    """Return those of the files, relative to the metadata's folder, that conda left otherwise.

    conda writes the place of the environment into some files of a package, which then differ from
    their RECORD; its own record has their hash afterwards (`sha256_in_prefix`).
    """
    record = _CondaRecords(prefix).of(metadata, key)
    try:
        listed = json.loads(Path(record).read_bytes())["paths_data"]["paths"]
        left = {row["_path"]: row.get("sha256_in_prefix") or row.get("sha256") for row in listed}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return tuple(files)
    changed = []
    for file in files:
        path = os.path.normpath(os.path.join(os.path.dirname(metadata), file))
        promised = left.get(os.path.relpath(path, os.path.realpath(prefix)))
        try:
            found = hashlib.sha256(Path(path).read_bytes()).hexdigest()
        except OSError:
            found = ""
        if promised != found:
            changed.append(file)
    return tuple(changed)


def _owner(distribution: Distribution, inside: set[str], records: _CondaRecords) -> Owner | None:
    where = os.path.realpath(distribution.location)
    who = _SYSTEM_INSTALLERS.get(distribution.installer.strip().lower())
    if record := records.of(distribution.metadata, distribution.key):
        return Owner(who="conda", where=record, package=_package(record))
    package = debian_package(distribution.metadata) if who == "apt" else ""
    if who:
        where = os.path.join(distribution.metadata, "INSTALLER")
        return Owner(who=who, where=where, package=package)
    if os.path.basename(where) == "dist-packages" and not where.startswith(_PREFIXES_OF_PEOPLE):
        package = debian_package(distribution.metadata)
        return Owner(who="apt", where=distribution.location, package=package)
    if not any(where == root or where.startswith(root + os.sep) for root in inside):
        return Owner(who="outside", where=distribution.location)
    return None


def debian_package(metadata: str, lists: Path = _DPKG) -> str:
    """Return the package that dpkg has put a metadata folder there for, or an empty text.

    dpkg keeps a list of the paths of each package, `NAME.list` or `NAME:ARCHITECTURE.list`.
    """
    wanted = re.compile(rb"^%s(?:/|$)" % re.escape(os.fsencode(metadata)), re.M)
    for path in sorted(lists.glob("python3-*.list")):
        with contextlib.suppress(OSError):
            if wanted.search(path.read_bytes()):
                return path.name.removesuffix(".list").partition(":")[0]
    return ""


class _CondaRecords:
    """The JSON records of a conda environment, searched for a metadata directory's name."""

    def __init__(self, prefix: str) -> None:
        self._folder = Path(prefix, "conda-meta")
        self._names: list[str] | None = None

    def of(self, metadata: str, key: str) -> str:
        """Return the record that lists this metadata folder, or an empty text.

        A record of the same name is tried first; names may differ (torch is conda's pytorch).
        """
        if self._names is None:
            try:
                names = sorted(os.listdir(self._folder))  # noqa: PTH208
            except OSError:
                names = []
            self._names = [name for name in names if name.endswith(".json")]
        wanted = os.fsencode(f"/{os.path.basename(metadata)}/")
        for name in sorted(self._names, key=lambda name: not name.lower().startswith(key)):
            path = self._folder / name
            try:
                if wanted in path.read_bytes():
                    return str(path)
            except OSError:
                continue
        return ""


def _package(record: str) -> str:
    """Return the package name of a record: `NAME-VERSION-BUILD.json`."""
    return os.path.basename(record).removesuffix(".json").rsplit("-", 2)[0]
