"""`--installer conda` through a real kernel; the program is a stand-in that speaks its format.

conda, mamba and micromamba cannot be had from the registries the tests use; the stand-in answers
in the recorded format and, when it is no dry run, does what its answer says.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from integration.conftest import Desk
from support.environments import changes, snapshot

pytestmark = pytest.mark.integration

STAND_IN = """#!{python}
import json, os, sys
prefix = sys.argv[sys.argv.index("--prefix") + 1]
with open({log!r}, "a") as log:
    log.write(json.dumps(sys.argv[1:]) + "\\n")
if "nope" in sys.argv:
    print(json.dumps({{"exception_name": "PackagesNotFoundError", "packages": ["nope"],
                       "message": "missing", "error": "missing", "success": False}}))
    sys.exit(1)
link = {{"name": "tinypkg", "version": "1.0", "channel": "local", "dist_name": "tinypkg-1.0-0"}}
if "--dry-run" not in sys.argv:
    with open({module!r}, "w") as module:
        module.write("__version__ = '1.0'\\n")
print(json.dumps({{"actions": {{"FETCH": [], "LINK": [link], "PREFIX": prefix, "UNLINK": []}},
                   "prefix": prefix, "success": True}}))
"""


@pytest.fixture
def conda_desk(desk: Desk, tmp_path: Path) -> Desk:
    """A desk whose environment looks like one of conda's, with a program beside the interpreter."""
    prefix = desk.environment.prefix
    (prefix / "conda-meta").mkdir()
    (prefix / "conda-meta" / "history").write_text("==> 2026-01-01 00:00:00 <==\n")
    program = tmp_path / "conda"
    text = STAND_IN.format(
        python=desk.environment.python,
        log=str(tmp_path / "log"),
        module=str(desk.environment.site_packages / "tinypkg.py"),
    )
    program.write_text(text)
    program.chmod(0o755)
    desk.settings["CONDA_EXE"] = str(program)
    return desk


def asked(folder: Path) -> list[list[str]]:
    log = folder / "log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def run_as_conda(desk: Desk, *words: str) -> tuple[int, dict[str, object], str]:
    """Run the command line with the environment reported as conda's (a venv's prefix is ours)."""
    code = (
        "import sys; from safeinstall import environment; from safeinstall.environment import "
        "Environment; parse = Environment.from_report.__func__; "
        "Environment.from_report = classmethod(lambda c, r: parse(c, {**r, 'kind': 'conda'})); "
        "from safeinstall.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    done = desk.environment.run("-c", code, *words, settings=desk.settings, cwd=desk.notebooks)
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def test_the_dry_run_comes_first_and_is_the_same_plan(conda_desk: Desk, tmp_path: Path) -> None:
    before = snapshot(conda_desk.environment.prefix)
    words = ("install", "--installer", "conda", "--dry-run", "--json", "tinypkg")
    status, outcome, said = run_as_conda(conda_desk, *words)
    assert status == 0, said
    assert outcome["status"] == "planned"
    assert outcome["plan"]["changes"][0]["name"] == "tinypkg"  # type: ignore[index]
    assert ["--dry-run" in words for words in asked(tmp_path)] == [True]
    assert changes(before, snapshot(conda_desk.environment.prefix)) == []


def test_it_is_carried_out_by_the_environments_own_program(
    conda_desk: Desk, tmp_path: Path
) -> None:
    words = ("install", "--installer", "conda", "--json", "tinypkg")
    status, outcome, said = run_as_conda(conda_desk, *words)
    assert status == 0, said
    assert outcome["status"] == "done"
    assert ["--dry-run" in words for words in asked(tmp_path)] == [True, False]
    assert conda_desk.environment.version_of("tinypkg", conda_desk.settings) == "1.0"


def test_what_pip_or_uv_installed_is_not_written_over(conda_desk: Desk, tmp_path: Path) -> None:
    run_as_conda(conda_desk, "install", *conda_desk.offline.split(), "tinypkg", "--json")
    before = snapshot(conda_desk.environment.prefix)
    words = ("install", "--installer", "conda", "--upgrade", "--json", "tinypkg")
    status, outcome, said = run_as_conda(conda_desk, *words)
    assert status == 1, said
    [finding] = [f for f in outcome["findings"] if f["severity"] == "refuse"]  # type: ignore[index,attr-defined]
    assert finding["code"] == "foreign-owner"
    assert changes(before, snapshot(conda_desk.environment.prefix)) == []
    assert all("--dry-run" in words for words in asked(tmp_path))


def test_a_failure_and_a_missing_program_are_told(conda_desk: Desk) -> None:
    words = ("install", "--installer", "conda", "--json", "nope")
    status, _, said = run_as_conda(conda_desk, *words)
    assert status == 1
    assert "No channel of conda has nope" in said
    del conda_desk.settings["CONDA_EXE"]
    status, _, said = run_as_conda(conda_desk, *words)
    assert status == 1
    assert "No conda, mamba or micromamba" in said


def test_an_environment_that_is_not_condas_is_said_to_be_so(desk: Desk) -> None:
    with desk.kernel() as kernel:
        result = kernel.run("%safeinstall --installer conda tinypkg")
    assert "is no conda environment" in " ".join(result.traceback.split())
