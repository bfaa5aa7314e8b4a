"""The import system of this process: make an install visible, and know what it made stale."""

from __future__ import annotations

import importlib
import importlib.machinery
import os
import site
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import BuiltinImporter, FrozenImporter, ModuleSpec, PathFinder
from typing import Any, Final

from safeinstall.metadata.record import RealFolders

FileIdentity = tuple[int, int, int]
"""Inode, size and time of change (ns): what tells a file from the one that takes its place."""


_PYTHONS: Final = (BuiltinImporter, FrozenImporter, PathFinder)


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


@dataclass(frozen=True, slots=True)
class Claim:
    """What an import of one name would use in this process."""

    places: tuple[str, ...] = ()
    """Its file; where it has none (PEP 420), its folders; none where nothing is found."""
    by: str = ""
    """Who answers, when that is not the import path: a finder of `sys.meta_path`."""
    loaded: bool = False
    """True when the name is in `sys.modules`: no finder is asked for it."""
    next: tuple[str, ...] = ()
    """Of a loaded one: what the finders would say, and so a new start of this process."""


def claims(modules: Iterable[str]) -> dict[str, Claim]:
    """Return for each module who answers an import here; nothing is imported.

    As the import system does it (reference, 5.3: `sys.modules`, then each finder of `sys.meta_path`
    in its order, for each part of a dotted name). A dotted name lies in folders without code (PEP
    420); where one of them is a package after all, its file is what is used.
    """
    return {name: _claim(name) for name in modules}


def origins(modules: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return for each module the files or folders an import here would use; nothing is imported."""
    return {name: claim.places for name, claim in claims(modules).items()}


def _claim(name: str) -> Claim:
    found = _found(name)
    if (module := sys.modules.get(name, found)) is found:
        return found
    spec = _own(module, "__spec__")
    if spec is None and type(module).__module__.split(".")[0] == name.split(".")[0]:
        return found  # a module that has put an object of its own in its place
    own = _places(spec)
    if not getattr(spec, "has_location", False):
        own = tuple(_own(module, "__path__") or own)
    return Claim(own, loaded=True, next=found.places)


def _own(module: object, attribute: str) -> Any:
    """Return an attribute without running code: a lazy module loads itself when it is asked."""
    try:
        return object.__getattribute__(module, attribute)
    except Exception:
        return None


def _found(name: str) -> Claim:
    """Return what the finders say; one that raises stops the import as well."""
    places: tuple[str, ...] | None = None
    done = finder = ""
    for part in name.split("."):
        done = f"{done}.{part}" if done else part
        spec, finder = _asked(done, places)
        path = _own(sys.modules.get(done), "__path__")  # what `pkgutil` and .pth files add to
        places = tuple(path or getattr(spec, "submodule_search_locations", None) or ())
        if not places or (spec is not None and spec.has_location):
            return Claim(_places(spec), finder)
    return Claim(places or (), finder)


def _asked(name: str, path: Sequence[str] | None) -> tuple[ModuleSpec | None, str]:
    """Return what the first finder that knows the name says, and which it is unless Python's."""
    for finder in list(sys.meta_path):
        words = "" if finder in _PYTHONS else _words(finder)
        try:
            spec = finder.find_spec(name, path, None)
        except AttributeError:  # one without that method is passed over
            if hasattr(finder, "find_spec"):
                return None, words
        except Exception:
            return None, words
        else:
            if spec is not None:
                return spec, words
    return None, ""


def _words(finder: object) -> str:
    made = finder if isinstance(finder, type) else type(finder)
    return f"{made.__module__}.{made.__qualname__}"


def _places(spec: ModuleSpec | None) -> tuple[str, ...]:
    if spec is None:
        return ()
    if spec.origin and spec.origin not in ("namespace", "frozen", "built-in"):
        return (spec.origin,)
    return tuple(spec.submodule_search_locations or ())
