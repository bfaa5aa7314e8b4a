"""Redaction: no secret in anything that is shown or saved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeinstall.frontend import MASK, credentials, redact

WORD = st.text(alphabet="abcdefgXYZ0123456789_-.~%", min_size=6, max_size=24)


@pytest.mark.attack("secrets in what is shown")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("https://ana:pw@host/simple", "https://****@host/simple", id="user-password"),
        pytest.param("https://tok3n@host/x", "https://****@host/x", id="token-as-user"),
        pytest.param("https://:pw@host/x", "https://****@host/x", id="password-alone"),
        pytest.param("//ana:pw@host/x", "//****@host/x", id="no-scheme"),
        pytest.param(
            "https://a:p@h1/x https://b:q@h2/y", "https://****@h1/x https://****@h2/y", id="two"
        ),
        pytest.param("https://ana:p@ss@host/x", "https://****@host/x", id="at-sign-in-password"),
        pytest.param("https://ana:it's@host/x", "https://****@host/x", id="apostrophe"),
        pytest.param("https://ana:p/w#x?y@host/x", "https://****@host/x", id="signs"),
        pytest.param("https://ana:two words@host/x", "https://****@host/x", id="blank"),
        pytest.param('"https://ana:a"b@host/x"', '"https://****@host/x"', id="quotes"),
        pytest.param("https://host:8080/x@1.0", "https://host:8080/x@1.0", id="port-stays"),
        pytest.param("see https://host: me@x.org", "see https://host: me@x.org", id="colon-stays"),
        pytest.param("git+ssh://git@host/x.git", "git+ssh://git@host/x.git", id="git-stays"),
        pytest.param(
            "git+https://git:pw@host/x", "git+https://****@host/x", id="git-with-password"
        ),
        pytest.param("https://h/x?token=abc&a=1", "https://h/x?token=****&a=1", id="query-token"),
        pytest.param("https://h/x?a=1&api_key=abc", "https://h/x?a=1&api_key=****", id="query-key"),
        pytest.param(
            "https://h/x?X-Amz-Signature=ab", "https://h/x?X-Amz-Signature=****", id="amazon"
        ),
        pytest.param("https://h/x?sig=ab#sha256=cd", "https://h/x?sig=****#sha256=cd", id="azure"),
        pytest.param("https://h/x#sha256=cd", "https://h/x#sha256=cd", id="hash-stays"),
        pytest.param(
            "pandas @ https://h/p.whl", "pandas @ https://h/p.whl", id="requirement-stays"
        ),
        pytest.param("mail ana@example.org", "mail ana@example.org", id="mail-stays"),
    ],
)
def test_secrets_of_urls_are_hidden_and_the_rest_stays(text: str, shown: str) -> None:
    assert redact(text) == shown


def test_given_secrets_are_hidden_wherever_they_stand() -> None:
    assert redact("a hunter2 b/hunter22", ["hunter2", "hunter22", ""]) == f"a {MASK} b/{MASK}"


@pytest.mark.attack("secrets in what is shown")
@pytest.mark.parametrize("cut", ["\n", "\n    ", "  \n\t"])
def test_a_secret_that_was_wrapped_is_found(cut: str) -> None:
    assert redact(f"a hun{cut}ter2 b", ["hunter2"]) == f"a {MASK} b"


def test_what_is_too_short_to_be_a_secret_does_not_tear_words() -> None:
    assert redact("pandas 1.0", ["a", "1"]) == "pandas 1.0"


@pytest.mark.attack("secrets in what is shown")
@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("https://ana:it's@host/x", {"it's", "it%27s"}),
        ("x @ https://ana:p%40ss@host/x.whl", {"p@ss", "p%40ss"}),
        ("https://ana:p/w#x@host/x", {"p/w#x", "p%2Fw%23x"}),
        ("https://a-long-token@host/x", {"a-long-token"}),
        ("https://h/x?token=abcd", {"abcd"}),
        ("git+ssh://git@host/x.git@v1", set()),
        ("https://host:8080/x@1.0", set()),
        ("pandas==1.0", set()),
        ("./a@b", set()),
    ],
)
def test_what_is_secret_in_a_word_is_known_in_all_the_ways_it_is_written(
    word: str, found: set[str]
) -> None:
    assert set(credentials(word)) == found


@given(user=WORD, password=WORD, before=st.text(max_size=20), after=st.text(max_size=20))
def test_no_password_survives(user: str, password: str, before: str, after: str) -> None:
    url = f"https://{user}:{password}@example.invalid/simple"
    shown = redact(f"{before} {url} {after}")
    assert f"{user}:{password}" not in shown
    assert f"https://{MASK}@example.invalid/simple" in shown


@given(
    secret=WORD, key=st.sampled_from(["token", "access_token", "key", "apiKey", "client-secret"])
)
def test_no_query_secret_survives(secret: str, key: str) -> None:
    assert redact(f"https://h/x?a=1&{key}={secret}&b=2") == f"https://h/x?a=1&{key}={MASK}&b=2"


@given(text=st.text(), secret=WORD)
def test_redacting_twice_changes_nothing_more(text: str, secret: str) -> None:
    once = redact(f"{text}{secret}", [secret])
    assert secret not in once
    assert redact(once, [secret]) == once
