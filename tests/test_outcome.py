"""The outcome as a value: what is said again, and what is not."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from safeinstall.agent import jobs
from safeinstall.agent.operate import in_words
from safeinstall.environment import Destination
from safeinstall.findings import Finding, Severity
from safeinstall.operations import Context
from safeinstall.outcome import Outcome
from support.reports import environment

REMARK = Finding(code="redirected", severity=Severity.INFO, message="VIRTUAL_ENV is not obeyed.")
WARNING = Finding(code="yanked", severity=Severity.WARNING, message="It was taken back.")


@pytest.fixture
def outcome() -> Outcome:
    here = environment()
    return Outcome(
        status="done",
        environment=here,
        destination=Destination.of(here),
        findings=(REMARK, WARNING),
    )


def test_a_remark_is_made_once_and_a_warning_each_time(outcome: Outcome) -> None:
    told: set[str] = set()
    assert outcome.without_repeats(told).findings == (REMARK, WARNING)
    assert outcome.without_repeats(told).findings == (WARNING,)
    assert outcome.without_repeats(set()).findings == (REMARK, WARNING)


def test_the_answer_of_an_uninstall_with_nothing_to_remove_is_given_each_time(
    outcome: Outcome,
) -> None:
    told: set[str] = set()
    answer = replace(outcome, status="satisfied", verb="uninstall", findings=(REMARK,))
    for _ in range(2):
        assert answer.without_repeats(told).findings == (REMARK,)


def test_the_panel_hears_a_remark_once_in_words_and_always_in_data(
    outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, jobs.STATE, raising=False)
    context = Context(environment=environment(), live=True, environ={}, cwd="/")
    first, second = in_words(outcome, context), in_words(outcome, context)
    assert "VIRTUAL_ENV" in str(first["message"])
    assert "VIRTUAL_ENV" not in str(second["message"])
    assert "taken back" in str(second["message"])
    assert first["outcome"] == second["outcome"]
