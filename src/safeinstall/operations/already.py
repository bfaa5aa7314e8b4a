"""What is "already in" is proved: its files are there, and an import would find them first.

Metadata alone says what was installed once. Here every file that can be imported is looked at, of
what is asked for and of what that needs, and the import system is asked who answers. What a RECORD
says is remembered for as long as it stays the same file; files and finders are asked each time, so
that the proof is about now: some microseconds a file, 20 a module.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.machinery import all_suffixes
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from safeinstall import importing
from safeinstall.distributions import Distribution, InstalledIndex
from safeinstall.environment import shown
from safeinstall.errors import SafeInstallError
from safeinstall.findings import Finding, Suggestion, some
from safeinstall.importing import Claim
from safeinstall.installers.sources import ResolvedRequest
from safeinstall.metadata.distribution import WITHOUT_RECORD, DistInfo, distributions_in, split_name
from safeinstall.metadata.record import RecordError, RecordRow, meant, roots
from safeinstall.operations.context import Context
from safeinstall.operations.staging.verify import (
    Arrival,
    fresh_command,
    in_the_way,
    is_own,
    read_fresh,
    shadowed,
)
from safeinstall.requirements import Met, version_of

_LIBRARIES: Final = (".py", ".so", ".pyd", ".dll", ".dylib")
_SUFFIXES: Final = frozenset(all_suffixes())
_SECONDS: Final = 60.0
_ANEW: Final = {"force_reinstall": True, "require_hashes": False, "dry_run": False}
"""What the line that mends has, and has not, whatever was typed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Promise:
    """What a distribution's own metadata says must be there."""

    marks: tuple[object, ...]
    """The state of the files it was read from."""
    arrival: Arrival
    files: tuple[str, ...] = ()
    """Absolute paths of what can be imported."""
    sizes: tuple[int | None, ...] = ()
    problem: tuple[str, str] = ("", "")
    """Code and words of what is wrong whatever lies on disk."""


_remembered: dict[str, _Promise] = {}
"""By metadata folder; of this process."""


def examine(
    met: Met, index: InstalledIndex, intent: ResolvedRequest, context: Context
) -> tuple[Finding, ...]:
    """Return why what is listed as installed is not what an import would get.

    Of all that is needed, the first thing that is wrong: broken (with the line that mends it), or
    shadowed (by what). One that does not stop tells what the next start of this kernel would
    import. Nothing is imported; in another interpreter a new process is asked.
    """
    promises = [(each, _promise(each, index)) for each in met.all]
    for each, promise in promises:
        if found := _broken(each, promise, index):
            return (_mended(found, each, index, intent, context),)
    asked = {each.key for each in met.requested}
    wanted = [
        (promise.arrival, module)
        for each, promise in promises
        for module in promise.arrival.modules
        # what the standard library has by now is nobody's need any more
        if each.key in asked or module not in sys.stdlib_module_names
    ]
    claims = _claims([module for _, module in wanted], context)
    wrong = [pair for pair in wanted if not is_own(pair[0], claims[pair[1]].places)]
    if wrong and context.live:  # a listing of a folder may be older than the file
        importing.refresh(context.environment.paths.site_packages, ())
        claims = importing.claims([module for _, module in wanted])
        wrong = [pair for pair in wanted if not is_own(pair[0], claims[pair[1]].places)]
    for arrival, module in wrong:
        return (_misled(arrival, module, claims[module], intent, context),)
    later = (
        _after_restart(arrival, module, claims[module].next[0], context)
        for arrival, module in wanted
        if claims[module].next and not is_own(arrival, claims[module].next)
    )
    return (*later, *in_the_way(context))


def _after_restart(arrival: Arrival, module: str, place: str, context: Context) -> Finding:
    there = shown(place, context.environment.home)
    words = (
        f"After a restart import {module} would find {there}, not {arrival.name} {arrival.version}."
    )
    return Finding.warn("shadowed", words)


def _promise(each: Distribution, index: InstalledIndex) -> _Promise:
    info = index.info(each.key)
    if info is None or info.path != each.metadata:
        info = DistInfo(each.metadata)
    marks = info.state()
    known = _remembered.get(info.path)
    if known is None or known.marks != marks:
        known = _remembered[info.path] = _read(each, info, marks)
    return known


def _read(each: Distribution, info: DistInfo, marks: tuple[object, ...]) -> _Promise:
    source, folder = info.editable_source, str(Path(info.folder).absolute())
    arrival = Arrival(
        name=each.name, version=each.version, modules=(), files=frozenset(), source=source
    )
    promise = _Promise(marks=marks, arrival=arrival)
    # of one without RECORD all that is known is the folder that its modules lie in
    unlisted = replace(promise, arrival=replace(arrival, modules=info.declared, source=folder))
    if info.is_egg:
        return unlisted
    if (problem := _misnamed(info))[0]:
        return replace(promise, problem=problem)
    try:
        rows = [row for row in info.record.rows if _counts(row.path, info.entry)]
    except RecordError as error:
        return replace(promise, problem=("no-record", f"its RECORD {error}"))
    if not info.record.text:
        if info.installer not in WITHOUT_RECORD:
            return replace(promise, problem=("no-record", "its RECORD is gone"))
        return unlisted
    paths = tuple(os.path.join(folder, row.path) for row in rows)
    importable = [row.path for row in rows if _suffix(row.path) in _SUFFIXES]
    modules = info.importable if source else meant(roots(importable))
    arrival = replace(arrival, modules=modules, files=frozenset(paths))
    measured = info.installer not in WITHOUT_RECORD
    sizes = tuple(row.size if measured else None for row in rows)
    return replace(promise, arrival=arrival, files=paths, sizes=sizes)


def _misnamed(info: DistInfo) -> tuple[str, str]:
    """Return how METADATA contradicts the name of its folder (PEP 376): code and words."""
    name, version = split_name(info.entry)
    if not (info.headers or {}).get("name"):
        return "empty-metadata", "its metadata says nothing"
    if canonicalize_name(info.name) != canonicalize_name(name):
        return "misnamed-metadata", f"its metadata says that it is {info.name}"
    if info.version != version and version_of(info.version) != version_of(version):
        return "empty-metadata", f"its metadata says that it is {info.version}"
    return "", ""


def _suffix(path: str) -> str:
    base = path.rpartition("/")[2]
    return base[len(base.partition(".")[0]) :]


def _counts(path: str, entry: str) -> bool:
    """Tell whether a file of a RECORD is code that an import may need.

    Tests within a package are left out of many an image to make it small, and nothing needs them.
    """
    folders, _, base = path.rpartition("/")
    if not base.endswith((*_LIBRARIES, ".pth")) and ".so." not in base:
        return False
    parts = folders.split("/")
    return not (path[:1] == "/" or ".." in parts or parts[0] == entry) and not (
        {"tests", "test"} & set(parts[1:])
    )


def _broken(each: Distribution, promise: _Promise, index: InstalledIndex) -> tuple[str, str] | None:
    """Return code and words for what is not as its metadata says."""
    if twins := index.twins(each.key):
        named = " and ".join(info.version or "?" for info in twins)
        return "two-versions", f"{each.name} is listed twice in {each.location}: {named}"
    code, words = promise.problem
    if code:
        listed = " ".join(split_name(os.path.basename(each.metadata)))
        return code, f"{listed} is listed as installed, and {words}"
    source = promise.arrival.source
    if source and not Path(source).is_dir():
        who = f"{each.name} {each.version} is an editable install"
        return "code-missing", f"{who} of {source}, which is gone"
    found = list(map(_size, promise.files))
    if found == list(promise.sizes):
        return None
    return _explained(each, promise, found)


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size  # noqa: PTH116 - thousands of files for one check
    except OSError:
        return -1


def _explained(
    each: Distribution, promise: _Promise, found: Sequence[int | None]
) -> tuple[str, str] | None:
    """Return what is wrong with the files, after a closer look.

    A file that another RECORD lists as it is there was shared or written over by that one: the
    doctor says so. Where no size is listed (conda changes files when it links them), it is enough
    that there is something.
    """
    pairs = list(zip(promise.files, promise.sizes, found, strict=True))
    missing = [path for path, _, size in pairs if size == -1]
    who = f"{each.name} {each.version}"
    if missing and len(missing) == len(pairs):
        return "code-missing", f"{who} is listed as installed and its code is gone"
    if missing:
        names = some(os.path.relpath(path, each.location) for path in missing)
        return "files-missing", f"{who} lacks {len(missing)} of {len(pairs)} files: {names}"
    changed = {path: size for path, listed, size in pairs if listed not in (None, size)}
    for path in _of_others(each, changed) if changed else ():
        del changed[path]
    if changed:
        names = some(os.path.relpath(path, each.location) for path in changed)
        return "record-mismatch", f"{who} is not as it was installed: {names}"
    _remembered[each.metadata] = replace(promise, sizes=tuple(found))
    return None


def _of_others(each: Distribution, sizes: Mapping[str, int | None]) -> list[str]:
    """Return the files that another distribution of the folder lists with the size they have."""
    listed: set[tuple[str, int | None]] = set()
    for info in distributions_in([each.location]):
        if info.path != each.metadata and not info.is_egg:
            try:
                rows: Iterable[RecordRow] = info.record.rows
            except RecordError:
                continue
            listed |= {(os.path.join(info.folder, row.path), row.size) for row in rows}
    return [path for path, size in sizes.items() if (path, size) in listed]


def _claims(modules: Sequence[str], context: Context) -> Mapping[str, Claim]:
    if context.live or not modules:
        return importing.claims(modules)
    cookie = secrets.token_hex(16)
    command = fresh_command(context.environment, modules, cookie, context.cwd)
    found = read_fresh(context.run(command, timeout=_SECONDS).stdout, cookie)
    if found is None:
        words = "A new process of this Python did not start, so nothing of it can be proved."
        raise SafeInstallError(words, code="not-fresh")
    return {name: Claim(found.get(name, ())) for name in modules}


def _mended(
    found: tuple[str, str],
    each: Distribution,
    index: InstalledIndex,
    intent: ResolvedRequest,
    context: Context,
) -> Finding:
    code, words = found
    name, version = each.name, each.version
    if code == "empty-metadata":  # what the folder's own name says is all there is to go by
        name, version = split_name(os.path.basename(each.metadata))
    twins = [info for info in index.twins(each.key) if info.has_record]
    version = max((info.version for info in twins), key=version_of, default=version)
    line = intent.line(requirements=(f"{name}=={version}",), **_ANEW)
    way = Suggestion(line, "puts it right")
    if code == "misnamed-metadata":
        line = context.frontend.line("uninstall", each.name)
        way = Suggestion(line, "takes it away; then the same line again")
    words = words.replace(each.location, shown(each.location, context.environment.home))
    return Finding.refuse(code, f"{words}.", way)


def _misled(
    arrival: Arrival, module: str, claim: Claim, intent: ResolvedRequest, context: Context
) -> Finding:
    """Return who answers an import in the place of what is installed."""
    if claim.places or claim.loaded or claim.by:
        return shadowed(arrival, module, claim, context)
    who = f"{arrival.name} {arrival.version}"
    line = intent.line(requirements=(f"{arrival.name}=={arrival.version}",), **_ANEW)
    words = f"{who} is listed as installed, and import {module} would find nothing."
    return Finding.refuse("not-importable", words, Suggestion(line, "installs it once more"))
