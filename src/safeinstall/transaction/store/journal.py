"""The journal of one transaction: what moves is in `journal.json`, how far it got in a name.

The state is the name of an empty file `state.<state>` beside the journal, so that going on to the
next state is one rename: atomic, and possible on a full disk.

Imports on Python 3.8 with the standard library alone: recovery may run in another interpreter.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from safeinstall.errors import JournalError
from safeinstall.transaction.moves.disk import Disk, Move

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
FOLDER = ".safeinstall"
GONE = ".gone"
"""End of the name of a transaction folder that only waits for its deletion."""
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

    @property
    def stayed(self) -> frozenset[str]:
        """Files that this transaction knows and did not touch."""
        return frozenset((*self.already_shared, *self.kept_shared, *self.already_unowned))

    @classmethod
    def read(cls, directory: str) -> Manifest:
        """Return the manifest of the transaction in `directory`. Raises JournalError."""
        try:
            with open(os.path.join(directory, _MANIFEST), encoding="utf-8") as file:
                return cls.of(json.load(file))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            files = f"The list of files of transaction {os.path.basename(directory)}"
            raise JournalError(f"{files} cannot be read: {error}; nothing was touched.") from error

    @classmethod
    def of(cls, data: Any) -> Manifest:
        """Return the manifest that is written down in `data`, in today's words or former ones."""
        words = {new: data.get(new, data.get(old, ())) for new, old in _FORMER.items()}
        return cls(
            _stamps(data["added"]),
            _stamps(data["removed"]),
            tuple(map(str, data["created"])),
            tuple(map(str, words["kept_folders"])),
            _stamps(words["already_shared"] or {}),
            tuple(map(str, words["kept_shared"])),
            tuple(map(str, words["already_unowned"])),
        )


def _stamps(data: Any) -> dict[str, FileStamp]:
    return {path: FileStamp(*stamp) for path, stamp in data.items()}


class ProcessMark(NamedTuple):
    """A process that can be told from a later one with the same number."""

    pid: int
    started: str = ""
    host: str = ""


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

    def discard(self, disk: Disk) -> None:
        """Remove the transaction from history at once, then its folder."""
        gone = self.directory + GONE
        disk.rename(self.directory, gone)
        disk.remove_tree(gone)

    @classmethod
    def read(cls, directory: str) -> Journal | None:
        """Return the journal of `directory`, None when its transaction never began.

        Raises JournalError when moves may have been made and the journal does not tell which.
        """
        try:
            names = os.listdir(directory)
        except (FileNotFoundError, NotADirectoryError):
            return None
        states = [name[len(_STATE) :] for name in names if name.startswith(_STATE)]
        journal = cls(directory, states[0] if len(states) == 1 else "")
        problem = "" if journal.state in STATES else "its state is not known"
        try:
            with open(os.path.join(directory, "journal.json"), encoding="utf-8") as file:
                journal._fill(json.load(file))
        except FileNotFoundError:
            problem = "journal.json is missing"
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            problem = f"journal.json cannot be read: {error}"
        if not problem:
            return journal
        if journal.state in ("", STAGING) and not _holds_files(journal.replaced):
            return None  # nothing was ever moved: it died while it began
        damaged = f"The journal of transaction {journal.id} is damaged ({problem})"
        kept = f"What it replaced lies in {journal.replaced}."
        raise JournalError(f"{damaged}; nothing was touched.", context=kept)

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

    def _fill(self, data: dict[str, Any]) -> None:
        self.sequence = int(data["sequence"])
        self.command = str(data["command"])
        self.packages = list(data["packages"])
        self.time = str(data["time"])
        self.owner = ProcessMark(*data["owner"])
        self.installer = ProcessMark(*data["installer"]) if data["installer"] else None
        self.undoes = data["undoes"]
        self.depth = int(data["depth"])
        self.moves = [Move(item["kind"], item["from"], item["to"]) for item in data["moves"]]
        if "added" in data:  # before 0.1 was released: all in one file
            self._manifest = Manifest.of(data)
        self.kept = int(data["kept"])
        self.changes = [VersionChange(*change) for change in data["changes"]]


def transaction_ids(store: str) -> list[str]:
    """List the transaction folders below `store`, oldest first, those to be deleted too."""
    try:
        return sorted(os.listdir(os.path.join(store, "transactions")))
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_pending(prefix: str) -> bool:
    """Tell whether something in an environment waits for recovery, or to be taken away.

    A few stats, creates nothing; a transaction that is at work just now counts as well.
    """
    store = os.path.join(prefix, FOLDER)
    places = [os.path.join(store, "transactions", name) for name in transaction_ids(store)]
    pairs = [(os.path.join(at, _STATE + COMMITTED), os.path.join(at, "stage")) for at in places]
    left = any(not os.path.exists(done) or os.path.exists(stage) for done, stage in pairs)
    return left or any(place.endswith(GONE) for place in places)


def _holds_files(directory: str) -> bool:
    with contextlib.suppress(OSError):
        return any(files for _, _, files in os.walk(directory))
    return False
