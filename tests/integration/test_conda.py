"""`--installer conda` through a real kernel; the program is a stand-in that speaks its format.

conda, mamba and micromamba cannot be had from the registries the tests use; the stand-in answers
in the format as known and, when it is no dry run, does what its answer says.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import Desk
from support.environments import changes, snapshot
from support.wheels import make_wheel

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
links, unlinks = [link], []
for name, before, after in json.loads(os.environ.get("STAND_IN", "[]")):
    links = [{{**link, "name": name, "version": after}}]
    unlinks = [{{**link, "name": name, "version": before}}]
if "--dry-run" not in sys.argv:
    with open({module!r} + ".new", "w") as module:
        module.write(f"__version__ = {{links[0]['version']!r}}\\n")
    os.replace({module!r} + ".new", {module!r})
print(json.dumps({{"actions": {{"FETCH": [], "LINK": links, "PREFIX": prefix, "UNLINK": unlinks}},
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


AS_CONDA = (
    "from safeinstall.environment import Environment; parse = Environment.from_report.__func__; "
    "Environment.from_report = classmethod(lambda c, r: parse(c, {**r, 'kind': 'conda'})); "
)


def run_as_conda(desk: Desk, *words: str) -> tuple[int, dict[str, object], str]:
    """Run the command line with the environment reported as conda's (a venv's prefix is ours)."""
    code = AS_CONDA + "import sys; from safeinstall.cli import main; sys.exit(main(sys.argv[1:]))"
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
    [finding] = [f for f in outcome["findings"] if f["severity"] == "refuse"]  # type: ignore[attr-defined]
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


def owned_by_conda(desk: Desk, name: str, before: str, after: str) -> None:
    """Let conda have installed `name`, and let its next plan change the version."""
    installer = desk.environment.distribution(name, before) / "INSTALLER"
    installer.unlink()  # the environment shares its files with others
    installer.write_text("conda\n")
    desk.settings["STAND_IN"] = json.dumps([[name, before, after]])


def stopped(desk: Desk, folder: Path, *words: str) -> dict[str, Any]:
    """Let conda install; it must be stopped before it changes anything. Return the finding."""
    before, asked_before = snapshot(desk.environment.prefix), len(asked(folder))
    _, outcome, _ = run_as_conda(desk, "install", "--installer", "conda", "--json", *words)
    assert outcome["status"] in ("refused", "needs-confirmation"), outcome
    assert changes(before, snapshot(desk.environment.prefix)) == []
    assert all("--dry-run" in words for words in asked(folder)[asked_before:])
    findings: list[dict[str, Any]] = outcome["findings"]  # type: ignore[assignment]
    return findings[-1]


def test_a_plan_of_condas_that_breaks_others_is_asked_about(
    conda_desk: Desk, tmp_path: Path
) -> None:
    make_wheel(conda_desk.wheels, "needs-tiny", requires=["tinypkg<2"])
    run_as_conda(conda_desk, "install", *conda_desk.offline.split(), "needs-tiny", "--json")
    owned_by_conda(conda_desk, "tinypkg", "1.0", "2.0")
    finding = stopped(conda_desk, tmp_path, "tinypkg==2.0")
    assert finding["code"] == "breaks-installed"
    assert "needs-tiny 1.0 needs tinypkg<2" in finding["context"]
    words = ("install", "--installer", "conda", "--json", "--allow-conflicts", "tinypkg==2.0")
    _, outcome, said = run_as_conda(conda_desk, *words)
    assert outcome["status"] == "done", said


def test_conda_does_not_take_from_the_kernel_what_it_runs_on(
    conda_desk: Desk, tmp_path: Path
) -> None:
    [info] = conda_desk.environment.site_packages.glob("traitlets-*.dist-info")
    version = info.name.removesuffix(".dist-info").split("-")[1]
    owned_by_conda(conda_desk, "traitlets", version, "4.3.3")
    finding = stopped(conda_desk, tmp_path, "--yes", "traitlets==4.3.3")
    assert (finding["code"], finding["severity"]) == ("kernel-stack", "refuse")
    assert "--allow-kernel-change" in finding["hint"]
    assert "put back" not in json.dumps(finding), "conda has no way back of ours"


def test_a_mistaken_name_is_asked_about_before_conda_is(conda_desk: Desk, tmp_path: Path) -> None:
    assert stopped(conda_desk, tmp_path, "sklearn")["code"] == "name-trap"
    assert asked(tmp_path) == []


def test_what_conda_replaces_while_it_is_loaded_needs_a_restart(conda_desk: Desk) -> None:
    run_as_conda(conda_desk, "install", *conda_desk.offline.split(), "tinypkg", "--json")
    owned_by_conda(conda_desk, "tinypkg", "1.0", "2.0")
    with conda_desk.kernel() as kernel:
        assert kernel.run(f"{AS_CONDA}\nimport tinypkg").ok
        line = "%safeinstall --installer conda tinypkg==2.0"
        planned = kernel.run(f"{line} --dry-run").outcome
        assert "replaces-loaded" in [finding["code"] for finding in planned["findings"]]
        done = kernel.run(line).outcome
        assert (done["restart"], done["stale_modules"]) == ("needed", ["tinypkg"])
