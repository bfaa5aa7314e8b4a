"""What is said about a removal, in the environment that runs the tests."""

from __future__ import annotations

import sys
import sysconfig
from typing import Any

import pytest

from safeinstall.probe.prediction import Prediction
from safeinstall.watch.advice import goes_wrong, line_to_run
from safeinstall.watch.removals import removal_fault


def removal(outcome: str, *names: str, foreign: bool = False, **rest: Any) -> Prediction:
    prefix = "/opt/other" if foreign else sys.prefix
    place = f"{prefix}/lib" if foreign else sysconfig.get_path("purelib")
    plain = {
        "tool": "pip",
        "interpreter": f"{prefix}/bin/python",
        "reason": "the rule that decided",
    }
    return Prediction(
        outcome=outcome,
        **{
            **plain,
            "path": place if outcome in ("env-site", "wrong-interpreter") else None,
            "importable_now": None,
            "importable_after_restart": None,
            "interpreter_prefix": prefix,
            "requirements": names,
            "removes": True,
            **rest,
        },
    )


@pytest.mark.parametrize(
    ("prediction", "words"),
    [
        (removal("env-site", "packaging"), "The kernel itself needs packaging"),
        (removal("env-site", "six-never", "ipykernel"), "The kernel itself needs ipykernel"),
        (removal("env-site", "ipykernel", tool="conda"), "The kernel itself needs ipykernel"),
        (removal("env-site", tool="conda", options=("--all",)), "own Python"),
        (removal("env-site", "python", tool="conda"), "own Python"),
        (removal("env-site", "iniconfig"), "pytest"),
        (removal("wrong-interpreter", "pytest", foreign=True), "This kernel keeps its own."),
        (removal("wrong-interpreter", "never", foreign=True), "out of /opt/other/lib."),
        (removal("no-change", "pytest", foreign=True), "which has no pytest"),
        (removal("refused-permission", "pytest", foreign=True), "would be refused"),
        (removal("fails", "pytest"), "would fail: the rule that decided"),
    ],
)
def test_a_removal_that_goes_wrong_is_said_why(prediction: Prediction, words: str) -> None:
    assert goes_wrong(prediction)
    fault = removal_fault(prediction, prediction.requirements)
    assert fault is not None
    assert words in fault.sentence


@pytest.mark.parametrize(
    "prediction",
    [
        removal("env-site", "mypy"),
        removal("env-site", "mypy==1.0"),
        removal("no-change", "never"),
        removal("no-change", "never", foreign=True),
        removal("unknown", "pytest", foreign=True),
        removal("env-site", "./folder"),
    ],
)
def test_a_removal_that_is_right_is_passed_over_in_silence(prediction: Prediction) -> None:
    assert not goes_wrong(prediction)


def test_the_line_to_type_removes_what_this_kernel_has() -> None:
    fault = removal_fault(removal("wrong-interpreter", "mypy", foreign=True), ["mypy"])
    assert fault is not None
    assert [way.command for way in fault.ways] == ["%safeuninstall mypy"]
    assert line_to_run(removal("wrong-interpreter", "mypy"), "/nb") == "%safeuninstall mypy"
    assert line_to_run(removal("fails", "mypy", tool="conda"), "/nb") is None
