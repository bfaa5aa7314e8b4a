"""The line is split by us and never by a shell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeinstall.errors import RequestError
from safeinstall.request import join, tokenize


@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("pandas six", ["pandas", "six"], id="blanks"),
        pytest.param("  pandas\t six ", ["pandas", "six"], id="many-blanks"),
        pytest.param("six\xa0>=1", ["six >=1"], id="no-break-space"),
        pytest.param("six>1", ["six>1"], id="no-redirection"),
        pytest.param("numpy>=2", ["numpy>=2"], id="no-file-named-equals-two"),
        pytest.param("pandas >= 2", ["pandas >= 2"], id="blanks-around-the-operator"),
        pytest.param("pandas>= 2 six", ["pandas>= 2", "six"], id="blank-after-the-operator"),
        pytest.param("numpy >= 2, <3", ["numpy >= 2, <3"], id="two-versions"),
        pytest.param("numpy >=2 ,<3 six", ["numpy >=2 ,<3", "six"], id="comma-first"),
        pytest.param("pandas, polars>=1", ["pandas", "polars>=1"], id="commas-separate"),
        pytest.param("pandas,polars>=1,<2,six", ["pandas", "polars>=1,<2", "six"], id="no-blanks"),
        pytest.param("pandas , polars ,", ["pandas", "polars"], id="loose-commas"),
        pytest.param('pandas, "polars>=1"', ["pandas", "polars>=1"], id="comma-before-quote"),
        pytest.param("a [x, y] >= 1 b", ["a [x, y] >= 1", "b"], id="extras"),
        pytest.param("a[x,y],b", ["a[x,y]", "b"], id="extras-then-comma"),
        pytest.param("numpy (>=2, <3) six", ["numpy (>=2, <3)", "six"], id="parentheses"),
        pytest.param("a @ https://h/a.whl b", ["a @ https://h/a.whl", "b"], id="direct"),
        pytest.param("./a.whl, ./b.whl", ["./a.whl", "./b.whl"], id="paths-with-comma"),
        pytest.param("./a,b.whl", ["./a,b.whl"], id="comma-in-a-path"),
        pytest.param("\"a b\" 'c d'", ["a b", "c d"], id="both-quotes"),
        pytest.param("a'b'\"c\"", ["abc"], id="adjacent-quotes"),
        pytest.param('"it\'s"', ["it's"], id="one-quote-in-the-other"),
        pytest.param('""', [""], id="empty-quotes"),
        pytest.param(r"C:\new\x.whl", [r"C:\new\x.whl"], id="backslash-is-no-escape"),
        pytest.param("six # why", ["six"], id="comment"),
        pytest.param("# nothing", [], id="only-a-comment"),
        pytest.param(
            "git+https://h/x#subdirectory=y", ["git+https://h/x#subdirectory=y"], id="fragment"
        ),
        pytest.param(
            "$HOME `id` {x} a|b", ["$HOME", "`id`", "{x}", "a|b"], id="nothing-is-special"
        ),
        pytest.param(
            "--index-url https://h/a,b six",
            ["--index-url", "https://h/a,b", "six"],
            id="value-is-whole",
        ),
        pytest.param("-U numpy >= 2 -q", ["-U", "numpy >= 2", "-q"], id="options-around"),
        pytest.param('a; os_name == "nt"', ['a ; os_name == "nt"'], id="marker"),
        pytest.param(
            "a;os_name=='nt' and extra=='b' -U",
            ["a ; os_name=='nt' and extra=='b'", "-U"],
            id="marker-then-option",
        ),
        pytest.param(
            'a @ https://h/a;b ; os_name=="nt"',
            ['a @ https://h/a;b ; os_name=="nt"'],
            id="semicolon-in-a-url",
        ),
        pytest.param(
            "a, b; os_name == 'nt'", ["a", "b ; os_name == 'nt'"], id="marker-of-the-last"
        ),
    ],
)
def test_a_line_is_read_as_meant(line: str, words: list[str]) -> None:
    assert list(tokenize(line)) == words


@pytest.mark.parametrize(
    ("line", "message", "hint", "column"),
    [
        pytest.param(
            'six "a b', 'The quote " has no partner.', '%safeinstall six "a b"', 4, id="open-quote"
        ),
        pytest.param(
            "six; rm x",
            "`;` ends nothing here: safeinstall runs no shell.",
            "%safeinstall six",
            3,
            id="semicolon",
        ),
        pytest.param(
            "; rm x",
            "`;` ends nothing here: safeinstall runs no shell.",
            "%safeinstall --help",
            0,
            id="only-semicolon",
        ),
        pytest.param(
            "-r x; rm y",
            "`;` ends nothing here: safeinstall runs no shell.",
            "%safeinstall -r x",
            4,
            id="semicolon-after-a-value",
        ),
        pytest.param(
            "a; python_version < 3.11",
            "`python_version < 3.11` is no environment marker: its values stand in quotes.",
            "%safeinstall 'a; python_version < \"3.11\"'",
            1,
            id="marker-without-quotes",
        ),
        pytest.param(
            "“a>=1”",
            "“ is a typographic quote, which is no quote here.",
            '%safeinstall "a>=1"',
            0,
            id="typographic",
        ),
    ],
)
def test_what_cannot_be_split_points_at_the_character(
    line: str, message: str, hint: str, column: int
) -> None:
    with pytest.raises(RequestError) as caught:
        tokenize(line)
    error = caught.value
    assert (error.message, error.hint) == (message, hint)
    assert error.context.splitlines() == [line, " " * column + "^"]


def test_several_lines_belong_below_a_cell_magic() -> None:
    with pytest.raises(RequestError) as caught:
        tokenize("six\nrm x")
    assert caught.value.hint == "%%safeinstall\nsix\nrm x"


@given(st.text())
def test_any_line_is_split_or_refused(line: str) -> None:
    try:
        words = tokenize(line)
    except RequestError as error:
        assert error.hint
    else:
        assert all(isinstance(word, str) for word in words)


def test_a_word_with_an_open_bracket_does_not_take_the_next_one_in() -> None:
    words = ("./a[b", "six", "x[y]")
    assert tokenize(join(words)) == words
    assert join(words).endswith(" x[y]")


@given(
    st.lists(st.text(alphabet="ab1-=<>~!,;:@#'\"[]() \\/$`{}.&|*?%+_~", max_size=12), max_size=5)
)
def test_joined_words_are_split_into_the_same_words(words: list[str]) -> None:
    assert list(tokenize(join(words))) == words
