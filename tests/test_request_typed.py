"""The requirement somebody is typing, found in the line by where the cursor stands."""

from __future__ import annotations

import pytest

from safeinstall.agent.packages import typed_at


@pytest.mark.parametrize(
    ("line", "name", "narrower", "completed"),
    [
        ("pandas|", "pandas", "pandas", "pandas==9"),
        ("pan|das", "pandas", "pandas", "pandas==9"),
        ("numpy pandas==|", "pandas", "pandas", "numpy pandas==9"),
        ("pandas==2.|", "pandas", "pandas==2.*", "pandas==9"),
        ("pandas == 2.1|", "pandas", "pandas==2.1.*", "pandas==9"),
        ("pandas>=2,<3| numpy", "pandas", "pandas>=2,==3.*", "pandas>=2,<9 numpy"),
        ("pandas>=2,polars|", "polars", "polars", "pandas>=2,polars==9"),
        ('"pandas[excel]>=1|"', "pandas", "pandas==1.*", '"pandas[excel]>=9"'),
        ("a, b|", "b", "b", "a, b==9"),
        ("pandas==2.0rc|", "pandas", "pandas", "pandas==9"),
    ],
)
def test_what_is_being_typed_is_found_and_completed(
    line: str, name: str, narrower: str, completed: str
) -> None:
    cursor = line.index("|")
    text = line.replace("|", "")
    typed = typed_at(text, cursor)
    assert typed is not None
    assert (typed.name, typed.narrower) == (name, narrower)
    assert typed.completed(text, "9") == completed


@pytest.mark.parametrize(
    "line", ["", "./proj", "--index-url", "x @ https://host/x", "https://host/x", "pandas ;"]
)
def test_what_is_no_requirement_is_left_alone(line: str) -> None:
    assert typed_at(line, len(line)) is None


def test_the_clause_being_typed_is_no_limit_for_a_wider_look() -> None:
    typed = typed_at("pandas>=2,<9", 12)
    assert typed is not None
    assert typed.wider == "pandas>=2"
