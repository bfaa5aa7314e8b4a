from __future__ import annotations

from safeinstall.runner import Command


def test_overrides_set_and_drop_variables() -> None:
    command = Command(argv=("uv",), overrides={"A": "1", "B": None})
    assert command.environment({"B": "2", "C": "3"}) == {"A": "1", "C": "3"}


def test_a_command_is_shown_quoted_and_without_secrets() -> None:
    url = "https://me:s3cr3t@index.invalid/simple"
    shown = str(Command(argv=("uv", "pip", "a b", "--index-url", url)))
    assert "'a b'" in shown
    assert "s3cr3t" not in shown
