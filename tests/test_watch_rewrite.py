from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeinstall.errors import SafeInstallStopped
from safeinstall.probe import predict
from safeinstall.watch.advice import blocked, blocked_line, replaceable, replaced


def redirected(cell: str) -> str:
    wrong = predict(cell, environ={"PATH": "/nowhere"})
    new = replaceable(cell, wrong, lambda prediction: "%safeinstall six")
    return "".join(replaced(cell.splitlines(keepends=True), new))


@pytest.mark.parametrize(
    ("cell", "after"),
    [
        ("!pip install six", "%safeinstall six"),
        ("x = 1\n!pip install six\ny = 2\n", "x = 1\n%safeinstall six\ny = 2\n"),
        ("if x:\n    !pip install six\n", "if x:\n    %safeinstall six\n"),
        ("%pip install six", "%safeinstall six"),
        ("!pip install six; ls", "!pip install six; ls"),
        ("!cd x && pip install six", "!cd x && pip install six"),
        ("!pip install six | tail", "!pip install six | tail"),
        ("!pip install \\\n  six", "!pip install \\\n  six"),
        ("%%bash\npip install six", "%%bash\npip install six"),
        ("import os; os.system('pip install six')", "import os; os.system('pip install six')"),
        ("out = !pip install six", "out = !pip install six"),
        ("# !pip install six", "# !pip install six"),
    ],
)
def test_only_a_line_that_is_nothing_but_the_command_is_replaced(cell: str, after: str) -> None:
    assert redirected(cell) == after


@given(st.text(alphabet="!%pip instalux=1;\n ", max_size=60))
def test_other_lines_are_never_altered(cell: str) -> None:
    before, after = cell.splitlines(), redirected(cell).splitlines()
    assert len(before) == len(after)
    for old, new in zip(before, after, strict=True):
        assert old == new or "install" in old


STOP = blocked_line("%safeinstall six")


@pytest.mark.parametrize(
    ("cell", "after"),
    [
        ("x = 1\nif x:\n    !pip install six\ny = 2\n", f"x = 1\nif x:\n    {STOP}\ny = 2\n"),
        ("x = 1\n!ls && pip install six\n", f"{STOP}\n"),
        ("!pip install six; ls", f"{STOP}\n"),
        ("!pip install \\\n  six", f"{STOP}\n"),
        ("%%bash\nls\npip install six", f"{STOP}\n"),
        ("%%capture\n!pip install six", f"{STOP}\n"),
        ("import os; os.system('pip install six')", f"{STOP}\n"),
        ("import subprocess as s\ns.run(\n  ['pip', 'install', 'six'])", f"{STOP}\n"),
        ("!pip install six\n!cd x; pip install six", f"{STOP}\n"),
        ("out = !pip install six", f"{STOP}\n"),
        ("x = 1\n!ls\n", None),
    ],
)
def test_every_install_that_can_be_seen_is_blocked(cell: str, after: str | None) -> None:
    wrong = predict(cell, environ={"PATH": "/nowhere"})
    lines = blocked(cell, wrong, lambda prediction: "%safeinstall six")
    assert (None if lines is None else "".join(lines)) == after


def test_a_block_that_knows_no_line_to_type_stops_all_the_same() -> None:
    wrong = predict("!conda install six", environ={"PATH": "/nowhere"})
    lines = blocked("!conda install six", wrong, lambda prediction: "") or []
    with pytest.raises(SafeInstallStopped, match=r"blocked\.$"):
        exec("".join(lines), {})


def test_a_blocked_line_fails_the_cell_and_names_the_line_to_type() -> None:
    with pytest.raises(SafeInstallStopped, match="%safeinstall 'six'"):
        exec(blocked_line("%safeinstall 'six'"), {})
