from __future__ import annotations

from pathlib import Path

import pytest

from safeinstall import interpreter
from safeinstall.distributions import InstalledIndex, snapshot
from safeinstall.environment import this_environment
from safeinstall.errors import EnvironmentReportError


def install(site: Path, name: str, version: str, *, requires: str = "", record: str = "") -> Path:
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    body = "\n\nThe long description.\nName: not-this\n"
    head = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"
    (info / "METADATA").write_text(
        head + (f"\nRequires-Dist: {requires}" if requires else "") + body
    )
    (info / "RECORD").write_text(record)
    return info


def test_a_distribution_is_read_up_to_its_first_blank_line(tmp_path: Path) -> None:
    install(tmp_path, "My.Thing", "1.0", requires="six>=1")
    found = InstalledIndex([str(tmp_path)]).find("my-thing")
    assert found is not None
    assert (found.name, found.version, found.requires) == ("My.Thing", "1.0", ("six>=1",))


def test_the_first_directory_of_the_path_wins(tmp_path: Path) -> None:
    install(tmp_path / "a", "six", "1.0")
    install(tmp_path / "b", "six", "2.0")
    index = InstalledIndex([str(tmp_path / "a"), str(tmp_path / "b")])
    found = index.find("six")
    assert found is not None
    assert found.version == "1.0"


def test_an_empty_metadata_directory_is_no_distribution(tmp_path: Path) -> None:
    (tmp_path / "six-1.0.dist-info").mkdir()
    assert InstalledIndex([str(tmp_path)]).find("six") is None
    assert snapshot([str(tmp_path)]).distributions == ()


def test_directories_that_are_not_there_are_no_error() -> None:
    assert snapshot(["/no/such/place"]).distributions == ()


def test_what_lies_there_longer_than_asked_for_is_known_by_its_name_alone(tmp_path: Path) -> None:
    for name in ("thing-1.0.dist-info", "thing.egg-info"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "METADATA").write_text("Name: thing\nVersion: 2\nRequires-Dist: six\n")
    changed = (tmp_path / "thing-1.0.dist-info").stat().st_ctime

    def seen(since: float) -> list[tuple[str, tuple[str, ...]]]:
        found = snapshot([str(tmp_path)], since=since).distributions
        return [(each.version, each.requires) for each in found]

    nameless = ("2", ("six",))  # its folder does not tell the version
    assert seen(changed + 10) == [("1.0", ()), nameless]
    assert seen(changed - 10) == [("2", ("six",)), nameless]


def test_a_report_is_found_between_its_cookies_in_any_noise() -> None:
    with pytest.raises(EnvironmentReportError, match="no answer"):
        interpreter.parse_probe("/bin/cat", "welcome!", "cookie")


def test_this_interpreter_is_read_without_a_process() -> None:
    here = this_environment()
    assert here.version.startswith(here.python)
    assert here.markers["python_version"] == here.python


def test_headers_are_read_as_the_email_parser_reads_them(tmp_path: Path) -> None:
    head = (
        "Metadata-Version: 2.1\r\nNAME: thing \r\nVersion:1.0\r\nSummary: one\r\n  Name: two\r\n"
        'Requires-Dist: six ; extra\r\n\t== "x"\r\nno colon\r\nRequires-Dist:numpy >=2\r\n'
    )
    info = tmp_path / "thing-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_bytes(head.encode() + b"\r\nName: not-this\r\n")
    (found,) = snapshot([str(tmp_path)]).distributions
    assert (found.name, found.version) == ("thing", "1.0")
    words = [requirement.split() for requirement in found.requires]
    assert words == [["six", ";", "extra", "==", '"x"'], ["numpy", ">=2"]]
