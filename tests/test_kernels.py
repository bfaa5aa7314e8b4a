"""Kernelspecs: read without belief, resolved as a server resolves, judged in sentences."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpec

from safeinstall.errors import SafeInstallError
from safeinstall.frontend import NOTEBOOK
from safeinstall.kernels import (
    Spec,
    find_specs,
    free_display_name,
    free_name,
    register,
    registry,
    repair,
    trial_starts,
    unregister,
)
from safeinstall.kernels.kernel_state import (
    Interpreter,
    Launch,
    Server,
    judge_spec,
    promised_version,
    resolve,
)
from safeinstall.kernels.trial_starts import try_kernel
from safeinstall.runner import Command, start

END = ("-m", "ipykernel_launcher", "-f", "{connection_file}")


def write(folder: Path, name: str, data: object) -> Path:
    path = folder / name / "kernel.json"
    path.parent.mkdir(parents=True)
    path.write_text(data if isinstance(data, str) else json.dumps(data), "utf-8")
    return path


def spec(*argv: str, name: str = "k", display: str = "", place: str = "user") -> Spec:
    return Spec(
        name=name,
        folder=f"/home/ana/kernels/{name}",
        place=place,  # type: ignore[arg-type]
        argv=argv,
        display_name=display,
        language="python",
    )


SERVER = Server(
    executable="/opt/lab/bin/python", prefix="/opt/lab", version=(3, 12), path="/nowhere"
)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("{", "kernel.json is no JSON"),
        ("[]", "kernel.json is no JSON object"),
        ({"display_name": "x"}, "kernel.json has no `argv`"),
        ({"argv": []}, "kernel.json has no `argv`"),
        ({"argv": ["a", 1]}, "kernel.json has no `argv`"),
        ("[" * 100_000, "kernel.json is no JSON: its brackets go too deep"),
        ("", "kernel.json is no JSON"),
        ({"argv": [""]}, "no process can be started from its `argv`"),
        ({"argv": ["/bin/py\0thon"]}, "no process can be started from its `argv`"),
        ({"argv": ["/bin/\ud800"]}, "no process can be started from its `argv`"),
        ({"argv": ["a"], "env": []}, ""),
        ({"argv": ["a"], "env": {"A": 1}}, "its `env` is no table of texts"),
        ({"argv": ["a"], "env": "PATH"}, "its `env` is no table of texts"),
    ],
)
def test_a_broken_file_is_a_problem_and_hides_nobody(
    tmp_path: Path, data: object, problem: str
) -> None:
    write(tmp_path, "broken", data)
    write(tmp_path, "whole", {"argv": ["/usr/bin/python3", *END], "language": "python"})
    broken, whole = find_specs([str(tmp_path)], str(tmp_path))
    assert broken.problem.startswith(problem) and bool(broken.problem) == bool(problem)
    assert whole.problem == ""
    judge_spec(broken, resolve(broken, SERVER), None, NOTEBOOK)


@pytest.mark.parametrize("kind", ["link to nowhere", "folder", "too deep", "odd parts"])
def test_whatever_stands_there_is_repaired_and_kept(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "odd name ü" / "kernel.json"
    path.parent.mkdir()
    if kind == "link to nowhere":
        path.symlink_to("/nowhere/kernel.json")
    elif kind == "folder":
        path.mkdir()
    elif kind == "too deep":
        path.write_text("[" * 100_000)
    else:
        path.write_text('{"argv": ["x"], "display_name": 7, "env": {"A": 1}, "metadata": []}')
    [broken] = find_specs([str(tmp_path)], str(tmp_path))
    kept = Path(repair(broken, [sys.executable, *END]))
    assert kept.is_symlink() or kept.exists()
    [whole] = find_specs([str(tmp_path)], str(tmp_path))
    assert (whole.problem, whole.argv[0]) == ("", sys.executable)
    loaded = KernelSpec.from_resource_dir(str(path.parent))
    assert loaded.argv[0] == sys.executable and loaded.env == {}
    assert whole.place == "user"


def test_the_first_folder_wins_whatever_the_case(tmp_path: Path) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    write(first, "Python3", {"argv": ["/one"]})
    write(second, "python3", {"argv": ["/two"]})
    one, two = find_specs([str(first), str(second)], str(second))
    assert one.hidden_by == ""
    assert two.hidden_by == str(first / "Python3")
    assert (one.place, two.place) == ("environment", "user")


@pytest.mark.parametrize("word", ["python", "python3", "python3.12"])
def test_a_bare_name_of_the_servers_version_is_the_servers_interpreter(word: str) -> None:
    launch = resolve(spec(word, *END), SERVER)
    assert launch == Launch(program="/opt/lab/bin/python", exists=False, how="server")


def test_another_bare_name_is_looked_for_on_path(tmp_path: Path) -> None:
    program = tmp_path / "python3.11"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    server = Server(executable="/x", prefix="/", version=(3, 12), path=str(tmp_path))
    launch = resolve(spec("python3.11", *END), server)
    assert launch == Launch(program=str(program), exists=True, how="path")
    assert launch.how != "absolute"


def test_a_launcher_in_front_is_looked_behind(tmp_path: Path) -> None:
    launch = resolve(spec("/usr/bin/env", "A=1", sys.executable, *END), SERVER)
    assert launch is not None
    assert (launch.program, launch.wrapper) == (sys.executable, "/usr/bin/env")


@pytest.mark.parametrize(
    "argv",
    [
        ("/bin/sh", "{connection_file}"),
        ("/bin/sh", "-c", "exec python -m ipykernel_launcher -f {connection_file}"),
        ("/bin/cat", "run", "-n", "science", "python", *END),
        ("/bin/cat", "exec", "image", "/usr/bin/python3", *END),
    ],
    ids=["script", "shell", "conda", "container"],
)
def test_a_program_that_chooses_the_interpreter_is_not_guessed_at(argv: tuple[str, ...]) -> None:
    launch = resolve(spec(*argv), SERVER)
    assert launch == Launch(program=argv[0], exists=True, how="launcher", position=-1)
    assert judge_spec(spec(*argv), launch, None, NOTEBOOK).healthy


def test_prefix_and_resource_folder_are_filled_in() -> None:
    launch = resolve(spec("{prefix}/bin/python", *END), SERVER)
    assert launch is not None
    assert launch.program == "/opt/lab/bin/python"


FINE = Interpreter(
    version="3.12.1", prefix="/p", kind="venv", writable=True, owner="ana", has_ipykernel=True
)
ABSOLUTE = Launch(program="/p/bin/python", exists=True, how="absolute")


@pytest.mark.parametrize(
    ("given", "launch", "interpreter", "code"),
    [
        (spec("/gone", *END), Launch(program="/gone", exists=False, how="absolute"), None,
         "kernelspec-dangling"),
        (spec("./x/python", *END), Launch(program="./x/python", exists=False, how="relative"), None,
         "kernelspec-relative"),
        (spec("python3.9", *END), Launch(program="/a/python3.9", exists=True, how="path"), FINE,
         "kernelspec-on-path"),
        (spec("python", *END), Launch(program="/lab/python", exists=True, how="server"), FINE,
         "kernelspec-follows-server"),
        (spec("/p/bin/python", *END, display="Python 3.9"), ABSOLUTE, FINE, "kernelspec-misnamed"),
        (spec("/p/bin/python", *END), ABSOLUTE, None, "kernelspec-no-answer"),
        (spec("/p/bin/python", "-m", "ipykernel_launcher"), ABSOLUTE, FINE,
         "kernelspec-no-connection"),
    ],
)  # fmt: skip
def test_each_fault_has_its_finding_and_its_line(
    given: Spec, launch: Launch, interpreter: Interpreter | None, code: str
) -> None:
    state = judge_spec(given, launch, interpreter, NOTEBOOK)
    assert [finding.code for finding in state.findings] == [code]
    assert state.findings[0].hint[0].command == "%kernelenv --kernels --repair k"
    assert not state.healthy


def test_a_kernel_without_ipykernel_gets_the_line_that_installs_it() -> None:
    bare = Interpreter(
        version="3.12.1", prefix="/p", kind="venv", writable=True, owner="ana", has_ipykernel=False
    )
    [finding] = judge_spec(spec("/p/bin/python", *END), ABSOLUTE, bare, NOTEBOOK).findings
    assert finding.hint[0].command == "%safeinstall --python /p ipykernel"


def test_a_kernel_in_order_and_a_foreign_one_say_nothing() -> None:
    assert judge_spec(
        spec("/p/bin/python", *END, display="Python 3.12"), ABSOLUTE, FINE, NOTEBOOK
    ).healthy
    other = Spec(
        name="ir", folder="/k/ir", place="machine", argv=("R", "--slave"), language="R",
    )  # fmt: skip
    assert judge_spec(
        other, Launch(program="/usr/bin/R", exists=True, how="path"), None, NOTEBOOK
    ).healthy


@pytest.mark.parametrize(
    ("display", "promised"),
    [("Python 3.12 (x)", "3.12"), ("Python 3", ""), ("py3.9", "3.9"), ("Spark 13.3.1", "")],
)
def test_what_a_name_promises(display: str, promised: str) -> None:
    assert promised_version(spec("x", display=display)) == promised


def test_nobodys_name_is_ever_taken() -> None:
    taken = (
        spec("/other/python", name="proj-venv"),
        Spec(name="proj-venv-2", folder="/f", place="user", problem="broken"),
    )
    assert free_name("proj-venv", taken, "/mine/python") == "proj-venv-3"
    assert free_name("proj-venv", taken, "/other/python") == "proj-venv"
    assert free_name("Größe & Co", (), "/p") == "gr-e-co"


def test_a_kernel_that_would_be_called_like_another_says_its_place() -> None:
    there = [spec("/a/proj/.venv/bin/python", display="Python 3.12 (proj/.venv)")]
    called = free_display_name("Python 3.12 (proj/.venv)", there, "proj-2", "~/b/proj/.venv")
    assert called == "Python 3.12 (proj/.venv, ~/b/proj/.venv)"
    own = there[0].name
    assert free_display_name("Python 3.12 (proj/.venv)", there, own, "x") == called[:23] + ")"


def test_a_kernel_goes_where_one_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    user = str(tmp_path / "file" / "kernels")
    with pytest.raises(SafeInstallError, match="No kernel can be registered"):
        registry([user, str(tmp_path / "file" / "share" / "jupyter" / "kernels")], user)
    own = str(tmp_path / "share" / "jupyter" / "kernels")
    assert registry([user, own], user) == own
    assert registry([user, own], str(tmp_path)) == str(tmp_path)


def test_register_and_take_away(own_home: Path) -> None:
    kernel = register("mine", "Python 3.12 (mine)", sys.executable, sys.prefix)
    data = json.loads(Path(kernel.folder, "kernel.json").read_text())
    assert data["argv"] == [sys.executable, *END]
    assert data["display_name"] == "Python 3.12 (mine)"
    assert own_home in Path(kernel.folder).parents
    unregister(kernel)
    assert not Path(kernel.folder).exists()


def test_a_repair_keeps_the_old_file_and_what_else_it_says(tmp_path: Path) -> None:
    old = {"argv": ["/gone"], "display_name": "X", "language": "python", "env": {"A": "1"}}
    path = write(tmp_path, "k", old)
    [found] = find_specs([str(tmp_path)], "")
    kept = repair(found, [sys.executable, *END])
    assert json.loads(Path(kept).read_text()) == old
    new = json.loads(path.read_text())
    assert new["argv"] == [sys.executable, *END]
    assert new["env"] == {"A": "1"}


def test_a_kernel_is_started_asked_and_ended(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = register("mine", "mine", sys.executable, sys.prefix)
    started = []

    def recorded(command: Command, *rest: Any) -> Any:
        started.append(command)
        return start(command, *rest)

    monkeypatch.setattr(trial_starts, "start", recorded)
    trial = try_kernel("mine", ["json", "not_there_at_all"])
    assert trial.started, trial.stderr
    assert [command.argv[0] for command in started] == [sys.executable]
    assert trial.executable == sys.executable
    assert "json" in trial.imported
    assert "ModuleNotFoundError" in trial.failed["not_there_at_all"]
    unregister(kernel)


def test_a_kernel_that_does_not_start_says_why(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('no such luck')"]
    write(tmp_path, "bad", {"argv": command, "display_name": "bad", "language": "python"})
    trial = try_kernel("bad", folders=[str(tmp_path)], timeout=20)
    assert not trial.started
    assert "no such luck" in trial.stderr


def test_a_kernel_whose_port_was_taken_is_started_once_more(tmp_path: Path) -> None:
    once = f"""
import os, sys
if not os.path.exists({str(tmp_path / "asked")!r}):
    open({str(tmp_path / "asked")!r}, "w").close()
    sys.exit("zmq.error.ZMQError: Address already in use")
os.execv(sys.executable, [sys.executable, "-m", "ipykernel_launcher", "-f", sys.argv[1]])
"""
    command = [sys.executable, "-c", once, "{connection_file}"]
    write(tmp_path, "late", {"argv": command, "display_name": "late", "language": "python"})
    assert try_kernel("late", folders=[str(tmp_path)]).started
