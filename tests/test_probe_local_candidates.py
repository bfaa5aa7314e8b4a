"""Versions, requirements and installed copies, without any help of packaging."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from safeinstall.probe.facts.search_path import find_distribution, module_origin
from safeinstall.probe.rules.local_candidates import (
    LOCKS,
    LocalFolders,
    best_local,
    parse_requirement,
    read_request,
    satisfies,
    sort_key,
)

numbers = st.lists(st.integers(0, 12), min_size=1, max_size=3).map(
    lambda parts: ".".join(map(str, parts))
)
tails = st.sampled_from(["", "a1", "b2", "rc1", ".post1", ".dev3", "rc1.post2"])
versions = st.builds(lambda release, tail: release + tail, numbers, tails)


@given(versions, versions)
def test_versions_are_ordered_as_packaging_orders_them(one: str, other: str) -> None:
    first, second = sort_key(one), sort_key(other)
    assert first is not None
    assert second is not None
    if ".post2" not in one + other:
        assert (first < second) == (Version(one) < Version(other))


@given(versions, st.sampled_from(["==", "!=", "<=", ">="]), numbers)
def test_bounds_hold_as_packaging_says(version: str, operator: str, bound: str) -> None:
    wanted = parse_requirement(f"x{operator}{bound}")
    assert wanted is not None
    expected = SpecifierSet(operator + bound).contains(version, prereleases=True)
    assert satisfies(version, wanted) is expected


@pytest.mark.parametrize(
    ("text", "name", "clauses"),
    [
        ("six", "six", ()),
        ("six>=1,<2", "six", ((">=", "1"), ("<", "2"))),
        ("six[a,b] == 1.* ; python_version > '3'", "six", (("==", "1.*"),)),
        ("six (>=1)", "six", ((">=", "1"),)),
    ],
)
def test_requirements_are_taken_apart(text: str, name: str, clauses: tuple[object, ...]) -> None:
    wanted = parse_requirement(text)
    assert wanted is not None
    assert (wanted.name, wanted.clauses) == (name, clauses)


@pytest.mark.parametrize("text", ["", "./here", "=1.0", "six=1", "a b"])
def test_what_is_no_requirement_is_none(text: str) -> None:
    assert parse_requirement(text) is None


@pytest.mark.parametrize(
    ("folder", "version"),
    [
        ("Some_Thing-1.5.dist-info", "1.5"),
        ("some.thing-2.0-py3.11.egg-info", "2.0"),
    ],
)
def test_an_installed_copy_is_found_under_any_spelling(
    tmp_path: Path, folder: str, version: str
) -> None:
    (tmp_path / folder).mkdir()
    found = find_distribution("some-thing", ["/nowhere", str(tmp_path)])
    assert found is not None
    assert found.version == version


def test_a_copy_without_a_list_of_its_files_cannot_be_removed(tmp_path: Path) -> None:
    (tmp_path / "x-1.dist-info").mkdir()
    found = find_distribution("x", [str(tmp_path)])
    assert found is not None
    assert not found.removable
    (tmp_path / "x-1.dist-info" / "RECORD").touch()
    assert found.removable


def test_the_first_folder_with_the_module_is_its_origin(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.py").touch()
    folders = [str(tmp_path / name) for name in ("none", "two", "one")]
    assert module_origin("x", folders) == folders[1]


def test_local_folders_give_the_newest_that_fits_and_no_prerelease(tmp_path: Path) -> None:
    for version in ("1.0", "1.9", "2.0", "3.0rc1"):
        (tmp_path / f"x-{version}-py3-none-any.whl").touch()
    wanted = parse_requirement("x<2")
    assert wanted is not None
    best = best_local(wanted, LocalFolders([str(tmp_path)], "/", pre=False))
    assert best is not None
    assert best.version == "1.9"


def test_a_requirements_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("six>=1  # why\n-e .\n\ntoml \\\n  ==1\n")
    request = read_request([], ["r.txt"], [], str(tmp_path))
    assert request.names == ("six", "toml")
    assert request.opaque == ("-e .",)


def test_a_file_that_is_not_read_by_lines_is_no_problem_and_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "pylock.dev.toml").write_text('lock-version = "1.0"\n')
    request = read_request([], ["pylock.dev.toml"], [], str(tmp_path), LOCKS)
    assert (request.opaque, request.problem) == (("pylock.dev.toml",), "")
    assert read_request([], ["pylock.dev.toml"], [], str(tmp_path)).problem  # an older pip stops
    assert read_request([], ["pylock.toml"], [], str(tmp_path), LOCKS).problem  # not there


@pytest.mark.parametrize(("words", "files"), [((), ()), (("=1",), ()), ((), ("missing",))])
def test_what_the_installer_would_refuse_is_a_problem(
    tmp_path: Path, words: tuple[str, ...], files: tuple[str, ...]
) -> None:
    assert read_request(words, files, [], str(tmp_path)).problem
