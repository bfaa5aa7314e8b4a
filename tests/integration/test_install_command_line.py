"""`python -m safeinstall install`: exit statuses, and one JSON object on standard output."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from integration.conftest import Desk
from support.environments import Workshop, changes, snapshot
from support.wheels import make_wheel

pytestmark = pytest.mark.integration


def install(desk: Desk, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a terminal in the server's settings would."""
    offline = desk.offline.split()
    command = ("-m", "safeinstall", "install", *offline, *arguments)
    return desk.environment.run(*command, settings=desk.settings, cwd=desk.notebooks)


def one_object(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """Parse standard output, which must be one JSON object and nothing else."""
    parsed = json.loads(done.stdout)
    assert isinstance(parsed, dict)
    return parsed


def test_status_0_when_done_and_again_when_there_is_nothing_to_do(desk: Desk) -> None:
    done = install(desk, "--json", "tinypkg")
    assert done.returncode == 0, done.stderr
    assert one_object(done)["status"] == "done"
    assert desk.environment.version_of("tinypkg", desk.settings) == "1.0"
    again = install(desk, "--json", "tinypkg")
    assert again.returncode == 0
    assert one_object(again)["status"] == "satisfied"


def test_status_0_and_human_words_without_json(desk: Desk) -> None:
    done = install(desk, "tinypkg")
    assert done.returncode == 0
    assert "tinypkg 1.0" in done.stdout + done.stderr
    assert str(desk.environment.prefix) in done.stdout + done.stderr
    assert "%safe" not in done.stdout + done.stderr  # a terminal has no magics


def test_status_1_when_it_fails(desk: Desk) -> None:
    done = install(desk, "--json", "not-anywhere")
    assert done.returncode == 1
    outcome = one_object(done)
    assert outcome["status"] == "failed"
    assert outcome["findings"]
    assert "not-anywhere" in done.stderr


def test_status_2_for_wrong_usage(desk: Desk) -> None:
    before = snapshot(desk.environment.prefix)
    for wrong in (["--no-such-option", "tinypkg"], ["tinypkg=="], []):
        done = install(desk, *wrong)
        assert done.returncode == 2, wrong
        assert "Traceback" not in done.stderr
    assert changes(before, snapshot(desk.environment.prefix)) == []


def test_status_3_when_a_decision_is_needed_and_0_with_yes(desk: Desk) -> None:
    make_wheel(desk.wheels, "needy", requires=["tinypkg<2"])
    make_wheel(desk.wheels, "tinypkg", "2.0")
    assert install(desk, "needy").returncode == 0
    before = snapshot(desk.environment.prefix)
    asked = install(desk, "--json", "tinypkg==2.0")
    assert asked.returncode == 3, asked.stderr
    outcome = one_object(asked)
    assert outcome["status"] == "needs-confirmation"
    assert "needy" in asked.stderr
    [finding] = [f for f in outcome["findings"] if f["severity"] == "confirm"]
    assert "--allow-conflicts" in finding["hint"] or "--yes" in finding["hint"]
    assert changes(before, snapshot(desk.environment.prefix)) == []
    agreed = install(desk, "--yes", "tinypkg==2.0")
    assert agreed.returncode == 0
    assert desk.environment.version_of("tinypkg", desk.settings) == "2.0"


def test_the_environment_of_another_interpreter_is_named_with_python(
    desk: Desk, workshop: Workshop
) -> None:
    tool = workshop.template
    before = snapshot(tool.prefix)
    done = tool.run(
        "-m", "safeinstall", "install", "--python", desk.environment.python,
        *desk.offline.split(), "tinypkg", settings=desk.settings,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert desk.environment.version_of("tinypkg", desk.settings) == "1.0"
    assert changes(before, snapshot(tool.prefix)) == []


def test_an_interpreter_that_does_not_run_is_named(desk: Desk) -> None:
    done = install(desk, "--python", "/nowhere/python", "tinypkg")
    assert done.returncode in (1, 2)
    assert "/nowhere/python" in done.stderr
    assert "Traceback" not in done.stderr


def test_env_prints_the_facts_of_the_environment(desk: Desk) -> None:
    done = desk.environment.run("-m", "safeinstall", "env", "--json", settings=desk.settings)
    assert done.returncode == 0, done.stderr
    assert str(desk.environment.prefix) in done.stdout
    one_object(done)


def test_the_console_script_is_the_same_program(desk: Desk) -> None:
    script = desk.environment.prefix / "bin" / "safeinstall"
    done = desk.environment.run(
        script, "install", *desk.offline.split(), "tinypkg", settings=desk.settings
    )
    assert done.returncode == 0, done.stderr
    assert desk.environment.version_of("tinypkg", desk.settings) == "1.0"
