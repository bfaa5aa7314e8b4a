"""Distributions as they lie on disk: what one says, and what is installed at one moment.

`importlib.metadata` says the same slower and parses every header; hundreds are read for one
install, and most are asked only for their name. The probe starts in a few milliseconds and asks
for names and versions alone: what else is needed is imported where it is used.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .record import Record

    Listing = tuple[tuple[str, ...], int | None]
    """Entries that tell what is installed, sorted; and when the folder last gained or lost one
    (None when that may not be believed)."""


DIST_INFO = ".dist-info"
EGG_INFO = ".egg-info"
_METADATA = (DIST_INFO, EGG_INFO)
WITHOUT_RECORD = ("debian", "conda", "")
"""Installers that keep no RECORD, and distributions of nobody knows whom."""
_ENTRY = re.compile(r"^(?P<name>.+?)(?:-(?P<version>[^-]+))?(?:-py[\d.]+)?$")
_SEPARATORS = re.compile(r"[-_.]+")
_LINE_END = re.compile(r"\r\n|\r|\n")
_HEADER_END = re.compile(rb"\r?\n\r?\n")
_ASKED = ("name", "version", "requires-dist", "provides-extra")


def normalized(name: str) -> str:
    """Return the one spelling of a distribution's name (PEP 503)."""
    return _SEPARATORS.sub("-", name).lower()


def is_metadata(entry: str) -> bool:
    """Tell whether an entry of a folder is a distribution's metadata, by its name alone."""
    return entry.endswith(_METADATA)


def split_name(entry: str) -> tuple[str, str]:
    """Return name and version that the name of a metadata entry gives; the version may be empty."""
    stem = entry.rpartition(".")[0] or entry
    found = _ENTRY.match(stem)
    return (found.group("name"), found.group("version") or "") if found else (stem, "")


def metadata_in(folder: str) -> list[str]:
    """List the names of the metadata entries in `folder`, sorted; none when it cannot be read."""
    try:
        return sorted([n for n in os.listdir(folder or os.curdir) if n.endswith(_METADATA)])
    except OSError:
        return []


def distributions_in(folders: Iterable[str]) -> Iterator[DistInfo]:
    """Yield what lies in the folders, in their order; only names are read yet."""
    for folder in dict.fromkeys(folders):
        for entry in metadata_in(folder):
            yield DistInfo(os.path.join(folder, entry))


class DistInfo:
    """One `.dist-info` or `.egg-info`: each file of it is read when first asked for, and once.

    Hand it on instead of its path: whoever asks next is answered without the disk. Nothing raises
    but `record`; what is not there is empty.
    """

    __slots__ = ("_headers", "_record", "entry", "folder", "path")

    def __init__(self, path: str) -> None:
        self.path = path
        self.folder, self.entry = os.path.split(path)
        self._headers: Mapping[str, list[str]] | bool | None = False  # not read yet
        self._record: Record | None = None

    @property
    def is_egg(self) -> bool:
        """True for an `.egg-info`, which has no RECORD to hold it to."""
        return self.entry.endswith(EGG_INFO)

    @property
    def headers(self) -> Mapping[str, list[str]] | None:
        """Values of `name`, `version`, `requires-dist` and `provides-extra`; None: no METADATA."""
        if isinstance(self._headers, bool):
            self._headers = _read_headers(self.path)
        return self._headers

    @property
    def is_unread(self) -> bool:
        """True when there is a METADATA and it could not be read: nobody knows what it says."""
        return self.headers is None and os.path.lexists(os.path.join(self.path, "METADATA"))

    @property
    def name(self) -> str:
        """As METADATA spells it, else as the entry is called."""
        return self._first("name") or split_name(self.entry)[0]

    @property
    def version(self) -> str:
        """From METADATA, else from the name of the entry; may be empty."""
        return self._first("version") or split_name(self.entry)[1]

    @property
    def identity(self) -> tuple[str, str]:
        """Name in its one spelling, and version: the same for two copies of one release."""
        return normalized(self.name), self.version

    @property
    def requires(self) -> tuple[str, ...]:
        """Its requirements, as written."""
        return tuple((self.headers or {}).get("requires-dist", ()))

    @property
    def extras(self) -> tuple[str, ...]:
        """The extras it knows, in their one spelling (PEP 685)."""
        return tuple(map(normalized, (self.headers or {}).get("provides-extra", ())))

    @property
    def installer(self) -> str:
        """Who installed it (PEP 376): `pip`, `uv`, `conda`, `debian` ..., or empty."""
        return self.text("INSTALLER").strip()

    @property
    def requested(self) -> bool:
        """True when somebody asked for it by name (PEP 376)."""
        return os.path.lexists(os.path.join(self.path, "REQUESTED"))

    @property
    def has_record(self) -> bool:
        """True when there is a list of its files; it is not read for that."""
        return self._record is not None or os.path.isfile(self.record_file)

    @property
    def record_file(self) -> str:
        """Where that list is, or would be."""
        return os.path.join(self.path, "RECORD")

    @property
    def record(self) -> Record:
        """The list of its files. Raises RecordError (`read_record` reads what there is of one)."""
        if self._record is None:
            from .record import read_record  # see above

            self._record = read_record(self.path)
        return self._record

    @property
    def modules(self) -> tuple[str, ...]:
        """Its top-level modules with code, in the order of RECORD."""
        from .record import RecordError, top_level  # see above

        try:
            return top_level(self.record.paths)
        except RecordError:
            return ()

    @property
    def importable(self) -> tuple[str, ...]:
        """The modules whose import shows that it is there (`roots`, without what many share).

        Of an editable project they are those it says it brings, or the one of its own name.
        """
        from .record import RecordError, meant, roots  # see above

        if self.editable_source:
            return meant(self.declared) or self._led_to()
        try:
            return meant(roots(self.record.paths))
        except RecordError:
            return ()

    @property
    def declared(self) -> tuple[str, ...]:
        """The names it says it brings (setuptools writes them); none where it says nothing."""
        return tuple(self.text("top_level.txt").split())

    @property
    def editable_source(self) -> str | None:
        """The project folder of an editable install (PEP 610, PEP 660)."""
        import json  # see above
        from urllib.parse import unquote, urlsplit

        try:
            data = json.loads(self.text("direct_url.json"))
            if not data.get("dir_info", {}).get("editable"):
                return None
            return unquote(urlsplit(str(data.get("url", ""))).path) or None
        except (ValueError, AttributeError):
            return None

    def state(self) -> tuple[tuple[int, int, int] | None, ...]:
        """Return what tells whether it is still as it was read: three stats, of now."""
        return tuple(
            _identity(os.path.join(self.path, name)) for name in ("", "RECORD", "METADATA")
        )

    def with_record(self, record: Record) -> DistInfo:
        """Return the same distribution after its RECORD was rewritten; nothing is read again."""
        changed = DistInfo(self.path)
        changed._headers, changed._record = self._headers, record
        return changed

    def text(self, file: str) -> str:
        """Return the content of one of its small files, empty when it cannot be read."""
        try:
            with open(os.path.join(self.path, file), encoding="utf-8", errors="replace") as reading:
                return reading.read()
        except OSError:
            return ""

    def _led_to(self) -> tuple[str, ...]:
        """Return the module of its own name, where a `.pth` file of its leads to it."""
        name = normalized(self.name).replace("-", "_")
        files = [path for path in self.record.paths if path.endswith(".pth") and "/" not in path]
        for file in files:
            for line in self.text(os.path.join(os.pardir, file)).splitlines():
                place = os.path.join(self.folder, line.strip(), name)
                if os.path.isdir(place) or os.path.isfile(f"{place}.py"):
                    return (name,)
        return ()

    def _first(self, field: str) -> str:
        return next(iter((self.headers or {}).get(field, ())), "")


def _identity(path: str) -> tuple[int, int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


_headers: dict[str, tuple[tuple[int, int, int], Mapping[str, list[str]]]] = {}
"""What was read by this process, by file: as true as the file is the same."""


def _read_headers(path: str) -> Mapping[str, list[str]] | None:
    for candidate in ("METADATA", "PKG-INFO", ""):
        place = os.path.join(path, candidate) if candidate else path
        identity = _identity(place)
        known = _headers.get(place)
        if identity and known and known[0] == identity:
            return known[1]
        try:
            with open(place, "rb") as file:
                content = file.read()
        except OSError:
            continue
        head = _HEADER_END.split(content, maxsplit=1)[0].decode("utf-8", "replace")
        fields = _fields(head)
        if identity:
            _headers[place] = identity, fields
        return fields
    return None


def _fields(head: str) -> Mapping[str, list[str]]:
    """Read the headers of core metadata (RFC 822 with continuation lines).

    `email.parser` says the same and takes ten times as long.
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


_TELLING = (*_METADATA, ".egg-link", ".pth")
"""What changes what can be imported, distribution or not."""
_FINE, _COARSE = 50_000_000, 2_000_000_000
"""Nanoseconds in which a file system may give two changes of a folder the same time."""


class InstalledState:
    """The distributions of some folders, listed once; and how they were when they were looked at.

    Two states are equal when the same distributions lie there, each with a RECORD of the same size
    and time. No file is opened. A missing folder counts as empty.
    """

    def __init__(self, folders: Iterable[str]) -> None:
        self._listings = {folder: _list(folder) for folder in dict.fromkeys(folders)}
        self._infos: dict[str, tuple[DistInfo, ...]] = {}
        for folder, (names, _) in self._listings.items():
            paths = (os.path.join(folder, name) for name in names if is_metadata(name))
            self._infos[folder] = tuple(map(DistInfo, paths))
        self._marks: tuple[tuple[str, str, int, int], ...] | None = None

    @property
    def distributions(self) -> tuple[DistInfo, ...]:
        """What lies there. Hand it on: each remembers what was read of it."""
        return tuple(info for infos in self._infos.values() for info in infos)

    def in_folder(self, folder: str) -> tuple[DistInfo, ...] | None:
        """Return what lies in one of the folders, None for another one."""
        return self._infos.get(folder)

    def look(self) -> InstalledState:
        """Look at every RECORD, before anything is worked out from what lies there; return self.

        Whoever asks later whether it still holds, or compares, gets it done then at the latest.
        """
        if self._marks is None:
            self._marks = tuple(_marks(self._listings))
        return self

    def holds(self) -> bool:
        """Tell whether it is still so; a folder that nothing came to or left is not listed again.

        What was installed anew in the same version is noticed as well.
        """
        before, now = self.look()._marks, {}
        for folder, old in self._listings.items():
            now[folder] = old if _is_untouched(folder, old[1]) else _list(folder)
        return tuple(_marks(now)) == before

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InstalledState) and self.look()._marks == other.look()._marks

    def __hash__(self) -> int:
        return hash(self.look()._marks)


def _list(folder: str) -> Listing:
    try:
        changed = os.stat(folder).st_mtime_ns
        names = tuple(sorted([n for n in os.listdir(folder) if n.endswith(_TELLING)]))
    except OSError:
        return (), None
    # What came right after the listing could bear the same time as what came before it.
    doubt = _FINE if changed % 1_000_000_000 else _COARSE
    return names, changed if time.time_ns() - changed > doubt else None


def _is_untouched(folder: str, before: int | None) -> bool:
    try:
        return before is not None and os.stat(folder).st_mtime_ns == before
    except OSError:
        return False


def _marks(listings: dict[str, Listing]) -> Iterator[tuple[str, str, int, int]]:
    for folder, (names, _) in listings.items():
        for name in names:
            path = os.path.join(folder, name)
            try:
                inside = name.endswith(".dist-info")
                status = os.stat(os.path.join(path, "RECORD") if inside else path)
                yield folder, name, status.st_size, status.st_mtime_ns
            except OSError:
                yield folder, name, -1, 0
