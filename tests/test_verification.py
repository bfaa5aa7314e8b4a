from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from safeinstall.operations.staging.verify import (
    Arrival,
    fresh_command,
    read_fresh,
    shadow_findings,
    verdicts_of,
)
from support.reports import environment


@pytest.fixture
def six(tmp_path: Path) -> Arrival:
    file = tmp_path / "site" / "six.py"
    file.parent.mkdir()
    file.touch()
    return Arrival(name="six", version="1.17", modules=("six",), files=frozenset({str(file)}))


def file_of(arrival: Arrival) -> str:
    return next(iter(arrival.files))


def test_a_module_found_at_its_new_file_is_proved(six: Arrival) -> None:
    (verdict,) = verdicts_of([six], six.files, {"six": (file_of(six),)}, {"six": (file_of(six),)})
    assert (verdict.landed, verdict.fresh, verdict.kernel) == (True, True, True)


def test_another_copy_is_no_proof_whatever_the_metadata_says(six: Arrival) -> None:
    (verdict,) = verdicts_of([six], six.files, {"six": ("/elsewhere/six.py",)}, None)
    assert (verdict.fresh, verdict.kernel) == (False, None)
    (finding,) = shadow_findings([six], {"six": ("/elsewhere/six.py",)})
    assert (finding.code, "/elsewhere/six.py" in finding.message) == ("shadowed", True)


def test_a_missing_file_has_not_landed(six: Arrival) -> None:
    assert not verdicts_of([six], frozenset(), None, None)[0].landed


def test_a_namespace_package_is_proved_by_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "site" / "google" / "cloud" / "x.py"
    file.parent.mkdir(parents=True)
    file.touch()
    arrival = Arrival(name="g", version="1", modules=("google",), files=frozenset({str(file)}))
    places = {"google": ("/usr/lib/google", str(tmp_path / "site" / "google"))}
    assert verdicts_of([arrival], arrival.files, places, None)[0].fresh
    assert not verdicts_of([arrival], arrival.files, {"google": ("/usr/lib/google",)}, None)[
        0
    ].fresh


def test_a_folder_through_a_link_is_the_same_folder(six: Arrival, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "site")
    assert verdicts_of([six], six.files, {"six": (str(tmp_path / "link" / "six.py"),)}, None)[
        0
    ].fresh


def test_an_editable_module_lives_in_its_project() -> None:
    mine = Arrival(
        name="mine", version="1", modules=("mine",), files=frozenset(), source="/src/mine"
    )
    assert verdicts_of([mine], mine.files, {"mine": ("/src/mine/mine/__init__.py",)}, None)[0].fresh


def test_a_distribution_without_modules_and_a_folder_beside_are_no_proof(six: Arrival) -> None:
    bare = replace(six, modules=())
    assert verdicts_of([bare], six.files, {}, {})[0].fresh is None
    mine = replace(six, modules=("mine",), source="/home/ana/mine")
    beside = {"mine": ("/home/ana/mine-old/mine/__init__.py",)}
    assert verdicts_of([mine], six.files, beside, None)[0].fresh is False


def test_a_process_that_did_not_start_proves_nothing() -> None:
    assert read_fresh("Fatal Python error", "cookie") is None
    assert read_fresh('noise cookie{"six": ["/s/six.py"]}eikooc noise', "cookie") == {
        "six": ("/s/six.py",)
    }


def test_the_fresh_process_has_the_flags_of_the_kernel() -> None:
    flags = {
        "isolated": False,
        "no_user_site": True,
        "ignore_environment": False,
        "no_site": False,
        "safe_path": False,
    }
    command = fresh_command(environment(flags=flags), ["six"], "c", "/nb")
    assert command.argv[1:3] == ("-s", "-c")
    assert command.cwd == "/nb"
