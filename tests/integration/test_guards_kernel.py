"""A kernel cannot be installed out of existence: refused, kept, or put back by a second kernel."""

from __future__ import annotations

import pytest

from integration.conftest import Desk
from safeinstall.findings import Severity
from safeinstall.operations import there
from safeinstall.operations.install import install
from safeinstall.outcome import Outcome
from safeinstall.request import parse
from support.environments import changes, snapshot
from support.wheels import make_wheel

pytestmark = pytest.mark.integration

OLD = {"traitlets": "4.3.3", "jupyter_client": "5.3.5", "typing_extensions": "3.7.4.3"}
"""Versions a kernel does not start with (reliability.md 1.3); here as empty wheels."""


def told(desk: Desk, line: str) -> Outcome:
    context = there(str(desk.environment.python))
    return install(parse(f"{desk.offline} {line}", cwd=str(desk.notebooks)), context)


@pytest.fixture
def old_wheels(desk: Desk) -> Desk:
    for name, version in OLD.items():
        make_wheel(desk.wheels, name, version, modules={f"{name}/__init__.py": ""})
    return desk


@pytest.mark.parametrize("name", OLD)
def test_a_downgrade_the_kernel_would_not_survive_is_refused_with_its_own_flag(
    old_wheels: Desk, name: str
) -> None:
    before = snapshot(old_wheels.environment.prefix)
    outcome = told(old_wheels, f"--yes {name}=={OLD[name]}")
    assert outcome.status == "refused"
    finding = outcome.stopping
    assert finding is not None and finding.code == "kernel-stack"
    assert OLD[name] in finding.message
    assert any("--allow-kernel-change" in way.command for way in finding.hint)
    assert changes(before, snapshot(old_wheels.environment.prefix)) == []


def test_what_was_allowed_is_put_back_when_no_second_kernel_answers(old_wheels: Desk) -> None:
    before = snapshot(old_wheels.environment.prefix)
    outcome = told(
        old_wheels,
        "--allow-kernel-change --allow-conflicts --no-deps traitlets==4.3.3",
    )
    assert outcome.status == "rolled-back", outcome.findings
    assert outcome.stopping is not None and outcome.stopping.code == "kernel-stack"
    assert "second kernel" in outcome.stopping.message
    assert changes(before, snapshot(old_wheels.environment.prefix)) == []
    with old_wheels.kernel() as kernel:
        assert kernel.run("1 + 1").data["text/plain"] == "2"


def test_an_ipykernel_that_fits_by_its_metadata_but_does_not_answer_is_put_back(
    desk: Desk,
) -> None:
    code = "import time; time.sleep(1)"
    modules = {"ipykernel/__init__.py": "", "ipykernel_launcher.py": code}
    make_wheel(desk.wheels, "ipykernel", "99.0", modules=modules)
    before = snapshot(desk.environment.prefix)
    outcome = told(desk, "ipykernel==99.0")
    assert outcome.status == "rolled-back", outcome.findings
    assert changes(before, snapshot(desk.environment.prefix)) == []


def test_a_request_is_solved_anew_so_that_the_kernel_keeps_what_it_runs_on(
    old_wheels: Desk,
) -> None:
    make_wheel(old_wheels.wheels, "greedy", "2.0", requires=["traitlets<5"])
    make_wheel(old_wheels.wheels, "greedy", "1.0", requires=["traitlets"])
    outcome = told(old_wheels, "greedy")
    assert outcome.status == "done", outcome.findings
    assert [(change.name, change.after) for change in outcome.changes] == [("greedy", "1.0")]
    [finding] = outcome.findings
    assert (finding.code, finding.severity) == ("kernel-stack", Severity.INFO)
    assert "greedy 1.0 instead of 2.0" in finding.message


def test_a_part_of_the_kernel_may_change_when_a_second_kernel_answers(desk: Desk) -> None:
    links = desk.wheels.parent / "b"
    outcome = told(desk, f"--force-reinstall --find-links {kernel_wheels(desk)} --no-deps comm")
    assert outcome.status == "done", outcome.findings
    assert links.exists()


def kernel_wheels(desk: Desk) -> str:
    from support.environments import CACHE

    return str(CACHE / "wheelhouse")


def test_a_package_beside_the_kernel_needs_no_second_one(desk: Desk) -> None:
    outcome = told(desk, "tinypkg")
    assert outcome.status == "done"
    assert outcome.findings == ()
    assert outcome.seconds["verify"] < 1.5
