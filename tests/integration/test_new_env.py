"""A new environment with its kernel: complete and started, or no folder and no kernelspec."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.conftest import Desk
from safeinstall.transaction.store.lock import process_host
from support import privileges, ways
from support.environments import Environment, Workshop, changes, snapshot
from support.kernels import OUTCOME
from support.wheels import make_project, make_wheel

pytestmark = pytest.mark.integration

MARK = ".safeinstall-unfinished"


@pytest.fixture
def studio(desk: Desk, workshop: Workshop) -> Iterator[Desk]:
    """A desk that finds ipykernel too; its kernel's environment must come out as it went in."""
    links = f"{desk.wheels} {workshop.wheels}"
    desk.settings.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=links)
    desk.settings["UV_CACHE_DIR"] = str(workshop.cache / "uv")
    before = snapshot(desk.environment.prefix)
    yield desk
    assert changes(before, snapshot(desk.environment.prefix)) == []


def specs(desk: Desk) -> list[str]:
    folder = ways.specs_folder(Path(desk.settings["HOME"]))
    return sorted(path.name for path in folder.glob("*")) if folder.exists() else []


def new_env(desk: Desk, *words: str) -> subprocess.CompletedProcess[str]:
    return desk.environment.run(
        "-m", "safeinstall", "new-env", *words, settings=desk.settings, cwd=desk.notebooks
    )


def nothing_is_left(desk: Desk, folder: str = ".venv") -> bool:
    return not (desk.notebooks / folder).exists() and specs(desk) == []


def test_the_magic_makes_a_kernel_that_imports_the_package(studio: Desk) -> None:
    with studio.kernel() as kernel:
        result = kernel.run("%safeinstall --new-env tinypkg", timeout=180)
        assert result.ok, result.everything
        assert kernel.run("import tinypkg").ename == "ModuleNotFoundError"
    data = result.data[OUTCOME]
    assert data["status"] == "done"
    assert data["kernelspec"]["name"] == "notebooks-venv"
    assert data["kernelspec"]["display_name"].endswith("(.venv in notebooks)")
    [verified] = [v for v in data["verification"] if v["name"] == "tinypkg"]
    assert verified["landed"] and verified["fresh"] and verified["kernel"]
    text = result.data["text/plain"]
    assert "Change Kernel" in text
    assert "jupyter console --kernel notebooks-venv" in text
    home = Path(studio.settings["HOME"])
    with ways.registered("notebooks-venv", home, studio.settings, studio.notebooks) as new:
        assert new.run("import tinypkg, sys; print(sys.prefix)").stdout.strip() == (
            str(studio.notebooks / ".venv")
        )
    assert not (studio.notebooks / ".venv" / MARK).exists()


def test_a_name_gets_a_place_per_user_and_the_json_is_complete(studio: Desk) -> None:
    studio.settings["VSCODE_PID"] = "1"
    done = new_env(studio, "--name", "science", "tinypkg", "--json")
    assert done.returncode == 0, done.stderr
    assert "jupyter console --kernel science" in done.stderr
    assert "Select Kernel → Jupyter Kernel… → Python 3." in done.stderr, "VS Code's own words"
    data = json.loads(done.stdout)
    assert data["kernelspec"]["name"] == "science"
    prefix = Path(data["environment"]["prefix"])
    assert prefix.parts[-3:] == ("safeinstall", "environments", "science")
    assert Path(studio.settings["HOME"]) in prefix.parents
    assert data["transaction"]


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.13", "3.12"])
def test_another_python_of_this_machine(studio: Desk, workshop: Workshop, version: str) -> None:
    roots = [Path.home() / ".pyenv", Path(os.path.realpath(workshop.base)).parents[3]]
    root = next((r for r in roots if any((r / "versions").glob(f"{version}.*"))), None)
    if root is None:
        pytest.skip(f"no Python {version}")
    try:
        wheels = ways.wheels_for(version)
    except subprocess.CalledProcessError:
        pytest.skip(f"no wheels for Python {version}")
    studio.settings["PYENV_ROOT"] = str(root)
    studio.settings["PIP_FIND_LINKS"] = f"{studio.wheels} {wheels}"
    done = new_env(studio, "other", "--python", version, "tinypkg", "--json")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["environment"]["version"].startswith(version + ".")
    assert data["kernelspec"]["display_name"].startswith(f"Python {version} ")


def test_a_python_that_is_not_there_is_answered_with_those_that_are(studio: Desk) -> None:
    done = new_env(studio, ".venv", "--python", "3.99", "tinypkg")
    assert done.returncode == 1
    assert "There is no Python 3.99 on this machine" in done.stderr
    assert "Python 3." in done.stderr
    assert nothing_is_left(studio)
    line = ways.lines_to_type(done.stderr)[0].split()
    if line[line.index("--python") + 1] == f"{sys.version_info[0]}.{sys.version_info[1]}":
        done = new_env(studio, *line[2:])  # for others there may be no wheels here
        assert done.returncode == 0, done.stderr


@pytest.mark.first_line_of("python-too-old")
@pytest.mark.parametrize("overlay", [True, False])
def test_a_python_that_cannot_serve_is_answered_with_the_line_that_can(
    studio: Desk, workshop: Workshop, overlay: bool
) -> None:
    roots = [Path.home() / ".pyenv", Path(os.path.realpath(workshop.base)).parents[3]]
    old = next((p for r in roots for p in r.glob("versions/3.[67].*/bin/python")), None)
    if not overlay and old is None:
        pytest.skip("no Python that is too old")
    words = ("--overlay", "--python", "3.99") if overlay else ("--python", str(old))
    done = new_env(studio, ".venv", *words, "tinypkg")
    assert done.returncode == 1
    told = "another Python cannot use them" if overlay else "is too old for a kernel"
    assert told in " ".join(done.stderr.split())
    assert nothing_is_left(studio)
    done = new_env(studio, *ways.lines_to_type(done.stderr)[0].split()[2:])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["file", "folder", "environment", "project"])
def test_what_is_there_already_is_left_alone_and_a_free_place_is_offered(
    studio: Desk, workshop: Workshop, kind: str
) -> None:
    place = studio.notebooks / ".venv"
    if kind == "file":
        place.write_text("mine")
    elif kind == "environment":
        workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, place)
    elif kind == "project":
        make_project(place, "thing")
    else:
        place.mkdir()
        (place / "data.csv").write_text("1,2")
    before = snapshot(studio.notebooks)
    refused = new_env(studio, ".venv", "tinypkg")
    assert refused.returncode == 1
    assert "left as it is" in refused.stderr
    assert changes(before, snapshot(studio.notebooks)) == []
    line = ways.lines_to_type(refused.stderr)[0].split()
    done = new_env(studio, *line[2:])
    assert done.returncode == 0, done.stderr
    assert (studio.notebooks / ".venv-2" / "pyvenv.cfg").exists()


def test_the_lines_to_type_name_what_was_typed_and_work(studio: Desk) -> None:
    make_wheel(studio.wheels, "at-start", files={"at_start.pth": "import at_start\n"})
    make_wheel(studio.wheels, "wants", requires=["not-there-at-all"])
    asked = new_env(studio, "my env", "at-start")
    assert asked.returncode == 3
    [line] = ways.lines_to_type(asked.stderr)
    assert line == 'safeinstall new-env "my env" --yes at-start'
    done = new_env(studio, *shlex.split(line)[2:])
    assert done.returncode == 0, done.stderr
    lacking = new_env(studio, "other", "wants")
    assert "wants needs not-there-at-all" in " ".join(lacking.stderr.split())
    assert "ipykernel" not in lacking.stderr
    wrong = new_env(studio, "other", "-r", "no-file.txt")
    assert wrong.returncode == 2
    assert ways.lines_to_type(wrong.stderr)[0].startswith("safeinstall new-env ./other ")
    assert not (studio.notebooks / "other").exists()


def test_hashes_are_asked_of_what_has_them_and_not_of_the_kernel(studio: Desk) -> None:
    wheel = make_wheel(studio.wheels, "listed")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lines = studio.notebooks / "lines.txt"
    lines.write_text(f"listed==1.0 --hash=sha256:{digest}\n")
    done = new_env(studio, ".venv", "-r", "lines.txt")
    assert done.returncode == 0, done.stderr
    lines.write_text(f"listed==1.0 --hash=sha256:{'0' * 64}\n")
    done = new_env(studio, "other", "-r", "lines.txt")
    assert done.returncode == 1
    assert "does not have the hash that was asked for" in " ".join(done.stderr.split())
    assert not (studio.notebooks / "other").exists()


def test_an_empty_folder_is_used_and_stays_when_it_fails(studio: Desk) -> None:
    (studio.notebooks / ".venv").mkdir()
    assert new_env(studio, ".venv", "no-such-package").returncode == 1
    assert list((studio.notebooks / ".venv").iterdir()) == []
    assert new_env(studio, ".venv", "tinypkg").returncode == 0


def test_a_place_that_cannot_be_written_is_said_before_anything_happens(studio: Desk) -> None:
    (studio.notebooks / "file").write_text("no folder")
    done = new_env(studio, "file/.venv", "tinypkg")
    assert done.returncode == 1
    assert "No environment can be made at" in done.stderr
    assert specs(studio) == []
    line = ways.lines_to_type(done.stderr)[0].split()
    assert line == ["safeinstall", "new-env", "--name", "file-venv", "tinypkg"]
    done = new_env(studio, *line[2:])
    assert done.returncode == 0, done.stderr
    assert specs(studio) == ["file-venv"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--name", "näme ü", "tinypkg"), "is no name for an environment"),
        (("--name", "a/b"), "is no name for an environment"),
        (("--name",), "is no name for an environment"),
        (("--name=--json",), "is no name for an environment"),
        ((".venv", "--no-deps", "tinypkg"), "would leave out what the new kernel itself needs"),
    ],
)
def test_what_would_make_something_else_than_meant_is_refused(
    studio: Desk, words: tuple[str, ...], said: str
) -> None:
    done = new_env(studio, *words)
    assert done.returncode in (1, 2)
    assert said in " ".join(done.stderr.split())
    assert list(studio.notebooks.iterdir()) == []
    assert specs(studio) == []


def test_where_the_users_own_place_is_none_the_servers_gets_the_kernel(studio: Desk) -> None:
    home = Path(studio.settings["HOME"])
    (home / ".local").write_text("no folder")
    own = studio.environment.prefix / "share" / "jupyter" / "kernels"
    done = new_env(studio, ".venv", "tinypkg", "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)["kernelspec"]
    assert made["folder"] == str(own / "notebooks-venv")
    with ways.registered("notebooks-venv", home, studio.settings, studio.notebooks, own) as new:
        assert new.run("import tinypkg").ok
    shutil.rmtree(made["folder"])


def test_the_name_of_anothers_kernelspec_is_never_taken(studio: Desk) -> None:
    folder = ways.specs_folder(Path(studio.settings["HOME"])) / "notebooks-venv"
    folder.mkdir(parents=True)
    theirs = json.dumps({"argv": ["/x/python"], "display_name": "theirs", "language": "python"})
    (folder / "kernel.json").write_text(theirs)
    done = new_env(studio, ".venv", "tinypkg", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["kernelspec"]["name"] == "notebooks-venv-2"
    assert (folder / "kernel.json").read_text() == theirs


@pytest.mark.parametrize("requirement", ["no-such-package", "tinypkg==99"])
def test_an_install_that_fails_leaves_nothing(studio: Desk, requirement: str) -> None:
    with studio.kernel() as kernel:
        result = kernel.run(f"%safeinstall --new-env deep/inside/.venv {requirement}")
        assert not result.ok
        result = kernel.run(f"%safeinstall --new-env ./deep/inside/.venv {requirement}")
        assert result.ename == "SafeInstallStopped", result.everything
    assert nothing_is_left(studio, "deep")


@pytest.mark.parametrize("line", [("tinypkg",), ("made", "tinypkg")])
def test_ipykernel_that_cannot_be_had_is_named(studio: Desk, line: tuple[str, ...]) -> None:
    studio.settings.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(studio.wheels))
    done = new_env(studio, ".venv", *line)
    assert done.returncode == 1
    told = " ".join(done.stderr.split())
    assert "A kernel needs ipykernel" in told
    assert "called made" not in told  # that is another package's reason
    assert nothing_is_left(studio)


LACKING = ("comm-", "traitlets-", "wcwidth-", "pygments-", "tinypkg")


@pytest.mark.parametrize("installer", ["uv", "pip"])
@pytest.mark.parametrize("options", [(), ("--overlay",)], ids=["", "overlay"])
def test_all_the_wheels_a_kernel_lacks_are_named(
    studio: Desk, workshop: Workshop, options: tuple[str, ...], installer: str
) -> None:
    for wheel in workshop.wheels.glob("*.whl"):
        if not wheel.name.startswith(LACKING):
            (studio.wheels / wheel.name).symlink_to(wheel)
    make_wheel(studio.wheels, "pygments", "0.1")  # there, and too old
    studio.settings["PIP_FIND_LINKS"] = str(studio.wheels)
    base: tuple[str, ...] = ()
    if options:  # over an environment that has no kernel either
        bare = studio.notebooks / "bare"
        workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, bare)
        base = ("--python", str(bare / "bin" / "python"))
    done = new_env(studio, ".venv", "--installer", installer, *options, *base, "tinypkg")
    assert done.returncode == 1
    told = " ".join(done.stderr.split())
    assert "A kernel needs ipykernel, and 4 packages for it cannot be had here" in told
    for name in ("comm>=", "traitlets>=", "wcwidth", "pygments>="):
        assert name in told
    assert nothing_is_left(studio)


def test_a_kernel_that_does_not_start_shows_why_and_leaves_nothing(studio: Desk) -> None:
    start_up = "import sys\nif sys.orig_argv[-1].endswith('.json'): sys.exit('no luck')\n"
    make_wheel(
        studio.wheels, "saboteur",
        modules={"saboteur.py": start_up}, files={"saboteur.pth": "import saboteur\n"},
    )  # fmt: skip
    done = new_env(studio, ".venv", "--yes", "saboteur")
    assert done.returncode == 1
    assert "does not start" in done.stderr
    assert "no luck" in done.stderr
    assert nothing_is_left(studio)


def test_a_package_that_cannot_be_imported_leaves_nothing(studio: Desk) -> None:
    make_wheel(studio.wheels, "hollow", modules={"hollow.py": "import not_there_at_all\n"})
    done = new_env(studio, ".venv", "hollow")
    assert done.returncode == 1
    assert "cannot import it" in done.stderr
    assert "not_there_at_all" in done.stderr
    assert nothing_is_left(studio)


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_it_holds_itself_what_a_kernel_needs_whatever_pythonpath_shows(
    studio: Desk, installer: str
) -> None:
    lent = studio.notebooks.parent / "lent"
    site = studio.environment.site_packages
    for path in [site / "comm", *site.glob("comm-*.dist-info")]:
        shutil.copytree(path, lent / path.name)
    studio.settings["PYTHONPATH"] = str(lent)
    done = new_env(studio, ".venv", "--installer", installer, "tinypkg")
    assert done.returncode == 0, done.stderr
    made = Environment(prefix=studio.notebooks / ".venv", kind="venv", base=Path("/"))
    assert (made.site_packages / "comm").is_dir()


def test_an_interrupt_leaves_nothing(studio: Desk) -> None:
    make_wheel(studio.wheels, "slow", modules={"slow.py": "import time\ntime.sleep(60)\n"})
    with studio.kernel() as kernel:
        request = kernel.send("%safeinstall --new-env slow")
        wait_for(lambda: specs(studio) != [])
        time.sleep(0.5)
        kernel.interrupt()
        result = kernel.result(request)
        assert not result.ok
        assert "Interrupted" in result.traceback, result.everything
        assert kernel.run("1 + 1").ok
    assert nothing_is_left(studio)


def kernelspec_of_the_user(studio: Desk) -> Path:
    """Write a kernelspec for the environment that is not there yet, with settings of one's own."""
    folder = ways.specs_folder(Path(studio.settings["HOME"])) / "notebooks-venv"
    folder.mkdir(parents=True)
    argv = [str(studio.notebooks / ".venv" / "bin" / "python"), "-m", "ipykernel_launcher"]
    argv += ["-f", "{connection_file}", "--mine"]
    data = {"argv": argv, "display_name": "mine", "language": "python", "env": {"A": "1"}}
    (folder / "kernel.json").write_text(json.dumps(data))
    (folder / "logo-64x64.png").write_bytes(b"my logo")
    return folder


def killed_while_the_kernel_starts(studio: Desk, seconds: float = 0.5) -> None:
    make_wheel(studio.wheels, "slow", modules={"slow.py": "import time\ntime.sleep(60)\n"})
    command = [str(studio.environment.python), "-m", "safeinstall", "new-env", ".venv", "slow"]
    process = subprocess.Popen(
        command, env=studio.settings, cwd=studio.notebooks, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_for(lambda: specs(studio) != [])
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_what_a_kill_left_is_gone_on_with_and_what_was_put_there_stays(studio: Desk) -> None:
    killed_while_the_kernel_starts(studio)
    place = studio.notebooks / ".venv"
    assert (place / MARK).exists()
    (place / "mynotes.py").write_text("mine")
    spec = ways.specs_folder(Path(studio.settings["HOME"])) / "notebooks-venv" / "kernel.json"
    mine = json.dumps(json.loads(spec.read_text()) | {"display_name": "mine", "env": {"A": "1"}})
    spec.write_text(mine)
    done = new_env(studio, ".venv", "tinypkg")
    assert done.returncode == 0, done.stderr
    assert "was begun by a run that was killed" in " ".join(done.stdout.split())
    assert specs(studio) == ["notebooks-venv"]
    made = Environment(prefix=place, kind="venv", base=Path("/"))
    assert made.version_of("tinypkg", studio.settings) == "1.0"
    assert (place / "mynotes.py").read_text() == "mine"
    assert not (place / MARK).exists()
    assert json.loads(spec.read_text())["env"] == {"A": "1"}
    [kept] = spec.parent.glob("kernel.json.*.old")
    assert kept.read_text() == mine


def test_what_is_gone_on_with_stays_where_that_fails(studio: Desk) -> None:
    killed_while_the_kernel_starts(studio)
    place = studio.notebooks / ".venv"
    (place / "mynotes.py").write_text("mine")
    make_wheel(studio.wheels, "hollow", modules={"hollow.py": "import not_there_at_all\n"})
    done = new_env(studio, ".venv", "hollow")
    assert done.returncode == 1
    assert "it was left as it is" in " ".join(done.stderr.split())
    assert (place / "mynotes.py").read_text() == "mine"
    assert (place / "bin" / "python").exists()
    assert new_env(studio, ".venv", "tinypkg").returncode == 0
    assert (place / "mynotes.py").read_text() == "mine"


MARKS = {
    "no process": '{"pid": 4194000, "started": "1", "host": "HOST", "kernelspec": "SPEC"}',
    "no host": '{"pid": 4194000, "started": "1", "host": "MACHINE", "kernelspec": "SPEC"}',
    "another folder": (
        '{"pid": 4194000, "started": "1", "host": "HOST", "folder": 7, "stands": true,'
        ' "overlay": false}'
    ),
    "nothing": "",
    "no json": "{",
}


@pytest.mark.parametrize("mark", MARKS.values(), ids=MARKS)
def test_a_mark_alone_makes_nobody_take_anything_away(
    studio: Desk, workshop: Workshop, mark: str
) -> None:
    place, spec = studio.notebooks / ".venv", kernelspec_of_the_user(studio)
    workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, place)
    (place / "mynotes.py").write_text("mine")
    host = process_host()
    mark = mark.replace("HOST", host).replace("MACHINE", host.split("/")[0])
    (place / MARK).write_text(mark.replace("SPEC", str(spec)))
    before, theirs = snapshot(studio.notebooks), snapshot(spec)
    done = new_env(studio, ".venv", "tinypkg")
    assert done.returncode == 1
    assert "left as it is" in " ".join(done.stderr.split())
    assert changes(before, snapshot(studio.notebooks)) == []
    assert changes(theirs, snapshot(spec)) == []
    line = ways.lines_to_type(done.stderr)[0].split()
    assert new_env(studio, *line[2:]).returncode == 0
    assert changes(theirs, snapshot(spec)) == []


def test_what_a_kill_left_that_is_no_environment_is_set_aside(studio: Desk) -> None:
    code = "import sys; from safeinstall.transaction.in_progress import Making; "
    code += "Making(sys.argv[1]).begin()"
    place = studio.notebooks / ".venv"
    done = studio.environment.run("-c", code, str(place), settings=studio.settings)
    assert done.returncode == 0, done.stderr
    (place / "bin").mkdir()
    (place / "bin" / "mine").write_text("mine")
    done = new_env(studio, ".venv", "tinypkg")
    assert done.returncode == 0, done.stderr
    assert (studio.notebooks / ".venv.unfinished" / "bin" / "mine").read_text() == "mine"


@pytest.mark.parametrize("way", ["hollow", "interrupt"])
def test_a_failure_leaves_the_users_own_kernelspec_byte_for_byte(studio: Desk, way: str) -> None:
    spec = kernelspec_of_the_user(studio)
    before = snapshot(spec)
    text = "import not_there_at_all\n" if way == "hollow" else "import time\ntime.sleep(60)\n"
    make_wheel(studio.wheels, "bad", modules={"bad.py": text})
    with studio.kernel() as kernel:
        request = kernel.send("%safeinstall --new-env bad")
        if way == "interrupt":
            wait_for(lambda: len(list(spec.iterdir())) > 2)
            time.sleep(0.3)
            kernel.interrupt()
        assert not kernel.result(request, timeout=120).ok
    assert not (studio.notebooks / ".venv").exists()
    assert changes(before, snapshot(spec)) == []


def test_a_dry_run_says_what_would_be_and_leaves_nothing(studio: Desk) -> None:
    done = new_env(studio, ".venv", "--dry-run", "tinypkg")
    assert done.returncode == 0, done.stderr
    assert "tinypkg 1.0" in done.stdout
    assert nothing_is_left(studio)


@pytest.mark.skipif(
    not privileges.can_switch() or shutil.which("unshare") is None, reason="needs a disk of its own"
)
@pytest.mark.parametrize(
    ("megabytes", "said"), [(40, "There is no room for an environment"), (63, " is full")]
)
def test_a_disk_that_is_too_small_is_left_as_it_was(
    studio: Desk, megabytes: int, said: str
) -> None:
    script = f"""
        mkdir small && mount -t tmpfs -o size={megabytes}m none small || exit 77
        {studio.environment.python} -m safeinstall new-env small/deep/.venv tinypkg
        echo "exit $? left $(ls -A small | wc -l)"
    """
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], cwd=studio.notebooks, env=studio.settings,
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode == 77:
        pytest.skip("no mount of its own")
    assert said in " ".join(done.stderr.split()), done.stderr
    assert done.stdout.splitlines()[-1] == "exit 1 left 0", done.stdout
    assert specs(studio) == []


def test_an_overlay_below_an_overlay_sees_both(studio: Desk, workshop: Workshop) -> None:
    make_wheel(studio.wheels, "second")
    assert new_env(studio, "one", "--overlay", "tinypkg").returncode == 0
    one = studio.notebooks / "one" / "bin" / "python"
    done = new_env(studio, "two", "--overlay", "--python", str(one), "second", "--json")
    assert done.returncode == 0, done.stderr
    names = {change["name"] for change in json.loads(done.stdout)["plan"]["changes"]}
    assert names == {"second"}
    two = Environment(prefix=studio.notebooks / "two", kind="venv", base=Path("/"))
    for name in ("tinypkg", "second", "ipykernel"):
        assert two.run("-c", f"import {name}", settings=studio.settings).returncode == 0


def wait_for(condition: object, seconds: float = 60) -> None:
    """Wait until the condition holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if callable(condition) and condition():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to that")
