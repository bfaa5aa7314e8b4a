"""The import system of this process: make an install visible, and know what it made stale."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import site
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from safeinstall.metadata.record import RealFolders

FileIdentity = tuple[int, int, int]
"""Inode, size and time of change (ns): what tells a file from the one that takes its place."""


@dataclass(frozen=True, slots=True)
class StaleModule:
    """A module this process has loaded from a file that was replaced."""

    name: str
    compiled: bool
    """True for an extension module: no reload can ever replace it."""


def refresh(directories: Sequence[str], path_files: Iterable[str]) -> bool:
    """Make what was installed into `directories` importable here; tell whether it was needed.

    Clears the import caches (a directory listing is remembered per entry of `sys.path`), adds a
    directory that is new to this process, and reads new `.pth` files, which Python otherwise does
    at start-up only (`site.addsitedir`, `site.addpackage`).
    """
    known = {os.path.normcase(os.path.realpath(entry)) for entry in sys.path if entry}
    added = False
    for directory in directories:
        if os.path.normcase(os.path.realpath(directory)) not in known:
            site.addsitedir(directory)
            added = True
        # an entry that did not exist when first looked at is remembered as None (facts A2)
        sys.path_importer_cache.pop(directory, None)
    for path_file in path_files:
        before = len(sys.path), len(sys.meta_path)
        site.addpackage(os.path.dirname(path_file), os.path.basename(path_file), None)
        added |= before != (len(sys.path), len(sys.meta_path))
    importlib.invalidate_caches()
    return added


def stale_modules(changed: Collection[str]) -> tuple[StaleModule, ...]:
    """Return the loaded modules whose file is among the `changed` files (absolute paths)."""
    return tuple(sorted((module for module, _ in loaded_from(changed)), key=lambda one: one.name))


def loaded_from(files: Collection[str]) -> Iterator[tuple[StaleModule, str]]:
    """Yield the loaded modules whose file is among `files`, each with that path as given."""
    if not files:
        return
    real = RealFolders()

    def resolved(path: str) -> str:
        folder, name = os.path.split(os.path.normcase(path))
        return os.path.join(real.of(folder), name)

    wanted = {resolved(path): path for path in files}
    compiled = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str) and (path := wanted.get(resolved(file))) is not None:
            yield StaleModule(name, file.endswith(compiled)), path


def loaded_files(prefix: str) -> dict[str, FileIdentity]:
    """Return which file below `prefix` each loaded module came from."""
    below = os.path.join(os.path.realpath(prefix), "")
    found = {}
    real = RealFolders()
    inside: dict[str, bool] = {}  # hundreds of modules lie in a few dozen folders
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if not isinstance(file, str):
            continue
        folder = os.path.dirname(file)
        if folder not in inside:
            inside[folder] = os.path.join(real.of(folder), "").startswith(below)
        if inside[folder] and (identity := _identity(file)):
            found[name] = identity
    return found


def replaced_since(before: Mapping[str, FileIdentity]) -> tuple[StaleModule, ...]:
    """Return the modules whose file is gone or another one than `loaded_files` said."""
    compiled = tuple(importlib.machinery.EXTENSION_SUFFIXES)
    files = {name: str(getattr(sys.modules.get(name), "__file__", "")) for name in before}
    changed = [name for name in sorted(before) if _identity(files[name]) != before[name]]
    return tuple(StaleModule(name, files[name].endswith(compiled)) for name in changed)


def outdated_words(modules: Iterable[str]) -> str:
    """Return the sentence about loaded modules (dotted) whose code on disk is another one now."""
    named = ", ".join(dict.fromkeys(name.split(".")[0] for name in modules))
    return f"Restart the kernel: {named} on disk is not what this kernel has loaded."


def _identity(file: str) -> FileIdentity | None:
    try:
        status = os.stat(file)  # noqa: PTH116
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def loaded(modules: Iterable[str]) -> tuple[StaleModule, ...]:
    """Return those of the top-level `modules` that this process has loaded, from wherever."""
    return tuple(StaleModule(name, compiled=False) for name in modules if name in sys.modules)


def origins(modules: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return for each module the files or folders an import here would use; nothing is imported.

    A dotted name lies in folders without code (PEP 420); where one of them is a package after all,
    its file is what is used.
    """
    return {name: _origin(name) for name in modules}


def _origin(name: str) -> tuple[str, ...]:
    top, *rest = name.split(".")
    try:
        spec = getattr(sys.modules.get(name), "__spec__", None)
        if spec is None:
            spec = importlib.util.find_spec(top)
            for part in rest:
                if spec is None or spec.has_location:
                    break
                places = list(spec.submodule_search_locations or ())
                spec = importlib.machinery.PathFinder.find_spec(part, places)
    except (ImportError, ValueError, AttributeError):
        return ()
    if spec is None:
        return ()
    if spec.origin and spec.origin not in ("namespace", "frozen", "built-in"):
        return (spec.origin,)
    return tuple(spec.submodule_search_locations or ())
