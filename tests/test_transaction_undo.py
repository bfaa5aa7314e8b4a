"""Undo and history: exact, in order, and never at the cost of something that was edited."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from safeinstall.errors import JournalError, UndoRefused
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.store.journal import VersionChange
from safeinstall.transaction.transaction import remove_distributions
from safeinstall.transaction.undo import undo_transaction
from test_transaction_trees import (
    SITE,
    Package,
    begin,
    compiled,
    dist_infos,
    environment,
    install,
    package,
    tree,
)
from test_transaction_trees import no_waiting as no_waiting

ONE, ONE_NEXT, ONE_LAST = (package("one", version) for version in ("1.0", "2.0", "3.0"))
TWO = package("two", "1.0")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return environment(tmp_path / "env", [ONE])


@pytest.fixture
def area(prefix: Path) -> Iterator[Store]:
    area = Store.open(str(prefix))
    yield area


def undo(prefix: Path, id: str | None = None, *, force: bool = False) -> str:
    area = Store.open(str(prefix))
    with area.lock():
        return undo_transaction(area, id, force=force).id


def test_undo_brings_back_every_byte_mode_and_time(prefix: Path) -> None:
    (prefix / "bin/one").chmod(0o711)
    compiled(prefix, f"{SITE}/one/__init__.py")
    before = tree(prefix)
    install(prefix, [ONE_NEXT, TWO], [ONE])
    compiled(prefix, f"{SITE}/one/__init__.py")
    assert tree(prefix) != before
    undo(prefix)
    assert tree(prefix) == before


def test_undo_removes_the_folders_that_came_and_keeps_those_that_were_there(prefix: Path) -> None:
    (prefix / "etc").mkdir()
    before = tree(prefix)
    install(prefix, [Package("far", "1", {"etc/far.conf": "x", "opt/far/deep/file": "x"})])
    undo(prefix)
    assert tree(prefix) == before


def test_a_folder_that_two_transactions_share_goes_with_the_last_whichever_that_is(
    prefix: Path,
) -> None:
    before = tree(prefix)
    first, second = (Package(n, "1", {f"{SITE}/shared/{n}/a.py": "x"}) for n in ("far", "near"))
    made = [install(prefix, [one]).id for one in (first, second)]
    after = tree(prefix)
    undone = [undo(prefix, id) for id in made]
    assert tree(prefix) == before
    for id in reversed(undone):
        undo(prefix, id)
    assert tree(prefix) == after


def test_a_folder_that_was_made_by_hand_after_an_undo_stays(prefix: Path) -> None:
    install(prefix, [Package("far", "1", {f"{SITE}/shared/far/a.py": "x"})])
    undo(prefix)
    (prefix / SITE / "shared").mkdir()
    before = tree(prefix)
    install(prefix, [Package("near", "1", {f"{SITE}/shared/near/a.py": "x"})])
    undo(prefix)
    assert tree(prefix) == before


def test_undo_of_an_undo_installs_again(prefix: Path) -> None:
    before = tree(prefix)
    install(prefix, [ONE_NEXT], [ONE])
    after = tree(prefix)
    first = undo(prefix)
    assert tree(prefix) == before
    second = undo(prefix, first)
    assert tree(prefix) == after
    undo(prefix, second)
    assert tree(prefix) == before


def test_undo_without_an_id_goes_back_step_by_step(prefix: Path) -> None:
    states = [tree(prefix)]
    install(prefix, [ONE_NEXT], [ONE])
    states.append(tree(prefix))
    install(prefix, [TWO])
    undo(prefix)
    assert tree(prefix) == states[1]
    undo(prefix)
    assert tree(prefix) == states[0]
    with pytest.raises(UndoRefused, match="nothing to undo"):
        undo(prefix)


def test_undo_refuses_what_later_changes_were_built_on_and_names_the_order(prefix: Path) -> None:
    before = tree(prefix)
    ids = [
        install(prefix, [ONE_NEXT], [ONE]).id,
        install(prefix, [TWO]).id,
        install(prefix, [ONE_LAST], [ONE_NEXT]).id,
    ]
    with pytest.raises(UndoRefused, match=f"undo {ids[2]} first, then {ids[0]}"):
        undo(prefix, ids[0])
    undo(prefix, ids[1])  # nothing was built on that one
    undo(prefix, ids[2])
    undo(prefix, "1")
    assert tree(prefix) == before


def two_that_share_a_file(prefix: Path) -> tuple[Package, Package]:
    both = {f"{SITE}/tests/__init__.py": ""}
    left, right = Package("left", "1", both), Package("right", "1", both)
    install(prefix, [left])
    install(prefix, [right])
    return left, right


def test_what_comes_back_is_whole_although_another_took_a_shared_file_with_it(
    prefix: Path,
) -> None:
    left, right = two_that_share_a_file(prefix)
    before = tree(prefix)
    gone = []
    for one in (left, right):
        with (area := Store.open(str(prefix))).lock():
            gone.append(remove_distributions(area, dist_infos(prefix, [one]), "uninstall").id)
    with pytest.raises(UndoRefused, match=gone[1]):
        undo(prefix, gone[0])
    undo(prefix, gone[1])
    undo(prefix, gone[0])
    assert tree(prefix) == before


def test_the_last_of_two_takes_a_shared_file_with_it_whoever_brought_it(prefix: Path) -> None:
    before = tree(prefix)
    two_that_share_a_file(prefix)
    first, second = (entry.id for entry in reversed(Store.open(str(prefix)).history()))
    undo(prefix, first)
    with (area := Store.open(str(prefix))).lock():
        area.prune(keep=2)
    undo(prefix, second)
    assert tree(prefix) == before


def test_the_last_of_two_takes_a_shared_file_with_it_when_the_first_was_uninstalled(
    prefix: Path,
) -> None:
    before = tree(prefix)
    left, _right = two_that_share_a_file(prefix)
    second = Store.open(str(prefix)).history()[0].id
    with (area := Store.open(str(prefix))).lock():
        remove_distributions(area, dist_infos(prefix, [left]), "uninstall")
    undo(prefix, second)
    assert tree(prefix) == before


def test_a_file_of_a_user_that_two_found_stays_when_both_have_gone(prefix: Path) -> None:
    (prefix / SITE / "tests").mkdir()
    (prefix / SITE / "tests/__init__.py").touch()
    before = tree(prefix)
    two_that_share_a_file(prefix)
    first, second = (entry.id for entry in reversed(Store.open(str(prefix)).history()))
    undo(prefix, first)
    undo(prefix, second)
    assert tree(prefix) == before


def test_a_shared_file_that_was_edited_is_not_taken_away_unasked(prefix: Path) -> None:
    two_that_share_a_file(prefix)
    first, second = (entry.id for entry in reversed(Store.open(str(prefix)).history()))
    undo(prefix, first)
    (prefix / SITE / "tests/__init__.py").write_text("mine")
    with pytest.raises(UndoRefused, match="changed after the installation"):
        undo(prefix, second)


def test_an_undo_of_an_undo_is_not_offered_when_what_it_was_built_on_has_gone(
    prefix: Path,
) -> None:
    install(prefix, [TWO])
    first = Store.open(str(prefix)).history()[0].id
    install(prefix, [TWO], [TWO])
    again = undo(prefix)
    undo(prefix, undo(prefix, undo(prefix, first)))
    entry = next(entry for entry in Store.open(str(prefix)).history() if entry.id == again)
    assert not entry.undoable
    assert "undo 0006" in entry.reason


def test_what_is_installed_again_is_whole_although_a_shared_file_was_taken_meanwhile(
    prefix: Path,
) -> None:
    left, _right = two_that_share_a_file(prefix)
    undone = undo(prefix)
    with (area := Store.open(str(prefix))).lock():
        gone = remove_distributions(area, dist_infos(prefix, [left]), "uninstall").id
    with pytest.raises(UndoRefused, match=gone):
        undo(prefix, undone)


def test_an_undo_is_not_undone_when_what_it_restored_was_taken_away(prefix: Path) -> None:
    first = install(prefix, [TWO])
    again = install(prefix, [package("two", "1.1")], [TWO])
    restored = undo(prefix, again.id)
    taken_away = undo(prefix, first.id)
    with pytest.raises(UndoRefused, match=f"undo {taken_away} first, then {restored}"):
        undo(prefix, restored)


def test_an_edited_file_is_never_lost(prefix: Path) -> None:
    before = tree(prefix)
    done = install(prefix, [ONE_NEXT], [ONE])
    edited = prefix / SITE / "one/__init__.py"
    edited.write_text("my own change\n")
    after = tree(prefix)
    with pytest.raises(UndoRefused, match=r"one/__init__\.py changed after the installation"):
        undo(prefix, done.id)
    assert tree(prefix) == after
    kept_by = undo(prefix, done.id, force=True)
    assert tree(prefix) == before
    kept = prefix / ".safeinstall/transactions" / kept_by / "replaced" / SITE / "one/__init__.py"
    assert kept.read_text() == "my own change\n"


def test_a_file_that_was_only_touched_counts_as_unchanged(prefix: Path) -> None:
    before = tree(prefix)
    install(prefix, [ONE_NEXT], [ONE])
    os.utime(prefix / SITE / "one/__init__.py")
    undo(prefix)
    assert tree(prefix) == before


def test_an_environment_that_was_copied_without_its_times_counts_as_unchanged(
    prefix: Path,
) -> None:
    before = tree(prefix)
    install(prefix, [ONE_NEXT, TWO], [ONE])
    for name in tree(prefix).keys() - before.keys():
        os.utime(prefix / name)
    undo(prefix)
    assert tree(prefix) == before


def test_a_list_of_files_that_is_gone_promises_nothing(prefix: Path) -> None:
    before = tree(prefix)
    install(prefix, [TWO])
    (prefix / TWO.dist_info / "RECORD").unlink()
    os.utime(prefix / SITE / "two/__init__.py")
    with pytest.raises(UndoRefused, match=r"two/__init__\.py changed"):
        undo(prefix)
    undo(prefix, force=True)
    assert tree(prefix) == before


@pytest.mark.parametrize("algorithm", ["unheard-of", "shake_128"])
def test_a_touched_file_whose_hash_nobody_can_compute_counts_as_edited(
    prefix: Path, algorithm: str
) -> None:
    install(prefix, [TWO])
    record = prefix / TWO.dist_info / "RECORD"
    record.write_text(record.read_text().replace("sha256=", f"{algorithm}="))
    os.utime(prefix / SITE / "two/__init__.py")
    with pytest.raises(UndoRefused):
        undo(prefix)


def test_what_was_edited_just_before_it_was_replaced_comes_back_and_may_leave_again(
    prefix: Path,
) -> None:
    with (area := Store.open(str(prefix))).lock():
        transaction = begin(area, [ONE_NEXT])
        transaction.inspect([str(prefix / SITE)], dist_infos(prefix, [ONE]))
        (prefix / SITE / "one/__init__.py").write_text("edited while the index was asked")
        before = tree(prefix)
        transaction.commit(dist_infos(prefix, [ONE]))
    after = tree(prefix)
    undone = undo(prefix)
    assert tree(prefix) == before
    undo(prefix, undone)
    assert tree(prefix) == after


def test_a_file_that_a_user_added_keeps_its_folder(prefix: Path) -> None:
    install(prefix, [TWO])
    (prefix / SITE / "two/mine.txt").write_text("mine")
    undo(prefix)
    assert [path.name for path in (prefix / SITE / "two").iterdir()] == ["mine.txt"]


def test_undo_refuses_when_another_program_replaced_the_distribution(prefix: Path) -> None:
    install(prefix, [ONE_NEXT], [ONE])
    (prefix / ONE_NEXT.dist_info).rename(prefix / ONE_LAST.dist_info)
    with pytest.raises(UndoRefused, match=r"one 2\.0 is not installed any more"):
        undo(prefix)


def test_undo_refuses_to_overwrite_what_is_in_the_way(prefix: Path, area: Store) -> None:
    with area.lock():
        remove_distributions(area, dist_infos(prefix, [ONE]), command="uninstall one")
    (prefix / "bin/one").write_text("somebody's own script")
    with pytest.raises(UndoRefused, match="bin/one is in the way"):
        undo(prefix)
    assert (prefix / "bin/one").read_text() == "somebody's own script"


@pytest.mark.parametrize("lost", ["bin/one", f"{SITE}/one", ""])
def test_what_is_not_kept_any_more_cannot_come_back(prefix: Path, lost: str) -> None:
    done = install(prefix, [ONE_NEXT], [ONE])
    after = tree(prefix)
    kept = prefix / ".safeinstall/transactions" / done.id / "replaced"
    (kept / lost).rename(prefix / ".safeinstall/aside")
    with pytest.raises(UndoRefused, match="is gone of what it replaced"):
        undo(prefix)
    assert tree(prefix) == after
    (prefix / ".safeinstall/aside").rename(kept / lost)
    undo(prefix)


def test_an_unknown_transaction_is_refused(prefix: Path) -> None:
    with pytest.raises(UndoRefused, match="no transaction 99"):
        undo(prefix, "99")


def test_history_tells_what_changed_the_newest_first(prefix: Path, area: Store) -> None:
    install(prefix, [ONE_NEXT, TWO], [ONE])
    with area.lock():
        remove_distributions(area, dist_infos(prefix, [TWO]), command="uninstall two")
    latest, earliest = area.history()
    assert latest.command == "uninstall two"
    assert latest.changes == (VersionChange("two", "1.0", None),)
    one, two = VersionChange("one", "1.0", "2.0"), VersionChange("two", None, "1.0")
    assert earliest.changes == (one, two)
    assert latest.undoable
    assert not earliest.undoable
    assert latest.id in earliest.reason
    assert earliest.bytes_kept > 0
    assert earliest.time.endswith("Z")


def test_history_says_what_was_undone(prefix: Path, area: Store) -> None:
    done = install(prefix, [TWO])
    by = undo(prefix)
    undoing, undone = area.history()
    assert (undoing.undoes, undone.state) == (done.id, "undone")
    assert undone.reason == f"It was undone already, by {by}."
    assert undone.bytes_kept == 0


def test_the_oldest_transactions_are_forgotten(prefix: Path, area: Store) -> None:
    ids = [install(prefix, [package(f"p{n}", "1")]).id for n in range(5)]
    with area.lock():
        assert set(area.prune(keep=3)) == set(ids[:2])
    assert [entry.id for entry in area.history()] == ids[:1:-1]


def test_transactions_that_take_much_space_are_forgotten_but_never_the_newest(
    prefix: Path, area: Store
) -> None:
    install(prefix, [ONE_NEXT], [ONE])
    newest = install(prefix, [ONE_LAST], [ONE_NEXT]).id
    with area.lock():
        area.prune(max_bytes=1)
    assert [entry.id for entry in area.history()] == [newest]
    undo(prefix)


def test_a_removal_and_its_undo_leave_no_trace(prefix: Path, area: Store) -> None:
    compiled(prefix, f"{SITE}/one/deep/inner.py")
    before = tree(prefix)
    with area.lock():
        done = remove_distributions(area, dist_infos(prefix, [ONE]), command="uninstall one")
    assert done.moves_in == 0
    assert not any("one" in name for name in tree(prefix))
    undo(prefix)
    assert tree(prefix) == before


def test_a_list_of_files_that_cannot_be_read_is_said_where_it_is_needed(prefix: Path) -> None:
    install(prefix, [package("two", "1.0")])
    install(prefix, [package("three", "1.0")])
    area = Store.open(str(prefix))
    first, second = sorted((prefix / ".safeinstall/transactions").iterdir())
    (first / "files.json").write_text("{")
    before = tree(prefix)
    latest, earliest = area.history()
    assert latest.undoable
    assert not earliest.undoable
    assert "cannot be read" in earliest.reason
    with area.lock():
        with pytest.raises(JournalError, match="nothing was touched"):
            undo_transaction(area, first.name)
        assert tree(prefix) == before
        undo_transaction(area, second.name)


def kept(prefix: Path, id: str) -> Path:
    return prefix / ".safeinstall/transactions" / id / "replaced"


def edit(kept: Path) -> Path:
    """Change a file and give it its size and time again."""
    path = kept / SITE / "one/__init__.py"
    status = path.stat()
    time.sleep(0.02)  # a file system's clock is coarse
    path.write_text("x" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return path


def edit_what_is_unlisted(kept: Path) -> Path:
    """Change the one file that no RECORD has a hash of."""
    path = kept / ONE.dist_info / "RECORD"
    path.write_text(path.read_text().replace("sha256", "sha512"))
    return path


def add_start_up_code(kept: Path) -> Path:
    path = kept / SITE / "evil.pth"
    path.write_text("import evil\n")
    return path


def put_a_link(kept: Path) -> Path:
    path = kept / "bin/one"
    path.unlink()
    path.symlink_to("/etc/hostname")
    return path


def put_a_linked_folder(kept: Path) -> Path:
    path = kept / SITE / "one/deep"
    path.rename(kept / "elsewhere")
    path.symlink_to(kept / "elsewhere")
    return kept / "elsewhere/inner.py"


@pytest.mark.parametrize(
    "tamper",
    [
        edit,
        edit_what_is_unlisted,
        add_start_up_code,
        put_a_link,
        put_a_linked_folder,
    ],
    ids=lambda tamper: tamper.__name__,
)
@pytest.mark.parametrize("force", [False, True], ids=["asked", "forced"])
def test_what_is_kept_for_undo_and_was_changed_since_does_not_come_back(
    prefix: Path, tamper: Callable[[Path], Path], force: bool
) -> None:
    compiled(prefix, f"{SITE}/one/__init__.py")
    done = install(prefix, [ONE_NEXT], [ONE])
    after = tree(prefix)
    changed = tamper(kept(prefix, done.id))
    with pytest.raises(UndoRefused, match="is not as it left") as raised:
        undo(prefix, done.id, force=force)
    assert str(changed) in raised.value.message
    assert tree(prefix) == after


def test_bytecode_that_was_changed_since_does_not_come_back(prefix: Path) -> None:
    compiled(prefix, f"{SITE}/one/__init__.py")
    good = compiled(prefix, f"{SITE}/one/deep/inner.py")
    before = tree(prefix)
    done = install(prefix, [ONE_NEXT], [ONE])
    cache = kept(prefix, done.id) / SITE / "one/__pycache__"
    bad = cache / "__init__.cpython-312.pyc"
    status = bad.stat()
    time.sleep(0.02)  # a file system's clock is coarse
    bad.write_bytes(b"X" * status.st_size)
    (cache / "added.cpython-312.pyc").write_bytes(b"evil")
    undo(prefix)
    gone = {f"{SITE}/one/__pycache__", f"{SITE}/one/__pycache__/{bad.name}"}
    assert {*before} - {*tree(prefix)} == gone
    assert good.read_bytes().startswith(b"bytecode of")
    assert not list((prefix / SITE).rglob("added*"))


def test_what_is_kept_may_be_copied_without_its_times(prefix: Path) -> None:
    done = install(prefix, [ONE_NEXT], [ONE])
    for path in kept(prefix, done.id).rglob("*"):
        os.utime(path)
    undo(prefix)
    assert (prefix / SITE / "one/__init__.py").read_text() == "version = '1.0'\n"


def test_a_file_edited_before_it_left_comes_back_as_it_was(prefix: Path) -> None:
    (prefix / SITE / "one/__init__.py").write_text("mine for good\n")
    (prefix / SITE / "one/deep/link.py").symlink_to("inner.py")
    before = tree(prefix)
    install(prefix, [ONE_NEXT], [ONE])
    undo(prefix)
    assert tree(prefix) == before


def test_an_older_list_of_files_has_no_hashes_and_is_believed_for_what_it_says(
    prefix: Path,
) -> None:
    compiled(prefix, f"{SITE}/one/__init__.py")
    before = tree(prefix)
    done = install(prefix, [ONE_NEXT], [ONE])
    files = kept(prefix, done.id).parent / "files.json"
    data = json.loads(files.read_text())
    del data["digests"]
    files.write_text(json.dumps(data))
    added = add_start_up_code(kept(prefix, done.id))
    with pytest.raises(UndoRefused, match="is not as it left"):
        undo(prefix)
    added.unlink()
    undo(prefix)
    assert tree(prefix) == before
