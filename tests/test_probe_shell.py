"""Shell text taken apart: words, chains, redirections, and what cannot be known."""

from __future__ import annotations

import pytest

from safeinstall.probe.shell.syntax import Word, expand_word, split_shell

NAMES = {"EMPTY": "", "TWO": "a b", "HERE": "/x"}


def words(text: str) -> list[list[str]]:
    found = []
    for simple in split_shell(text):
        line = [w for pieces in simple.pieces for w in expand_word(pieces, NAMES, "/home/me")]
        found.append([word.text for word in line])
    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pip install 'a b' \"c d\" e\\ f", [["pip", "install", "a b", "c d", "e f"]]),
        ("a && b || c; d | e & f\ng", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"], ["g"]]),
        ("pip install $TWO \"$TWO\" '$TWO' $EMPTY", [["pip", "install", "a", "b", "a b", "$TWO"]]),
        ("x ~/t $HERE/y ${HERE}z", [["x", "/home/me/t", "/x/y", "/xz"]]),
        ("a # b\nc", [["a"], ["c"]]),
        ("a \\\n b", [["a", "b"]]),
        ("cat <<EOF\npip install x\nEOF\nls", [["cat"], ["ls"]]),
        ("(a; b) && c", [["a"], ["b"], ["c"]]),
        ("echo 'never closed", [["echo", "never closed"]]),
        ('echo "$(pip list)" `x`', [["echo", "$(pip list)", "`x`"]]),
        ("", []),
    ],
)
def test_words_are_what_the_program_would_get(text: str, expected: list[list[str]]) -> None:
    assert words(text) == expected


def test_an_unquoted_bound_is_a_redirection() -> None:
    (simple,) = split_shell("pip install six>=1.0")
    assert simple.redirections == ((">", "=1.0"),)


def test_the_number_of_a_stream_is_no_word() -> None:
    (simple,) = split_shell("pip install six 2>&1")
    assert len(simple.pieces) == 3


def test_what_only_a_run_can_show_is_uncertain() -> None:
    (simple,) = split_shell("pip install $(cat names)")
    assert expand_word(simple.pieces[2], {}, "/") == [Word("$(cat names)", False)]


def test_lines_and_depths_are_kept() -> None:
    found = split_shell("a\n(b)\n\nc")
    assert [(simple.line, simple.depth) for simple in found] == [(0, 0), (1, 1), (3, 0)]
