"""Removals: which environment, which copy, and what refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.layouts import XY, Kernel, put, with_program


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    made = Kernel(tmp_path)
    made.environ["PATH"] = with_program(tmp_path / "usr" / "bin", "uv", "conda", "apt", "poetry")
    (tmp_path / "usr" / "lib" / "python3" / "dist-packages").mkdir(parents=True)
    put(made.site(made.a), "six", "1.0")
    put(made.site(made.b), "six", "1.0")
    return made


@pytest.mark.parametrize(
    ("cell", "outcome", "of"),
    [
        ("%pip uninstall -y six", "env-site", "b"),
        ("!{a}/bin/pip uninstall six", "wrong-interpreter", "a"),
        ("!{a}/bin/python -m pip uninstall -y six", "wrong-interpreter", "a"),
        ("%pip uninstall -y never", "no-change", ""),
        ("%pip uninstall -y six never", "env-site", "b"),
        ("%pip uninstall", "fails", ""),
        ("%pip uninstall -r none.txt", "fails", ""),
        ("!nowhere/pip uninstall six", "command-not-found", ""),
        ("!uv pip uninstall --python {a} six", "wrong-interpreter", "a"),
        ("!uv pip uninstall --python {b} six", "env-site", "b"),
        ("!conda remove -p {a} six", "fails", ""),
        ("%conda remove six", "fails", ""),
        ("!poetry remove six", "fails", ""),
        ("import os; os.system('{a}/bin/pip uninstall -y six')", "wrong-interpreter", "a"),
    ],
)
def test_a_removal_is_judged_by_the_copy_it_takes_away(
    kernel: Kernel, cell: str, outcome: str, of: str
) -> None:
    found = kernel.predict(cell.format(a=kernel.a, b=kernel.b))
    assert (found.outcome, found.removes) == (outcome, True), found.reason
    assert found.path == (kernel.site(getattr(kernel, of)) if of else None)
    assert found.importable_now is None


def test_what_a_file_lists_is_what_goes(kernel: Kernel) -> None:
    (kernel.cwd / "gone.txt").write_text("six\n")
    assert kernel.predict("%pip uninstall -y -r gone.txt").requirements == ("six",)


def test_what_has_no_list_of_its_files_cannot_be_removed(kernel: Kernel) -> None:
    Path(kernel.site(kernel.b), "six-1.0.dist-info", "RECORD").unlink()
    assert kernel.predict("%pip uninstall -y six").outcome == "refused-cannot-uninstall"


def test_a_marker_refuses_a_removal_too(kernel: Kernel) -> None:
    kernel.prefix = kernel.base
    put(kernel.site(kernel.base), "six", "1.0")
    (kernel.base / "lib" / XY / "EXTERNALLY-MANAGED").touch()
    assert kernel.predict("%pip uninstall -y six").outcome == "refused-externally-managed"


def test_what_lies_outside_a_virtual_environment_stays(kernel: Kernel, tmp_path: Path) -> None:
    (Path(kernel.site(kernel.b)) / "six-1.0.dist-info" / "RECORD").unlink()
    (Path(kernel.site(kernel.b)) / "six-1.0.dist-info").rmdir()
    put(str(tmp_path / "elsewhere"), "six", "1.0")
    found = kernel.predict("%pip uninstall -y six", PYTHONPATH=str(tmp_path / "elsewhere"))
    assert found.outcome == "no-change"
