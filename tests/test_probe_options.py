"""Options of the installers, their sources, and which of two values wins."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeinstall.probe.rules.pip_settings import Setting, effective_settings, read_pip_settings
from safeinstall.probe.shell.option_grammar import PIP, UV, read_line


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("install --target d six", "target", "d"),
        ("install --target=d six", "target", "d"),
        ("install --targ d six", "target", "d"),
        ("install -t d six", "target", "d"),
        ("install -td six", "target", "d"),
        ("install -qqt d six", "target", "d"),
        ("--python p install six", "python", "p"),
    ],
)
def test_a_value_is_found_however_it_is_written(line: str, name: str, value: str) -> None:
    found = read_line(line.split(), PIP)
    assert found.last(name) == value
    assert found.positional == ["install", "six"]
    assert found.problem == ""


@pytest.mark.parametrize("line", ["install --frobnicate", "install -Z", "install --no-c"])
def test_an_unknown_or_ambiguous_option_is_refused(line: str) -> None:
    assert read_line(line.split(), PIP).problem.startswith("no such option")


def test_uv_may_have_options_that_are_not_known_here() -> None:
    found = read_line(["pip", "install", "--brand-new", "six"], UV)
    assert (found.positional, found.problem) == (["pip", "install", "six"], "")


def test_settings_come_weakest_first_and_name_their_source(tmp_path: Path) -> None:
    home, prefix = tmp_path / "home", tmp_path / "env"
    (home / ".config" / "pip").mkdir(parents=True)
    prefix.mkdir()
    (home / ".config" / "pip" / "pip.conf").write_text(
        "[global]\nindex_url = https://a/simple\nextra-index-url =\n    https://b\n    https://c\n"
    )
    (prefix / "pip.conf").write_text("[install]\nuser: no\n")
    environ = {"HOME": str(home), "PIP_INDEX_URL": "https://d", "XDG_CONFIG_DIRS": str(tmp_path)}
    found = read_pip_settings(environ, str(prefix))
    assert [setting.key for setting in found][-4:] == [
        "index-url",
        "extra-index-url",
        "user",
        "index-url",
    ]
    merged = effective_settings(found)
    assert merged["index-url"].value == "https://d"
    assert merged["index-url"].source == "environment variable PIP_INDEX_URL"
    assert merged["extra-index-url"].value.split() == ["https://b", "https://c"]
    assert merged["user"].source == str(prefix / "pip.conf")


def setting(key: str, value: str, section: str) -> Setting:
    return Setting(key, value, "somewhere", section)


def test_a_section_outranks_the_level_of_a_file() -> None:
    weak, strong = setting("user", "no", "install"), setting("user", "yes", "global")
    assert effective_settings([weak, strong])["user"].value == "no"


def test_an_empty_variable_does_not_cancel_a_file() -> None:
    file, variable = setting("target", "/t", "global"), setting("target", "", ":env:")
    assert effective_settings([file, variable])["target"].value == "/t"


def test_a_stronger_empty_value_of_the_same_section_does() -> None:
    weak, strong = setting("target", "/t", "global"), setting("target", "", "global")
    assert "target" not in effective_settings([weak, strong])


def test_sections_of_other_commands_do_not_count() -> None:
    assert effective_settings([setting("user", "yes", "wheel")]) == {}


def test_the_null_device_switches_every_file_off(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nuser = 1\n")
    environ = {"PIP_CONFIG_FILE": "/dev/null", "HOME": str(tmp_path)}
    assert read_pip_settings(environ, str(tmp_path)) == ()


def test_a_named_file_that_exists_replaces_those_of_the_user(tmp_path: Path) -> None:
    (tmp_path / ".pip").mkdir()
    (tmp_path / ".pip" / "pip.conf").write_text("[global]\nuser = 1\n")
    (tmp_path / "own").write_text("[global]\npre = 1\n")
    environ = {"PIP_CONFIG_FILE": str(tmp_path / "own"), "HOME": str(tmp_path)}
    keys = [s.key for s in read_pip_settings(environ, "/nowhere") if str(tmp_path) in s.source]
    assert keys == ["pre"]


@pytest.mark.parametrize("text", ["no section = 1", "[open\nx", "[a]\n= b\n: c\n", "\x00\x01"])
def test_a_broken_file_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "pip.conf").write_text(text)
    environ = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path)}
    found = read_pip_settings(environ, str(tmp_path))
    assert not [s for s in found if s.source.startswith(str(tmp_path))]


def test_a_mark_in_front_of_a_file_hides_nothing_of_it(tmp_path: Path) -> None:
    (tmp_path / "pip.conf").write_bytes("\ufeff[global]\nindex-url = https://own\n".encode())
    found = read_pip_settings({"HOME": str(tmp_path / "home")}, str(tmp_path))
    assert [setting.value for setting in found if setting.key == "index-url"] == ["https://own"]


@pytest.mark.parametrize(
    ("platform", "environ", "place"),
    [
        ("win32", {"APPDATA": "{home}/Roaming"}, "Roaming/pip/pip.ini"),
        ("darwin", {}, "Library/Application Support/pip/pip.conf"),
        ("linux", {}, ".config/pip/pip.conf"),
    ],
)
def test_pips_files_are_read_where_each_system_has_them(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    environ: dict[str, str],
    place: str,
) -> None:
    file = tmp_path / place
    file.parent.mkdir(parents=True)
    file.write_text("[global]\nindex-url = https://own\n")
    known = {name: value.format(home=tmp_path) for name, value in environ.items()}
    monkeypatch.setattr("safeinstall.probe.rules.pip_settings.sys.platform", platform)
    found = read_pip_settings(known, "/nowhere", str(tmp_path))
    assert [s.value for s in found if s.source == str(file)] == ["https://own"]
