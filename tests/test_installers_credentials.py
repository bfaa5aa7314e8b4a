"""What is secret leaves the words of a command, and the installer and git still get it."""

from __future__ import annotations

import netrc
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from safeinstall.installers.credentials import by_netrc, off_the_command_line
from safeinstall.runner import Command

PASSWORDS = ["it's", "p@ss#w/o:rd", "100% sure", 'say "no" \\ never', "schlüssel", "-dash", "a b"]
UV = ("uv", "pip", "install")


@pytest.fixture(autouse=True)
def no_netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.delenv("GIT_CONFIG_COUNT", raising=False)


@pytest.mark.attack("secrets on command lines")
@pytest.mark.parametrize("password", PASSWORDS)
def test_requirements_and_places_become_lines_of_standard_input(password: str) -> None:
    base = f"https://ana:{quote(password, safe='')}@host.invalid"
    words = ("--find-links", f"{base}/links", "plain", f"x @ {base}/x.whl", "--pre")
    command = off_the_command_line(Command(argv=(*UV, *words)), "-")
    assert command.argv == (*UV, "plain", "--pre", "--requirement", "-")
    assert command.stdin == f"--find-links {base}/links\nx @ {base}/x.whl\n"


@pytest.mark.attack("secrets on command lines")
@pytest.mark.skipif(shutil.which("git") is None, reason="git itself is asked")
@pytest.mark.parametrize("password", PASSWORDS)
def test_git_is_told_by_variables_and_the_helper_says_them(password: str) -> None:
    url = f"git+https://ana:{quote(password, safe='')}@host.invalid:8080/x.git@v1"
    command = off_the_command_line(Command(argv=(*UV, f"x @ {url}")), "-")
    assert command.argv == (*UV, "x @ git+https://host.invalid:8080/x.git@v1")
    words = ["git", "credential", "fill"]
    asked = "protocol=https\nhost=host.invalid:8080\n\n"
    done = subprocess.run(
        words, input=asked, env=command.environment(), capture_output=True, text=True
    )
    assert f"username=ana\npassword={password}\n" in done.stdout


@pytest.mark.attack("secrets on command lines")
@pytest.mark.parametrize("password", PASSWORDS)
def test_a_netrc_says_to_pip_what_its_urls_said(password: str, tmp_path: Path) -> None:
    index = f"https://ana:{quote(password, safe='')}@host.invalid/simple"
    (tmp_path / ".netrc").write_text("machine other.invalid login me password mine\n")
    given = Command(argv=("pip", "install", "x"), overrides={"PIP_INDEX_URL": index})
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    command = by_netrc(given, version)
    if not command.netrc:
        assert sys.version_info < (3, 11) and " " in password
        return
    assert command.overrides["PIP_INDEX_URL"] == "https://host.invalid/simple"
    (tmp_path / "file").write_text(command.netrc, "utf-8")
    known = netrc.netrc(tmp_path / "file")
    found = known.authenticators("host.invalid")
    assert found and (found[0], found[2]) == ("ana", password)
    assert known.authenticators("other.invalid")


def test_what_a_netrc_cannot_say_stays_where_it_was() -> None:
    one, other = "https://ana:first@host.invalid/a", "https://ana:second@host.invalid:81/b"
    overrides = {"PIP_INDEX_URL": one, "PIP_EXTRA_INDEX_URL": other}
    given = Command(argv=("pip", "install", "x"), overrides=overrides)
    assert by_netrc(given, "3.12.1") == given
    spaced = Command(argv=("pip",), overrides={"PIP_INDEX_URL": "https://ana:a%20b@host.invalid/"})
    assert by_netrc(spaced, "3.10.4") == spaced
    assert by_netrc(spaced, "3.11.0").netrc


def test_a_password_that_a_netrc_cannot_say_is_not_lost_beside_one_that_it_can() -> None:
    said, unsaid = "https://ana:plain@host.invalid/a", "https://eve:two%20words@host.invalid/b"
    overrides = {"PIP_INDEX_URL": said, "PIP_EXTRA_INDEX_URL": unsaid}
    command = by_netrc(Command(argv=("pip",), overrides=overrides), "3.10.4")
    assert command.overrides["PIP_INDEX_URL"] == "https://host.invalid/a"
    assert command.overrides["PIP_EXTRA_INDEX_URL"] == unsaid


def test_what_holds_no_secret_is_left_as_it_is() -> None:
    plain = Command(argv=(*UV, "x @ https://host.invalid/x.whl", "git+ssh://git@host/x"))
    assert off_the_command_line(plain, "-") == plain
    assert by_netrc(plain, "3.12.1") == plain


def test_a_lock_has_no_lines_beside_it() -> None:
    words = (*UV, "--find-links", "https://ana:secret@host.invalid/x", "--requirement", "pylock")
    command = off_the_command_line(Command(argv=words, lock="x"), "-")
    assert (command.argv, command.stdin) == ((*UV, "--requirement", "pylock"), "")
