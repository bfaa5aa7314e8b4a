"""The area, its lock, and recovery as seen from outside."""

from __future__ import annotations

import ast
import errno
import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import safeinstall
from safeinstall.doctor import diagnosis
from safeinstall.errors import JournalError, LockBusy, TransactionError, UndoRefused, UnsafeStore
from safeinstall.errors import TransactionError as SameError
from safeinstall.metadata.distribution import InstalledState
from safeinstall.transaction.moves.disk import Disk
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.store.journal import is_pending
from safeinstall.transaction.store.lock import Holder, process_host
from safeinstall.transaction.transaction import begin_transaction, remove_distributions
from safeinstall.transaction.undo import undo_transaction
from support.privileges import ORDINARY, as_ordinary, can_switch
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

SOURCE = Path(safeinstall.__file__).parent
RECOVERY = ("moves.commit", "moves.disk", "store.journal", "store.lock")
ONE, ONE_NEXT = package("one", "1.0"), package("one", "2.0")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return environment(tmp_path / "env", [ONE])


def link_elsewhere(area: Path) -> None:
    (area.parent / "elsewhere").mkdir()
    area.symlink_to("elsewhere")


def dangling(area: Path) -> None:
    area.symlink_to("nowhere")


def writable_by_group(area: Path) -> None:
    area.mkdir()
    area.chmod(0o770)


def writable_by_all(area: Path) -> None:
    area.mkdir()
    area.chmod(0o777)


def a_file(area: Path) -> None:
    area.touch()


def linked_inside(area: Path) -> None:
    area.mkdir(mode=0o700)
    (area / "transactions").symlink_to("..")


@pytest.mark.parametrize(
    "arrange",
    [link_elsewhere, dangling, writable_by_group, writable_by_all, a_file, linked_inside],
    ids=lambda value: value.__name__,
)
def test_an_area_that_others_could_meddle_with_is_refused(prefix: Path, arrange: object) -> None:
    arrange(prefix / ".safeinstall")  # type: ignore[operator]
    with pytest.raises(UnsafeStore):
        Store.open(str(prefix))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root can give files away")
def test_an_area_of_another_user_is_refused(prefix: Path) -> None:
    (prefix / ".safeinstall").mkdir(mode=0o700)
    os.chown(prefix / ".safeinstall", 12345, 12345)
    with pytest.raises(UnsafeStore, match="belongs to another user"):
        Store.open(str(prefix))


def test_a_lock_that_is_a_link_is_refused(prefix: Path, tmp_path: Path) -> None:
    (prefix / ".safeinstall").mkdir(mode=0o700)
    (prefix / ".safeinstall/lock").symlink_to(tmp_path / "victim")
    with pytest.raises(UnsafeStore):
        Store.open(str(prefix)).lock()
    assert not (tmp_path / "victim").exists()


def test_looking_creates_nothing(prefix: Path) -> None:
    area = Store.open(str(prefix))
    assert recover_store(area) is None
    assert area.history() == ()
    assert not area.unfinished()
    assert not (prefix / ".safeinstall").exists()


def test_the_area_is_private(prefix: Path) -> None:
    install(prefix, [ONE_NEXT], [ONE])
    modes = {
        path.name: path.stat().st_mode & 0o077
        for path in [prefix / ".safeinstall", *(prefix / ".safeinstall").rglob("*.json")]
    }
    assert set(modes.values()) == {0}


def test_a_second_one_is_told_who_works_there(prefix: Path) -> None:
    with Store.open(str(prefix)).lock(command="install pandas"):
        with pytest.raises(LockBusy, match="install pandas") as raised:
            Store.open(str(prefix)).lock(wait=False)
        assert str(os.getpid()) in str(raised.value)
        told: list[Holder | None] = []
        with pytest.raises(LockBusy):
            Store.open(str(prefix)).lock(on_wait=told.append, timeout=0.05)
    assert [holder.pid for holder in told if holder] == [os.getpid()]
    Store.open(str(prefix)).lock(wait=False).release()


def test_nothing_is_done_without_the_lock(prefix: Path) -> None:
    area = Store.open(str(prefix))
    for action in (lambda: begin_transaction(area, "x"), lambda: area.prune()):
        with pytest.raises(TransactionError, match="not locked"):
            action()


def test_recovery_leaves_alone_what_another_process_works_on(prefix: Path) -> None:
    with (area := Store.open(str(prefix))).lock():
        transaction = begin(area, [ONE_NEXT])
        assert Store.open(str(prefix)).unfinished()
        assert recover_store(Store.open(str(prefix))) is None
        assert Path(transaction.stage).exists()


def test_an_abandoned_stage_is_removed_and_reported(prefix: Path) -> None:
    before = tree(prefix)
    with (area := Store.open(str(prefix))).lock():
        begin(area, [ONE_NEXT], command="install one")
    recovery = recover_store(Store.open(str(prefix)))
    assert recovery is not None
    assert recovery.direction == "litter"
    assert "install one" in recovery.message
    assert os.listdir(prefix / ".safeinstall/transactions") == []  # noqa: PTH208 - names are the point
    assert tree(prefix) == before


class Dying(Disk):
    """Stops for good at one rename: what a kill would leave, in one process."""

    def __init__(self, last: str) -> None:
        self.last, self.dead = last, False

    def before(self, operation: str, path: str) -> None:
        self.dead = self.dead or path.endswith(self.last)
        if self.dead:
            raise SystemExit


@pytest.mark.parametrize(
    ("last", "direction"),
    [("state.leaving", "litter"), ("state.arriving", "back"), ("state.committed", "forward")],
)
def test_recovery_says_which_way_it_went(prefix: Path, last: str, direction: str) -> None:
    before = tree(prefix)
    with pytest.raises(SystemExit):
        install(prefix, [ONE_NEXT], [ONE], disk=Dying(last))
    area = Store.open(str(prefix))
    with area.lock():
        if direction != "litter":
            with pytest.raises(TransactionError, match="interrupted"):
                begin_transaction(area, "next")
        recovery = recover_store(area)
        assert recovery is not None
        assert recovery.direction == direction
        assert "\n" not in recovery.message
        assert recover_store(area) is None
    assert (tree(prefix) == before) == (direction != "forward")


def test_a_damaged_journal_is_refused_and_nothing_is_touched(prefix: Path) -> None:
    with pytest.raises(SystemExit):
        install(prefix, [ONE_NEXT], [ONE], disk=Dying("state.arriving"))
    (journal,) = (prefix / ".safeinstall/transactions").glob("*/journal.json")
    journal.write_text("{")
    before = tree(prefix)
    recovery = recover_store(Store.open(str(prefix)))
    assert recovery is not None
    assert isinstance(recovery.error, JournalError)
    assert "nothing was touched" in recovery.message
    assert tree(prefix) == before


def test_the_journal_lists_every_move_before_the_first(prefix: Path) -> None:
    with pytest.raises(SystemExit):
        install(prefix, [ONE_NEXT], [ONE], disk=Dying("state.arriving"))
    (path,) = (prefix / ".safeinstall/transactions").glob("*/journal.json")
    journal = json.loads(path.read_text())
    assert {move["kind"] for move in journal["moves"]} == {"out", "in"}
    assert {"from", "to"} < journal["moves"][0].keys()
    assert f"{SITE}/one-2.0.dist-info" in [move["to"] for move in journal["moves"]]


def test_a_full_disk_leaves_the_environment_untouched(prefix: Path) -> None:
    class Full(Disk):
        def write(self, path: str, data: bytes, mode: int = 0o600, *, durable: bool = True) -> None:
            if durable:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
            super().write(path, data, mode, durable=durable)

    before = tree(prefix)
    with pytest.raises(TransactionError, match="No space left"):
        install(prefix, [ONE_NEXT], [ONE], disk=Full())
    assert tree(prefix) == before
    assert not Store.open(str(prefix)).unfinished()


@pytest.mark.parametrize("module", [*RECOVERY, "recover"])
def test_recovery_needs_only_the_standard_library_of_python_3_8(module: str) -> None:
    text = (SOURCE / "transaction" / f"{module.replace('.', '/')}.py").read_text("utf-8")
    found = ast.parse(text, feature_version=(3, 8))
    allowed = {f"safeinstall.transaction.{name}" for name in RECOVERY}
    for_types = {
        inner
        for node in ast.walk(found)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in set(ast.walk(found)) - for_types:
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            if node.module in ("safeinstall.transaction", "safeinstall.transaction.store"):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                names = [str(node.module)]
        for name in names:
            ours = name in allowed or name == "safeinstall.errors"
            assert ours or name.split(".")[0] in sys.stdlib_module_names, name


def test_the_errors_that_recovery_raises_are_understood_by_python_3_8() -> None:
    ast.parse((SOURCE / "errors.py").read_text("utf-8"), feature_version=(3, 8))


def test_recovery_runs_from_the_command_line_without_site_packages(prefix: Path) -> None:
    before = tree(prefix)
    with pytest.raises(SystemExit):
        install(prefix, [ONE_NEXT], [ONE], disk=Dying("state.arriving"))
    code = (
        f"import sys; sys.path.insert(0, {str(SOURCE.parent)!r});"
        "from safeinstall.transaction.recover import main; sys.exit(main(sys.argv[1:]))"
    )
    argv = [sys.executable, "-I", "-S", "-c", code, str(prefix)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert "as it was before" in done.stdout
    assert tree(prefix) == before
    again = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert again.stdout.startswith("Nothing to recover")


def test_the_error_of_this_room_is_one_of_the_family() -> None:
    assert SameError is TransactionError
    assert issubclass(LockBusy, safeinstall.errors.SafeInstallError)


def test_dist_infos_may_be_given_through_a_link(prefix: Path) -> None:
    before = tree(prefix)
    area = Store.open(str(prefix))
    with area.lock():
        linked = [path.replace("/lib/", "/lib64/") for path in dist_infos(prefix, [ONE])]
        remove_distributions(area, linked, command="uninstall")
        assert not (prefix / SITE / "one").exists()
        undo_transaction(area)
    assert tree(prefix) == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_fork_does_not_hold_the_lock(prefix: Path) -> None:
    area = Store.open(str(prefix))
    over, begin_end = os.pipe()
    running, says_so = os.pipe()
    lock = area.lock()
    child = os.fork()
    if child == 0:  # a worker that goes on after the install
        os.close(begin_end)
        os.write(says_so, b"!")
        os.read(over, 1)
        os._exit(0)
    os.read(running, 1)
    try:
        with pytest.raises(LockBusy):
            Store.open(str(prefix)).lock(wait=False)
        lock.release()
        Store.open(str(prefix)).lock(wait=False).release()
    finally:
        os.close(begin_end)
        os.waitpid(child, 0)


def test_a_lock_that_nobody_holds_on_to_is_free(prefix: Path) -> None:
    Store.open(str(prefix)).lock()
    Store.open(str(prefix)).lock(wait=False).release()


def give_all(path: Path, uid: int) -> None:
    for each in (path, *path.rglob("*")):
        os.lchown(each, uid, uid)


@pytest.mark.first_line_of("undeletable")
@pytest.mark.skipif(not can_switch(), reason="only root can leave files of its own")
def test_what_cannot_be_deleted_stops_nothing_and_is_named(tmp_path: Path) -> None:
    process_host()  # an ordinary user may not read the library from which this loads a codec
    prefix, home = environment(tmp_path / "env", [ONE]), tmp_path / "own"
    home.mkdir()
    compiled(prefix, f"{SITE}/one/__init__.py")
    give_all(prefix, ORDINARY)
    give_all(prefix / SITE / "one/__pycache__", 0)  # `sudo python` was here
    two, three = package("two", "1.0"), package("three", "1.0")
    with as_ordinary(tmp_path, home):
        area = Store.open(str(prefix))
        first = install(prefix, [ONE_NEXT], [ONE]).id
        install(prefix, [two])
        with area.lock():
            assert area.prune(keep=1) == (first,)
        kept = prefix / f".safeinstall/transactions/{first}.gone"
        cache = str(kept / f"replaced/{SITE}/one/__pycache__")
        assert area.stuck() == {str(kept): cache}
        assert [path for path in kept.rglob("*") if path.is_file()] == [
            Path(cache, "__init__.cpython-312.pyc")
        ]
        recovery = recover_store(area)
        assert recovery is not None
        assert recovery.direction == "litter"
        assert "Nothing to recover; 1 of what waits" in recovery.message
        install(prefix, [three])
        with area.lock():
            remove_distributions(area, dist_infos(prefix, [two]), command="uninstall two")
            undo_transaction(area)
            undo_transaction(area)
        assert not any("three" in name for name in tree(prefix))
        assert len(area.history()) == 5
        (said,) = diagnosis.undeletable(area.stuck())
    Path(cache).chmod(0o700)
    with as_ordinary(tmp_path, home):
        assert area.stuck() == {str(kept): cache}
    assert "belongs to root" in said.finding.context
    (way,) = said.finding.hint
    subprocess.run(["sh", "-c", way.command.replace("sudo ", "")], check=True)
    assert area.stuck() == {}


def test_what_the_file_system_keeps_stops_nothing(prefix: Path) -> None:
    install(prefix, [ONE_NEXT], [ONE])
    (folder,) = (prefix / ".safeinstall/transactions").iterdir()
    fixed = folder / "replaced/bin/one"
    if subprocess.run(["chattr", "+i", fixed], capture_output=True).returncode:
        pytest.skip("this file system has no such attribute")
    try:
        install(prefix, [package("two", "1.0")])
        area = Store.open(str(prefix))
        with area.lock():
            assert area.prune(keep=1) == (folder.name,)
        fixed = Path(f"{folder}.gone/replaced/bin/one")
        assert area.stuck() == {f"{folder}.gone": str(fixed)}
        install(prefix, [package("three", "1.0")])
        (said,) = diagnosis.undeletable(area.stuck())
        assert "chattr -R -i" in said.finding.hint[0].command
    finally:
        for path in (fixed, folder / "replaced/bin/one"):
            subprocess.run(["chattr", "-i", path], capture_output=True)


def break_journal(folder: Path) -> None:
    (folder / "journal.json").write_text("[" * 100_000)


def lose_journal(folder: Path) -> None:
    (folder / "journal.json").unlink()


def lose_state(folder: Path) -> None:
    (folder / "state.committed").unlink()


def break_state(folder: Path) -> None:
    (folder / "state.committed").rename(folder / "state.done")


def move_elsewhere(folder: Path) -> None:
    path = folder / "journal.json"
    path.write_text(path.read_text().replace('"to":"', '"to":"../'))


def change_number(folder: Path) -> None:
    path = folder / "journal.json"
    path.write_text(path.read_text().replace('"sequence":', '"sequence":1e400,"x":'))


@pytest.mark.parametrize(
    "damage",
    [break_journal, lose_journal, lose_state, break_state, move_elsewhere, change_number],
    ids=lambda damage: damage.__name__,
)
@pytest.mark.parametrize("place", range(3))
def test_one_damaged_journal_blocks_itself_alone(
    prefix: Path, damage: Callable[[Path], None], place: int
) -> None:
    ids = [install(prefix, [ONE_NEXT], [ONE]).id]
    states = [tree(prefix)]
    for name in ("two", "three"):
        ids.append(install(prefix, [package(name, "1.0")]).id)
        states.append(tree(prefix))
    damage(prefix / ".safeinstall/transactions" / ids[place])
    area = Store.open(str(prefix))
    recovery = recover_store(area)
    assert recovery is None or recovery.direction == "refused"
    assert list(area.refused()) == [ids[place]]
    assert [entry.id for entry in area.history()][::-1] == [i for i in ids if i != ids[place]]
    with area.lock():
        with pytest.raises(JournalError, match="nothing was touched"):
            undo_transaction(area, ids[place])
        if place == 2:
            with pytest.raises(UndoRefused, match=f"last transaction, {ids[2]}, cannot be read"):
                undo_transaction(area)
        else:
            undo_transaction(area)
            assert tree(prefix) == states[1]
        install_here(area, package("four", "1.0"))
        assert set(area.prune(keep=1)) >= {ids[0]} - {ids[place]}
        (said,) = diagnosis.refused(area.refused(), "doctor --fix")
        assert said.fix is not None
        aside = area.set_aside(said.fix.transaction)
    assert Path(aside, "replaced").is_dir()
    assert area.refused() == {}
    assert recover_store(area) is None


def install_here(area: Store, one: Package) -> None:
    begin(area, [one]).commit()


def test_a_damaged_list_of_files_keeps_no_other_transaction_from_undo(prefix: Path) -> None:
    before = tree(prefix)
    first = install(prefix, [ONE_NEXT], [ONE]).id
    second = install(prefix, [package("two", "1.0")]).id
    (prefix / ".safeinstall/transactions" / second / "files.json").write_text("{")
    with (area := Store.open(str(prefix))).lock():
        undo_transaction(area, first)
    assert {name for name in before if "one" in name} <= tree(prefix).keys()


@pytest.mark.skipif(not can_switch(), reason="only root can give files away")
@pytest.mark.parametrize("part", ["", "journal.json", "state.arriving", "stage", "replaced"])
def test_what_another_user_wrote_is_not_acted_on_not_even_by_root(prefix: Path, part: str) -> None:
    with pytest.raises(SystemExit):
        install(prefix, [ONE_NEXT], [ONE], disk=Dying("state.committed"))
    (folder,) = (prefix / ".safeinstall/transactions").iterdir()
    os.chown(folder / part, ORDINARY, ORDINARY)
    before = tree(prefix)
    recovery = recover_store(Store.open(str(prefix)))
    assert recovery is not None
    assert recovery.direction == "refused"
    assert f"belongs to another user (uid {ORDINARY})" in recovery.message
    assert tree(prefix) == before
    os.chown(folder / part, 0, 0)
    assert recover_store(Store.open(str(prefix)))


class Watching(Disk):
    """Asks before each change whether uv could begin now."""

    def __init__(self, lock: Path) -> None:
        self.lock = lock
        self.free: list[str] = []

    def before(self, operation: str, path: str) -> None:
        if operation == "rename" and ".safeinstall" not in path:
            with self.lock.open("r+") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self.free.append(path)
                except BlockingIOError:
                    self.free.append("")


@pytest.mark.parametrize("there", [True, False], ids=["uv was here", "uv was not"])
def test_uv_cannot_begin_while_anything_moves(prefix: Path, there: bool) -> None:
    if there:
        (prefix / ".lock").touch()
    disk = Watching(prefix / ".lock")
    install(prefix, [ONE_NEXT], [ONE], disk=disk)
    moved = len(disk.free)
    area = Store.open(str(prefix), disk=disk)
    with area.lock():
        undo_transaction(area)
    assert len(disk.free) > moved > 0
    with pytest.raises(SystemExit):
        install(prefix, [ONE_NEXT], [ONE], disk=Dying("state.arriving"))
    moved = len(disk.free)
    assert recover_store(area)
    assert len(disk.free) > moved
    assert set(disk.free) == {""}
    assert (prefix / ".lock").exists() is there


@pytest.mark.parametrize("what", ["commit", "undo", "recover"])
def test_who_waits_for_uv_in_vain_says_so_and_changes_nothing(
    prefix: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    area = Store.open(str(prefix))
    if what == "undo":
        install(prefix, [ONE_NEXT], [ONE])
    elif what == "recover":
        with pytest.raises(SystemExit):
            install(prefix, [ONE_NEXT], [ONE], disk=Dying("state.committed"))
    monkeypatch.setattr("safeinstall.transaction.store.lock._PATIENCE", 0.05)
    (prefix / ".lock").touch()
    before = tree(prefix)
    with (prefix / ".lock").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LockBusy, match="uv is changing this environment"):
            if what == "commit":
                install(prefix, [ONE_NEXT], [ONE])
            elif what == "undo":
                with area.lock():
                    undo_transaction(area)
            else:
                recover_store(area)
        assert tree(prefix) == before
    assert area.unfinished() is (what == "recover")


def test_a_lock_of_uv_that_a_killed_process_made_goes_with_recovery(prefix: Path) -> None:
    install(prefix, [ONE_NEXT], [ONE])
    for path in (prefix / ".lock", prefix / ".safeinstall/made-lock"):
        path.touch()
    assert is_pending(str(prefix))
    assert recover_store(Store.open(str(prefix))) is None
    assert not (prefix / ".lock").exists()
    assert not is_pending(str(prefix))


def test_what_another_program_installed_meanwhile_is_not_joined(prefix: Path) -> None:
    two, newer = package("two", "1.0"), Package("two", "3.0", {f"{SITE}/two/other.py": ""})
    with (area := Store.open(str(prefix))).lock():
        transaction = begin(area, [two])
        transaction.inspect([str(prefix / SITE)])
        newer.write(prefix)
        before = tree(prefix)
        with pytest.raises(TransactionError, match=r"two-3\.0\.dist-info came meanwhile"):
            transaction.commit()
        assert tree(prefix) == before


def test_what_another_program_removed_meanwhile_is_not_removed_again(prefix: Path) -> None:
    state = InstalledState([str(prefix / SITE)]).look()
    assert [row for info in state.distributions for row in info.record.rows]
    shutil.rmtree(prefix / ONE.dist_info)
    ONE_NEXT.write(prefix)
    before = tree(prefix)
    area, leaving = Store.open(str(prefix)), dist_infos(prefix, [ONE])
    with area.lock(), pytest.raises(TransactionError, match=r"one-1\.0\.dist-info"):
        remove_distributions(area, leaving, "uninstall one", known=state.distributions)
    assert tree(prefix) == before


def test_undo_does_not_join_what_another_program_installed_since(prefix: Path) -> None:
    with (area := Store.open(str(prefix))).lock():
        remove_distributions(area, dist_infos(prefix, [ONE]), command="uninstall one")
        newer = Package("one", "3.0", {f"{SITE}/one/other.py": ""})
        newer.write(prefix)
        before = tree(prefix)
        with pytest.raises(UndoRefused, match=r"one 3\.0 was installed since by another program"):
            undo_transaction(area)
    assert tree(prefix) == before
