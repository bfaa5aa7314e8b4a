"""SIGKILL at random instants of a real upgrade: with us old or new.

What uv and pip make of it is measured by `make torture`.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

from support import killing

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc and SIGKILL"),
]

KILLS = {"safeinstall (uv)": 34, "safeinstall (pip)": 8}


@pytest.mark.timeout(900)
def test_killed_at_any_instant_and_recovered_the_environment_is_old_or_new(
    capsys: pytest.CaptureFixture[str],
) -> None:
    chance = random.Random(20)
    with killing.workshop() as work:
        tallies = [killing.kills(work, tool, number, chance) for tool, number in KILLS.items()]
    with capsys.disabled():
        sys.stdout.write("\n" + killing.table(tallies, "Five distributions, 400 files") + "\n")
    assert sum(each.killed for each in tallies) >= 40
