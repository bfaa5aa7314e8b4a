"""The words of the commands that list nothing, and the help of all of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from safeinstall.cli import main
from safeinstall.errors import RequestError
from safeinstall.frontend import NOTEBOOK, PYTHON, TERMINAL, Frontend
from safeinstall.request import (
    DoctorRequest,
    HistoryRequest,
    InstallRequest,
    KernelsRequest,
    UndoRequest,
    UninstallRequest,
    WhereRequest,
    parse,
    parse_uninstall,
)
from safeinstall.request.arguments import COMMANDS, command_help, parse_command
from safeinstall.request.options import OPTIONS


@pytest.mark.parametrize(
    ("command", "words", "request_"),
    [
        ("undo", ["0003-a05f", "--force"], UndoRequest(id="0003-a05f", force=True)),
        ("undo", ["--user", "--json"], UndoRequest(user=True, json=True)),
        ("history", ["--prune", "--keep", "3"], HistoryRequest(prune=True, keep=3)),
        ("where", ["--cell", "!pip install x"], WhereRequest(cell="!pip install x")),
        ("doctor", ["--python", "/p", "--fix"], DoctorRequest(python="/p", fix=True)),
        ("kernels", ["--repair", "a", "b"], KernelsRequest(names=("a", "b"), repair=True)),
    ],
)
def test_words_become_the_request_of_their_command(
    command: str, words: list[str], request_: object
) -> None:
    assert parse_command(command, words, cwd="/w") == request_


@pytest.mark.parametrize(
    ("command", "words", "says", "hint"),
    [
        ("uninstall", ["--pre", "x"], "--pre is no option of", "safeinstall uninstall x"),
        ("uninstall", ["--index-url", "u", "x"], "--index-url is no", "safeinstall uninstall x"),
        ("uninstall", [], "Names are uninstalled", "safeinstall uninstall --help"),
        (
            "uninstall",
            ["--dry-run", "a", "b==1"],
            "names a version",
            "safeinstall uninstall --dry-run a b",
        ),
        ("undo", ["--upgrade"], "'--upgrade' is not understood", "safeinstall undo --help"),
        ("undo", ["a", "b"], "'b' is not understood", "safeinstall undo --help"),
        ("env", ["--python"], "--python needs a value", "safeinstall env --help"),
        ("history", ["--keep", "x"], "--keep takes a whole", "safeinstall history --help"),
        ("install", ["--new-env=", "six"], "names no place", "safeinstall install --new-env six"),
        ("new-env", ["--python", "3.12"], "A path for the new", "safeinstall new-env .venv pandas"),
        ("kernels", ["x"], "x is not understood", "safeinstall kernels --repair x"),
        ("instal", ["six"], "There is no command 'instal'", "safeinstall install six"),
        ("nonsense", [], "There is no command", "safeinstall --help"),
    ],
)
def test_wrong_words_are_one_sentence_and_a_line_to_type(
    command: str, words: list[str], says: str, hint: str
) -> None:
    with pytest.raises(RequestError) as caught:
        parse_command(command, words, cwd="/w")
    assert says in caught.value.message
    assert caught.value.message.count("\n") == 0
    assert caught.value.hint == hint
    assert caught.value.exit_status == 2


@pytest.mark.parametrize("word", ["--help", "-h"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_help(
    command: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, word]) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"usage: safeinstall {command}")
    assert said.err == ""


def test_the_help_is_complete_at_its_door() -> None:
    for option in OPTIONS:
        assert option.names[0] in command_help("install", TERMINAL)
        assert option.command_only != (option.names[0] in command_help("install", NOTEBOOK))
    assert "--index-url" not in command_help("uninstall", TERMINAL)
    assert command_help("undo", NOTEBOOK).startswith("usage: %safeundo")
    assert "--python" not in command_help("doctor", NOTEBOOK)


def test_a_reader_who_goes_after_two_lines_is_no_failure() -> None:
    for words in (["--help"], ["install", "--help"]):
        ours = [sys.executable, "-m", "safeinstall", *words]
        with subprocess.Popen(ours, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None and process.stderr is not None
            process.stdout.readline()
            process.stdout.close()
            assert process.stderr.read() == b""
            assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("frontend", "line"),
    [
        (NOTEBOOK, '%safeinstall --upgrade --index-url https://i/s "six>=1"'),
        (TERMINAL, 'safeinstall install --upgrade --index-url https://i/s "six>=1"'),
        (PYTHON, 'safeinstall.install("six>=1", upgrade=True, index_url="https://i/s")'),
    ],
)
def test_a_request_is_written_in_the_words_of_each_door(frontend: Frontend, line: str) -> None:
    request = parse(["-U", "-i", "https://i/s", "six>=1"], cwd="/w")
    written = request.line(frontend)
    assert written == line


def test_a_new_environment_is_the_same_request_at_every_door() -> None:
    expected = InstallRequest(cwd="/w", items=parse("six", cwd="/w").items, new_env="/w/x")
    assert parse("--new-env ./x six", cwd="/w") == expected
    assert parse_command("install", ["--new-env", "./x", "six"], cwd="/w") == expected
    assert parse_command("new-env", ["x", "six"], cwd="/w") == expected
    assert expected.line(NOTEBOOK) == "%safeinstall --new-env=./x six"
    assert expected.line(TERMINAL) == "safeinstall new-env x six"
    assert expected.line(PYTHON) == 'safeinstall.install("six", new_env="./x")'


def test_a_line_for_a_terminal_names_the_interpreter_it_is_about() -> None:
    there = Frontend(door="terminal", python="/p/bin/python")
    assert there.line("undo", "0001") == "safeinstall undo 0001 --python /p/bin/python"
    assert there.line("new-env", ".venv") == "safeinstall new-env .venv"
    assert Frontend(python="/p").line("undo") == "%safeundo"


def test_an_uninstall_knows_only_what_is_its_own() -> None:
    request = parse_uninstall("--yes --allow-conflicts six", cwd="/w")
    assert isinstance(request, UninstallRequest)
    assert (request.yes, request.allow) == (True, frozenset({"allow-conflicts"}))
    assert not hasattr(request, "index_url")
