"""What leaves an environment: the fewest moves that take exactly the files of some distributions.

A folder goes as a whole when everything in it leaves. Bytecode belongs to its source: it goes with
it, also out of a `__pycache__` shared with others, so that no stale bytecode is ever believed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from safeinstall.transaction.layout import Layout

__all__ = ["Departures", "departures"]

_Tree = dict[str, "_Tree | None"]
BYTECODE = (".pyc", ".pyo")


@dataclass(slots=True)
class Departures:
    """Moves out of the environment; all names are of the layout."""

    moves: list[str] = field(default_factory=list)
    """Files and folders, each to be moved by itself."""
    files: list[str] = field(default_factory=list)
    """Every tracked file that leaves and exists, inside moved folders too."""
    keys: set[str] = field(default_factory=set)
    """Keys of `moves`: what will not be there any more."""
    kept_bytes: int = 0

    def add(self, layout: Layout, name: str) -> None:
        """Add one more move."""
        self.moves.append(name)
        self.keys.add(layout.key(name))


def departures(
    layout: Layout, names: Iterable[str], removable: Callable[[str], bool]
) -> Departures:
    """Return how the files `names` leave; `removable(folder)` allows a folder to go as a whole."""
    result = Departures()
    tree: _Tree = {}
    for name in names:
        branch = tree
        *folders, last = layout.key(name).split("/")
        for part in folders:
            below = branch.setdefault(part, {})
            if below is None:  # a file and a folder of one name cannot both be there
                below = branch[part] = {}
            branch = below
        branch.setdefault(last, None)
    for name in _visit(layout, "", tree, removable, result)[1]:
        result.add(layout, name)
    return result


def _visit(
    layout: Layout,
    folder: str,
    tree: _Tree,
    removable: Callable[[str], bool],
    result: Departures,
) -> tuple[bool, list[str]]:
    """Return whether all of `folder` leaves, and the moves if it does not go as a whole."""
    try:
        entries = sorted(os.scandir(layout.path(folder)), key=lambda entry: entry.name)
    except OSError:
        return False, []
    stems = {name[:-2] for name in tree if name.endswith(".py")}
    whole, moves = True, []
    for entry in entries:
        name = f"{folder}/{entry.name}" if folder else entry.name
        key = layout.key(entry.name)
        known = key in tree
        below = tree.get(key)
        if entry.is_dir(follow_symlinks=False):
            if entry.name == "__pycache__":
                moves += _visit_bytecode(layout, name, below or {}, stems, result)
            elif isinstance(below, dict):
                all_below, inner = _visit(layout, name, below, removable, result)
                if all_below and removable(name):
                    inner = [name]
                else:
                    whole = False
                moves += inner
            elif whole and not _is_idle(entry.path):
                whole = False
        elif (known and below is None) or _compiled_from(key, stems):
            moves.append(name)
            result.files.append(name)
            result.kept_bytes += entry.stat(follow_symlinks=False).st_size
        elif not entry.name.endswith(BYTECODE):
            whole = False
    return whole, moves


def _visit_bytecode(
    layout: Layout, folder: str, tree: _Tree, stems: set[str], result: Departures
) -> list[str]:
    leaving, staying = [], 0
    for entry in sorted(os.scandir(layout.path(folder)), key=lambda entry: entry.name):
        key = layout.key(entry.name)
        if key in tree or _compiled_from(key, stems):
            leaving.append(f"{folder}/{entry.name}")
            result.kept_bytes += entry.stat(follow_symlinks=False).st_size
            if key in tree:
                result.files.append(f"{folder}/{entry.name}")
        else:
            staying += 1
    return [folder] if leaving and not staying else leaving


def _compiled_from(key: str, stems: set[str]) -> bool:
    # x.cpython-312.opt-1.pyc, x.cpython-312-pytest-9.pyc and the old x.pyc come from x.py
    return key.endswith(BYTECODE) and any(
        key[: at + 1] in stems for at, letter in enumerate(key) if letter == "."
    )


def _is_idle(path: str) -> bool:
    """Tell whether a folder holds nothing but bytecode, at any depth."""
    for _folder, _subfolders, files in os.walk(path):
        if not all(name.endswith(BYTECODE) for name in files):
            return False
    return True
