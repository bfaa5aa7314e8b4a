"""What is kept for undo does not grow without end: the oldest transactions are forgotten."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from integration.conftest import Desk
from safeinstall.transaction.store.history import Store
from support.places import Place
from support.wheels import make_wheel

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="works on a place of POSIX"),
]


def test_the_last_ten_transactions_are_kept_whichever_command_made_them(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.make()
    make_wheel(place.wheels, "tinypkg")
    for _ in range(4):
        place.installed("tinypkg")
        assert place.safeinstall("undo").returncode == 0
        place.installed("tinypkg")
        assert place.safeinstall("uninstall", "tinypkg").returncode == 0
    kept = [entry.id[:4] for entry in Store.open(str(place.prefix)).history()]
    assert kept == [f"{number:04d}" for number in range(16, 6, -1)]
    left = (place.prefix / ".safeinstall" / "transactions").iterdir()
    assert len(list(left)) == 10


def test_a_kernel_keeps_as_many_as_it_is_told_and_the_last_may_always_be_undone(
    desk: Desk,
) -> None:
    area = Store.open(str(desk.environment.prefix))
    with desk.kernel() as kernel:
        assert kernel.run("%config SafeInstall.undo_transactions = 2").ok
        for _ in range(2):
            assert kernel.run(f"%safeinstall {desk.offline} tinypkg").ok
            assert kernel.run("%safeuninstall tinypkg").ok
        assert len(area.history()) == 2
        assert kernel.run("%config SafeInstall.undo_gigabytes = 0").ok
        assert kernel.run("%safeundo").ok
        assert kernel.run("%safeuninstall tinypkg").ok
        assert len(area.history()) == 1
        assert kernel.run("%safeundo").ok
        assert kernel.run("import tinypkg").ok
