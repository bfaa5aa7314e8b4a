"""What the doctor says, from evidence alone."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from safeinstall.doctor import diagnosis as judge
from safeinstall.doctor.collect import installed, leftover_paths
from safeinstall.doctor.diagnosis import Fix, Installed, Rewrite, Script
from safeinstall.doctor.mend import activate_names, activate_rewrites, home_problem, scripts
from safeinstall.errors import SafeInstallError
from safeinstall.frontend import NOTEBOOK
from safeinstall.render.layout import anonymous
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.undo import NewFile, repair, undo_transaction

WORDS = NOTEBOOK


def dist(name: str = "a", version: str = "1.0", **more: object) -> Installed:
    folder = str(more.pop("folder", "/p/site"))
    plain = Installed(
        name=name,
        version=version,
        folder=folder,
        metadata=f"{folder}/{name}-{version}.dist-info",
        installer="uv",
        listed=2,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def codes(diagnoses: object) -> list[str]:
    return [diagnosis.finding.code for diagnosis in diagnoses]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("found", "code", "curable"),
    [
        (dist(has_metadata=False), "empty-metadata", True),
        (dist(has_record=False), "no-record", False),
        (dist(missing=("x.py", "y.py")), "code-missing", True),
        (dist(missing=("x.py",)), "files-missing", False),
        (dist(changed=("x.py",)), "record-mismatch", False),
    ],
)
def test_a_broken_distribution(found: Installed, code: str, curable: bool) -> None:
    [diagnosis] = judge.broken([found], WORDS)
    assert diagnosis.finding.code == code
    assert (diagnosis.fix is not None) == curable
    if code != "empty-metadata":
        assert diagnosis.finding.hint[0].command == "%safeinstall --force-reinstall a==1.0"


@pytest.mark.parametrize(("mine", "line"), [(True, "chmod -R u+rX"), (False, "sudo chmod -R a+rX")])
def test_who_may_not_read_is_told_what_opens_it(mine: bool, line: str) -> None:
    [diagnosis] = judge.broken([dist(unreadable=True, mine=mine)], WORDS)
    assert diagnosis.finding.hint[0].command == f"{line} /p/site/a-1.0.dist-info"


@pytest.mark.parametrize("installer", ["debian", "conda", ""])
def test_whoever_keeps_no_record_is_not_blamed_for_it(installer: str) -> None:
    assert codes(judge.broken([dist(has_record=False, installer=installer)], WORDS)) == []


def test_two_versions_are_cured_only_when_one_is_complete() -> None:
    whole, stale = dist(), dist(version="0.9", missing=("x",))
    [diagnosis] = judge.twice([whole, stale], WORDS)
    assert diagnosis.fix is not None
    assert diagnosis.fix.aside == (stale.metadata,)
    [undecided] = judge.twice([whole, dist(version="0.9")], WORDS)
    assert undecided.fix is None
    assert undecided.finding.hint[0].command == "%safeinstall --force-reinstall a==1.0"


def test_requirements_are_weighed_with_their_markers() -> None:
    markers = {"python_version": "3.12", "extra": ""}
    wants = dist("wants", requires=(
        "a>=2", "gone", "never; python_version<'3'", "test; extra=='test'", "not a requirement!",
    ))  # fmt: skip
    assert codes(judge.conflicts([dist(), wants], markers, WORDS)) == [
        "conflict",
        "requirement-missing",
    ]
    assert codes(judge.conflicts([wants], markers, WORDS, also=[dist(version="2.0")])) == [
        "requirement-missing"
    ]


def test_the_copy_that_wins_is_named_and_equal_copies_are_a_remark() -> None:
    other = dist(version="2.0", folder="/home/ana/.local/site")
    [diagnosis] = judge.copies([other, dist()], {other.folder: "your user site"})
    assert "a 2.0 is imported from /home/ana/.local/site (your user site)" in (
        diagnosis.finding.message
    )
    [same] = judge.copies([dist(folder="/x"), dist()], {})
    assert same.finding.severity.value == "info"


def test_scripts_of_nobody_are_left_alone() -> None:
    stale = Script(path="/p/bin/x", interpreter="/gone/python", exists=False, own=False)
    assert codes(judge.scripts([stale], {}, "/p")) == []
    fixes = {"/p/bin/x": (Rewrite(path="/p/bin/x"),)}
    assert codes(judge.scripts([stale], fixes, "/p")) == ["stale-shebang"]


def test_a_folder_of_packages_is_held_against_its_records(tmp_path: Path) -> None:
    info = tmp_path / "pkg-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: Pkg\nVersion: 1.0\nRequires-Dist: a\n\nBody: no\n")
    (info / "INSTALLER").write_text("uv\n")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "here.py").write_text("12345")
    (info / "RECORD").write_text(
        'pkg/here.py,sha256=x,4\npkg/gone.py,sha256=x,1\n"pkg/a,b.py",,\npkg-1.0.dist-info/RECORD,,\n'
    )
    (tmp_path / "~kg").mkdir()
    (tmp_path / ".tmpAbC123").mkdir()
    [found] = installed([str(tmp_path)])
    assert (found.name, found.version, found.installer) == ("Pkg", "1.0", "uv")
    assert found.requires == ("a",)
    assert found.missing == ("pkg/gone.py", "pkg/a,b.py")
    assert found.changed == ("pkg/here.py",)
    assert found.modules == ("pkg",)
    assert [Path(path).name for path in leftover_paths([str(tmp_path)])] == [".tmpAbC123", "~kg"]


def test_scripts_are_read_with_both_kinds_of_first_line(tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    long = "/a/long path/bin/python"
    (folder / "long").write_text(f"#!/bin/sh\n'''exec' \"{long}\" \"$0\" \"$@\"\n' '''\nimport x\n")
    (folder / "short").write_text("#!/gone/python3.9\nimport x\n")
    (folder / "shell").write_text("#!/bin/sh\necho\n")
    (folder / "binary").write_bytes(b"\x7fELF")
    found = {Path(each.path).name: each.interpreter for each in scripts(str(folder), "/p/python")}
    assert found == {"long": long, "short": "/gone/python3.9"}


def test_a_home_that_is_gone_and_a_place_that_changed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "pyvenv.cfg").write_text("home = /gone/bin\n")
    (tmp_path / "bin" / "activate").write_text("VIRTUAL_ENV='/old/place'\nexport VIRTUAL_ENV\n")
    assert home_problem(str(tmp_path)) == ("/gone/bin", "which is not there any more")
    assert activate_names(str(tmp_path)) == "/old/place"
    assert codes(judge.moved("/old/place", str(tmp_path), (), WORDS)) == ["moved-environment"]
    assert codes(judge.moved(str(tmp_path), str(tmp_path), (), WORDS)) == []


@pytest.mark.parametrize("place", ["/tmp/ana's env", "/tmp/my env", "/plain"])
def test_a_quoted_path_in_activate_is_read_as_a_shell_reads_it(tmp_path: Path, place: str) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "activate").write_text(f"VIRTUAL_ENV={shlex.quote(place)}\n")
    assert activate_names(str(tmp_path)) == place
    rewrites = activate_rewrites(str(tmp_path), place)
    assert bool(rewrites) == ("'" not in place), "what is hard to quote is not written anew"
    [moved] = judge.moved(place, str(tmp_path), rewrites, WORDS)
    assert (moved.fix is None) == bool(moved.finding.hint)


def test_a_repair_is_a_transaction_that_undo_takes_back(tmp_path: Path) -> None:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "~x").mkdir()
    (tmp_path / "lib" / "~x" / "f").write_text("1")
    (tmp_path / "cfg").write_text("old")
    (tmp_path / "link").symlink_to("/gone")
    area = Store.open(str(tmp_path))
    files = {str(tmp_path / "cfg"): NewFile(b"new"), str(tmp_path / "link"): NewFile(b"", link="/")}
    with area.lock():
        repair(area, [str(tmp_path / "lib" / "~x")], files, "repair")
        assert not (tmp_path / "lib" / "~x").exists()
        assert (tmp_path / "cfg").read_text() == "new"
        assert str((tmp_path / "link").readlink()) == "/"
        undo_transaction(area)
    assert (tmp_path / "lib" / "~x" / "f").read_text() == "1"
    assert (tmp_path / "cfg").read_text() == "old"
    assert str((tmp_path / "link").readlink()) == "/gone"


def test_a_repair_never_leaves_the_environment(tmp_path: Path) -> None:
    inside, outside = tmp_path / "env", tmp_path / "outside"
    inside.mkdir()
    outside.write_text("mine")
    area = Store.open(str(inside))
    with area.lock(), pytest.raises(SafeInstallError):
        repair(area, [str(outside)], {}, "repair")
    assert outside.read_text() == "mine"
    assert not area.unfinished()


def test_nobody_is_named_in_a_bug_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOGNAME", "ana")
    text = "ana at /home/ana/x and /home/bob/y, https://u:pw@h/simple, banana, /Users/eve/z"
    assert anonymous(text, "/home/ana") == (
        "USER at ~/x and /home/USER/y, https://****@h/simple, banana, /Users/USER/z"
    )


def test_a_fix_says_what_it_does() -> None:
    assert Fix(words="set x aside").words
