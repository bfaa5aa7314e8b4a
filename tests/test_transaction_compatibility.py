"""Transactions of earlier versions are read, and earlier versions can read ours."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.store.journal import Journal, Manifest
from safeinstall.transaction.undo import undo_transaction
from test_transaction_trees import SITE, Package, environment, install, package, tree
from test_transaction_trees import no_waiting as no_waiting

FIXTURES = Path(__file__).parent / "fixtures"
Entries = dict[str, tuple[str, int, int, str]]
FORMER = {
    "standing": "kept_folders",
    "met": "already_shared",
    "left": "kept_shared",
    "found": "already_unowned",
}


def lay_down(prefix: Path, entries: Entries) -> Path:
    """Make the environment that version 0.1 left."""
    for name, (kind, mode, changed, content) in entries.items():
        path = prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == "link":
            path.symlink_to(content)
        elif kind == "folder":
            path.mkdir(exist_ok=True)
            path.chmod(mode)
        else:
            path.write_text(content, "utf-8")
            path.chmod(mode)
            if changed:
                os.utime(path, ns=(changed, changed))
    return prefix


def fixture(name: str) -> dict[str, Entries]:
    text = (FIXTURES / f"transactions-0.1-{name}.json").read_text("utf-8")
    data: dict[str, Entries] = json.loads(text)
    return data


def test_what_an_earlier_version_installed_is_undone(tmp_path: Path) -> None:
    data = fixture("committed")
    prefix = lay_down(tmp_path / "now", data["now"])
    removal, installation = Store.open(str(prefix)).history()
    assert [(change.name, change.after) for change in removal.changes] == [("left", None)]
    assert [change.name for change in installation.changes] == ["one", "right"]
    first, second = Store.open(str(prefix)).journals()
    shared = f"{SITE}/tests/__init__.py"
    assert list(first.manifest.already_shared) == [shared]
    assert first.manifest.already_unowned == ("share/note.txt",)
    assert second.manifest.kept_shared == (shared,)
    assert second.manifest.kept_folders
    with (store := Store.open(str(prefix))).lock():
        undo_transaction(store)
        undo_transaction(store)
    assert tree(prefix) == tree(lay_down(tmp_path / "before", data["undone"]))


def test_what_an_earlier_version_left_half_done_is_taken_back(tmp_path: Path) -> None:
    data = fixture("stopped")
    prefix = lay_down(tmp_path / "now", data["now"])
    recovery = recover_store(Store.open(str(prefix)))
    assert recovery is not None
    assert recovery.direction == "back"
    assert tree(prefix) == tree(lay_down(tmp_path / "before", data["undone"]))


def committed(prefix: Path) -> Path:
    both = {f"{SITE}/tests/__init__.py": ""}
    left = Package("left", "1.0", both)
    environment(prefix, [package("one", "1.0"), left])
    (prefix / "share/note.txt").write_text("a note\n")
    right = Package("right", "1.0", {**both, "share/note.txt": "a note\n"})
    done = install(prefix, [package("one", "2.0"), right], [package("one", "1.0")])
    return prefix / ".safeinstall/transactions" / done.id


def test_an_earlier_version_finds_its_own_words(tmp_path: Path) -> None:
    folder = committed(tmp_path / "env")
    files: dict[str, Any] = json.loads((folder / "files.json").read_text())
    for old, new in FORMER.items():
        assert files[old] == files[new]
    assert files["met"]
    assert files["found"]
    former = fixture("committed")["now"]
    names = [name for name in former if name.endswith("journal.json")]
    journal = json.loads((folder / "journal.json").read_text())
    assert journal.keys() == json.loads(former[names[0]][3]).keys()
    assert journal["format"] == 1
    assert (folder / "state.committed").exists()


@pytest.mark.parametrize("kept", [(*FORMER,), (*FORMER.values(),)], ids=["former", "present"])
def test_a_manifest_is_the_same_in_either_words(tmp_path: Path, kept: tuple[str, ...]) -> None:
    folder = committed(tmp_path / "env")
    whole = Manifest.read(str(folder))
    files = json.loads((folder / "files.json").read_text())
    for name in {*FORMER, *FORMER.values()} - {*kept}:
        del files[name]
    (folder / "files.json").write_text(json.dumps(files))
    assert Manifest.read(str(folder)) == whole


def test_the_first_journals_held_their_manifest(tmp_path: Path) -> None:
    folder = committed(tmp_path / "env")
    whole = Manifest.read(str(folder))
    journal = json.loads((folder / "journal.json").read_text())
    journal |= json.loads((folder / "files.json").read_text())
    (folder / "journal.json").write_text(json.dumps(journal))
    (folder / "files.json").unlink()
    read = Journal.read(str(folder))
    assert read is not None
    assert read.manifest == whole
