"""The files of a staging area, read once for everybody who asks."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from safeinstall.transaction.moves.additions import INSTALLER_LITTER
from safeinstall.transaction.store.manifest import FileStamp

__all__ = ["StagedTree", "read_tree"]


@dataclass(frozen=True, slots=True)
class StagedTree:
    """Everything below `root` but the installer's own litter; paths are absolute."""

    root: str
    files: dict[str, os.stat_result] = field(default_factory=dict)
    links: list[str] = field(default_factory=list)

    def name(self, path: str) -> str:
        """Return the path relative to the root, with forward slashes."""
        return path[len(self.root) + 1 :].replace(os.sep, "/")

    def size(self, path: str) -> int:
        """Return the bytes of a file, 0 for what is none."""
        status = self.files.get(path)
        return status.st_size if status else 0

    def stamps(self) -> dict[str, FileStamp]:
        """Return what a journal notes of each file."""
        return {path: FileStamp(s.st_size, s.st_mtime_ns) for path, s in self.files.items()}


def read_tree(root: str) -> StagedTree:
    """Read the tree below `root`. Raises OSError."""
    tree = StagedTree(root)
    waiting = [root]
    while waiting:
        folder = waiting.pop()
        for entry in os.scandir(folder):
            if entry.is_symlink():
                tree.links.append(entry.path)
            elif entry.is_dir():
                waiting.append(entry.path)
            elif folder != root or entry.name not in INSTALLER_LITTER:
                tree.files[entry.path] = entry.stat()
    return tree
