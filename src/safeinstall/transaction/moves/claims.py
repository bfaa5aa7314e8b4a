"""What a RECORD may claim: the files that are the distribution's own, and those it only names.

pip copies the lines of a wheel's RECORD that name no member of the wheel into the environment's
(`get_csv_rows_for_installed` in pip/_internal/operations/install/wheel.py), and takes away what
they name (`UninstallPathSet.from_dist`). So a line alone proves nothing: its hash does.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from safeinstall.errors import EscapesPrefix, TransactionError
from safeinstall.metadata.distribution import DistInfo, normalized
from safeinstall.metadata.record import RecordError, RecordRow, digest
from safeinstall.transaction.moves.disk import is_unseen
from safeinstall.transaction.moves.prefix import BYTECODE, KEPT_FOLDERS, Layout

_ENVIRONMENT = re.compile(
    r"pyvenv\.cfg|conda-meta/.*"
    r"|(?i:(bin|Scripts)/((python|pypy)[\d.]*[tdw]?(\.exe)?|(de)?activate([._](?!global)\w+)?))"
    r"|(?i:(bin|Scripts)/pydoc\.bat)"
)
"""What is the environment itself, whatever a RECORD says."""
_LIBRARY = re.compile(
    r"(?i:lib(64)?/(python|pypy)[\d.]*t?)/(?!(site|dist)-packages/).*|(?i:DLLs)/.*"
)
"""The standard library, where the environment holds it."""
_ENTRY = re.compile(r"(?m)^\s*(?P<name>[^=\s#\[][^=]*?)\s*=\s*(?P<module>[\w.]+)\s*(?::|$)")


@dataclass(slots=True)
class Claims:
    """The files of one installed distribution, missing ones too; names are of the layout."""

    own: set[str] = field(default_factory=set)
    named: list[str] = field(default_factory=list)
    """What its RECORD lists, is there, and is not known to be its own."""


def record_rows(info: DistInfo) -> tuple[RecordRow, ...]:
    """Return what the RECORD of `info` lists. Raises TransactionError where none can be read."""
    try:
        return info.record.rows
    except RecordError as error:
        message = f"{info.entry} has no readable RECORD: nobody knows which files are its own."
        raise TransactionError(message, code="no-record", context=str(error)) from error


def claims(layout: Layout, dist_info: str, info: DistInfo) -> Claims:
    """Return which files of the RECORD of `info` are those of the distribution at `dist_info`.

    A file is its own when it has the hash of its line. So are the others of a folder that holds
    nothing else, where one file has been found true, and what has the distribution's name: they may
    have been edited. Nothing of the environment itself or of the standard library ever is. Raises
    EscapesPrefix when a line leads out of the environment.
    """
    rows = dict(_files(layout, dist_info, record_rows(info)))
    judge = _Judge(layout, dist_info, info, rows)
    found = Claims()
    for name in rows:
        if judge.is_own(name):
            found.own.add(name)
        elif os.path.lexists(layout.path(name)):
            found.named.append(name)
    # Installers and people leave notes there that no RECORD lists.
    for folder, _, files in os.walk(dist_info):
        found.own.update(layout.name(os.path.join(folder, file)) for file in files)
    found.named = [name for name in found.named if name not in found.own]
    return found


class _Judge:
    def __init__(
        self, layout: Layout, dist_info: str, info: DistInfo, rows: dict[str, RecordRow]
    ) -> None:
        self.layout = layout
        self.info = info
        self.rows = rows
        self.site = layout.name(os.path.join(os.path.dirname(dist_info), "x"))[:-1]
        self.folders: dict[str, list[str]] = {}
        for name in rows:
            self.folders.setdefault(name.rpartition("/")[0], []).append(name)
        self.whole: dict[str, bool] = {}

    def is_own(self, name: str) -> bool:
        """Tell whether the file is the distribution's, or is not there."""
        key = name.casefold() if self.layout.folds_case else name
        if key in KEPT_FOLDERS or _ENVIRONMENT.fullmatch(key) or _LIBRARY.fullmatch(key):
            return False
        folder, _, last = name.rpartition("/")
        if name.endswith(BYTECODE) and not self.rows[name].digest:
            return self._is_bytecode(folder, last)
        if folder + "/" != self.site and folder.startswith(self.site) and self._is_whole(folder):
            return True
        if folder + "/" == self.site or folder in ("bin", "Scripts"):
            named_so = normalized(last.partition(".")[0]) == normalized(self.info.name)
            if named_so and self.rows[name].digest and not os.path.islink(self.layout.path(name)):
                return True
        return self._is_true(name) or self._is_command(folder, last, name)

    def _is_bytecode(self, folder: str, last: str) -> bool:
        """Tell whether bytecode that no hash tells comes from a source of its own, or from none."""
        home = folder.removesuffix("__pycache__").rstrip("/")
        source = f"{home}/{last.partition('.')[0]}.py".lstrip("/")
        if source in self.rows:
            return self.is_own(source)
        return not os.path.lexists(self.layout.path(source)) and folder.endswith("__pycache__")

    def _is_whole(self, folder: str) -> bool:
        """Tell whether a folder holds only what is listed, and one file that is as listed."""
        if folder not in self.whole:
            path, listed = self.layout.path(folder), set(map(self.layout.key, self.folders[folder]))
            try:
                names = [each.name for each in os.scandir(path) if not each.is_dir()]
            except OSError as error:
                if not is_unseen(error, path):
                    raise
                names = []
            seen = (f"{folder}/{name}" for name in names if not name.endswith(BYTECODE))
            exclusive = all(self.layout.key(name) in listed for name in seen)
            by_size = sorted(self.folders[folder], key=lambda name: self.rows[name].size or 0)
            top = folder[len(self.site) :].partition("/")[0]
            named_so = normalized(top) == normalized(self.info.name)
            self.whole[folder] = exclusive and (named_so or any(map(self._is_true, by_size)))
            if exclusive and not self.whole[folder]:  # nothing but an empty `__init__.py`
                empty = [name for name in by_size if self.rows[name].size == 0]
                self.whole[folder] = len(empty) == len(by_size) and all(map(self._is_empty, empty))
        return self.whole[folder]

    def _is_empty(self, name: str) -> bool:
        try:
            return os.lstat(self.layout.path(name)).st_size == 0
        except OSError:
            return True

    def _is_true(self, name: str) -> bool:
        """Tell whether a file has the hash of its line and is not empty, or is not there."""
        path, row = self.layout.path(name), self.rows[name]
        try:
            status = os.stat(path)
            if not stat.S_ISREG(status.st_mode) or not status.st_size or not row.digest:
                return False
            if row.size not in (None, status.st_size):
                return False
            return digest(path, row.algorithm) == row.digest
        except ValueError:  # a hash this Python does not know says nothing
            return False
        except OSError as error:
            if error.errno != errno.ELOOP and not is_unseen(error, path):
                raise
            return not os.path.lexists(path)

    def _is_command(self, folder: str, last: str, name: str) -> bool:
        """Tell whether a script starts what the distribution says its command starts.

        Its first line is another one where an environment was moved or copied.
        """
        if folder not in ("bin", "Scripts"):
            return False
        entries = {
            e["name"]: e["module"] for e in _ENTRY.finditer(self.info.text("entry_points.txt"))
        }
        module = entries.get(last.removesuffix(".exe").removesuffix("-script.py"))
        if not module:
            return False
        try:
            with open(self.layout.path(name), "rb") as file:
                return f"from {module} import".encode() in file.read(4096)
        except OSError as error:
            if not is_unseen(error, self.layout.path(name)):
                raise
            return False


def _files(
    layout: Layout, dist_info: str, rows: Iterable[RecordRow]
) -> Iterator[tuple[str, RecordRow]]:
    site = os.path.dirname(os.path.realpath(dist_info))
    inside: dict[str, str] = {}  # thousands of files lie in a few hundred folders
    for row in rows:
        folder, _, last = row.path.rpartition("/")
        if last in ("", ".", ".."):
            yield _name(layout, site, row.path, dist_info), row
            continue
        if folder not in inside:
            inside[folder] = _name(layout, site, row.path, dist_info).removesuffix(last)
        yield inside[folder] + last, row


def _name(layout: Layout, site: str, path: str, dist_info: str) -> str:
    try:
        return layout.name(os.path.join(site, path.replace("/", os.sep)))
    except EscapesPrefix as error:
        lists = f"RECORD of {os.path.basename(dist_info)} lists {path}"
        message = f"{lists}, which lies outside the environment; it cannot be moved safely."
        raise EscapesPrefix(message) from error
