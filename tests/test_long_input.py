"""No input costs more than time in proportion to its length: words, files, cells, output."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from safeinstall.environment import this_environment
from safeinstall.errors import SafeInstallError
from safeinstall.frontend import credentials, redact
from safeinstall.installers.failures import explain
from safeinstall.installers.sources import Sources
from safeinstall.probe import predict
from safeinstall.probe.cell import mentions_installer
from safeinstall.request import InstallRequest
from safeinstall.request.reader import parse, parse_uninstall

PIECES = (
    *["a", "A1", " ", "\n", "-", "_", ".", ",", "=", "@", "/", "//", ":", ";", "#", "?", "&", "%"],
    *["(", "[", "]", "{", "${", "`", "'", '"', "\\", "<", "é", "0", "1.0", "\r", "$(", "| ", "&& "],
    *["a ", "a-", "a.", "a/", "a:", "a@", "a\n", "a,b", "//a:", "?token=", "token=", "a==1 "],
    *["a>=1,", "name @ ", "-r a ", "--hash=sha256:a ", "a[b,", "os_name=='x' and ", "git+https://"],
    *["!pip install ", "pip install a && ", "index (", "Failed to fetch: ", "(from ", "fetch `"],
)
LENGTHS = (1_000, 100_000)
OF_MANY_WORDS = (1_000, 12_000)
"""Thousands of requirements are read one by one: 0.1 ms each, whatever their number."""
MOST_SECONDS = 8.0
"""Of this process's own time: what grows with the square takes minutes."""


def of_file(text: str) -> None:
    Path("r.txt").write_text(text, "utf-8")
    parse(["-r", "r.txt"], cwd=".")


def of_script(text: str) -> None:
    listed = "".join(filter(str.isprintable, text)).replace("\\", "").replace('"', "")
    Path("s.py").write_text(f'# /// script\n# dependencies = ["{listed}"]\n# ///\n', "utf-8")
    parse(["-r", "s.py"], cwd=".")


def of_output(text: str) -> None:
    explain("uv", text, InstallRequest(), this_environment(), Sources(index_url="https://a:bcde@h"))


def of_cell(text: str) -> None:
    if mentions_installer(text):
        predict(text, environ={}, cwd=".")


DOORS: dict[str, Callable[[str], object]] = {
    "a line": lambda text: parse(text, cwd="."),
    "a word": lambda text: parse([text], cwd="."),
    "a cell of requirements": lambda text: parse("", text, cwd="."),
    "a requirements file": of_file,
    "a script": of_script,
    "a line of removals": lambda text: parse_uninstall([text], cwd="."),
    "text to be cleared": lambda text: redact(text, ["hunter2", text[:400]]),
    "a word with secrets": credentials,
    "what an installer says": of_output,
    "any cell": of_cell,
    "a cell with an install": lambda text: predict(f"!pip install x {text}", environ={}, cwd="."),
    "a shell cell": lambda text: predict(f"%%bash\n{text}", environ={}, cwd="."),
}


@pytest.mark.attack("long input")
@pytest.mark.parametrize("door", DOORS)
def test_long_input_is_read_in_no_time(
    door: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    slow = {}
    for piece in PIECES:
        for length in OF_MANY_WORDS if door in ("a line", "a cell of requirements") else LENGTHS:
            text = (piece * (length // len(piece) + 1))[:length]
            begun = time.process_time()
            with suppress(SafeInstallError):
                DOORS[door](text)
            if (took := time.process_time() - begun) > MOST_SECONDS:
                slow[piece, length] = took
                break
    assert slow == {}


def test_what_is_too_long_to_be_a_requirement_is_said_to_be_so() -> None:
    with pytest.raises(SafeInstallError) as caught:
        parse(["a" * 20_000], cwd=".")
    assert caught.value.message.startswith("A piece of 20,000 characters is no requirement")
    assert len(caught.value.message) < 120
