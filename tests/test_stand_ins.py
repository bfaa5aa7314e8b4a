"""The empty wheels that stand in for what pip cannot get."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from safeinstall.operations.environments.unavailable import write_placeholder_wheel


@pytest.mark.parametrize(
    ("text", "file"),
    [
        ("comm", "comm-9999-py3-none-any.whl"),
        ("ipython[all]>=7.23.1", "ipython-9999-py3-none-any.whl"),
        ("prompt_toolkit<3.1.0,>=3.0.41", "prompt_toolkit-3.0.41.9999-py3-none-any.whl"),
        ("a-b.c~=1.4.2", "a_b_c-1.4.2.9999-py3-none-any.whl"),
        ("x==1.*", "x-1.9999-py3-none-any.whl"),
        ("x==2!1.0+local", "x-2!1.0+local-py3-none-any.whl"),
        ("x<3", "x-2.9999-py3-none-any.whl"),
        ("x<0.5", "x-0-py3-none-any.whl"),
        ("x>=2a1,!=2", "x-9999-py3-none-any.whl"),
    ],
)
def test_a_stand_in_meets_the_requirement(tmp_path: Path, text: str, file: str) -> None:
    assert write_placeholder_wheel(Requirement(text), tmp_path)
    [wheel] = tmp_path.glob("*.whl")
    assert wheel.name == file
    assert not write_placeholder_wheel(Requirement(text), tmp_path), (
        "a second one would not help either"
    )


def test_nothing_meets_what_contradicts_itself(tmp_path: Path) -> None:
    assert not write_placeholder_wheel(Requirement("x>3,<2"), tmp_path)
    assert list(tmp_path.glob("*.whl")) == []
