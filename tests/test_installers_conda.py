"""conda's family: the program is found, the command built, the answer read.

The answers are in the format of conda 23 and 24, micromamba 1.5 and mamba 2 as their sources write
it; the programs themselves cannot be had from the registries the tests use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from safeinstall.errors import InstallerError
from safeinstall.installers.conda import Conda, find_program, pixi_line
from safeinstall.installers.sources import Sources
from safeinstall.request import parse
from support.reports import environment

CONDA = Conda(path="/opt/conda/bin/conda", kind="conda", found="CONDA_EXE")
PREFIX = "/opt/conda/envs/lab"
HERE = environment(prefix=PREFIX)


def link(name: str, version: str, channel: str = "conda-forge") -> dict[str, object]:
    return {
        "base_url": f"https://conda.anaconda.org/{channel}",
        "build_number": 0,
        "build_string": "py312_0",
        "channel": channel,
        "dist_name": f"{name}-{version}-py312_0",
        "name": name,
        "platform": "linux-64",
        "version": version,
    }


ANSWER = {
    "actions": {
        "FETCH": [],
        "LINK": [link("numpy", "2.3.3"), link("pandas", "2.3.3")],
        "PREFIX": PREFIX,
        "UNLINK": [link("numpy", "2.1.3")],
    },
    "dry_run": True,
    "prefix": PREFIX,
    "success": True,
}


@pytest.mark.parametrize(
    ("environ", "programs", "history", "expected"),
    [
        ({"CONDA_EXE": "/c/bin/conda"}, {"/c/bin/conda"}, "", ("/c/bin/conda", "conda")),
        ({"CONDA_EXE": "/gone/conda", "MAMBA_EXE": "/m/micromamba"}, {"/m/micromamba"}, "",
         ("/m/micromamba", "micromamba")),
        ({}, {f"{PREFIX}/bin/mamba"}, "", (f"{PREFIX}/bin/mamba", "mamba")),
        ({}, {"/opt/conda/condabin/conda"}, "", ("/opt/conda/condabin/conda", "conda")),
        ({}, {"/h/bin/mamba"}, "==> 2026 <==\n# cmd: /h/bin/mamba create -n lab\n",
         ("/h/bin/mamba", "mamba")),
    ],
)  # fmt: skip
def test_the_environments_own_program_is_found(
    environ: Mapping[str, str], programs: set[str], history: str, expected: tuple[str, str]
) -> None:
    found = find_program(PREFIX, environ, programs.__contains__, history)
    assert found is not None
    assert (found.path, found.kind) == expected


def test_nothing_on_path_is_ever_believed() -> None:
    assert find_program(PREFIX, {"PATH": "/usr/bin"}, lambda path: False) is None


def test_pixi_is_left_to_its_manifest() -> None:
    found = find_program(PREFIX, {}, lambda path: True, pixi=True)
    assert found is not None
    assert found.kind == "pixi"
    assert pixi_line(parse("numpy>=2", cwd="/")) == 'pixi add "numpy>=2"'


def test_the_dry_run_names_prefix_and_specs_and_no_shell() -> None:
    command = CONDA.plan_command(parse("numpy>=2,<3 pandas", cwd="/"), HERE, Sources())
    assert command.argv[:5] == (CONDA.path, "install", "--prefix", PREFIX, "--json")
    assert "--dry-run" in command.argv
    assert command.argv[-2:] == ("numpy<3,>=2", "pandas")
    real = CONDA.install_command(parse("numpy", cwd="/"), HERE)
    assert "--dry-run" not in real.argv
    assert "--yes" in real.argv


@pytest.mark.parametrize(
    "line",
    ["a @ git+https://h/a.git", "a @ https://h/a.zip", "a[extra]", "a; os_name == 'nt'",
     "--index-url https://h/simple a", "--find-links /w a", "--pre a"],
)  # fmt: skip
def test_what_only_pypi_understands_is_refused(line: str) -> None:
    with pytest.raises(InstallerError) as caught:
        CONDA.plan_command(parse(line, cwd="/"), HERE, Sources())
    assert caught.value.code in ("not-for-conda", "option-conflict")


def test_the_plan_is_read_into_the_same_changes() -> None:
    changes = CONDA.read_plan(json.dumps(ANSWER)).changes({}, frozenset({"pandas"}))
    assert {(c.name, c.before, c.after, c.requested) for c in changes} == {
        ("pandas", None, "2.3.3", True),
        ("numpy", "2.1.3", "2.3.3", False),
    }


def test_progress_objects_in_front_are_passed_over() -> None:
    noise = json.dumps({"fetch": "numpy", "finished": False, "progress": 0.5})
    read = CONDA.read_plan(f"{noise}\n\x00{noise}\n\x00{json.dumps(ANSWER)}")
    assert len(read.arriving) == 2


def test_old_string_entries_and_an_empty_answer() -> None:
    old = {"success": True, "actions": [{"LINK": ["conda-forge::numpy-2.3.3-py312_0"]}]}
    assert CONDA.read_plan(json.dumps(old)).arriving[0].version == "2.3.3"
    done = {"message": "All requested packages already installed.", "success": True}
    assert not CONDA.read_plan(json.dumps(done)).arriving


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ({"exception_name": "PackagesNotFoundError", "message": "long\ntext", "packages": ["nope"],
          "error": "x", "success": False}, "not-found", "No channel of conda has nope."),
        ({"exception_name": "LibMambaUnsatisfiableError", "message": "Encountered problems\n - a",
          "success": False}, "conflict", "no set of packages"),
        ({"exception_name": "EnvironmentNotWritableError", "message": "not writable by you",
          "success": False}, "not-writable", "not writable by you"),
        ({"error": "something", "success": False}, "installer-failed", "something"),
    ],
)  # fmt: skip
def test_a_failure_is_told_in_one_sentence(
    answer: dict[str, object], code: str, words: str
) -> None:
    with pytest.raises(InstallerError) as caught:
        CONDA.read_plan(json.dumps(answer))
    assert caught.value.code == code
    assert words in caught.value.message


@pytest.mark.parametrize("text", ["", "Collecting package metadata", "[1]", "{"])
def test_what_is_no_answer_is_no_plan(text: str) -> None:
    with pytest.raises(InstallerError):
        CONDA.read_plan(text)
