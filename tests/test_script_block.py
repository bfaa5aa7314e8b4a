"""A requirement is written into a script block, and nothing else of it is touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeinstall.agent.script_block import with_requirements
from safeinstall.errors import RequestError


@pytest.mark.parametrize(
    ("body", "requirement", "expected"),
    [
        ("", "six", 'dependencies = [\n  "six",\n]\n'),
        ("dependencies = []\n", "six", 'dependencies = ["six"]\n'),
        ('dependencies=["a"]\n', "six", 'dependencies=["a", "six"]\n'),
        ('dependencies = ["a",]\n', "six", 'dependencies = ["a", "six"]\n'),
        ('dependencies = [ "a" ]\n', "six", 'dependencies = [ "a", "six"]\n'),
        ("dependencies = ['a']\n", "A==2", 'dependencies = ["A==2"]\n'),
        (
            'dependencies = [\n  "a",  # for x\n  "b"  # last\n]\n',
            "six",
            'dependencies = [\n  "a",  # for x\n  "b",  # last\n  "six",\n]\n',
        ),
        (
            "dependencies = [\n  \"foo; python_version<'3.12'\", # ]\n]\n",
            "six",
            'dependencies = [\n  "foo; python_version<\'3.12\'", # ]\n  "six",\n]\n',
        ),
        (
            'requires-python = ">=3.11"\n[tool.uv]\ndependencies = ["no"]\n',
            "six",
            'requires-python = ">=3.11"\ndependencies = [\n  "six",\n]\n'
            '[tool.uv]\ndependencies = ["no"]\n',
        ),
        (
            "dependencies = [\"foo<1; os_name=='nt'\", 'foo<2']\n",
            "foo==3",
            'dependencies = ["foo<1; os_name==\'nt\'", "foo==3"]\n',
        ),
        ("dependencies = []\n", 'a; os_name=="nt"', 'dependencies = ["a; os_name==\\"nt\\""]\n'),
    ],
)
def test_a_requirement_is_added_or_replaced_where_it_stands(
    body: str, requirement: str, expected: str
) -> None:
    assert with_requirements(body, [requirement]) == expected
    again = with_requirements(expected, [requirement])
    assert again == expected


@pytest.mark.parametrize(
    "body",
    [
        "dependencies = 3\n",
        "dependencies = [\n",
        "dependencies = [a]\n",
        'dependencies = ["a" "b"]\n',
        'dependencies = [,"a"]\n',
        'dependencies = ["\\q"]\n',
        'dependencies = ["""a"""]\n',
    ],
)
def test_a_list_that_cannot_be_read_is_left_alone(body: str) -> None:
    with pytest.raises(RequestError, match="cannot be read as TOML"):
        with_requirements(body, ["six"])


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])).map("={}".format),
        unique=True,
    )
)
def test_what_is_written_is_read_again_by_others(texts: list[str]) -> None:
    tomllib = pytest.importorskip("tomllib", reason="came with Python 3.11")
    body = with_requirements("dependencies = ['a'] # keep\n[tool.x]\ny = 1\n", texts)
    found = tomllib.loads(body)
    assert found == {"dependencies": ["a", *texts], "tool": {"x": {"y": 1}}}
