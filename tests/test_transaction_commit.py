"""Commit and inspection: which moves are made, what stays, what is refused."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from safeinstall.distributions import Staged
from safeinstall.errors import EscapesPrefix, TransactionError
from safeinstall.findings import Finding
from safeinstall.guards import files
from safeinstall.metadata.distribution import InstalledState
from safeinstall.transaction.moves.disk import Disk, free_bytes
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.transaction import Transaction, remove_distributions
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

ONE, ONE_NEXT = package("one", "1.0"), package("one", "2.0")


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return environment(tmp_path / "env", [ONE])


class Inspected(NamedTuple):
    staged: Staged
    findings: tuple[Finding, ...]


def inspected(prefix: Path, *packages: Package, leaving: tuple[Package, ...] = ()) -> Inspected:
    area = Store.open(str(prefix))
    with area.lock():
        transaction = begin(area, packages)
        staged = transaction.inspect([str(prefix / SITE)], dist_infos(prefix, leaving))
        findings = files.examine(staged)
        transaction.abandon()
    return Inspected(staged, findings)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def codes(seen: Staged | Inspected) -> list[tuple[str, str]]:
    findings = seen.findings if isinstance(seen, Inspected) else files.examine(seen)
    return [(finding.code, finding.severity.value) for finding in findings]


def test_folders_of_one_distribution_move_with_one_rename_each(prefix: Path) -> None:
    done = install(prefix, [ONE_NEXT], [ONE])
    # out and in: one/, one-X.dist-info/, bin/one, share/ (nothing else lies in it)
    assert (done.moves_out, done.moves_in) == (4, 4)
    assert f"{SITE}/one/__init__.py" in done.replaced
    assert f"{SITE}/one-2.0.dist-info/RECORD" in done.added
    assert done.window_seconds < 1


def test_a_shared_folder_is_changed_file_by_file(prefix: Path) -> None:
    install(prefix, [Package("ns-a", "1", {f"{SITE}/ns/a.py": "a"})])
    done = install(prefix, [Package("ns-b", "1", {f"{SITE}/ns/b.py": "b"})])
    assert done.moves_in == 2
    assert names_in(prefix / SITE / "ns") == ["a.py", "b.py"]


def test_files_of_nobody_stay_where_they_are(prefix: Path) -> None:
    mine = prefix / SITE / "one/notes.txt"
    mine.write_text("mine")
    install(prefix, [ONE_NEXT], [ONE])
    assert mine.read_text() == "mine"
    assert "2.0" in (prefix / SITE / "one/__init__.py").read_text()


def test_a_link_to_a_folder_stays_where_it_is(prefix: Path) -> None:
    (prefix / SITE / "one/models").mkdir()
    (prefix / SITE / "one/models/older").symlink_to(prefix / "bin")
    install(prefix, [ONE_NEXT], [ONE])
    assert names_in(prefix / SITE / "one/models") == ["older"]


def test_bytecode_leaves_with_its_source_and_nothing_else_does(prefix: Path) -> None:
    flat = Package("flat", "1", {f"{SITE}/flat.py": "1"})
    install(prefix, [flat, Package("near", "1", {f"{SITE}/near.py": "1"})])
    stale, kept = compiled(prefix, f"{SITE}/flat.py"), compiled(prefix, f"{SITE}/near.py")
    inside = compiled(prefix, f"{SITE}/one/deep/inner.py")
    install(prefix, [Package("flat", "2", {f"{SITE}/flat.py": "2"}), ONE_NEXT], [flat, ONE])
    assert not stale.exists()
    assert not inside.exists()
    assert kept.exists()


def test_bytecode_of_a_source_that_was_deleted_is_not_believed(prefix: Path) -> None:
    source = prefix / SITE / "ghost.py"
    source.write_text("old")
    stale = compiled(prefix, f"{SITE}/ghost.py")
    source.unlink()
    before = tree(prefix)
    install(prefix, [Package("ghost", "1", {f"{SITE}/ghost.py": "new"})])
    assert not stale.exists()
    with (area := Store.open(str(prefix))).lock():
        undo_transaction(area)
    assert tree(prefix) == before


def test_a_file_that_another_distribution_also_owns_stays(prefix: Path) -> None:
    both = {f"{SITE}/tests/__init__.py": ""}
    left, right = Package("left", "1", both), Package("right", "1", both)
    assert codes(inspected(prefix, left, right)) == []
    install(prefix, [left])
    assert codes(inspected(prefix, right)) == []
    install(prefix, [right])
    with (area := Store.open(str(prefix))).lock():
        remove_distributions(area, dist_infos(prefix, [left]), command="uninstall left")
    assert (prefix / SITE / "tests/__init__.py").exists()


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("same.py", "./same.py"),
        ("deep/same.py", "deep//same.py"),
        ("deep/same.py", "deep/./same.py"),
        ("a\fb.py", "a\fb.py"),
        ("a\u2028b.py", "a\u2028b.py"),
    ],
)
def test_a_file_that_another_distribution_also_owns_stays_however_it_is_written(
    prefix: Path, name: str, written: str
) -> None:
    left, right = (Package(who, "1", {f"{SITE}/{name}": ""}) for who in ("left", "right"))
    install(prefix, [left])
    install(prefix, [right])
    record = prefix / right.dist_info / "RECORD"
    record.write_text(record.read_text("utf-8").replace(name, written), "utf-8")
    with (area := Store.open(str(prefix))).lock():
        remove_distributions(area, dist_infos(prefix, [left]), "uninstall left")
    assert (prefix / SITE / name).exists()


def test_lib_and_lib64_are_one_folder_when_one_links_to_the_other(prefix: Path) -> None:
    files = {
        f"{SITE}/mixed/__init__.py": "",
        "lib64/python3.12/site-packages/mixed/fast.so": "elf",
    }
    mixed = Package("mixed", "1", files)
    before = tree(prefix)
    install(prefix, [mixed])
    assert names_in(prefix / SITE / "mixed") == ["__init__.py", "fast.so"]
    with (area := Store.open(str(prefix))).lock():
        remove_distributions(area, dist_infos(prefix, [mixed]), command="uninstall")
    assert tree(prefix) == before


def test_only_what_was_asked_for_keeps_its_mark(prefix: Path) -> None:
    asked, needed = Package("asked", "1"), Package("needed", "1")
    with (area := Store.open(str(prefix))).lock():
        transaction = begin(area, [asked, needed])
        transaction.requested(["Asked"])
        assert codes(transaction.inspect([str(prefix / SITE)])) == []
        transaction.commit()
    assert (prefix / asked.dist_info / "REQUESTED").exists()
    assert not (prefix / needed.dist_info / "REQUESTED").exists()
    assert "REQUESTED" not in (prefix / needed.dist_info / "RECORD").read_text()


def test_a_staged_distribution_is_described(prefix: Path) -> None:
    staged, _ = inspected(prefix, package("Some.Thing", "3", **{f"{SITE}/extra.py": "x"}))
    (thing,) = staged.distributions
    assert (thing.name, thing.version) == ("Some.Thing", "3")
    assert thing.modules == ("extra",)  # `Some.Thing` is a folder that nothing can import
    assert thing.bytes == staged.bytes > 0
    assert free_bytes(str(prefix / "not/yet")) > 0


def script(name: str) -> Package:
    return Package("tool", "1", {f"bin/{name}": "#!python"})


@pytest.mark.parametrize("name", ["python", "python3", "python3.12", "pip", "pip3", "activate"])
def test_a_script_that_replaces_the_environment_itself_is_refused(prefix: Path, name: str) -> None:
    assert ("reserved-script", "refuse") in codes(inspected(prefix, script(name)))


@pytest.mark.parametrize("name", ["pip-audit", "pipx", "python-argcomplete", "pytest"])
def test_a_script_whose_name_only_looks_similar_is_welcome(prefix: Path, name: str) -> None:
    assert codes(inspected(prefix, script(name))) == []


def test_pip_may_bring_pip(prefix: Path) -> None:
    assert codes(inspected(prefix, Package("pip", "26", {"bin/pip": "", "bin/pip3": ""}))) == []


NAMESPACE = (
    "import sys, types, os;has_mfs = sys.version_info > (3, 5);p = os.path.join(sys._getframe(1)"
    ".f_locals['sitedir'], *('zope', 'interface'));importlib = has_mfs and __import__('importlib."
    "util');has_mfs and __import__('importlib.machinery');m = has_mfs and sys.modules.setdefault("
    "'zope.interface', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec("
    "'zope.interface', [os.path.dirname(p)])));m = m or sys.modules.setdefault('zope.interface', "
    "types.ModuleType('zope.interface'));mp = (m or []) and m.__dict__.setdefault('__path__',[]);"
    "(p not in mp) and mp.append(p);m and setattr(sys.modules['zope'], 'interface', m)"
)
SHIM = (
    "import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'"
    "; enabled and __import__('_distutils_hack').add_shim(); \n"
)
MEGABYTES = "# nothing to see\n" * 150_000


@pytest.mark.attack("start-up code in wheels")
@pytest.mark.parametrize(
    ("text", "name", "severity"),
    [
        ("import evil\n", "evil.pth", "confirm"),
        ("/some/folder\n", "path.pth", "info"),
        ("import _x; _x.install()\n", "__editable__.x-1.0.finder.pth", "confirm"),
        ("import os; exec(1)\n", "distutils-precedence.pth", "confirm"),
        ("import os; exec(1)\n", "x-nspkg.pth", "confirm"),
        (SHIM, "distutils-precedence.pth", "confirm"),  # of setuptools, which this is not
        (NAMESPACE, "any.pth", "info"),
        (NAMESPACE.replace("types.ModuleType", "evil.ModuleType"), "x-nspkg.pth", "confirm"),
        (f"{NAMESPACE}; import evil", "x-nspkg.pth", "confirm"),
        (f"{NAMESPACE}\nimport evil", "x-nspkg.pth", "confirm"),
        ("\ufeffimport evil\n", "bom.pth", "confirm"),
        ("# a\x0cimport evil\n", "form-feed.pth", "confirm"),
        ("# a\u2028import evil\n", "separator.pth", "confirm"),
        ("# a\x85import evil\n", "next-line.pth", "confirm"),
        ("# a\rimport evil\n", "return.pth", "confirm"),
        ("import\tevil\n", "tab.pth", "confirm"),
        (f"{MEGABYTES}import evil\n", "long.pth", "confirm"),
        ("./sub\nimport evil", "both.pth", "confirm"),
    ],
)
def test_start_up_code_is_named(prefix: Path, text: str, name: str, severity: str) -> None:
    staged = inspected(prefix, Package("starter", "1", {f"{SITE}/{name}": text}))
    assert codes(staged) == [("startup-code", severity)]


def test_what_leads_to_an_editable_project_is_expected_where_one_was_asked_for(
    prefix: Path,
) -> None:
    package = Package("mine", "1", {f"{SITE}/_mine.pth": "import _mine_loader"})
    with (area := Store.open(str(prefix))).lock():
        staged = begin(area, [package]).inspect([], dist_infos(prefix, [ONE]))
    for editable, severity in (((), "confirm"), (("other",), "confirm"), (("mine",), "info")):
        [finding] = files.examine(staged, editable=editable)
        assert finding.severity.value == severity


@pytest.mark.parametrize("name", ["setuptools", "Setuptools"])
def test_what_setuptools_itself_runs_is_no_question(prefix: Path, name: str) -> None:
    staged = inspected(prefix, Package(name, "84", {f"{SITE}/distutils-precedence.pth": SHIM}))
    assert codes(staged) == [("startup-code", "info")]


@pytest.mark.attack("start-up code in wheels")
@pytest.mark.parametrize(
    "files",
    [
        {f"{SITE}/sitecustomize.py": ""},
        {f"{SITE}/usercustomize.py": ""},
        {f"{SITE}/sitecustomize.pyc": ""},
        {f"{SITE}/sitecustomize.cpython-311-x86_64-linux-gnu.so": ""},
        {f"{SITE}/sitecustomize.abi3.so": ""},
        {f"{SITE}/usercustomize/__init__.py": ""},
        {f"{SITE}/path.pth": "inner\n", f"{SITE}/inner/sitecustomize.py": ""},
        {f"{SITE}/path.pth": "./in/ner\n", f"{SITE}/in/ner/usercustomize/__init__.py": ""},
        {SITE.replace("lib/", "lib64/") + "/evil.pth": "import evil"},
        {SITE.replace("lib/", "lib64/") + "/sitecustomize.py": ""},
        {SITE.rpartition("/")[0] + "/sitecustomize.py": ""},
    ],
    ids=lambda files: " ".join(files),
)
def test_what_python_runs_at_its_start_is_asked_about(prefix: Path, files: dict[str, str]) -> None:
    found = codes(inspected(prefix, Package("starter", "1", files)))
    assert ("startup-code", "confirm") in found


@pytest.mark.parametrize(
    "file", ["pkg/sitecustomize.py", "sitecustomize.txt", "my_sitecustomize.py", "pkg/data.pth"]
)
def test_what_only_looks_like_it_is_no_question(prefix: Path, file: str) -> None:
    assert codes(inspected(prefix, Package("starter", "1", {f"{SITE}/{file}": "import x"}))) == []


def test_a_folder_of_others_whose_code_runs_at_the_start_is_asked_about(
    prefix: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "sitecustomize.py").touch()
    package = Package("starter", "1", {f"{SITE}/path.pth": f"{folder}\n"})
    assert ("startup-code", "confirm") in codes(inspected(prefix, package))


def test_something_enormous_is_asked_about(prefix: Path) -> None:
    with (area := Store.open(str(prefix))).lock():
        transaction = begin(area, [ONE_NEXT])
        staged = transaction.inspect([], dist_infos(prefix, [ONE]))
    assert [each.code for each in files.examine(staged, max_bytes=10)] == ["too-big"]
    assert files.examine(staged, max_bytes=10)[0].severity.value == "confirm"


@pytest.mark.parametrize(("full", "found"), [(False, [("too-big", "confirm")]), (True, [])])
def test_a_huge_file_of_nothing_is_asked_about_and_a_full_one_is_not(
    tmp_path: Path, full: bool, found: list[tuple[str, str]]
) -> None:
    file = tmp_path / "data.bin"
    with file.open("wb") as data:
        data.truncate(101 * 2**20)
        if full:
            data.seek(-(2**18), os.SEEK_END)
            data.write(os.urandom(2**18))
    findings = files.zip_bombs(str(tmp_path), {"data.bin": file.stat().st_size})
    assert [(finding.code, finding.severity.value) for finding in findings] == found


def tamper(stage: Path) -> None:
    (stage / SITE / "one/__init__.py").write_text("version = '6.6'\n")


def shorten(stage: Path) -> None:
    (stage / SITE / "one/__init__.py").write_text("")


def lose(stage: Path) -> None:
    (stage / SITE / "one/__init__.py").unlink()


def smuggle(stage: Path) -> None:
    (stage / SITE / "one/smuggled.py").write_text("x")


def forget_record(stage: Path) -> None:
    (stage / ONE_NEXT.dist_info / "RECORD").unlink()


def append_line(line: str) -> Callable[[Path], None]:
    def append(stage: Path) -> None:
        with (stage / ONE_NEXT.dist_info / "RECORD").open("a") as file:
            file.write(line)

    return append


def link(stage: Path) -> None:
    (stage / SITE / "one/link.py").symlink_to("/etc/passwd")


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (tamper, [("record-mismatch", "refuse")]),
        (shorten, [("record-mismatch", "refuse")]),
        (lose, [("record-mismatch", "warning")]),
        (smuggle, [("record-mismatch", "warning")]),
        (forget_record, [("record-mismatch", "refuse"), ("record-mismatch", "warning")]),
        (
            append_line("../../../../outside,,\n"),
            [("escapes-prefix", "refuse"), ("record-mismatch", "warning")],
        ),
        (link, [("escapes-prefix", "refuse")]),
        (
            append_line('"' + "x" * 200_000),
            [("record-mismatch", "refuse"), ("record-mismatch", "warning")],
        ),
        (append_line("one/deep/inner.py,sha256=no,\u00b2\n"), [("record-mismatch", "refuse")]),
        (append_line("one/deep/inner.py,shake_128=no,\n"), []),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_damage_in_the_stage_is_found(
    prefix: Path, damage: Callable[[Path], None], expected: list[tuple[str, str]]
) -> None:
    with (area := Store.open(str(prefix))).lock():
        transaction = begin(area, [ONE_NEXT])
        damage(Path(transaction.stage))
        staged = transaction.inspect([str(prefix / SITE)], dist_infos(prefix, [ONE]))
    assert codes(staged) == expected


def test_a_folder_that_leads_out_of_the_environment_is_refused(
    prefix: Path, tmp_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (prefix / "etc").symlink_to(tmp_path / "elsewhere")
    outgoing = Package("outgoing", "1", {"etc/settings": "x"})
    assert ("escapes-prefix", "refuse") in codes(inspected(prefix, outgoing))
    with pytest.raises(TransactionError) as raised:
        install(prefix, [outgoing])
    assert raised.value.code == "escapes-prefix"


def test_a_file_of_another_distribution_is_never_replaced(prefix: Path) -> None:
    thief = Package("thief", "1", {f"{SITE}/one/__init__.py": "stolen\n"})
    seen = inspected(prefix, thief)
    assert codes(seen) == [("file-collision", "refuse")]
    assert "belongs to one" in seen.findings[0].message
    before = tree(prefix)
    with pytest.raises(TransactionError) as raised:
        install(prefix, [thief])
    assert raised.value.code == "file-collision"
    assert tree(prefix) == before


def test_a_file_of_nobody_is_set_aside_when_allowed_and_undo_puts_it_back(prefix: Path) -> None:
    (prefix / SITE / "mine.py").write_text("mine")
    before = tree(prefix)
    newcomer = Package("newcomer", "1", {f"{SITE}/mine.py": "theirs"})
    seen = inspected(prefix, newcomer)
    assert codes(seen) == [("file-collision", "confirm")]
    with (area := Store.open(str(prefix))).lock():
        begin(area, [newcomer]).commit(replacing=seen.staged.unowned)
        assert (prefix / SITE / "mine.py").read_text() == "theirs"
        undo_transaction(area)
    assert tree(prefix) == before


def put_file(path: Path) -> None:
    path.write_text("of nobody")


def put_dangling_link(path: Path) -> None:
    path.symlink_to("/nowhere")


def put_folder(path: Path) -> None:
    path.mkdir()
    (path / "notes.txt").write_text("of nobody")


@pytest.mark.parametrize(
    ("name", "put"),
    [("new", put_file), ("new", put_dangling_link), ("new.py", put_folder)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_folder_takes_the_place_of_a_file_and_a_file_that_of_a_folder_when_allowed(
    prefix: Path, name: str, put: Callable[[Path], None]
) -> None:
    put(prefix / SITE / name)
    before = tree(prefix)
    module = name if name.endswith(".py") else f"{name}/__init__.py"
    with (area := Store.open(str(prefix))).lock():
        transaction = begin(area, [Package("new", "1", {f"{SITE}/{module}": "x"})])
        staged = transaction.inspect([str(prefix / SITE)])
        assert codes(staged) == [("file-collision", "confirm")]
        transaction.commit(replacing=staged.unowned)
        assert (prefix / SITE / module).read_text() == "x"
        undone = undo_transaction(area).id
        assert tree(prefix) == before
        undo_transaction(area, undone)
        undo_transaction(area)
    assert tree(prefix) == before


def test_two_staged_distributions_with_one_file_are_asked_about(prefix: Path) -> None:
    left = Package("left", "1", {f"{SITE}/same.py": "left"})
    right = Package("right", "1", {f"{SITE}/same.py": "right"})
    assert codes(inspected(prefix, left, right)) == [("file-collision", "confirm")]


def test_a_record_that_points_outside_keeps_the_distribution_in_place(prefix: Path) -> None:
    with (prefix / ONE.dist_info / "RECORD").open("a") as file:
        file.write("../../../../precious.txt,,\n")
    before = tree(prefix)
    with pytest.raises(EscapesPrefix):
        install(prefix, [ONE_NEXT], [ONE])
    assert tree(prefix) == before


def test_without_a_record_nothing_is_removed(prefix: Path) -> None:
    (prefix / ONE.dist_info / "RECORD").unlink()
    with pytest.raises(TransactionError) as raised:
        install(prefix, [ONE_NEXT], [ONE])
    assert raised.value.code == "no-record"


@pytest.mark.parametrize(
    "damage", ['"' + "x" * 200_000, "\u00e9.py"], ids=["a quote that never ends", "latin-1"]
)
def test_what_has_a_record_that_cannot_be_read_is_not_removed(prefix: Path, damage: str) -> None:
    with (prefix / ONE.dist_info / "RECORD").open("a", encoding="latin-1") as file:
        file.write(damage)
    with pytest.raises(TransactionError) as raised:
        install(prefix, [ONE_NEXT], [ONE])
    assert raised.value.code == "no-record"


def test_the_interpreter_never_leaves(prefix: Path) -> None:
    with (prefix / ONE.dist_info / "RECORD").open("a") as file:
        file.write("../../../pyvenv.cfg,,\n../../../bin/python,,\n")
    install(prefix, [ONE_NEXT], [ONE])
    assert (prefix / "pyvenv.cfg").exists()
    assert (prefix / "bin/python").exists()


class Failing(Disk):
    """Fails at the N-th rename of something in the environment."""

    def __init__(self, fails_at: int, error: int = errno.EACCES) -> None:
        self.left, self.error = fails_at, error

    def rename(self, source: str, target: str) -> None:
        if (".safeinstall/" in source) != (".safeinstall/" in target):
            self.left -= 1
            if self.left == 0:
                raise OSError(self.error, os.strerror(self.error), source)
        super().rename(source, target)


@pytest.mark.parametrize("fails_at", range(1, 9))
def test_a_rename_that_fails_puts_everything_back(prefix: Path, fails_at: int) -> None:
    before = tree(prefix)
    with pytest.raises(TransactionError) as raised:
        install(prefix, [ONE_NEXT], [ONE], disk=Failing(fails_at))
    assert "put back" in str(raised.value)
    assert tree(prefix) == before
    assert not Store.open(str(prefix)).unfinished()


def test_what_somebody_else_creates_meanwhile_is_not_overwritten(prefix: Path) -> None:
    place = prefix / "bin/one"

    class Meddled(Disk):
        def rename(self, source: str, target: str) -> None:
            super().rename(source, target)
            if "state.arriving" in target:
                place.write_text("foreign")

    before = tree(prefix)
    with pytest.raises(TransactionError, match="appeared"):
        install(prefix, [ONE_NEXT], [ONE], disk=Meddled())
    assert {name for name, entry in tree(prefix).items() if entry != before.get(name)} == set()


def test_an_interrupt_waits_until_the_commit_is_over(prefix: Path) -> None:
    class Interrupted(Disk):
        def rename(self, source: str, target: str) -> None:
            if source.endswith("bin/one"):
                signal.raise_signal(signal.SIGINT)
            super().rename(source, target)

    with pytest.raises(KeyboardInterrupt):
        install(prefix, [ONE_NEXT], [ONE], disk=Interrupted())
    assert "2.0" in (prefix / SITE / "one/__init__.py").read_text()
    assert [entry.state for entry in Store.open(str(prefix)).history()] == ["committed"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_commit_works_in_another_thread(prefix: Path) -> None:
    worker = threading.Thread(target=install, args=(prefix, [ONE_NEXT], [ONE]))
    worker.start()
    worker.join()
    assert "2.0" in (prefix / SITE / "one/__init__.py").read_text()


def test_rollback_after_commit_is_exact_although_python_compiled_the_new_files(
    prefix: Path,
) -> None:
    flat, flat_next = (Package("flat", v, {f"{SITE}/flat.py": v}) for v in ("1", "2"))
    install(prefix, [flat])
    compiled(prefix, f"{SITE}/flat.py")
    before = tree(prefix)
    with (area := Store.open(str(prefix))).lock():
        transaction: Transaction = begin(area, [flat_next])
        transaction.commit(leaving=dist_infos(prefix, [flat]))
        compiled(prefix, f"{SITE}/flat.py")
        transaction.rollback()
        transaction.rollback()  # once is enough, twice does no harm
        assert tree(prefix) == before
        assert len(area.history()) == 1


def test_the_fingerprint_changes_with_what_is_installed(prefix: Path) -> None:
    before = InstalledState([str(prefix / SITE), str(prefix / "missing")])
    assert InstalledState([str(prefix / SITE), str(prefix / "missing")]) == before
    assert before.holds()
    install(prefix, [ONE_NEXT], [ONE])
    assert InstalledState([str(prefix / SITE), str(prefix / "missing")]) != before
    assert not before.holds()


@pytest.mark.parametrize("folder", ["one/deep", "one/idle", "one/idle/inner"])
def test_moves_are_planned_anew_when_something_came_into_a_folder_meanwhile(
    prefix: Path, folder: str
) -> None:
    (prefix / SITE / "one/idle/inner").mkdir(parents=True)
    with (area := Store.open(str(prefix))).lock():
        transaction = begin(area, [ONE_NEXT])
        leaving = dist_infos(prefix, [ONE])
        assert codes(transaction.inspect([str(prefix / SITE)], leaving)) == []
        (prefix / SITE / folder / "notes.txt").write_text("of somebody else")
        transaction.commit(leaving)
    assert (prefix / SITE / folder / "notes.txt").read_text() == "of somebody else"
    assert "2.0" in (prefix / SITE / "one/deep/inner.py").read_text()


def test_a_folder_of_packages_may_be_a_link_inside_the_environment(tmp_path: Path) -> None:
    prefix = environment(tmp_path / "env", [ONE])
    (prefix / SITE / "one").rename(prefix / "share" / "moved")
    (prefix / SITE / "one").symlink_to("../../../share/moved")
    (prefix / "share" / "moved" / "mine.txt").write_text("keeps the folder")
    install(prefix, [ONE_NEXT], [ONE])
    assert "2.0" in (prefix / SITE / "one/deep/inner.py").read_text()
    recover_store(Store.open(str(prefix)))
    with (area := Store.open(str(prefix))).lock():
        undo_transaction(area)
    assert "1.0" in (prefix / SITE / "one/deep/inner.py").read_text()
