"""The journal of one transaction: what moves is in `journal.json`, how far it got in a name.

The state is the name of an empty file `state.<state>` beside the journal, so that going on to the
next state is one rename: atomic, and possible on a full disk.

What is read is data from a stranger: an environment may have been unpacked from anywhere.
`Journal.read` and `Manifest.read` are the only readers; they believe no path that leaves its place,
no file of another user, no link, and `Journal.check` compares the rest with what lies on the disk.

Imports on Python 3.8 with the standard library alone: recovery may run in another interpreter.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from safeinstall.errors import JournalError
from safeinstall.transaction.moves.disk import NO_FOLLOW, Disk, Move, agrees, is_directory

STAGING = "staging"
"""The environment is untouched; the installer fills `stage/`."""
LEAVING = "leaving"
"""What leaves is being moved out; nothing has come in."""
ARRIVING = "arriving"
"""Everything that leaves is out; what arrives is being moved in."""
COMMITTED = "committed"
RETRACTING = "retracting"
"""Going back: what had arrived is being moved out again."""
RESTORING = "restoring"
"""Going back: nothing that arrived is left; what had left is being moved in again."""
STATES = (STAGING, LEAVING, ARRIVING, COMMITTED, RETRACTING, RESTORING)
MOVING = (LEAVING, ARRIVING, RETRACTING, RESTORING)
"""The states in which an environment is neither old nor new."""
FOLDER = ".safeinstall"
GONE = ".gone"
"""End of the name of a transaction folder that only waits for its deletion."""
_ASIDE = ".aside"
"""End of the name of one that nobody acts on any more."""
_ID = re.compile(r"[0-9]{4,9}-[0-9a-f]{4}")
_LISTED = re.compile(rf"{_ID.pattern}((\.[0-9]+)?\{GONE})?")
_ODD = re.compile(r"(?m)(?:^|/)\.{0,2}(?:/|$)|\0" + (r"|[\\:]" if os.name == "nt" else ""))
"""What no name below a folder has, of several with a line each."""
_BIGGEST = 64 * 2**20
_NOT_OURS = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError)
UNREADABLE = (OSError, RecursionError, MemoryError, *_NOT_OURS)
"""What is raised by JSON that is not ours."""
_MANIFEST = "files.json"
_FORMER = {
    "kept_folders": "standing",
    "already_shared": "met",
    "kept_shared": "left",
    "already_unowned": "found",
}
"""How the manifest was worded before."""
_STATE = "state."
_PIECEWISE = "piecewise."


class FileStamp(NamedTuple):
    """How a file looked when it was put in place: enough to notice that somebody edited it."""

    size: int
    mtime_ns: int


def stamp_of(status: os.stat_result) -> FileStamp:
    """Return how a file looks."""
    return FileStamp(status.st_size, status.st_mtime_ns)


class Manifest(NamedTuple):
    """Every file that came or left, for whoever undoes it.

    It lies beside the journal in a file of its own: recovery and history do without it, and it may
    name many thousands of files. Names are relative to the prefix, with forward slashes.
    """

    added: Mapping[str, FileStamp] = {}
    """Files that came."""
    removed: Mapping[str, FileStamp] = {}
    """Files that left, as they were when the commit was planned."""
    created: tuple[str, ...] = ()
    """Folders that were not there before."""
    kept_folders: tuple[str, ...] = ()
    """Folders that would have gone if nothing of others were in them."""
    already_shared: Mapping[str, FileStamp] = {}
    """Files of what came that were there already, being others' as well."""
    kept_shared: tuple[str, ...] = ()
    """Files of what went that stayed, being others' as well."""
    already_unowned: tuple[str, ...] = ()
    """Files of what came that were there already and nobody's."""
    digests: Mapping[str, str] | None = None
    """The hash, as RECORD writes it, of each file that left; of bytecode its size and time, empty
    for what could not be read. None in a list that is older than that."""

    @property
    def stayed(self) -> frozenset[str]:
        """Files that this transaction knows and did not touch."""
        return frozenset((*self.already_shared, *self.kept_shared, *self.already_unowned))

    @classmethod
    def read(cls, directory: str) -> Manifest:
        """Return the manifest of the transaction in `directory`. Raises JournalError."""
        try:
            return cls.of(load(os.path.join(directory, _MANIFEST)))
        except UNREADABLE as error:
            files = f"The list of files of transaction {os.path.basename(directory)}"
            reason = _reason(error)
            raise JournalError(f"{files} cannot be read: {reason}; nothing was touched.") from error

    @classmethod
    def of(cls, data: Any) -> Manifest:
        """Return the manifest that is written down in `data`, in today's words or former ones.

        Raises what `UNREADABLE` lists for one that is none.
        """
        words = {new: data.get(new, data.get(old, ())) for new, old in _FORMER.items()}
        made = cls(
            _stamps(data["added"]),
            _stamps(data["removed"]),
            tuple(data["created"]),
            tuple(words["kept_folders"]),
            _stamps(words["already_shared"] or {}),
            tuple(words["kept_shared"]),
            tuple(words["already_unowned"]),
            data.get("digests"),
        )
        if made.digests is not None:
            "".join(made.digests.values()).encode("ascii")
        for names in made:
            _check_names([*(names or ())])
        return made


def _stamps(data: Any) -> dict[str, FileStamp]:
    stamps = {path: FileStamp(*stamp) for path, stamp in data.items()}
    if not all(type(part) is int for stamp in stamps.values() for part in stamp):
        raise ValueError("a size or a time is no whole number")
    return stamps


def _check_names(names: Collection[str]) -> None:
    """Raise ValueError unless all are names below a folder, in none of ours."""
    text = "\n".join(names)
    text.encode("utf-8", "surrogateescape")  # what no disk can have
    if names and (_ODD.search(text) or text.count("\n") != len(names) - 1):
        raise ValueError("a path in it does not stay in the environment")
    if FOLDER in text.lower() and any(n.split("/")[0].lower() == FOLDER for n in names):
        raise ValueError(f"a path in it leads into {FOLDER}")


def load(path: str) -> Any:
    """Return what a JSON file of ours holds. Raises what `UNREADABLE` lists."""
    how = os.O_RDONLY | NO_FOLLOW | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, how), "rb") as file:
        status = os.fstat(file.fileno())
        if reason := objection(status, stat.S_IFREG):
            raise ValueError(f"it {reason}")
        if status.st_size > _BIGGEST:
            raise ValueError(f"it has {status.st_size >> 20} MB")
        return json.loads(file.read().decode())


def _reason(error: BaseException) -> str:
    known = isinstance(error, (OSError, ValueError))
    return str(error) if known and str(error) else f"it is no journal of ({type(error).__name__})"


def objection(status: os.stat_result, kind: int = stat.S_IFDIR) -> str:
    """Say why a folder, or a file where `kind` is `S_IFREG`, is not ours alone; empty if it is."""
    if stat.S_ISLNK(status.st_mode):
        return "is a symbolic link"
    if stat.S_IFMT(status.st_mode) != kind:
        return "is not a folder" if kind == stat.S_IFDIR else "is not a file"
    if os.name == "nt":
        return ""  # access lists are inherited from the environment there
    if status.st_uid != os.geteuid():
        return f"belongs to another user (uid {status.st_uid})"
    if status.st_mode & 0o022:
        return f"can be written by other users (mode {stat.S_IMODE(status.st_mode):03o})"
    return ""


def number_of(value: Any) -> int:
    """Return a number that may be a size, a count or a process. Raises ValueError."""
    if type(value) is not int or not 0 <= value < 2**63:
        raise ValueError("a number in it is none")
    return value


def text_of(value: Any) -> str:
    """Return a text as one line that a terminal can show. Raises ValueError for anything else."""
    if not isinstance(value, str):
        raise ValueError("a text in it is none")
    return "".join(letter if letter.isprintable() else " " for letter in value[:10_000])


class ProcessMark(NamedTuple):
    """A process that can be told from a later one with the same number."""

    pid: int
    started: str = ""
    host: str = ""

    @classmethod
    def of(cls, data: Any) -> ProcessMark:
        """Return the mark that is written down in `data`. Raises ValueError, TypeError."""
        pid, started, host = data
        return cls(number_of(pid), text_of(started), text_of(host))


class VersionChange(NamedTuple):
    """One distribution before and after; None = not installed."""

    name: str
    before: str | None
    after: str | None


class Journal:
    """One transaction folder `<prefix>/.safeinstall/transactions/<id>`."""

    def __init__(self, directory: str, state: str = STAGING) -> None:
        self.directory = directory
        self.id = os.path.basename(directory)
        self.state = state
        self.sequence = 0
        self.command = ""
        self.packages: list[Any] = []
        self.time = ""
        self.owner = ProcessMark(0)
        self.installer: ProcessMark | None = None
        self.undoes: str | None = None
        self.depth = 0
        self.moves: list[Move] = []
        self._manifest: Manifest | None = None
        self.kept = 0
        self.changes: list[VersionChange] = []

    @property
    def manifest(self) -> Manifest:
        """Every file that came or left, read when first asked for. Raises JournalError."""
        if self._manifest is None:
            self._manifest = Manifest.read(self.directory)
        return self._manifest

    def write_manifest(self, manifest: Manifest, disk: Disk) -> None:
        """Keep the manifest, in the folder; the journal is written after it. Raises OSError.

        A power cut may lose it, as it may lose the files it names: then there is no undo.
        """
        self._manifest = manifest
        words = manifest._asdict()
        # By their former names as well: an earlier version may be asked to undo it.
        words.update({old: words[new] for new, old in _FORMER.items()})
        text = json.dumps(words, separators=(",", ":"))
        disk.write(os.path.join(self.directory, _MANIFEST), text.encode(), durable=False)

    @property
    def stage(self) -> str:
        """The folder handed to the installer as its prefix."""
        return os.path.join(self.directory, "stage")

    @property
    def replaced(self) -> str:
        """The folder that keeps what left the environment, laid out as the prefix is."""
        return os.path.join(self.directory, "replaced")

    @property
    def written_at(self) -> int:
        """When it was last written, by the file system's own clock (nanoseconds). Raises OSError.

        What left before the moves and was touched since is younger. Windows keeps no such time.
        """
        names = ("journal.json", _MANIFEST)
        places = [os.path.join(self.directory, name) for name in names]
        return 0 if os.name == "nt" else min(os.stat(at).st_ctime_ns for at in places)

    @property
    def mark(self) -> str:
        """How the name of a half-made copy of this transaction ends."""
        return ".safeinstall-" + self.id

    @property
    def title(self) -> str:
        """Name the transaction for a message."""
        return f"{self.id} ({self.command})" if self.command else self.id

    def write(self, disk: Disk, *, durable: bool = True) -> None:
        """Write `journal.json` as a whole. Raises OSError."""
        text = json.dumps(self._to_json(), separators=(",", ":"))
        disk.write(os.path.join(self.directory, "journal.json"), text.encode(), durable=durable)

    def begin(self, disk: Disk) -> None:
        """Create the folder in its first state. Raises OSError."""
        disk.make_directory(self.directory)
        self.write(disk, durable=False)
        disk.touch(os.path.join(self.directory, _STATE + STAGING))
        disk.make_directory(self.stage)
        disk.make_directory(self.replaced)

    def advance(self, disk: Disk, state: str) -> None:
        """Go on to `state`: one rename. Raises OSError."""
        start = os.path.join(self.directory, _STATE)
        disk.rename(start + self.state, start + state)
        self.state = state

    def note_piecewise(self, disk: Disk, index: int) -> None:
        """Remember that move `index` goes file by file: it may be in both places at once."""
        if not self.is_piecewise(index):
            disk.touch(os.path.join(self.directory, _PIECEWISE + str(index)))
            disk.settle(self.directory)

    def is_piecewise(self, index: int) -> bool:
        """Tell whether `note_piecewise(index)` was ever called."""
        return os.path.lexists(os.path.join(self.directory, _PIECEWISE + str(index)))

    def discard(self, disk: Disk) -> bool:
        """Remove the transaction from history at once, then its folder.

        Tells whether all of the folder could be deleted; the rest waits. Raises OSError where the
        transaction stays in history.
        """
        gone = _unused(self.directory, GONE)
        disk.rename(self.directory, gone)
        return disk.sweep(gone)

    def set_aside(self, disk: Disk) -> str:
        """Take the folder out of history for good and return where it is kept. Raises OSError.

        Nothing in it is read: use it for what `read` or `check` refuses.
        """
        aside = _unused(self.directory, _ASIDE)
        disk.rename(self.directory, aside)
        return aside

    @classmethod
    def read(cls, directory: str) -> Journal | None:
        """Return the journal of `directory`, None when its transaction never began.

        Raises JournalError when moves may have been made and the journal does not tell which, and
        when it is not certain that it is ours.
        """
        journal, problem = cls(directory, ""), ""
        try:
            problem = journal._find_state()
            journal._fill(load(os.path.join(directory, "journal.json")))
        except FileNotFoundError:
            if not os.path.lexists(directory):
                return None
            problem = "journal.json is missing"
        except UNREADABLE as error:
            problem = problem or f"it cannot be read: {_reason(error)}"
        if not problem:
            return journal
        begun = journal.moves or _holds_files(journal.replaced)
        if journal.state in ("", STAGING) and not begun:
            return None  # nothing was ever moved: it died while it began
        raise journal.damaged(problem)

    def damaged(self, problem: str) -> JournalError:
        """Return the error that says why nobody acts on this transaction."""
        kept = f"What it replaced lies in {self.replaced}."
        message = f"The journal of transaction {self.id} is damaged ({problem})"
        line = ("doctor", "--fix")
        return JournalError(f"{message}; nothing was touched.", context=kept, command=line)

    def _find_state(self) -> str:
        """Read the state off the names; return what is wrong with them, or nothing.

        Raises JournalError where what lies there is not ours alone, OSError.
        """
        kinds = {"": stat.S_IFDIR}
        if not objection(os.lstat(self.directory)):
            names = os.listdir(self.directory)
            states = [name for name in names if name.startswith(_STATE)]
            self.state = states[0][len(_STATE) :] if len(states) == 1 else ""
            kinds.update(dict.fromkeys(states, stat.S_IFREG))
            kinds.update({name: stat.S_IFDIR for name in ("stage", "replaced") if name in names})
        for name, kind in kinds.items():
            path = os.path.join(self.directory, name)
            if reason := objection(os.lstat(path.rstrip(os.sep)), kind):
                raise self.damaged(f"{path.rstrip(os.sep)} {reason}")
        return "" if self.state in STATES else "its state is not known"

    def check(self) -> None:
        """Compare the moves with what lies on the disk, under the lock. Raises JournalError.

        No end of a move is reached through a link out of its place; nothing lies at both ends that
        a move cannot have left there; what is to be taken back is what the manifest says came.
        """
        try:
            ends = [self._place(index, move) for index, move in enumerate(self.moves)]
            problem = next(itertools.chain(_links(ends), self._contradictions(ends)), "")
        except UNREADABLE as error:
            problem = _reason(error)
        if problem:
            raise self.damaged(problem)

    def _place(self, index: int, move: Move) -> _Ends:
        prefix = os.path.dirname(os.path.dirname(os.path.dirname(self.directory)))
        name, kept = _ends(move)
        here, there = os.path.join(prefix, name), os.path.join(prefix, kept)
        return _Ends(index, move.kind == "in", prefix, name, here, there)

    def _contradictions(self, ends: Sequence[_Ends]) -> Iterator[str]:
        arrived: list[str] = []
        for end in ends if self.state in (ARRIVING, RETRACTING) else ():
            stayed = os.path.lexists(end.there) and not self.is_piecewise(end.number)
            if end.comes and os.path.lexists(end.here) and not stayed:
                arrived.append(f"{end.name}/")
                if foreign := self._not_brought(end):
                    yield f"{foreign} is not as it came"
        for end in ends:
            both = os.path.lexists(end.here) and os.path.lexists(end.there)
            if end.comes or not both or end.name.endswith(".pyc"):
                continue
            name = f"{end.name}/"
            known = any(name.startswith(came) or came.startswith(name) for came in arrived)
            if not known and not (self.is_piecewise(end.number) and agrees(end.there, end.here)):
                yield f"{end.here} is there again, and nobody knows whose it is"

    def _not_brought(self, end: _Ends) -> str:
        """Return what lies at this end, or below it, and is not as the manifest says; or nothing.

        Where copies were made, a time may have lost its end, and a link has one of its own.
        """
        lax, files = self.is_piecewise(end.number), self.manifest.added
        if not is_directory(end.here):
            return "" if _as_stamped(end.here, files.get(end.name), lax) else end.here
        if end.name not in self.manifest.created:
            return end.here
        for folder, folders, names in os.walk(end.here):
            inside = end.name + folder[len(end.here) :].replace(os.sep, "/")
            links = [each for each in folders if os.path.islink(os.path.join(folder, each))]
            for name in (*names, *links):
                stamp, path = files.get(f"{inside}/{name}"), os.path.join(folder, name)
                ours = name.endswith(self.mark) or (not stamp and name.endswith(".pyc"))
                if not ours and not _as_stamped(path, stamp, lax):
                    return path
        return ""

    def _to_json(self) -> dict[str, Any]:
        return {
            "format": 1,
            "id": self.id,
            "sequence": self.sequence,
            "command": self.command,
            "packages": self.packages,
            "time": self.time,
            "owner": list(self.owner),
            "installer": list(self.installer) if self.installer else None,
            "undoes": self.undoes,
            "depth": self.depth,
            "moves": [{"kind": m.kind, "from": m.source, "to": m.target} for m in self.moves],
            "kept": self.kept,
            "changes": [list(change) for change in self.changes],
        }

    def _fill(self, data: Any) -> None:
        if data["format"] != 1:
            raise ValueError("its format is not known")
        self.sequence = number_of(data["sequence"])
        if self.sequence != int(self.id.partition("-")[0]):
            raise ValueError("its number is not that of its folder")
        self.command = text_of(data["command"])
        self.packages = [text_of(each) for each in data["packages"] if isinstance(each, str)]
        self.time = text_of(data["time"])
        if datetime.fromisoformat(self.time.replace("Z", "+00:00")).tzinfo is None:
            raise ValueError("its time is in no zone")
        self.owner = ProcessMark.of(data["owner"])
        self.installer = ProcessMark.of(data["installer"]) if data["installer"] else None
        self.undoes = data["undoes"]
        if self.undoes is not None and not (
            _ID.fullmatch(self.undoes) and int(self.undoes.partition("-")[0]) < self.sequence
        ):
            raise ValueError("it undoes what cannot be before it")
        self.depth = number_of(data["depth"])
        self.moves = [Move(item["kind"], item["from"], item["to"]) for item in data["moves"]]
        self._check_moves()
        if "added" in data:  # before 0.1 was released: all in one file
            self._manifest = Manifest.of(data)
        self.kept = number_of(data["kept"])
        versions = [(name, *map(_version, rest)) for name, *rest in data["changes"]]
        self.changes = [VersionChange(text_of(name), *rest) for name, *rest in versions]

    def _check_moves(self) -> None:
        """Raise ValueError for a move that no commit of this transaction makes."""
        folder = f"{FOLDER}/transactions/"
        ends = [_ends(move) for move in self.moves]
        _check_names([name for name, _ in ends])
        sources = [f"{folder}{self.id}/stage/"]
        sources += [f"{folder}{self.undoes}/replaced/"] if self.undoes else []
        for (kind, *_), (name, kept) in zip(self.moves, ends):  # noqa: B905 - Python 3.8
            out = kind == "out" and kept == f"{folder}{self.id}/replaced/{name}"
            if not out and not (kind == "in" and kept.startswith(tuple(sources))):
                raise ValueError("a move in it has an end where none is made")
        _check_names([kept[len(folder) :] for _, kept in ends])


class _Ends(NamedTuple):
    number: int
    comes: bool
    prefix: str
    name: str
    here: str
    """Its end in the environment."""
    there: str
    """Its end in a transaction."""


def _links(ends: Sequence[_Ends]) -> Iterator[str]:
    """Yield what leads out of its place: the ends in a transaction may pass no link at all."""
    real: dict[str, str] = {}
    for end in ends:
        own = os.path.join(end.prefix, FOLDER) + os.sep
        for path in (end.here, end.there):
            folder = os.path.dirname(path)
            if folder not in real:
                real[folder] = os.path.realpath(folder)
            inside = f"{real[folder]}{os.sep}".startswith(end.prefix.rstrip(os.sep) + os.sep)
            ours = f"{real[folder]}{os.sep}".startswith(own)
            if not inside or (ours if path is end.here else real[folder] != folder):
                yield f"{path} is reached through a link"


def _ends(move: Move) -> tuple[str, str]:
    """Return the end of a move that lies in the environment, and the one in a transaction."""
    return (move.target, move.source) if move.kind == "in" else (move.source, move.target)


def _version(value: Any) -> str | None:
    return None if value is None else text_of(value)


def _as_stamped(path: str, stamp: FileStamp | None, lax: bool) -> bool:
    """Tell whether a file is as it came; `lax` by two seconds, and for the time of a link."""
    if stamp is None:
        return False
    status = os.lstat(path)
    off = abs(status.st_mtime_ns - stamp.mtime_ns)
    in_time = off == 0 or (lax and (off < 2 * 10**9 or stat.S_ISLNK(status.st_mode)))
    return status.st_size == stamp.size and in_time


def _unused(directory: str, end: str) -> str:
    """Return a name beside a transaction folder, made of its own, that nobody has."""
    name, number = directory + end, 0
    while os.path.lexists(name):
        number += 1
        name = f"{directory}.{number}{end}"
    return name


def transaction_ids(store: str) -> list[str]:
    """List the transaction folders below `store`, oldest first, those to be deleted too.

    What has another name than we give is not ours, and nobody acts on it.
    """
    try:
        return sorted(filter(_LISTED.fullmatch, os.listdir(os.path.join(store, "transactions"))))
    except (FileNotFoundError, NotADirectoryError):
        return []


def made_lock(store: str) -> str:
    """Return the file that says that uv's lock of the environment was made by us, for a while."""
    return os.path.join(store, "made-lock")


def is_pending(prefix: str) -> bool:
    """Tell whether something in an environment waits for recovery, or to be taken away.

    A few stats, creates nothing; a transaction that is at work just now counts as well.
    """
    store = os.path.join(prefix, FOLDER)
    places = [os.path.join(store, "transactions", name) for name in transaction_ids(store)]
    pairs = [(os.path.join(at, _STATE + COMMITTED), os.path.join(at, "stage")) for at in places]
    left = any(not os.path.exists(done) or os.path.exists(stage) for done, stage in pairs)
    left = left or os.path.lexists(made_lock(store))
    return left or any(place.endswith(GONE) for place in places)


def latest(prefix: str) -> str:
    """Return the id of the youngest transaction in force, or nothing. Raises OSError."""
    places = os.path.join(prefix, FOLDER)
    ids = reversed(transaction_ids(places))
    state = os.path.join(places, "transactions", "{}", _STATE + COMMITTED)
    return next((id for id in ids if os.path.exists(state.replace("{}", id))), "")


def _holds_files(directory: str) -> bool:
    with contextlib.suppress(OSError):
        return any(files for _, _, files in os.walk(directory))
    return False
