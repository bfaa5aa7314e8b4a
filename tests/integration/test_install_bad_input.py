"""Everything that can be typed wrong: one sentence, a line to type, nothing changed."""

from __future__ import annotations

import json
import os
import platform
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.conftest import Desk
from support import indexes, privileges
from support.environments import changes, snapshot
from support.kernels import Kernel, Result
from support.wheels import make_project, make_sdist, make_wheel

pytestmark = pytest.mark.integration

SECRET = "s3cr3t-pass"


@pytest.fixture
def may_change() -> None:
    """Let the test itself say what may change."""


@pytest.fixture(autouse=True)
def nothing_changed(request: pytest.FixtureRequest, shared_desk: Desk) -> Iterator[None]:
    """Compare the environment and the notebook's folder before and after the test."""
    before = (snapshot(shared_desk.environment.prefix), snapshot(shared_desk.notebooks))
    yield
    if "may_change" not in request.fixturenames:
        after = (snapshot(shared_desk.environment.prefix), snapshot(shared_desk.notebooks))
        assert changes(before[0], after[0]) == []
        assert changes(before[1], after[1]) == []
        own = shared_desk.environment.prefix / ".safeinstall"
        assert not [path for path in own.rglob("*") if path.is_dir() and path.name == "stage"]


def complaint(result: Result) -> str:
    """Return what the failed cell said, after checking that it is short and not a wall."""
    assert not result.ok, f"the cell did not fail:\n{result.everything}"
    assert "Traceback (most recent call last)" not in result.traceback, result.traceback
    shown = "\n".join(part for part in (result.stdout, result.stderr, result.traceback) if part)
    assert len(shown.strip().splitlines()) <= 12, shown
    assert len(result.evalue.strip().splitlines()) <= 6, result.evalue
    return shown


def command_line(desk: Desk, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m safeinstall install` with those arguments, as a terminal would."""
    return desk.environment.run(
        "-m", "safeinstall", "install", *arguments,
        settings={**desk.settings, **settings}, cwd=desk.notebooks,
    )  # fmt: skip


# What a shell would have taken for its own


@pytest.mark.usefixtures("may_change")
@pytest.mark.parametrize(
    ("line", "name", "version"),
    [
        ("%safeinstall six>1", "six", "1.17"),
        ("%safeinstall numpy>=2", "numpy", "2.1"),
        ("%safeinstall lower<2", "lower", "1.9"),
        ("%safeinstall other>=1,<1.9", "other", "1.0"),
    ],
)
def test_an_unquoted_comparison_means_the_version(
    shared_desk: Desk, shared_kernel: Kernel, line: str, name: str, version: str
) -> None:
    for known in ("0.9", "1.0", "1.9", "2.1") if name != "six" else ("1.0", "1.17"):
        make_wheel(shared_desk.wheels, name, known)
    before = snapshot(shared_desk.notebooks)
    outcome = shared_kernel.run(line).outcome
    assert [c["after"] for c in outcome["plan"]["changes"] if c["name"] == name] == [version]
    assert changes(before, snapshot(shared_desk.notebooks)) == []
    assert not [path for path in shared_desk.notebooks.iterdir() if path.name[0] in "=<>12"]


@pytest.mark.parametrize(
    "tail", ["; rm x", "$HOME", "`id`", "$(id)", "&& id", "| cat", "> out.txt", "~root"]
)
def test_shell_text_is_refused_not_run(shared_desk: Desk, shared_kernel: Kernel, tail: str) -> None:
    result = shared_kernel.run(f"%safeinstall tinypkg {tail}")
    words = complaint(result)
    assert "uid=" not in words
    assert not shared_desk.environment.distribution("tinypkg").exists()


@pytest.mark.parametrize("line", ["tinypkg\nrm x", "tinypkg\n--index-url http://127.0.0.1:9/"])
def test_a_newline_in_one_argument_is_refused(shared_desk: Desk, line: str) -> None:
    done = command_line(shared_desk, line)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_a_brace_with_an_unknown_name_is_refused(shared_kernel: Kernel) -> None:
    complaint(shared_kernel.run("%safeinstall {undefined_name}"))


# What cannot be understood


def test_an_unknown_option_names_itself_and_a_known_one(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    words = complaint(shared_kernel.run("%safeinstall --upgrad-all tinypkg"))
    assert "--upgrad-all" in words
    assert command_line(shared_desk, "--upgrad-all", "tinypkg").returncode == 2


@pytest.mark.parametrize("typed", ["tiny pkg==", "numpy=>2", "tinypkg==1.0.*.2", "tinypkg[", "@@@"])
def test_an_invalid_requirement_is_pointed_at(
    shared_desk: Desk, shared_kernel: Kernel, typed: str
) -> None:
    words = complaint(shared_kernel.run(f'%safeinstall "{typed}"'))
    assert "^" in words, words
    done = command_line(shared_desk, typed)
    assert done.returncode == 2
    assert done.stdout == ""


def test_an_unclosed_quote_is_named(shared_kernel: Kernel) -> None:
    words = complaint(shared_kernel.run('%safeinstall "tinypkg'))
    assert "quot" in words.lower()


def test_an_empty_cell_says_what_to_write_into_it(shared_kernel: Kernel) -> None:
    words = complaint(shared_kernel.run("%%safeinstall\n\n"))
    assert "%%safeinstall" in words or "requirement" in words


def test_a_standard_library_name_needs_no_install(shared_desk: Desk, shared_kernel: Kernel) -> None:
    words = complaint(shared_kernel.run("%safeinstall os"))
    assert "Python itself" in words or "standard library" in words
    assert command_line(shared_desk, "os").returncode in (1, 2)


# What does not exist


def test_a_name_that_does_not_exist_is_named(shared_desk: Desk, shared_kernel: Kernel) -> None:
    words = complaint(shared_kernel.run("%safeinstall tinypkk-nowhere"))
    assert "tinypkk-nowhere" in words
    assert command_line(shared_desk, "tinypkk-nowhere").returncode == 1


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_version_that_does_not_exist_shows_the_nearest(
    shared_desk: Desk, shared_kernel: Kernel, installer: str
) -> None:
    for known in ("1.0", "1.4", "3.0"):
        make_wheel(shared_desk.wheels, "versions", known)
    words = complaint(shared_kernel.run(f"%safeinstall --installer {installer} versions==1.5"))
    assert "1.5" in words
    assert "1.4" in words, words


def test_a_missing_requirements_file_is_named(shared_desk: Desk, shared_kernel: Kernel) -> None:
    words = complaint(shared_kernel.run("%safeinstall -r not-here.txt"))
    assert "not-here.txt" in words
    assert command_line(shared_desk, "-r", "not-here.txt").returncode == 2


def test_a_local_wheel_that_is_not_there_is_named(shared_kernel: Kernel) -> None:
    words = complaint(shared_kernel.run("%safeinstall ./gone-1.0-py3-none-any.whl"))
    assert "gone-1.0-py3-none-any.whl" in words


@pytest.mark.usefixtures("may_change")
@pytest.mark.parametrize(
    ("smuggled", "named"),
    [
        ("--index-url http://127.0.0.1:9/simple", "--index-url"),
        ("--extra-index-url=http://127.0.0.1:9/simple", "--extra-index-url"),
        ("-e ./project", "-e"),
        ("--trusted-host 127.0.0.1", "--trusted-host"),
    ],
)
def test_a_requirements_file_may_not_bring_options_of_its_own(
    shared_desk: Desk, shared_kernel: Kernel, smuggled: str, named: str
) -> None:
    if not (shared_desk.notebooks / "project").exists():
        make_project(shared_desk.notebooks / "project", "smuggled")
    (shared_desk.notebooks / "smuggling.txt").write_text(f"{smuggled}\ntinypkg\n")
    before = snapshot(shared_desk.environment.prefix)
    words = complaint(shared_kernel.run("%safeinstall -r smuggling.txt"))
    assert named in words
    assert "smuggling.txt" in words
    assert changes(before, snapshot(shared_desk.environment.prefix)) == []


# An index that does not answer, or not us


def closed_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_index_that_is_down_is_named_without_its_secret(
    shared_desk: Desk, installer: str
) -> None:
    address = f"127.0.0.1:{closed_port()}"
    done = command_line(
        shared_desk, "--installer", installer, "--json", "tinypkg-online",
        PIP_NO_INDEX="", PIP_INDEX_URL=f"http://ana:{SECRET}@{address}/simple",
        PIP_RETRIES="0", PIP_DEFAULT_TIMEOUT="2",
    )  # fmt: skip
    assert done.returncode == 1
    assert json.loads(done.stdout)["status"] == "failed"
    assert address in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_index_that_wants_a_password_is_named_without_it(
    shared_desk: Desk, shared_kernel: Kernel, installer: str
) -> None:
    with indexes.locked() as port:
        address = f"http://ana:{SECRET}@127.0.0.1:{port}/simple"
        line = f"%safeinstall --installer {installer} --index-url {address} tinypkg-online"
        shared_kernel.run(
            "import os; os.environ['PIP_NO_INDEX'] = ''; os.environ['PIP_NO_INPUT'] = '1'"
        )
        result = shared_kernel.run(line)
        shared_kernel.run("os.environ['PIP_NO_INDEX'] = '1'; del os.environ['PIP_NO_INPUT'], os")
    words = complaint(result)
    assert f"127.0.0.1:{port}" in words
    assert "401" in words or "password" in words or "credentials" in words
    assert SECRET not in result.everything.replace(line, "")


def test_a_machine_without_a_network_is_told_so(shared_desk: Desk) -> None:
    done = command_line(shared_desk, "tinypkg-online", PIP_NO_INDEX="", PIP_RETRIES="0")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "tinypkg-online" in done.stderr or "index" in done.stderr


@pytest.mark.usefixtures("may_change")
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_index_that_does_answer_serves(
    shared_desk: Desk, tmp_path: Path, installer: str
) -> None:
    make_wheel(tmp_path / "w", f"served-to-{installer}")
    with indexes.serving(tmp_path / "w", tmp_path / "www") as address:
        done = command_line(
            shared_desk, "--installer", installer, f"served-to-{installer}",
            PIP_NO_INDEX="", PIP_FIND_LINKS="", PIP_INDEX_URL=address,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert shared_desk.environment.distribution(f"served-to-{installer}").exists()


# What does not fit this machine or this Python


def test_a_wheel_for_another_platform_is_refused(shared_desk: Desk, shared_kernel: Kernel) -> None:
    other = "win_amd64" if platform.system() != "Windows" else "linux_x86_64"
    wheel = make_wheel(shared_desk.wheels.parent, "foreign", tag=f"cp311-cp311-{other}")
    words = complaint(shared_kernel.run(f"%safeinstall {wheel}"))
    assert "foreign" in words
    assert other in words or "platform" in words


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_package_for_another_python_says_which(
    shared_desk: Desk, shared_kernel: Kernel, installer: str
) -> None:
    make_wheel(shared_desk.wheels, "futuristic", requires_python=">=4.2")
    words = complaint(shared_kernel.run(f"%safeinstall --installer {installer} futuristic"))
    assert "futuristic" in words
    assert ">=4.2" in words, words


def test_a_build_that_fails_shows_its_own_reason(shared_desk: Desk, shared_kernel: Kernel) -> None:
    project = make_project(shared_desk.wheels.parent / "failing", "failing")
    (project / "backend.py").write_text(
        "def build_wheel(*a, **k):\n    raise RuntimeError('no compiler')\n"
    )
    words = complaint(shared_kernel.run(f"%safeinstall {project}"))
    assert "no compiler" in words


# Wheels that lie


@pytest.mark.usefixtures("may_change")
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_wheel_that_reaches_out_of_the_environment_does_not_get_there(
    shared_desk: Desk, shared_kernel: Kernel, installer: str
) -> None:
    name = f"climber-by-{installer}"
    outside = snapshot(shared_desk.environment.prefix.parent)
    make_wheel(shared_desk.wheels, name, files={"../../../../climbed.txt": "out"})
    shared_kernel.run(f"%safeinstall --installer {installer} {name}")
    new = changes(outside, snapshot(shared_desk.environment.prefix.parent))
    inside = shared_desk.environment.site_packages.relative_to(
        shared_desk.environment.prefix.parent
    )
    allowed = (inside, Path("wheels"), Path("home"))
    assert [path for path in new if not any(Path(path).is_relative_to(a) for a in allowed)] == []
    assert not list(shared_desk.environment.prefix.parent.rglob("climbed.txt"))


@pytest.mark.usefixtures("may_change")
@pytest.mark.parametrize("installer", ["uv", "pip"])
@pytest.mark.parametrize("command", ["python", "python3"])
def test_a_wheel_that_brings_a_command_called_python_does_not_replace_the_interpreter(
    shared_desk: Desk, shared_kernel: Kernel, command: str, installer: str
) -> None:
    bin_folder = shared_desk.environment.prefix / "bin"
    before = snapshot(bin_folder)
    name = f"usurper-{command}-{installer}"
    make_wheel(shared_desk.wheels, name, scripts={command: "usurper:main"})
    shared_kernel.run(f"%safeinstall --installer {installer} {name}")
    assert changes(before, snapshot(bin_folder)) == []


def test_a_wheel_that_replaces_a_command_of_another_package_is_refused(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    make_wheel(shared_desk.wheels, "usurper", scripts={"pip": "usurper:main"})
    words = complaint(shared_kernel.run("%safeinstall usurper"))
    assert "bin/pip" in words


def test_a_wheel_whose_files_are_not_what_it_says_is_refused(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    make_wheel(shared_desk.wheels, "forged", lies_about="forged.py")
    complaint(shared_kernel.run("%safeinstall forged"))


def test_a_file_that_belongs_to_another_package_is_not_overwritten(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    make_wheel(
        shared_desk.wheels, "grabber", modules={"traitlets/__init__.py": "", "grabber.py": ""}
    )
    words = complaint(shared_kernel.run("%safeinstall grabber"))
    assert "traitlets" in words


# A disk that is full


@pytest.mark.skipif(not privileges.can_switch(), reason="needs the right to mount a small disk")
def test_a_full_disk_leaves_everything_as_it_was(desk: Desk, tmp_path: Path) -> None:
    small = desk.environment.prefix / ".safeinstall"
    small.mkdir(mode=0o700)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=300k,mode=0700", "none", str(small)],
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        bulk = {f"bulky/part{n}.txt": os.urandom(1000).hex() * 200 for n in range(5)}
        make_wheel(desk.wheels, "bulky", modules={"bulky/__init__.py": "", **bulk})
        before = snapshot(desk.environment.prefix)
        with desk.kernel() as kernel:
            words = complaint(kernel.run(f"%safeinstall {desk.offline} bulky"))
            assert "space" in words or "full" in words, words
            assert kernel.run("import bulky").ename == "ModuleNotFoundError"
        assert changes(before, snapshot(desk.environment.prefix)) == []
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_file_too_large_for_the_disk_quota_leaves_everything_as_it_was(
    desk: Desk, installer: str
) -> None:
    make_wheel(desk.wheels, "large", modules={"large.py": "x = '" + "a" * 4_000_000 + "'\n"})
    before = snapshot(desk.environment.prefix)
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))"
    with desk.kernel() as kernel:
        kernel.run(limit)
        complaint(kernel.run(f"%safeinstall --installer {installer} {desk.offline} large"))
        assert kernel.run("1 + 1").data["text/plain"] == "2"
    assert changes(before, snapshot(desk.environment.prefix)) == []


@pytest.mark.parametrize("name", ["tinypkg; rm x", "$HOME", "`id`", "", " "])
def test_the_command_line_answers_nonsense_with_usage(shared_desk: Desk, name: str) -> None:
    done = command_line(shared_desk, name)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 8


def test_an_sdist_is_never_run_only_to_look_at_it(shared_desk: Desk, tmp_path: Path) -> None:
    started = tmp_path / "started"
    make_sdist(shared_desk.wheels, "watched", started=str(started))
    assert command_line(shared_desk, "watched==9.9").returncode == 1
    assert not started.exists()
