"""What a person reads, as golden files; `GOLDEN=write` writes them anew: then read the change."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeinstall.distributions import Change, Changes, Distribution
from safeinstall.doctor.diagnosis import Examination
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.importing import StaleModule
from safeinstall.operations.autoload import Autoload
from safeinstall.operations.diagnose import Kernels
from safeinstall.operations.environments import NewEnvironment
from safeinstall.operations.history import History, Recovered
from safeinstall.operations.survey import Survey, Where
from safeinstall.outcome import DoneBy, Outcome
from safeinstall.render import (
    MIME,
    Displayed,
    Message,
    as_html,
    as_text,
    clean,
    outcome_message,
)
from safeinstall.render.report_words import WORDS, environment_message, short_environment_message
from support.reports import MARKER, environment, intent, locked_access
from support.words import Words

GOLDEN = Path(__file__).parent / "golden"
HERE = environment()


def plan(*changes: Change) -> Changes:
    return Changes.of(changes)


def outcome(status: str, **rest: object) -> Outcome:
    if "changes" in rest:
        rest["installer"] = DoneBy(name="uv", version="0.13.8", reason="found")
    return Outcome(
        status=status,  # type: ignore[arg-type]
        environment=HERE,
        destination=intent().destination,
        asked="%safeinstall pandas",
        live=True,
        seconds={"total": 0.9},
        **rest,  # type: ignore[arg-type]
    )


PANDAS = Change(name="pandas", before=None, after="2.3.3", requested=True)
NUMPY = Change(name="numpy", before="2.1.3", after="2.3.3", requested=True)
ALONG = tuple(
    Change(name=name, before=None, after=version)
    for name, version in (("numpy", "2.3.3"), ("pytz", "2025.2"), ("six", "1.17.0"))
)


def refused(**report: object) -> Outcome:
    from safeinstall.guards import examine

    return outcome("refused", findings=examine(intent(**report)))  # type: ignore[arg-type]


CASES = {
    "done": outcome("done", changes=plan(PANDAS, *ALONG), transaction="0001"),
    "done-proved": outcome(
        "done", changes=plan(PANDAS), transaction="0001", imported=("pandas", "numpy")
    ),
    "import-failed": outcome(
        "rolled-back",
        findings=(
            Finding.refuse(
                "import-failed",
                "import cv2 needs libGL.so.1, a shared library that is not found.",
                Suggestion("!sudo apt-get install --yes libgl1", "then the same line again"),
                Suggestion("%safeinstall opencv-python", "installs it all the same"),
            ),
        ),
    ),
    "done-restart": outcome(
        "done",
        changes=plan(NUMPY),
        restart="needed",
        stale=tuple(StaleModule(f"numpy.c{n}", compiled=True) for n in range(14)),
    ),
    "done-refreshed": outcome("done", changes=plan(PANDAS), restart="refreshed"),
    "done-terminal": replace(outcome("done", changes=plan(PANDAS)), live=False),
    "done-many": outcome(
        "done",
        changes=plan(
            *(
                Change(name=f"package-{n}", before=None, after="1.0", requested=True)
                for n in range(6)
            )
        ),
    ),
    "satisfied": replace(
        outcome(
            "satisfied",
            satisfied=(
                Distribution(
                    name="pandas",
                    version="2.3.3",
                    location=HERE.paths.purelib,
                    metadata=f"{HERE.paths.purelib}/x",
                ),
            ),
        ),
        seconds={"total": 0.004},
    ),
    "planned": replace(
        outcome("planned", changes=plan(PANDAS, NUMPY)), asked="%safeinstall --dry-run pandas numpy"
    ),
    "refused-not-writable": refused(access=locked_access()),
    "refused-debian": refused(kind="debian-system", externally_managed=MARKER),
    "failed-version": outcome(
        "failed",
        findings=(
            Finding(
                code="no-such-version",
                severity=Severity.REFUSE,
                message="There is no six==99. The nearest version is 1.17.0.",
                context="error: No solution found\n cause: long\n cause: longer",
                hint=(Suggestion(command="%safeinstall six==1.17.0"),),
            ),
        ),
    ),
    "failed-conflict": outcome(
        "failed",
        findings=(
            Finding(
                code="conflict",
                severity=Severity.REFUSE,
                message="These requirements cannot be met together.",
                context="error: No solution found when resolving dependencies\n"
                "  cause: Because all versions of aa depend on bb==1.0 and you require bb==2.0, "
                "we can conclude that your requirements are unsatisfiable.",
            ),
        ),
    ),
    "redirected": outcome(
        "done",
        changes=plan(PANDAS),
        findings=(
            Finding(
                code="ambient-redirect",
                severity=Severity.INFO,
                message="Not obeyed, because it would install elsewhere: PIP_TARGET=/home/ana/t.",
            ),
        ),
    ),
    "rolled-back": outcome(
        "rolled-back",
        changes=plan(PANDAS),
        findings=(
            Finding(code="not-landed", severity=Severity.REFUSE, message="Files of x are missing."),
        ),
    ),
}
MESSAGES = {name: outcome_message(each) for name, each in CASES.items()} | {
    "environment": environment_message(HERE),
    "environment-locked": environment_message(environment(access=locked_access())),
    "environment-short": short_environment_message(HERE, Suggestion("%safeinstall pandas")),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_the_words_are_the_golden_ones(name: str) -> None:
    file = GOLDEN / f"{name}.txt"
    text = as_text(MESSAGES[name]) + "\n"
    if os.environ.get("GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", MESSAGES)
def test_html_says_what_the_text_says(name: str) -> None:
    words = Words()
    words.feed(as_html(MESSAGES[name]))
    html = set(re.findall(r"\S+", " ".join(words.text)))
    missing = set(re.findall(r"\S+", as_text(MESSAGES[name]))) - html - {"→"}
    assert missing == set()


@given(st.text(max_size=60))
def test_nothing_hostile_gets_through(evil: str) -> None:
    message = Message(
        mark="✓",
        headline=f"<img src=x onerror=alert(1)>{evil}",
        lines=(f"\x1b]0;title\x07{evil}",),
        suggestions=(Suggestion(command=f"<script>{evil}", note=evil),),
        details=f"\x1b[31m{evil}<b>",
    )
    words = Words()
    words.feed(as_html(message))
    assert words.tags <= {"div", "span", "code", "details", "summary", "pre"}
    assert "\x1b" not in as_text(message, verbose=True)


def test_a_terminal_is_never_steered() -> None:
    assert clean("a\x1b]8;;http://x\x07b\x1b[2Jc\x9bd\x00e\tf\ng") == "abcde\tf\ng".replace(
        "\x9b", ""
    )


def test_a_bundle_has_text_html_and_json() -> None:
    made = Displayed(CASES["done"], outcome_message(CASES["done"]))._repr_mimebundle_()
    assert set(made) == {"text/plain", "text/html", MIME}
    assert made[MIME]["schema"] == 1
    assert made[MIME]["plan"]["changes"][0]["name"] == "pandas"


def test_a_displayed_outcome_is_the_same_outcome() -> None:
    shown = Displayed(CASES["done"], outcome_message(CASES["done"]))
    assert shown.to_dict() == CASES["done"].to_dict()
    assert "pandas 2.3.3" in repr(shown)


def test_the_contract_of_the_json() -> None:
    data = CASES["done"].to_dict()
    assert set(data) >= {
        "schema",
        "status",
        "environment",
        "destination",
        "plan",
        "findings",
        "verification",
        "restart",
        "stale_modules",
        "transaction",
        "seconds",
    }
    assert set(data["plan"]) == {"installer", "changes"}
    assert set(data["plan"]["installer"]) == {"name", "version", "reason"}
    assert set(data["plan"]["changes"][0]) == {"name", "before", "after", "requested"}


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("done", 0),
        ("satisfied", 0),
        ("planned", 0),
        ("refused", 1),
        ("failed", 1),
        ("rolled-back", 1),
        ("needs-confirmation", 3),
    ],
)
def test_every_status_has_its_exit_status(status: str, code: int) -> None:
    assert outcome(status).exit_status == code


def test_whatever_can_be_looked_at_has_its_words() -> None:
    looked_at = (Autoload, NewEnvironment, History, Recovered, Survey, Where, Kernels, Examination)
    assert {each.__name__ for each in looked_at} == set(WORDS)
