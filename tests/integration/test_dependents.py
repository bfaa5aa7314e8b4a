"""Undo asks who was built on what it takes away: by us, or by anybody else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from uv import find_uv_bin

from support.places import Place, tree
from support.wheels import make_wheel

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="works on a place of POSIX"),
]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.make()
    for version in ("1.0", "2.0"):
        make_wheel(place.wheels, "tinypkg", version)
    make_wheel(place.wheels, "needs-tiny", requires=["tinypkg>=1"])
    make_wheel(place.wheels, "needs-two", requires=["tinypkg>=2"])
    make_wheel(place.wheels, "wants", "1.0", requires=["tinypkg<2"])
    make_wheel(place.wheels, "wants", "2.0")
    return place


def transaction(place: Place, *requirements: str) -> str:
    """Install in one transaction; return its id."""
    return str(place.installed(*requirements)["transaction"])


def assert_refused(place: Place, id: str, *said: str) -> None:
    """Undo it: nothing changes, and all of `said` is said."""
    before = tree(place.prefix)
    refused = place.safeinstall("undo", id)
    assert refused.returncode == 1
    words = " ".join(refused.stderr.split())
    for part in said:
        assert part in words
    assert tree(place.prefix) == before


def test_what_a_later_install_needs_stays_and_the_order_is_offered(place: Place) -> None:
    first = transaction(place, "tinypkg")
    second = transaction(place, "needs-tiny")
    assert_refused(place, first, f"undo {second} first, then {first}", "needs-tiny 1.0 needs")
    assert place.safeinstall("undo", second).returncode == 0
    assert place.safeinstall("undo", first).returncode == 0
    assert not list(place.site.glob("tinypkg*"))


def test_the_old_version_does_not_come_back_to_whom_the_new_one_was_needed(place: Place) -> None:
    place.installed("tinypkg==1.0")
    second = transaction(place, "tinypkg==2.0")
    third = transaction(place, "needs-two")
    assert_refused(place, second, f"undo {third} first", "needs-two 1.0 needs tinypkg>=2")


def test_what_comes_back_must_find_what_it_needs(place: Place) -> None:
    place.installed("wants==1.0", "tinypkg==1.0")
    second = transaction(place, "wants==2.0")
    third = transaction(place, "tinypkg==2.0")
    assert_refused(place, second, f"undo {third} first, then {second}", "wants 1.0 needs tinypkg<2")


def test_a_removal_is_not_undone_when_what_it_needs_was_removed_later(place: Place) -> None:
    place.installed("needs-tiny", "tinypkg")
    for name in ("needs-tiny", "tinypkg"):
        assert place.safeinstall("uninstall", name).returncode == 0
    assert_refused(place, "2", "undo 0003-", "needs-tiny 1.0 needs tinypkg>=1")
    assert place.safeinstall("undo").returncode == 0
    assert place.safeinstall("undo").returncode == 0


def test_what_another_program_installed_on_it_is_named_and_force_goes_on(place: Place) -> None:
    first = transaction(place, "tinypkg")
    links = ["--no-index", "--find-links", str(place.wheels)]
    uv = [find_uv_bin(), "pip", "install", "-q", "--python", str(place.python)]
    second = transaction(place, "needs-tiny")
    assert place.safeinstall("undo", second).returncode == 0
    place.run([*uv, *links, "needs-tiny"])
    assert_refused(place, first, "built on it. needs-tiny 1.0 needs tinypkg>=1", "--force")
    assert place.safeinstall("undo", first, "--force").returncode == 0


def test_what_was_broken_before_is_no_reason(place: Place) -> None:
    place.installed("wants==1.0", "tinypkg==1.0")
    place.installed("--allow-conflicts", "tinypkg==2.0")
    before = tree(place.prefix)
    mended = transaction(place, "wants==2.0")
    assert place.safeinstall("undo", mended).returncode == 0
    assert tree(place.prefix) == before


def test_what_broke_others_when_it_came_is_undone_without_a_word(place: Place) -> None:
    place.installed("wants==1.0", "tinypkg==1.0")
    before = tree(place.prefix)
    second = transaction(place, "--allow-conflicts", "tinypkg==2.0")
    assert place.safeinstall("undo", second).returncode == 0
    assert tree(place.prefix) == before


def test_the_kernel_that_a_transaction_brought_is_not_undone_with_the_rest(place: Place) -> None:
    make_wheel(place.wheels, "ipykernel", "7.0")
    first = transaction(place, "ipykernel", "tinypkg")
    assert_refused(place, first, "brought the kernel itself", "--force")
    assert place.safeinstall("undo", first, "--force").returncode == 0
    assert place.safeinstall("undo", "2").returncode == 0
    assert list(place.site.glob("ipykernel-*"))
