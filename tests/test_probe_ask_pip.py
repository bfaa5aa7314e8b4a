"""Asking pip itself: the question, and what its answer means."""

from __future__ import annotations

import pytest

from safeinstall.probe.rules.pip_rules import agrees, question, read_answer


def test_the_question_keeps_what_decides_the_place_and_nothing_else() -> None:
    asked = question("/k/python", ("--user", "-U", "--index-url", "https://x", "--python", "/p"))
    assert asked[:5] == ("/k/python", "-m", "pip", "--python=/p", "install")
    assert "--user" in asked
    assert "--no-index" in asked
    assert not [word for word in asked if "https" in word or word in ("-U", "--upgrade")]


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("Non-user install because site-packages writeable", "site"),
        ("Non-user install by explicit request", "site"),
        ("Non-user install due to --prefix or --target option", "elsewhere"),
        ("User install by explicit request", "user-site"),
        ("Defaulting to user installation because normal site-packages is not", "user-site"),
        ("error: externally-managed-environment", "refused-externally-managed"),
        ("ERROR: Could not find an activated virtualenv (required).", "refused-require-virtualenv"),
        ("ERROR: Can not combine '--user' and '--target'", "refused-option-conflict"),
        ("/k/python: No module named pip", "no-installer"),
        ("something else", "unknown"),
    ],
)
def test_one_line_of_the_output_is_the_decision(line: str, outcome: str) -> None:
    assert read_answer(f"Using pip 26.2\n  {line}\nLooking\n").outcome == outcome


@pytest.mark.parametrize(
    ("outcome", "line", "expected"),
    [
        ("env-site", "Non-user install because site-packages writeable", True),
        ("user-site", "Non-user install because site-packages writeable", False),
        ("target-dir", "Non-user install due to --prefix or --target option", True),
        ("user-site", "User install by explicit request", True),
        ("env-site", "error: externally-managed-environment", False),
        ("already-satisfied", "User install by explicit request", None),
        ("env-site", "silence", None),
    ],
)
def test_a_prediction_is_held_against_the_answer(
    outcome: str, line: str, expected: bool | None
) -> None:
    assert agrees(outcome, read_answer(line)) is expected
