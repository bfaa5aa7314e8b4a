"""The stop button: the environment as it was, the kernel alive."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from integration.conftest import Desk
from support.environments import changes, snapshot
from support.wheels import make_project, make_sdist

pytestmark = pytest.mark.integration


def wait_for(path: Path, seconds: float = 30) -> None:
    """Wait until the file exists."""
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path.name} did not appear in {seconds} s"
        time.sleep(0.05)


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_interrupt_during_a_build_leaves_the_environment_as_it_was(
    desk: Desk, tmp_path: Path, installer: str
) -> None:
    started = tmp_path / "build-started"
    make_sdist(desk.wheels, "slow", sleep=60, started=str(started))
    before = snapshot(desk.environment.prefix)
    with desk.kernel() as kernel:
        request = kernel.send(
            f"%safeinstall --installer {installer} --allow-build slow {desk.offline} slow"
        )
        wait_for(started)
        kernel.interrupt()
        stopped = kernel.result(request, timeout=20)
        assert not stopped.ok
        assert kernel.run("1 + 1").data["text/plain"] == "2"
        assert changes(before, snapshot(desk.environment.prefix)) == []
        assert not list((desk.environment.prefix / ".safeinstall").rglob("stage"))
        after = kernel.run(f"%safeinstall {desk.offline} tinypkg")
        assert after.outcome["status"] == "done"


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_no_process_outlives_an_interrupt(desk: Desk, tmp_path: Path) -> None:
    started = tmp_path / "build-started"
    project = make_project(desk.notebooks / "slow", "slow", sleep=60, started=str(started))
    with desk.kernel() as kernel:
        request = kernel.send(f"%safeinstall {desk.offline} {project}")
        wait_for(started)
        kernel.interrupt()
        kernel.result(request, timeout=20)
    assert processes_naming(str(desk.environment.prefix)) == []


def processes_naming(path: str) -> list[str]:
    """List the command lines of running processes that mention a path."""
    lines = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
        except OSError:
            continue
        if path in line:
            lines.append(line)
    return lines
