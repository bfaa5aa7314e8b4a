"""Where a path of an environment really is: one name per file, whatever links lead to it."""

from __future__ import annotations

import os
import re

from safeinstall.realpaths import RealFolders
from safeinstall.transaction.errors import TransactionError
from safeinstall.transaction.moves.disk import exists
from safeinstall.transaction.store.directory import AREA

__all__ = ["EscapesPrefix", "Layout"]

INTERPRETER = re.compile(r"(bin|Scripts)/(python|pypy)[\d.]*[tdw]?(\.exe)?", re.IGNORECASE)
KEPT_FOLDERS = ("bin", "Scripts", "include", "Include", "lib", "lib64", "Lib")


class EscapesPrefix(TransactionError):  # noqa: N818
    """A path that does not stay inside the environment."""

    code = "escapes-prefix"


class Layout:
    """The prefix, and the names of files below it: relative, with forward slashes.

    `lib64/x` and `lib/x` are the same name when `lib64` is a link to `lib`; a link that is itself
    the last part is not followed.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = os.path.realpath(prefix)
        self.area = os.path.join(self.prefix, AREA)
        # APFS and NTFS usually do not tell `Foo` from `foo`; ask the disk, not the platform.
        self.folds_case = exists(os.path.join(self.prefix, AREA.upper())) and exists(self.area)
        self._start = self.prefix.rstrip(os.sep) + os.sep
        self._folders: dict[str, str] = {}
        self._real = RealFolders()

    def key(self, name: str) -> str:
        """Return what two names have in common when they mean one file."""
        return name.casefold() if self.folds_case else name

    def path(self, name: str) -> str:
        """Return the absolute path of a name."""
        if not name:
            return self.prefix
        return self._start + (name if os.sep == "/" else name.replace("/", os.sep))

    def name(self, path: str) -> str:
        """Return the one name of an absolute `path`. Raises EscapesPrefix."""
        folder, last = os.path.split(path if ".." not in path else os.path.normpath(path))
        real = self._folders.get(folder)
        if real is None:
            real = self._folders[folder] = self._inside(self._real.of(folder), path)
        return f"{real}/{last}" if real else last

    def folder(self, name: str) -> str:
        """Return the folder that `name` leads to, through links. Raises EscapesPrefix."""
        return self._inside(os.path.realpath(self.path(name)), name)

    def is_kept(self, folder: str) -> bool:
        """Tell whether an environment keeps this folder even when it is empty."""
        return folder in KEPT_FOLDERS or folder == ""

    def is_own(self, name: str) -> bool:
        """Tell whether this file is the environment itself, whatever a RECORD says."""
        return name == "pyvenv.cfg" or INTERPRETER.fullmatch(name) is not None

    def _inside(self, real: str, shown: str) -> str:
        if real == self.prefix:
            return ""
        if not real.startswith(self.prefix + os.sep):
            raise EscapesPrefix(f"{shown} leads out of the environment {self.prefix}.")
        inside = real[len(self.prefix) + 1 :].replace(os.sep, "/")
        if inside.split("/")[0] == AREA:
            raise EscapesPrefix(f"{shown} leads into {self.area}, which is not part of it.")
        return inside
