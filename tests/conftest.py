"""What every test may rely on: nothing of this machine's own settings reaches it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from support.examples import examples

settings.register_profile("examples", max_examples=examples(100))
settings.load_profile("examples")

FOREIGN = ("PIP_", "UV_", "CONDA", "VIRTUAL_ENV", "PYTHON", "JUPYTER", "IPYTHON", "XDG_")


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
