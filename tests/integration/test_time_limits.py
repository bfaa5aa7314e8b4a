"""What a build may not do, and an index: work without end, or write where nobody asked it to."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

import pytest

from integration.conftest import Desk
from support import ways
from support.environments import changes, snapshot
from support.indexes import trickling
from support.wheels import make_project

pytestmark = [pytest.mark.integration, pytest.mark.attack("builds and indexes without end")]

HANGS = """
    import subprocess, sys
    far = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"],
                           start_new_session=True)
    open({pid!r}, "w").write(str(far.pid))
    sys.stderr.write("much to say " * 1000)
    time.sleep(600)
"""
"""What a build does that never ends, and that started something out of its group."""


def ends(pid: int, seconds: float = 10) -> bool:
    """Tell whether a process is gone, or is soon."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_build_that_hangs_is_ended_with_all_it_started(
    desk: Desk, tmp_path: Path, installer: str
) -> None:
    backend = make_project(desk.notebooks / "slow", "slow") / "backend.py"
    pid = tmp_path / "pid"
    text = backend.read_text().replace("    time.sleep(SLEEP)\n", HANGS.format(pid=str(pid)))
    backend.write_text(text)
    before = snapshot(desk.environment.prefix)
    with desk.kernel() as kernel:
        line = f"%safeinstall --no-index --time-limit 0.1 --installer {installer} ./slow"
        stopped = kernel.run(line)
        said = " ".join(stopped.evalue.split())
        assert f"{installer} was not done after 0.1 minutes, and was ended: a build" in said
        assert ways.lines_to_type(stopped) == [line.replace("0.1", "0.3")]
        assert ends(int(pid.read_text()))
        assert kernel.run("1 + 1").ok
    assert changes(before, snapshot(desk.environment.prefix)) == []


@pytest.mark.first_line_of("timeout")
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_index_that_trickles_is_given_up_or_interrupted(desk: Desk, installer: str) -> None:
    with trickling() as address, desk.kernel() as kernel:
        words = f"--installer {installer} --index-url {address}"
        stopped = kernel.run(f"%safeinstall {words} --time-limit 0.05 tinypkg")
        said = " ".join(stopped.evalue.split())
        assert "was not done after 0.05 minutes, and was ended: an index" in said, said
        line = ways.lines_to_type(stopped)[0]
        request = kernel.send(line.replace("0.15", "5"))
        time.sleep(2)
        begun = time.monotonic()
        kernel.interrupt()
        assert "interrupted" in kernel.result(request).evalue.lower()
        assert time.monotonic() - begun < 10
    desk.settings.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(desk.wheels))
    again = shlex.split(line.replace(address, "http://127.0.0.1:9/"))[1:]
    done = desk.environment.run(
        *("-m", "safeinstall", "install", *again), settings=desk.settings, cwd=desk.notebooks
    )
    assert done.returncode == 0, done.stderr


def test_the_limit_of_the_configuration_holds_where_none_is_typed(desk: Desk) -> None:
    with trickling() as address, desk.kernel() as kernel:
        assert kernel.run("%config SafeInstall.time_limit = 0.05").ok
        stopped = kernel.run(f"%safeinstall --index-url {address} tinypkg")
        assert "not done after 0.05 minutes" in " ".join(stopped.evalue.split())


WRITES = """
    import pathlib
    site = pathlib.Path({site!r})
    (site / "evil.py").write_text("evil = 1")
    (site / "evil_folder" / "deep").mkdir(parents=True)
    (site / "evil_folder" / "deep" / "more.py").touch()
    if {edits!r}:
        (site / "tinypkg.py").unlink()
        (site / "tinypkg.py").write_text("evil = 1")
"""


@pytest.mark.first_line_of("build-wrote")
@pytest.mark.parametrize("edits", [False, True])
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_build_that_writes_into_the_environment_is_named_and_what_it_brought_taken_out(
    desk: Desk, installer: str, edits: bool
) -> None:
    site = desk.environment.site_packages
    backend = make_project(desk.notebooks / "odd", "odd") / "backend.py"
    text = WRITES.format(site=str(site), edits=edits)
    backend.write_text(backend.read_text().replace("    time.sleep(SLEEP)\n", text))
    with desk.kernel() as kernel:
        assert kernel.run(f"%safeinstall {desk.offline} tinypkg").ok
        before = snapshot(desk.environment.prefix)
        stopped = kernel.run(f"%safeinstall --installer {installer} --no-index ./odd")
        said = " ".join(stopped.evalue.split())
        assert "A build wrote into" in said
        assert "evil.py" in said
        assert not (site / "evil.py").exists()
        assert not (site / "evil_folder").exists()
        changed = changes(before, snapshot(desk.environment.prefix))
        assert [path for path in changed if ".safeinstall" not in path] == (
            [str((site / "tinypkg.py").relative_to(desk.environment.prefix))] if edits else []
        )
        if edits:
            shown = kernel.run(ways.lines_to_type(stopped)[0])
            assert "tinypkg.py is not what its RECORD says" in shown.data["text/plain"]


def test_a_build_that_minds_its_own_business_is_not_suspected(desk: Desk) -> None:
    make_project(desk.notebooks / "own", "own")
    with desk.kernel() as kernel:
        assert kernel.run("%safeinstall --no-index ./own").ok
        assert kernel.run("import own").ok
