"""What the watch says, as golden files, and the line it offers instead."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from safeinstall.probe.prediction import Prediction
from safeinstall.probe.rules import DEFAULTS_TO_USER
from safeinstall.render import as_text
from safeinstall.watch.advice import (
    better_line,
    goes_wrong,
    landed_message,
    line_to_run,
    warning_message,
)
from support.locks import lock_of
from support.reports import MARKER, environment, locked_access

GOLDEN = Path(__file__).parent / "golden" / "watch"
LOCKED = environment("/opt/python", kind="pyenv", access=locked_access())
HERE = environment()
USER = "/home/ana/.local/lib/python3.12/site-packages"
USER_SITE = {"path": USER, "enabled": True, "exists": False, "on_path": False}


def predicted(outcome: str, command: str = "!pip install pandas", **rest: Any) -> Prediction:
    defaults: dict[str, Any] = {
        "path": None,
        "interpreter": "/home/ana/lab/.venv/bin/python",
        "importable_now": False,
        "importable_after_restart": False,
        "reason": "the rule that decided",
        "command": command,
        "tool": "pip",
        "requirements": ("pandas",),
        "interpreter_prefix": "/home/ana/lab/.venv",
    }
    return Prediction(outcome=outcome, **{**defaults, **rest})


CASES = {
    "user-site": (
        predicted(
            "user-site",
            path=USER,
            interpreter="/opt/python/bin/python",
            interpreter_prefix="/opt/python",
            reason=DEFAULTS_TO_USER % locked_access()["purelib"]["detail"],
            importable_after_restart=True,
        ),
        LOCKED,
    ),
    "user-site-of-another": (
        predicted(
            "user-site",
            "!python3.7 -m pip install pandas",
            path="/home/ana/.local/lib/python3.7/site-packages",
            interpreter="/usr/bin/python3.7",
            interpreter_prefix="/usr",
            reason=DEFAULTS_TO_USER % "/usr/lib/python3.7 is on a file system mounted read-only",
        ),
        LOCKED,
    ),
    "user-site-asked": (
        predicted(
            "user-site",
            "%pip install --user pandas",
            path=USER,
            interpreter_prefix="/opt/python",
            reason="--user from the command line",
            importable_after_restart=True,
            options=("--user",),
        ),
        environment("/opt/python", kind="pyenv", access=locked_access(), user_site=USER_SITE),
    ),
    "wrong-interpreter": (
        predicted("wrong-interpreter", path="/home/ana/lab/.venv/lib/python3.13/site-packages"),
        HERE,
    ),
    "target-dir": (
        predicted("target-dir", path="/home/ana/t", reason="PIP_TARGET from the environment"),
        HERE,
    ),
    "refused": (
        predicted(
            "refused-externally-managed",
            interpreter_prefix="/usr",
            reason="/usr/lib/python3.11/EXTERNALLY-MANAGED exists (PEP 668)",
        ),
        HERE,
    ),
    "no-installer": (
        predicted(
            "no-installer",
            "%pip install pandas",
            interpreter_prefix=HERE.prefix,
            reason="/home/ana/proj/.venv/bin/python has no module named pip",
        ),
        HERE,
    ),
    "apt": (
        predicted(
            "wrong-interpreter",
            "!sudo apt install -y python3-sklearn",
            tool="apt",
            path="/usr/lib/python3/dist-packages",
            interpreter_prefix="/usr",
            reason="packages of apt are for the Python of /usr",
            requirements=("python3-sklearn",),
            options=("-y",),
        ),
        HERE,
    ),
    "sudo": (
        predicted(
            "wrong-interpreter",
            "!sudo pip install pandas",
            path="/usr/local/lib/python3.11/dist-packages",
            interpreter_prefix="/usr",
            notes=("sudo runs it as root, past this kernel's environment, and leaves files",),
        ),
        HERE,
    ),
    "satisfied-elsewhere": (predicted("already-satisfied"), HERE),
    "redirection": (
        predicted(
            "env-site",
            "%pip install pandas>=2",
            path=HERE.paths.purelib,
            importable_now=True,
            importable_after_restart=True,
            notes=("the shell reads >=2 as a redirection: output goes to the file =2",),
        ),
        HERE,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_warning_is_the_golden_one(name: str) -> None:
    prediction, here = CASES[name]
    assert goes_wrong(prediction)
    text = as_text(warning_message(prediction, here, "/nb")) + "\n"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("outcome", "rest"),
    [
        ("env-site", {}),
        ("no-change", {}),
        ("unknown", {}),
        ("already-satisfied", {"importable_after_restart": True}),
        ("user-site", {"importable_now": True}),
        ("target-dir", {"importable_now": True}),
        ("wrong-interpreter", {"importable_now": True}),
    ],
)
def test_a_right_or_unknown_destination_is_passed_over_in_silence(
    outcome: str, rest: dict[str, Any]
) -> None:
    assert not goes_wrong(predicted(outcome, **rest))


@pytest.mark.parametrize(
    ("requirements", "options", "line"),
    [
        (("pandas",), (), "%safeinstall pandas"),
        (("pandas>=2",), ("-U", "--user"), '%safeinstall --upgrade "pandas>=2"'),
        (("six",), ("--target", "/t", "-q"), "%safeinstall --quiet six"),
        (("six",), ("--target=/t",), "%safeinstall six"),
        (("six",), ("--unknown-to-us", "--pre"), "%safeinstall --pre six"),
        (
            ("six",),
            ("--index-url", "https://i.example/simple"),
            "%safeinstall --index-url https://i.example/simple six",
        ),
        (("not a name!",), (), ""),
        ((), (), ""),
    ],
)
def test_the_line_to_type_keeps_requirements_and_options_but_no_destination(
    requirements: tuple[str, ...], options: tuple[str, ...], line: str
) -> None:
    prediction = predicted("user-site", requirements=requirements, options=options)
    assert better_line(prediction, HERE, "/nb") == line
    assert line_to_run(prediction, "/nb") == (line or None)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("-r", "pylock.toml"), "--requirement ./pylock.toml"),
        (("--requirements-from-script", "s.py"), "--requirement ./s.py"),
        (
            ("-r", "pyproject.toml", "--group", "dev", "--target", "/t"),
            "--requirement ./pyproject.toml --group dev",
        ),
    ],
)
def test_a_file_in_toml_and_a_group_are_asked_for_as_they_were(
    tmp_path: Path, options: tuple[str, ...], line: str
) -> None:
    (tmp_path / "pylock.toml").write_text(lock_of())
    (tmp_path / "s.py").write_text('# /// script\n# dependencies = ["six"]\n# ///\n')
    project = '[project]\ndependencies = ["six"]\n[dependency-groups]\ndev = ["rich"]\n'
    (tmp_path / "pyproject.toml").write_text(project)
    prediction = predicted("target-dir", requirements=(), options=options)
    assert line_to_run(prediction, str(tmp_path)) == f"%safeinstall {line}"


def test_a_version_the_shell_would_lose_is_kept() -> None:
    assert better_line(CASES["redirection"][0], HERE, "/nb") == '%safeinstall "pandas>=2"'


def test_conda_commands_have_no_safeinstall_line() -> None:
    assert better_line(predicted("fails", tool="conda"), HERE, "/nb") == ""


@pytest.mark.parametrize(
    ("tool", "typed", "line"),
    [
        ("apt", ("python3-yaml", "ffmpeg"), "%safeinstall PyYAML"),
        ("apt", ("python3-never-heard-of",), ""),
        ("brew", ("numpy",), "%safeinstall numpy"),
        ("poetry", ("pandas@^2.0",), "%safeinstall pandas"),
        ("pdm", ("six==1.16",), "%safeinstall six==1.16"),
        ("pixi", ("numpy",), ""),
        ("setup.py", ("/nb",), ""),
    ],
)
def test_other_installers_words_become_names_that_are_known(
    tool: str, typed: tuple[str, ...], line: str
) -> None:
    prediction = predicted("wrong-interpreter", tool=tool, requirements=typed, options=("-y",))
    assert better_line(prediction, HERE, "/nb") == line


@pytest.mark.parametrize("managed", [None, MARKER])
def test_where_nothing_can_be_written_the_first_line_makes_an_overlay(managed: Any) -> None:
    access = environment().report["access"] if managed else locked_access()
    here = environment("/usr", kind="debian-system", access=access, externally_managed=managed)
    line = better_line(predicted("user-site", options=("-U",)), here, "/nb")
    assert line == "%safeinstall --upgrade --new-env --overlay pandas"


def test_a_command_that_records_what_it_installs_is_offered_a_line_and_never_replaced() -> None:
    prediction = predicted("wrong-interpreter", "!uv add pandas", tool="uv", records=True)
    assert better_line(prediction, HERE, "/nb") == "%safeinstall pandas"
    assert line_to_run(prediction, "/nb") is None


def test_after_the_fact_the_place_is_named() -> None:
    prediction = CASES["wrong-interpreter"][0]
    text = as_text(landed_message(prediction, HERE, ("pandas 2.3.3",), "/nb"))
    assert "pandas 2.3.3 landed in ~/lab/.venv/lib/python3.13/site-packages" in text
    assert "%safeinstall pandas" in text


def test_secrets_of_the_cell_are_not_repeated() -> None:
    url = "https://me:s3cr3t@i.example/simple"
    prediction = predicted(
        "wrong-interpreter",
        f"!pip install --index-url {url} pandas",
        path="/x",
        options=("--index-url", url),
    )
    assert "s3cr3t" not in as_text(warning_message(prediction, HERE, "/nb"))
    assert line_to_run(prediction, "/nb") == f"%safeinstall --index-url {url} pandas"
    hidden = prediction._replace(
        command="!pip install --index-url https://$TOKEN@i.example/ pandas"
    )
    assert line_to_run(hidden, "/nb") is None
