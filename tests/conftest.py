"""What every test may rely on: nothing of this machine's own settings reaches it."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from support.examples import examples

settings.register_profile("examples", max_examples=examples(100))
settings.load_profile("examples")

FOREIGN = ("PIP_", "UV_", "CONDA", "VIRTUAL_ENV", "PYTHON", "JUPYTER", "IPYTHON", "XDG_")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Note with each test of a marked kind which kind of attack it tries."""
    for item in items:
        for mark in item.iter_markers("attack"):
            item.user_properties.append(("attack", mark.args[0]))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many attacks of each kind were tried, and how many of them were held."""
    tried, held = Counter[str](), Counter[str]()
    for outcome in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(outcome, ()):
            kinds = [kind for name, kind in report.user_properties if name == "attack"]
            tried.update(kinds)
            held.update(kinds if outcome == "passed" else ())
    if tried:
        terminalreporter.section("attacks: kind, tried, held")
        for kind, number in sorted(tried.items()):
            terminalreporter.line(f"{kind:45} {number:5} {held[kind]:5}")


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the test an empty home and none of the settings of whoever started it."""
    for name in list(os.environ):
        if name.startswith(FOREIGN):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    return home
