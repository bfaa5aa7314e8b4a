"""Transactions that somebody else wrote: journals, states and lists of files as data.

Each is planted in an environment with something of the user's inside it and beside it; none may
make us touch any of that.
"""

from __future__ import annotations

import copy
import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["ID", "Stranger", "plant", "precious", "strangers"]

ID = "0001-beef"
_OWN = f".safeinstall/transactions/{ID}"
_SITE = "lib/python3.12/site-packages"
_JOURNAL: dict[str, Any] = {
    "format": 1,
    "id": ID,
    "sequence": 1,
    "command": "safeinstall install evil",
    "packages": ["evil"],
    "time": "2026-01-02T03:04:05.678Z",
    "owner": [4242, "17", "somewhere"],
    "installer": None,
    "undoes": None,
    "depth": 0,
    "moves": [],
    "kept": 0,
    "changes": [["evil", None, "1.0"]],
}
_FILES: dict[str, Any] = {"added": {}, "removed": {}, "created": []}
_HALF = ("leaving", "arriving", "retracting", "restoring")


@dataclass(frozen=True)
class Stranger:
    """One transaction of a stranger."""

    name: str
    state: str = "arriving"
    journal: Any = None
    """What differs in the journal (a dict), or all of its bytes."""
    files: Any = None
    """What differs in the list of files, or all of its bytes."""
    lies: tuple[tuple[str, str, str], ...] = ()
    """What else lies in the prefix: path, kind (file, folder, link, pipe, other), content."""
    blank: bool = False
    """True when the folder holds nothing but what `lies` says."""
    taken: bool = field(default=False, kw_only=True)
    """True when it is recovered or deleted like one of ours: there is nothing wrong with it."""


def precious(folder: Path) -> Path:
    """Make what nobody may touch."""
    (folder / "__pycache__").mkdir(parents=True)
    (folder / "deep").mkdir()
    for name in ("precious.txt", "precious.py", "deep/precious.txt"):
        (folder / name).write_text("of the user\n")
    (folder / "__pycache__/precious.cpython-312.pyc").write_text("of the user\n")
    (folder / "__pycache__/mynotes.cpython-312.pyc").write_text("of the user\n")
    return folder


def plant(prefix: Path, stranger: Stranger, outside: Path) -> Path:
    """Lay the transaction down in the environment; return its folder."""
    own = prefix / _OWN
    own.mkdir(parents=True)
    for folder in (own, own.parent, own.parent.parent):
        folder.chmod(0o700)
    (prefix / _SITE).mkdir(parents=True, exist_ok=True)
    (prefix / _SITE / "mynotes.py").write_text("my notes\n")
    if not stranger.blank:
        for name in ("stage", "replaced"):
            (own / name).mkdir(mode=0o700)
        _write(own / "journal.json", stranger.journal, _JOURNAL, outside)
        _write(own / "files.json", stranger.files, _FILES, outside)
        (own / f"state.{stranger.state}").touch(mode=0o600)
    for name, kind, content in stranger.lies:
        _lay(prefix / name.format(own=_OWN, site=_SITE), kind, content, outside)
    return own


def _lay(path: Path, kind: str, content: str, outside: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if path.is_dir() and not path.is_symlink() and kind != "mode":
        path.rmdir()
    elif kind not in ("mode", "owner"):
        path.unlink(missing_ok=True)
    if kind == "file":
        if path.suffix == ".pyc":
            time.sleep(0.02)  # a file system's clock is coarse: it is younger than the journal
        path.write_text(content)
        path.chmod(0o600)
    elif kind == "folder":
        path.mkdir(mode=0o700)
    elif kind == "link":
        path.symlink_to(content.format(out=outside))
    elif kind == "same":
        os.link(outside / content, path)
    elif kind == "pipe":
        os.mkfifo(path, 0o600)
    elif kind == "mode":
        path.chmod(int(content, 8))


def _write(path: Path, changed: Any, whole: dict[str, Any], outside: Path) -> None:
    if isinstance(changed, bytes):
        path.write_bytes(changed)
    else:
        data = {**copy.deepcopy(whole), **(changed or {})}
        gone = [name for name, value in data.items() if value == "(gone)"]
        for name in gone:
            del data[name]
        text = json.dumps(data).replace("{out}", str(outside)).replace("{own}", _OWN)
        text = text.replace("{site}", _SITE).replace('"{huge}"', "1e400")
        path.write_text(text.replace('"{digits}"', "9" * 6000))
    path.chmod(0o600)


_Lies = tuple[tuple[str, str, str], ...]
_PLACES: tuple[tuple[str, Any], ...] = (
    ("absolute", "{out}/precious.txt"),
    ("absolute folder", "{out}"),
    ("up", "../outside/precious.txt"),
    ("up folder", "../outside"),
    ("up from below", "lib/../../outside/precious.txt"),
    ("itself", "."),
    ("above", ".."),
    ("empty", ""),
    ("empty part", "lib//python3.12"),
    ("a dot inside", "lib/./python3.12"),
    ("a folder's end", "lib/"),
    ("our own lock", ".safeinstall/lock"),
    ("our own lock shouted", ".SAFEINSTALL/lock"),
    ("our own transactions", ".safeinstall/transactions"),
    ("no byte", "lib/\0precious"),
    ("half a letter", "lib/\ud800"),
    ("two lines", "lib/\n../../outside"),
    ("a number", 7),
    ("nothing", None),
    ("a list", ["lib"]),
    ("a table", {"lib": 1}),
    ("too long", "l" * 5000),
    ("a link out", "way/precious.txt"),
    ("below a link out", "way/deep/precious.txt"),
)
_WAY: _Lies = (("way", "link", "{out}"),)


def _lie(path: str, kind: str, content: str = "") -> _Lies:
    return ((path, kind, content),)


def _of_moves() -> Iterator[Stranger]:
    """Yield moves with one end where none is made, in each state."""
    for index, (label, place) in enumerate(_PLACES):
        name = place if isinstance(place, str) else "x"
        state = _HALF[index % 4]
        kept = "{own}/replaced/" + name.lstrip("/")
        ends = {
            "leaves from": ("out", place, kept),
            "leaves to": ("out", f"{_SITE}/mynotes.py", place),
            "comes from": ("in", place, f"{_SITE}/new.py"),
            "comes to": ("in", "{own}/stage/precious.txt", place),
        }
        for end, (kind, source, target) in ends.items():
            moves = [{"kind": kind, "from": source, "to": target}]
            back = "restoring" if end.startswith("leaves") else "retracting"
            for each in dict.fromkeys((state, back)):
                text = f"{end} {label}, {each}"
                here = (("{own}/replaced/x", "file", "evil"), *_WAY)
                taken = label == "too long" or (each == "restoring" and kind == "in")
                taken = taken or (each == "leaving" and kind == "in")
                yield Stranger(text, each, {"moves": moves}, None, here, taken=taken)


def _out(name: str) -> dict[str, Any]:
    return {"kind": "out", "from": name, "to": "{own}/replaced/" + name}


def _in(name: str) -> dict[str, Any]:
    return {"kind": "in", "from": "{own}/stage/" + name, "to": name}


def _of_disks() -> Iterator[Stranger]:
    """Yield moves that are well written, and what lies at their ends."""
    note, kept = f"{_SITE}/mynotes.py", "{own}/replaced/{site}/mynotes.py"
    both = _lie(kept, "file", "evil")
    for state in _HALF:
        yield Stranger(f"a file is at both ends, {state}", state, {"moves": [_out(note)]}, {}, both)
    marked = (*both, ("{own}/piecewise.0", "file", ""))
    yield Stranger("at both ends, in pieces", "restoring", {"moves": [_out(note)]}, {}, marked)
    package = f"{_SITE}/one"
    folder = _lie("{own}/replaced/{site}/one/__init__.py", "file", "evil")
    yield Stranger("a folder is at both ends", "leaving", {"moves": [_out(package)]}, {}, folder)
    pieces = (*folder, ("{own}/piecewise.0", "file", ""))
    yield Stranger("a folder in pieces", "leaving", {"moves": [_out(package)]}, {}, pieces)
    for name in (note, package, "lib", "bin", "bin/python", "pyvenv.cfg", _SITE, "lib64"):
        for state in ("arriving", "retracting"):
            more = [_in("never")] if state == "arriving" else []
            lies = _lie("{own}/stage/never", "file", "")
            moves = {"moves": [_in(name), *more]}
            yield Stranger(f"{name} came, {state}", state, moves, {}, lies)
            listed = {"added": {name: [1, 1]}, "created": [name]}
            said = f"{name} came and is listed, {state}"
            yield Stranger(said, state, moves, listed, lies)
    twice = {"moves": [_in(note)]}
    for text, data in (("none", b""), ("nested", b"[" * 100_000), ("no text", b"\xff\xfe")):
        yield Stranger(f"what came is listed in {text}", "retracting", twice, data)
    linked = _lie("{own}/replaced/lib", "link", "{out}")
    moves = {"moves": [_out("lib/precious.txt")]}
    yield Stranger("what left lies behind a link", "restoring", moves, {}, linked)
    linked = _lie("{own}/stage/lib", "link", "{out}")
    moves = {"moves": [_in("lib/precious.txt")]}
    yield Stranger("what comes lies behind a link", "arriving", moves, {}, linked)
    caches = _lie(f"{_SITE}/__pycache__", "link", "{out}/__pycache__")
    moves = {"moves": [_in(note)]}
    yield Stranger("bytecode behind a link", "retracting", moves, {}, caches)
    gone = {"moves": [_in(f"{_SITE}/precious.py")]}
    yield Stranger("its bytecode alone", "retracting", gone, {}, caches, taken=True)


_FIELDS = ("format", "sequence", "command", "time", "owner", "depth", "moves", "kept", "changes")
_VALUES: tuple[tuple[str, Any], ...] = (
    ("gone", "(gone)"),
    ("null", None),
    ("infinite", "{huge}"),
    ("below zero", -1),
    ("endless", "{digits}"),
    ("a table", {"a": 1}),
    ("nested", [[[]]]),
    ("a text", "x"),
)
_BYTES: tuple[tuple[str, bytes], ...] = (
    ("nothing", b""),
    ("null", b"null"),
    ("a list", b"[]"),
    ("a text", b'"x"'),
    ("a number", b"7"),
    ("infinite", b"1e400"),
    ("no number", b"NaN"),
    ("cut off", b'{"format": 1, "moves": ['),
    ("nested lists", b"[" * 200_000),
    ("nested tables", b'{"a":' * 200_000),
    ("nested and closed", b"[" * 100_000 + b"]" * 100_000),
    ("no UTF-8", b'{"format": "\xff\xfe"}'),
    ("UTF-16", '{"format": 1}'.encode("utf-16")),
    ("with a mark", b"\xef\xbb\xbf{}"),
    ("zeros", b"\0" * 1000),
    ("a long number", b"9" * 10_000),
)


def _of_words() -> Iterator[Stranger]:
    """Yield journals and lists of files that are no such thing."""
    for state in ("committed", "arriving"):
        for name in _FIELDS:
            for label, value in _VALUES:
                fits = (name, label) in {("command", "a text")}
                text = f"{name} is {label}, {state}"
                yield Stranger(text, state, {name: value}, taken=fits)
        for label, data in _BYTES:
            yield Stranger(f"the journal is {label}, {state}", state, data)
    for label, data in _BYTES:
        yield Stranger(f"the list of files is {label}", "committed", None, data, taken=True)
    odd: tuple[tuple[str, Any], ...] = (
        ("it undoes itself", {"undoes": ID}),
        ("it undoes a later one", {"undoes": "0002-beef"}),
        ("it undoes a path", {"undoes": "../../outside"}),
        ("it undoes a number", {"undoes": 1}),
        ("an installer of one part", {"installer": [1]}),
        ("an installer below zero", {"installer": [-1, "1", ""]}),
        ("a change of one part", {"changes": [["evil"]]}),
        ("a change to a list", {"changes": [["evil", [], {}]]}),
        ("a time of no zone", {"time": "0001-01-01T00:00:00"}),
        ("a time that is none", {"time": "yesterday"}),
        ("an unknown kind", {"moves": [{"kind": "copy", "from": "a", "to": "b"}]}),
    )
    for label, journal in odd:
        yield Stranger(label, "committed", journal)
        yield Stranger(f"{label}, arriving", "arriving", journal)


def _of_lists() -> Iterator[Stranger]:
    """Yield lists of files whose undo would reach what is not the transaction's."""
    for label, place in _PLACES:
        if not isinstance(place, str) or label == "too long":
            continue
        for key in ("added", "removed", "already_shared"):
            files = {**_FILES, key: {place: [12, 1]}}
            yield Stranger(f"{label} is {key}", "committed", None, files, _WAY, taken=True)
        files = {**_FILES, "created": [place, "way"], "added": {f"{place}/x": [1, 1]}}
        yield Stranger(f"{label} was made", "committed", None, files, _WAY, taken=True)
    extra = _lie("{own}/replaced/{site}/evil.pth", "file", "import evil")
    yield Stranger("something came to what left", "committed", None, {}, extra, taken=True)
    cache = _lie("{own}/replaced/{site}/__pycache__/mynotes.cpython-312.pyc", "file", "evil")
    yield Stranger("bytecode came to what left", "committed", None, {}, cache, taken=True)


def _of_files() -> Iterator[Stranger]:
    """Yield folders whose parts are something else than they should be."""
    for state in ("committed", "arriving", "staging"):
        for name in ("journal.json", f"state.{state}"):
            for kind, content in (("link", "{out}/precious.txt"), ("pipe", ""), ("folder", "")):
                lies: _Lies = (("{own}/" + name, kind, content), ("{own}/replaced/x", "file", ""))
                yield Stranger(f"{name} is a {kind}, {state}", state, None, None, lies)
        for name in ("stage", "replaced"):
            for kind in ("link", "pipe", "file"):
                lies = _lie("{own}/" + name, kind, "{out}")
                yield Stranger(f"{name} is a {kind}, {state}", state, None, None, lies)
            lies = _lie("{own}/" + name, "mode", "777")
            yield Stranger(f"{name} is everybody's, {state}", state, None, None, lies)
        more = (("{own}/state.leaving", "file", ""), ("{own}/replaced/x", "file", ""))
        yield Stranger(f"two states, {state}", state, None, None, more)
        lies = _lie("{own}", "mode", "777")
        yield Stranger(f"the folder is everybody's, {state}", state, None, None, lies)
    for name in ("files.json", "piecewise.0"):
        lies = _lie("{own}/" + name, "pipe", "")
        yield Stranger(f"{name} is a pipe", "committed", None, None, lies, taken=True)
    yield Stranger("an unknown state", "done", None, None, (("{own}/replaced/x", "file", ""),))
    here = _lie("{own}", "link", "{out}")
    yield Stranger("the folder is a link", "", None, None, here, blank=True)
    there = ".safeinstall/transactions/"
    others: tuple[tuple[str, str, str], ...] = (
        ("a link to be deleted", "0002-beef.gone", "link"),
        ("a name of another alphabet", "²-beef", "folder"),
        ("a name of ours shouted", "0002-BEEF", "folder"),
        ("a long number", "9" * 200 + "-beef", "folder"),
        ("somebody's folder", "notes", "folder"),
        ("somebody's deletion", "notes.gone", "folder"),
        ("somebody's link", "notes", "link"),
        ("a file", "0002-beef", "file"),
        ("a link beside it", "0002-beef", "link"),
    )
    for label, name, kind in others:
        lies = ((there + name, kind, "{out}"), (there + name + "/x", "file", "mine"))
        yield Stranger(label, "committed", None, None, lies[: 2 if kind == "folder" else 1])
    for kind, content in (("pipe", ""), ("folder", ""), ("link", "{out}/precious.txt")):
        lies = _lie(".safeinstall/lock", kind, content)
        yield Stranger(f"the lock is a {kind}", "arriving", None, None, lies)
    for text in ('{"pid": 1e400}', "[" * 100_000, '{"pid": 1, "since": "x"}', "\x1b[31m"):
        lies = _lie(".safeinstall/lock", "file", text)
        yield Stranger(f"the lock says {text[:12]!r}", "arriving", None, None, lies, taken=True)
    same = _lie(".safeinstall/lock", "same", "precious.txt")
    yield Stranger("the lock is a file of the user's", "committed", None, None, same, taken=True)


def strangers() -> list[Stranger]:
    """Return all of them."""
    makers = (_of_moves, _of_disks, _of_words, _of_lists, _of_files)
    return [each for maker in makers for each in maker()]
