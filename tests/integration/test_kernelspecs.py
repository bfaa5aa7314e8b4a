"""Kernelspecs broken in many ways on a real machine: listed, repaired, started."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import Desk
from support import ways
from support.environments import Workshop

pytestmark = pytest.mark.integration

END = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]


def write(desk: Desk, name: str, argv: object, display: str = "") -> Path:
    path = ways.specs_folder(Path(desk.settings["HOME"])) / name / "kernel.json"
    path.parent.mkdir(parents=True)
    data = {"argv": argv, "display_name": display or name, "language": "python"}
    path.write_text(argv if isinstance(argv, str) else json.dumps(data), "utf-8")
    return path


def listing(desk: Desk, *words: str) -> dict[str, Any]:
    done = desk.environment.run(
        "-m", "safeinstall", "kernels", "--json", *words, settings=desk.settings, cwd=desk.notebooks
    )
    assert done.stdout, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    return data


@pytest.mark.first_line_of(
    "kernelspec-broken",
    "kernelspec-dangling",
    "kernelspec-follows-server",
    "kernelspec-misnamed",
    "kernelspec-no-answer",
    "kernelspec-no-connection",
    "kernelspec-on-path",
    "kernelspec-relative",
)
def test_kernelspecs_broken_in_many_ways_are_named_repaired_and_start(
    desk: Desk, workshop: Workshop, tmp_path: Path
) -> None:
    python = str(desk.environment.python)
    version = ".".join(desk.environment.site_packages.parent.name.removeprefix("python").split("."))
    # Elsewhere the link would be the base interpreter: `pyvenv.cfg` is looked for beside it.
    on_path = desk.environment.prefix / "bin" / f"python{version}x"
    on_path.symlink_to("python")
    desk.settings["PATH"] = f"{on_path.parent}:{desk.settings['PATH']}"
    broken = {
        "dangling": ("/gone/bin/python", "kernelspec-dangling"),
        "relative": (os.path.relpath(python, desk.notebooks), "kernelspec-relative"),
        "on-path": (on_path.name, "kernelspec-on-path"),
        "follows": ("python", "kernelspec-follows-server"),
        "mute": ("/bin/true", "kernelspec-no-answer"),
    }
    files = {name: write(desk, name, [program, *END]) for name, (program, _) in broken.items()}
    files["deaf"] = write(desk, "deaf", [python, *END[:2]])
    files["misnamed"] = write(desk, "misnamed", [python, *END], "Python 3.7 (old)")
    files["no-json"] = write(desk, "no-json", "{")
    files["no-argv"] = write(desk, "no-argv", None)
    expected = {name: code for name, (_, code) in broken.items()} | {
        "deaf": "kernelspec-no-connection",
        "misnamed": "kernelspec-misnamed",
        "no-json": "kernelspec-broken",
        "no-argv": "kernelspec-broken",
    }
    found = {
        kernel["name"]: [finding["code"] for finding in kernel["findings"]]
        for kernel in listing(desk)["kernels"]
    }
    assert {name: found[name] for name in expected} == {n: [code] for n, code in expected.items()}
    before = {name: path.read_text() for name, path in files.items()}
    lines = {
        kernel["name"]: kernel["findings"][0]["hint"]
        for kernel in listing(desk)["kernels"]
        if kernel["findings"]
    }
    repaired = {each["name"]: each for each in listing(desk, "--repair")["repaired"]}
    gone = {"dangling", "mute", "no-json", "no-argv"}
    assert {name for name in files if not repaired[name]["python"]} == gone
    for name in gone:
        assert files[name].read_text() == before[name]
        words = shlex.split(lines[name])
        assert words[:2] == ["safeinstall", "kernels"], lines[name]
        [repaired[name]] = listing(desk, *words[2:])["repaired"]
    for name, path in files.items():
        assert repaired[name]["python"], repaired[name]
        assert Path(repaired[name]["kept"]).read_text() == before[name]
        assert json.loads(path.read_text())["argv"][1:] == END
    after = {k["name"]: k for k in listing(desk, "--start")["kernels"]}
    for name in files:
        codes = [finding["code"] for finding in after[name]["findings"]]
        assert after[name]["starts"] is True, after[name]
        assert codes == [], codes


@pytest.mark.first_line_of("kernelspec-no-ipykernel")
def test_a_kernel_without_ipykernel_is_given_the_line_that_works(
    desk: Desk, workshop: Workshop, tmp_path: Path
) -> None:
    bare = tmp_path / "bare env"
    workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, bare)
    write(desk, "bare", [str(bare / "bin" / "python"), *END])
    [state] = [kernel for kernel in listing(desk)["kernels"] if kernel["name"] == "bare"]
    assert state["has_ipykernel"] is False
    [finding] = state["findings"]
    assert finding["code"] == "kernelspec-no-ipykernel"
    assert finding["hint"] == f'safeinstall install --python "{bare}" ipykernel'
    desk.settings.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(workshop.wheels))
    words = shlex.split(finding["hint"])[1:]
    done = desk.environment.run("-m", "safeinstall", *words, settings=desk.settings)
    assert done.returncode == 0, done.stderr
    [state] = [k for k in listing(desk, "--start")["kernels"] if k["name"] == "bare"]
    assert (state["findings"], state["starts"]) == ([], True)


def test_a_kernel_that_starts_through_a_program_of_its_own_is_in_order(desk: Desk) -> None:
    starter = desk.notebooks / "start"
    starter.write_text(f'#!/bin/sh\nexec {desk.environment.python} -m ipykernel_launcher -f "$2"\n')
    starter.chmod(0o755)
    desk.settings["PATH"] = f"{starter.parent}:{desk.settings['PATH']}"
    files = [
        write(desk, "script", [str(starter), "--to", "{connection_file}"], "Python 3.7 (cluster)"),
        write(desk, "on-path", ["start", "--to", "{connection_file}"]),
    ]
    before = [path.read_text() for path in files]
    states = {k["name"]: k for k in listing(desk, "--repair", "--start")["kernels"]}
    for name in ("script", "on-path"):
        assert (states[name]["findings"], states[name]["starts"]) == ([], True)
        assert states[name]["program"] == str(starter)
    assert [path.read_text() for path in files] == before
    listing(desk, "--repair", "on-path")
    assert json.loads(files[1].read_text())["argv"] == [str(starter), "--to", "{connection_file}"]


def test_a_repair_exchanges_the_interpreter_and_leaves_the_other_words(desk: Desk) -> None:
    more = ["-Xfrozen_modules=off", *END, "--matplotlib=inline"]
    odd = write(desk, "odd", ["/gone/python", *more])
    behind = write(desk, "behind", ["/usr/bin/env", "A=1", "/gone/python", *END])
    lost = write(desk, "lost", ["/gone/conda", "run", "-n", "x", "python", *END])
    python = str(desk.environment.python)
    before = [path.read_text() for path in (odd, behind, lost)]
    listing(desk, "--repair")
    assert [path.read_text() for path in (odd, behind, lost)] == before
    for name in ("odd", "behind", "lost"):
        listing(desk, "--repair", name, "--python", python)
    assert json.loads(odd.read_text())["argv"] == [python, *more]
    assert json.loads(behind.read_text())["argv"] == ["/usr/bin/env", "A=1", python, *END]
    assert json.loads(lost.read_text())["argv"] == [python, *END]
    after = {k["name"]: k for k in listing(desk, "--start")["kernels"]}
    for name in ("odd", "behind", "lost"):
        assert (after[name]["findings"], after[name]["starts"]) == ([], True)


def test_the_notebook_shows_the_same_and_a_stranger_is_left_alone(desk: Desk) -> None:
    path = write(desk, "dangling", ["/gone/python", *END])
    folder = path.parent.parent / "ir"
    folder.mkdir()
    foreign = json.dumps({"argv": ["/bin/sh"], "display_name": "R", "language": "R"})
    (folder / "kernel.json").write_text(foreign)
    with desk.kernel() as kernel:
        shown = kernel.run("%kernelenv --kernels")
        assert shown.ok, shown.everything
        assert "/gone/python, which is not there" in shown.data["text/plain"]
        line = f"%kernelenv --kernels --repair dangling --python {desk.environment.python}"
        assert line in shown.data["text/plain"]
        assert kernel.run(line).ok
        words = kernel.run("%kernelenv --kernels").data["text/plain"]
        assert "nothing is known against them, and none was started" in words
        assert "all in order" in kernel.run("%kernelenv --kernels --start").data["text/plain"]
        unknown = kernel.run("%kernelenv --kernels --repair nobody")
        assert "no kernel called nobody" in unknown.traceback
    assert json.loads(path.read_text())["argv"][0] == str(desk.environment.python)
    assert (folder / "kernel.json").read_text() == foreign


def test_what_leads_to_an_interpreter_elsewhere_is_not_judged_from_here(desk: Desk) -> None:
    path = write(desk, "wrapped", ["/gone/poetry", "run", "python", *END])
    before = path.read_text()
    [state] = [each for each in listing(desk)["kernels"] if each["name"] == "wrapped"]
    assert [finding["code"] for finding in state["findings"]] == ["kernelspec-unjudged"]
    listing(desk, "--repair")
    assert path.read_text() == before
