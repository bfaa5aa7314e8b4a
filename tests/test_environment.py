from __future__ import annotations

import pytest

from safeinstall.environment import Environment, Flags, shown
from safeinstall.errors import EnvironmentReportError
from support.reports import environment, locked_access, report


def test_an_environment_is_read_from_a_report() -> None:
    found = environment()
    assert (found.kind, found.python, found.label) == ("venv", "3.12", "~/proj/.venv")
    assert found.is_virtual
    assert found.locked is None
    assert found.importable_destination()


def test_a_missing_key_is_named() -> None:
    broken = report()
    del broken["paths"]["purelib"]
    with pytest.raises(EnvironmentReportError, match="purelib"):
        Environment.from_report(broken)


def test_the_first_directory_that_cannot_be_written_is_the_lock() -> None:
    locked = environment(access=locked_access()).locked
    assert locked is not None
    assert "belongs to root (mode 755), not to you" in locked.detail


def test_a_destination_off_the_import_path_is_not_importable() -> None:
    assert not environment(sys_path=["/usr/lib/python3.12"]).importable_destination()


@pytest.mark.parametrize(
    ("flags", "arguments"),
    [
        (Flags(), ()),
        (Flags(isolated=True, no_user_site=True, ignore_environment=True), ("-I",)),
        (Flags(no_user_site=True), ("-s",)),
        (Flags(ignore_environment=True, no_site=True), ("-E", "-S")),
    ],
    ids=["none", "isolated", "no-user-site", "two"],
)
def test_flags_start_another_interpreter_in_the_same_way(
    flags: Flags, arguments: tuple[str, ...]
) -> None:
    assert flags.arguments() == arguments


@pytest.mark.parametrize(
    ("path", "home", "expected"),
    [
        ("/home/ana/x", "/home/ana", "~/x"),
        ("/home/ana", "/home/ana", "~"),
        ("/home/anabel/x", "/home/ana", "/home/anabel/x"),
        ("/opt/x", "", "/opt/x"),
        ("/opt/x", "/", "/opt/x"),
    ],
)
def test_only_the_home_directory_itself_becomes_a_tilde(
    path: str, home: str, expected: str
) -> None:
    assert shown(path, home) == expected


def test_the_json_form_says_why_it_is_not_writable() -> None:
    data = environment(access=locked_access()).to_dict()
    assert data["writable"] is False
    assert "not to you" in data["why_not_writable"]
