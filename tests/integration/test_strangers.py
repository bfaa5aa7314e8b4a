"""What somebody else wrote into an environment, met by a kernel and by a terminal."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from integration.conftest import Desk
from safeinstall.transaction.store.history import Store
from support.environments import changes, snapshot
from support.kernels import Result
from support.strangers import Stranger, plant, precious, strangers

pytestmark = [
    pytest.mark.integration,
    pytest.mark.attack("journals, states and lists of a stranger"),
]

NAMES = (
    "leaves to absolute, restoring",
    "the journal is nested lists, arriving",
    "stage is a link, staging",
    "bytecode behind a link",
    "a file is at both ends, restoring",
)
CASES = {stranger.name: stranger for stranger in strangers()}


def said(desk: Desk, *words: str) -> subprocess.CompletedProcess[str]:
    done = desk.environment.run("-m", "safeinstall", *words, settings=desk.settings)
    assert "Traceback" not in done.stderr
    return done


def printed(result: Result) -> list[str]:
    assert result.ok, result.everything
    return (result.stdout + result.stderr).splitlines()


@pytest.mark.first_line_of("journal-unreadable")
@pytest.mark.parametrize("stranger", list(map(CASES.__getitem__, NAMES)), ids=NAMES)
def test_loading_and_recovering_do_nothing_and_say_one_sentence(
    desk: Desk, tmp_path: Path, stranger: Stranger
) -> None:
    prefix, outside = desk.environment.prefix, precious(tmp_path / "outside")
    own = plant(prefix, stranger, outside)
    before, theirs = snapshot(prefix), snapshot(outside)
    with desk.kernel() as kernel:
        kernel.run("%unload_ext safeinstall")
        (line,) = printed(kernel.run("%load_ext safeinstall"))
        assert line.startswith("! The journal of transaction 0001-beef is damaged")
        assert line.endswith("nothing was touched.")
        assert changes(before, snapshot(prefix)) == []
        result = kernel.run(f"%safeinstall {desk.offline} tinypkg")
        (found,) = [f for f in result.outcome["findings"] if f["code"] == "journal-unreadable"]
        assert "0001-beef is damaged" in found["message"]
        recovered = said(desk, "recover")
        assert recovered.returncode == 1
        assert "nothing was touched" in recovered.stderr
        assert "0001-beef" in said(desk, "doctor").stdout
        assert said(desk, "undo").returncode == 0  # of what was installed beside it
        assert changes(theirs, snapshot(outside)) == []
        mended = kernel.run(found["hint"])
        assert "set transaction 0001-beef aside" in mended.data["text/plain"]
    assert not own.exists()
    assert said(desk, "recover").returncode == 0
    assert said(desk, "doctor").returncode == 0
    assert changes(theirs, snapshot(outside)) == []


def test_recover_says_who_has_the_lock(desk: Desk) -> None:
    with Store.open(str(desk.environment.prefix)).lock(command="safeinstall install slow"):
        done = said(desk, "recover")
    assert done.returncode == 1
    assert "(safeinstall install slow) is changing this environment" in done.stderr
    assert said(desk, "recover").returncode == 0
