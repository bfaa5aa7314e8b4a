"""The command line, without installers: what needs one is in tests/integration."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from safeinstall import __version__
from safeinstall.cli import main


def test_the_version_and_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert main(["--help"]) == 0
    assert capsys.readouterr().out.startswith(f"safeinstall {__version__}\nusage: safeinstall")


def test_no_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert main(["instal", "six"]) == 2
    assert "There is no command 'instal'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [["install"], ["install", "--upgrad", "six"], ["install", "six=1"], ["env", "six"]],
    ids=["nothing", "unknown-option", "one-equals-sign", "env-takes-no-names"],
)
def test_wrong_usage_is_status_2_one_sentence_and_a_line_to_type(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Nothing changed" in said.err
    assert "→ " in said.err


def test_env_is_one_json_object_with_text_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "--json"]) == 0
    said = capsys.readouterr()
    data = json.loads(said.out)
    assert (data["schema"], data["executable"]) == (1, sys.executable)
    assert "interpreter" in said.err


@pytest.mark.parametrize("words", [["--json", "env"], ["env", "--json"]])
def test_options_may_stand_on_either_side_of_the_command(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--python", sys.executable]) == 0
    assert json.loads(capsys.readouterr().out)["executable"]


def test_a_reader_who_goes_and_a_terminal_without_our_signs_are_no_failure() -> None:
    command = [sys.executable, "-m", "safeinstall", "env"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
    settings = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=settings, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "interpreter" in done.stdout


@pytest.mark.parametrize(
    "words", [["env"], ["kernels"], ["doctor"], ["install", "six"], ["new-env", "x", "six"]]
)
def test_a_folder_that_is_gone_is_said_so(words: list[str], tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    code = (
        f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r}); "
        "from safeinstall.cli import main; raise SystemExit(main())"
    )
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
    assert done.returncode == 1
    assert "is gone" in done.stderr and "Traceback" not in done.stderr


def test_an_interpreter_that_is_none_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "--python", "/no/such/python", "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["findings"][0]["code"] == "not-a-python"
    assert "There is no interpreter at /no/such/python" in said.err


def test_a_program_that_is_no_python_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["env", "--python", "/bin/ls"]) == 1
    assert "/bin/ls gives no answer" in capsys.readouterr().err


@pytest.mark.parametrize("form", [["--python", "{}"], ["--python={}"]])
def test_a_line_offered_for_an_error_is_about_the_interpreter_that_was_named(
    form: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word.format(sys.executable) for word in form]
    assert main(["undo", "9999-none", *words, "--json"]) == 1
    [finding] = json.loads(capsys.readouterr().out)["findings"]
    assert finding["hint"] == f"safeinstall history --python {sys.executable}"
