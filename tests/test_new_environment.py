"""The parts of a new environment that need no process: line, place, mark and finder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from safeinstall.errors import SafeInstallError
from safeinstall.frontend import TERMINAL
from safeinstall.interpreter import find_python, installed_pythons
from safeinstall.operations.context import Context
from safeinstall.operations.environments import check, place_of
from safeinstall.operations.environments.overlay import overlay_lines, sees_base
from safeinstall.request import parse
from safeinstall.transaction.in_progress import MARK, Making, left_behind, only_begun
from support.reports import environment


def context(home: Path, **environ: str) -> Context:
    settings = {"HOME": str(home), **environ}
    return Context(environment=environment(), live=False, environ=settings, cwd=str(home))


@pytest.mark.parametrize(
    ("line", "place", "items"),
    [
        ("--new-env pandas", "/w/.venv", ["pandas"]),
        ("--new-env .venv pandas", "/w/.venv", ["pandas"]),
        ("--new-env ./x/y pandas", "/w/x/y", ["pandas"]),
        ("--new-env=x/y", "/w/x/y", []),
        ("--new-env=science pandas", "science", ["pandas"]),
        ("pandas --new-env", "/w/.venv", ["pandas"]),
        ("--new-env /abs/e a b", "/abs/e", ["a", "b"]),
    ],
)
def test_a_bare_word_is_a_requirement_and_a_path_is_the_place(
    line: str, place: str, items: list[str]
) -> None:
    request = parse(line, cwd="/w")
    assert request.new_env == place
    assert [item.text for item in request.items] == items
    assert parse(request.display(), cwd="/w") == request


def test_the_home_of_nobody_is_no_place() -> None:
    with pytest.raises(SafeInstallError, match="nobody called `nobody-of-that-name`") as caught:
        parse("--new-env ~nobody-of-that-name/x pandas", cwd="/w")
    assert caught.value.hint == "%safeinstall --new-env pandas"


def test_the_python_is_chosen_with_it_and_only_with_it() -> None:
    assert parse("--new-env --python 3.12 a", cwd="/w").python == "3.12"
    with pytest.raises(SafeInstallError, match="command line only"):
        parse("--python 3.12 a", cwd="/w")
    assert parse(["--overlay", "--new-env=/e"], cwd="/w", frontend=TERMINAL).overlay


@pytest.mark.parametrize(
    ("asked", "label", "kernel"),
    [
        ("/home/ana/proj/.venv", ".venv in proj", "proj-venv"),
        ("/home/ana/proj/tools", "tools in proj", "tools"),
        ("science", "science", "science"),
    ],
)
def test_an_environment_and_its_kernel_have_readable_names(
    asked: str, label: str, kernel: str
) -> None:
    place = place_of(asked, "/home/ana")
    assert (place.label, place.kernel) == (label, kernel)
    assert place.display_name("3.12") == f"Python 3.12 ({label})"


def test_a_name_lies_where_jupyter_keeps_what_is_the_users(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(own_home / "data"))
    place = place_of("science", str(own_home))
    assert place.path == str(own_home / "data" / "safeinstall" / "environments" / "science")


def test_an_occupied_place_is_refused_with_the_line_for_a_free_one(tmp_path: Path) -> None:
    (tmp_path / "pyvenv.cfg").touch()
    with pytest.raises(SafeInstallError) as caught:
        check(place_of(str(tmp_path), "/"), lambda other: f"the line for {other}")
    assert caught.value.code == "place-taken"
    assert caught.value.hint == f"the line for {tmp_path}-2"


def test_another_name_is_offered_where_a_name_is_taken_and_one_where_a_folder_is_none(
    own_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(own_home / "data"))
    taken = place_of("science", str(own_home))
    Path(taken.path).mkdir(parents=True)
    Path(taken.path, "mine").touch()
    with pytest.raises(SafeInstallError) as caught:
        check(taken, lambda other: f"the line for {other}")
    assert caught.value.hint == "the line for science-2"
    (tmp_path / "file").touch()
    with pytest.raises(SafeInstallError) as caught:
        check(place_of(str(tmp_path / "file" / "my work"), "/"), lambda other: f"for {other}")
    assert (caught.value.code, caught.value.hint) == ("place-not-writable", "for my-work")


def test_a_link_to_a_place_is_called_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(SafeInstallError, match=r"link is a link to .*real; it is left as it is"):
        check(place_of(str(tmp_path / "link"), "/"), lambda other: f"the line for {other}")


def test_what_is_made_goes_without_a_trace(tmp_path: Path) -> None:
    place = tmp_path / "a" / "b" / "env"
    making = Making(str(place))
    making.begin()
    (place / "lib").mkdir()
    spec = tmp_path / "spec"
    making.registers(str(spec))
    spec.mkdir()
    assert left_behind(str(place)) is None, "its process is alive"
    assert making.undo() == ""
    assert not spec.exists()
    assert not (tmp_path / "a").exists()


def test_what_others_made_meanwhile_is_not_taken_away(tmp_path: Path) -> None:
    theirs = tmp_path / "env"
    making = Making(str(theirs))
    theirs.mkdir()
    (theirs / "pyvenv.cfg").touch()
    making.undo()  # it failed before it had begun
    assert (theirs / "pyvenv.cfg").exists()
    with pytest.raises(SafeInstallError, match="left as it is") as caught:
        making.begin()
    making.undo()
    assert caught.value.code == "place-taken"
    assert [path.name for path in theirs.iterdir()] == ["pyvenv.cfg"]


def test_of_two_that_begin_at_the_same_place_one_goes_on(tmp_path: Path) -> None:
    one, two = Making(str(tmp_path / "env")), Making(str(tmp_path / "env"))
    one.begin()
    with pytest.raises(SafeInstallError, match="being made by another"):
        two.begin()
    two.undo()
    assert (tmp_path / "env" / MARK).exists()
    one.undo()
    assert not (tmp_path / "env").exists()


def test_what_somebody_put_there_meanwhile_stays_and_is_named(tmp_path: Path) -> None:
    place = tmp_path / "env"
    making = Making(str(place))
    making.begin()
    for name in ("lib", "notes", "share", ".safeinstall"):
        (place / name).mkdir()
        (place / name / "file").touch()
    (place / "mynotes.py").touch()
    assert "notes" in making.undo()
    assert sorted(path.name for path in place.iterdir()) == ["mynotes.py", "notes"]
    assert (place / "notes" / "file").exists()


def test_the_users_own_kernelspec_comes_back_byte_for_byte(tmp_path: Path) -> None:
    making = Making(str(tmp_path / "env"))
    making.begin()
    file, aside = tmp_path / "kernel.json", tmp_path / "kernel.json.old"
    making.keeps(str(file), str(aside))
    aside.write_bytes(b"mine")
    file.write_bytes(b"ours")
    making.undo()
    assert (file.read_bytes(), aside.exists()) == (b"mine", False)


def die_in(code: str, *words: str) -> None:
    start = "import os, shutil, sys\nfrom pathlib import Path\n"
    start += "from safeinstall.transaction import in_progress\n"
    start += "making = in_progress.Making(sys.argv[1])\n"
    command = [sys.executable, "-c", start + code, *words]
    assert subprocess.run(command, check=False).returncode == 9


def test_the_mark_goes_last_so_that_a_kill_in_between_is_recognised(tmp_path: Path) -> None:
    code = (
        "making.begin()\n"
        "for name in ('bin', '.gitignore', 'share'):\n"
        "    Path(sys.argv[1], name).mkdir()\n"
        "shutil.rmtree = lambda *a, **k: os._exit(9)\n"
        "making.undo()\n"
    )
    die_in(code, str(tmp_path / "env"))
    assert left_behind(str(tmp_path / "env")) is not None


@pytest.mark.parametrize(
    "point", ["os.mkdir", "os.link", "os.unlink", "os.stat", "Path.write_text", "os.replace"]
)
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_who_died_while_the_mark_was_written_leaves_a_free_place(
    tmp_path: Path, point: str, after: bool
) -> None:
    code = (
        f"real = {point}\n"
        "def dies(*words, **more):\n"
        f"    if {after}: real(*words, **more)\n"
        "    os._exit(9)\n"
        f"{point} = dies\n"
        "making.begin(); making.stands(); os._exit(9)\n"
    )
    place = tmp_path / "env"
    die_in(code, str(place))
    assert not place.exists() or only_begun(str(place))
    again = Making(str(place))
    again.begin()
    again.stands()
    again.keep()
    assert list(place.iterdir()) == []


def test_a_half_written_mark_is_of_nobody(tmp_path: Path) -> None:
    place = tmp_path / "env"
    place.mkdir()
    for text in ("", "{", "[]", "1e400", "[" * 100_000, '{"pid": "x"}', '{"host": 3}'):
        (place / MARK).write_text(text)
        assert left_behind(str(place)) is None
    (place / MARK).write_bytes(b"\xff")
    assert only_begun(str(place))


def a_mark_of_the_dead(place: Path, **other: object) -> None:
    die_in("making.begin(); making.stands(); os._exit(9)", str(place))
    data = json.loads((place / MARK).read_text())
    (place / MARK).write_text(json.dumps(data | other))


def test_only_what_a_dead_process_left_is_recognised(tmp_path: Path) -> None:
    a_mark_of_the_dead(tmp_path / "env")
    left = left_behind(str(tmp_path / "env"))
    assert left is not None and left.stands


FOREIGN = [
    {"folder": 1},
    {"folder": None},
    {"folder": "1"},
    {"host": "another-machine"},
    {"host": ""},
    {"pid": os.getpid(), "started": ""},
    {"pid": "many"},
    {"pid": None},
]


@pytest.mark.parametrize("other", FOREIGN, ids=range(len(FOREIGN)))
def test_a_mark_that_is_not_of_this_folder_or_of_the_dead_is_none(
    tmp_path: Path, other: dict[str, object]
) -> None:
    a_mark_of_the_dead(tmp_path / "env", **other)
    assert left_behind(str(tmp_path / "env")) is None


def test_a_mark_that_came_along_with_a_copy_is_none(tmp_path: Path) -> None:
    a_mark_of_the_dead(tmp_path / "env")
    (tmp_path / "env" / "pyvenv.cfg").touch()
    shutil.copytree(tmp_path / "env", tmp_path / "copy")
    assert left_behind(str(tmp_path / "copy")) is None
    assert not only_begun(str(tmp_path / "copy"))
    with pytest.raises(SafeInstallError, match="left as it is"):
        check(place_of(str(tmp_path / "copy"), "/"), lambda other: other)


def test_an_overlay_names_the_folders_of_a_virtual_environment_only() -> None:
    present = environment()
    [line] = overlay_lines(present)
    assert line == f"import site; site.addsitedir({present.paths.purelib!r})"
    assert not sees_base(present)
    base = environment(kind="debian-system")
    assert overlay_lines(base) == ()
    assert sees_base(base)


def interpreter(path: Path) -> Path:
    path.parent.mkdir(parents=True)
    path.symlink_to(sys.executable)
    return path


def test_pythons_are_found_on_path_in_pyenv_and_in_conda(tmp_path: Path) -> None:
    version = ".".join(map(str, sys.version_info[:3]))
    on_path = tmp_path / "bin" / "python3.9"
    in_pyenv = tmp_path / "pyenv" / "versions" / "3.11.7" / "bin" / "python"
    in_conda = tmp_path / "conda" / "bin" / "python"
    for path in (on_path, in_pyenv, in_conda):
        path.parent.mkdir(parents=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
    (tmp_path / "conda" / "conda-meta").mkdir()
    (tmp_path / "conda" / "conda-meta" / "python-3.10.4-h1_0.json").touch()
    here = context(
        tmp_path,
        PATH=f"{tmp_path / 'bin'}{os.pathsep}{tmp_path / 'pyenv' / 'shims'}",
        CONDA_PREFIX=str(tmp_path / "conda"),
    )
    found = {each.where: each for each in reversed(installed_pythons(here.environ))}
    assert (found["PATH"].path, found["PATH"].version) == (str(on_path), "3.9")
    assert (found["pyenv"].path, found["pyenv"].version) == (str(in_pyenv), "3.11.7")
    assert (found["conda"].path, found["conda"].version) == (str(in_conda), "3.10.4")
    assert version


def test_a_shim_that_cannot_start_is_passed_over(tmp_path: Path) -> None:
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    shim = tmp_path / "a" / f"python{minor}"
    shim.parent.mkdir()
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    good = interpreter(tmp_path / "b" / f"python{minor}")
    here = replace(
        context(tmp_path, PATH=f"{shim.parent}{os.pathsep}{good.parent}"),
        environment=environment(version="3.1.0"),
    )
    assert find_python(minor, here.environment, here.environ).python == minor


def test_a_python_that_is_not_there_lists_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(SafeInstallError) as caught:
        there = context(tmp_path, PATH=str(interpreter(tmp_path / "b" / "python3.9").parent))
        find_python("3.99", there.environment, there.environ)
    assert caught.value.code == "no-such-python"
    assert "Python 3.9: " in caught.value.context
