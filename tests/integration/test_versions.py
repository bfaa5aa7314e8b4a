"""Versions for what is being typed: real installers, real wheels, the settings of pip."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from safeinstall import agent
from safeinstall.agent import jobs
from support.wheels import make_project, make_wheel

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An index of folders, named by pip's own settings."""
    monkeypatch.delitem(sys.modules, jobs.STATE, raising=False)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for version in ("1.0", "1.1", "2.0", "2.1", "2.1.post1", "10.0", "11.0rc1"):
        make_wheel(wheels, "manypkg", version)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.chdir(tmp_path)


def ask(method: str, **params: Any) -> Any:
    answer = agent.answer(method, params)
    assert "error" not in answer, answer
    return answer["value"]


def ended(job: dict[str, Any], seconds: float = 30) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while job["state"] == "running":
        assert time.monotonic() < end, job
        time.sleep(0.05)
        job = ask("status", id=job["id"])
    return job


def offered(line: str) -> list[str]:
    job = ended(ask("versions", line=line, cursor=len(line)))
    assert job["state"] == "ended", job
    assert job["result"]["line"] == line
    return [found["version"] for found in job["result"]["versions"]]


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_the_newest_come_first_and_narrow_down_with_what_is_typed(installer: str) -> None:
    options = f"--installer {installer} "
    newest = ["10.0", "2.1.post1", "2.1", "2.0", "1.1", "1.0"]
    assert offered(options + "manypkg") == newest
    assert offered(options + "manypkg==2") == ["2.1.post1", "2.1", "2.0"]
    assert offered(options + "manypkg>=2,<") == ["10.0", "2.1.post1", "2.1", "2.0"]
    assert offered(options + "manypkg==7") == newest  # there is none: here is what there is


def test_what_is_chosen_is_written_into_the_line_and_what_is_here_is_marked() -> None:
    line = 'other "manypkg>=2" third'
    job = ended(ask("versions", line=line, cursor=line.index('" third')))
    assert job["result"]["versions"][0]["line"] == 'other "manypkg>=2.1.post1" third'
    from packaging import __version__

    make_wheel(Path("wheels"), "packaging", __version__)
    found = ended(ask("versions", line="packaging", cursor=9))["result"]["versions"]
    assert [(one["version"], one["note"]) for one in found] == [(__version__, "installed")]


@pytest.mark.parametrize(
    "line", ["no-such-thing", "./manypkg", "-r manypkg", "--index-url", "manypkg --no-such-option "]
)
def test_where_nobody_can_tell_there_are_no_versions_and_no_trouble(line: str) -> None:
    assert offered(line) == []


def test_a_look_up_stands_in_nobodys_way(tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    make_project(slow, "slow", sleep=60, started=str(tmp_path / "started"))
    first = ask("versions", line="manypkg", cursor=7)
    second = ask("versions", line="manypkg==1", cursor=10)  # takes the place of the first
    assert ended(first)["state"] in ("failed", "ended")
    assert len(ended(second)["result"]["versions"]) == 2
    work = ask("install", line=f"--dry-run {slow}")
    try:
        # uv makes look-ups wait while it builds: they end in time all the same
        assert ended(ask("versions", line="manypkg", cursor=7), 10)["state"] == "ended"
        assert ask("status", id=work["id"])["state"] == "running"
        assert [job["id"] for job in ask("facts")["jobs"]] == [work["id"]]
    finally:
        ask("cancel", id=work["id"])
        ended(work)
