"""Ask the installer itself: build the command that makes pip say its decision, and read the answer.

``pip -vv install --no-index --no-deps NAME`` with a name that does not exist runs pip's own option,
configuration, virtual-environment, PEP 668 and user-site code, and then stops. Nothing is started
here: whoever runs the command does so with the variables and in the folder of the cell.
"""

from __future__ import annotations

from typing import NamedTuple, Sequence

from ..shell.option_grammar import PIP, read_line

_NAME = "safeinstall-asks-for-what-is-not-there"
_PLACES = (
    *("user", "no-user", "target", "prefix", "root", "python", "isolated"),
    "break-system-packages",
)

_LINES = (
    ("externally-managed", "refused-externally-managed"),
    ("find an activated virtualenv", "refused-require-virtualenv"),
    ("an not combine", "refused-option-conflict"),
    ("an not perform a '--user'", "refused-user-site-unavailable"),
    ("No module named pip", "no-installer"),
    ("no such option", "fails"),
    ("Permission denied", "refused-permission"),
    ("due to --prefix or --target", "elsewhere"),
    ("Non-user install", "site"),
    ("User install by explicit request", "user-site"),
    ("Defaulting to user installation", "user-site"),
)
_FITTING = {
    "site": (
        *("env-site", "wrong-interpreter", "root-dir", "fails"),
        *("refused-permission", "refused-cannot-uninstall"),
    ),
    "elsewhere": ("target-dir", "prefix", "root-dir", "fails", "refused-permission"),
    "user-site": ("user-site", "refused-permission", "fails", "root-dir"),
}
"""The outcomes that each of pip's words about a place goes with."""


class Answer(NamedTuple):
    """What pip said."""

    outcome: str
    """A word of ``Prediction.outcome``; ``site`` or ``elsewhere`` where pip names no folder."""
    sentence: str
    """The line of pip's output that decided."""


def question(python: str, options: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the argument list that asks the pip of *python*.

    *options* are those of the command in question; only what decides the place is kept.
    """
    given = read_line(["install", *options], PIP).options
    named = [("--" + name, value) for name, value in given if name in _PLACES]
    kept = ["%s=%s" % (name, value) if value else name for name, value in named]
    before = [option for option in kept if option.startswith(("--python", "--isolated"))]
    after = [option for option in kept if option not in before]
    fixed = ("-vv", "--no-index", "--no-deps", "--no-cache-dir", "--disable-pip-version-check")
    return (python, "-m", "pip", *before, "install", *fixed, *after, _NAME)


def read_answer(output: str) -> Answer:
    """Find the deciding line in what pip printed (both streams); else ``unknown``."""
    lines = output[:200_000].splitlines()
    for text, outcome in _LINES:
        for line in lines:
            if text in line:
                return Answer(outcome, line.strip())
    return Answer("unknown", "pip did not say where it would install")


def agrees(outcome: str, answer: Answer) -> bool | None:
    """Tell whether pip's own words fit a predicted *outcome*; None where they do not tell.

    pip says nothing about permissions it has not met yet, nor about what is already there.
    """
    if "unknown" in (answer.outcome, outcome) or outcome in ("already-satisfied", "no-change"):
        return None
    return outcome in _FITTING.get(answer.outcome, (answer.outcome,))
