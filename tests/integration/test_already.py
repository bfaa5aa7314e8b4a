"""What "already in" is not: told by a kernel, and mended by the line that it prints."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.conftest import Desk
from support.kernels import Kernel
from support.wheels import make_wheel

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def needy(shared_desk: Desk) -> Desk:
    """A desk whose wheels hold `needy`, which needs `tinypkg`."""
    modules: dict[str, str | bytes] = {
        "needy/__init__.py": "x = 1\n",
        "needy/core.py": "y = 2\n",
        "needy/sub/__init__.py": "",
    }
    make_wheel(shared_desk.wheels, "needy", modules=modules, requires=["tinypkg"])
    make_wheel(shared_desk.wheels, "needy", "0.9", modules=modules, requires=["tinypkg"])
    return shared_desk


def without_its_code(site: Path) -> None:
    shutil.rmtree(site / "needy")


def without_a_module(site: Path) -> None:
    (site / "needy" / "core.py").unlink()


def without_a_sub_package(site: Path) -> None:
    shutil.rmtree(site / "needy" / "sub")


def cut_off(site: Path) -> None:
    (site / "needy" / "core.py").unlink()  # the installer's cache may have the same file
    (site / "needy" / "core.py").write_text("")


def without_what_it_needs(site: Path) -> None:
    (site / "tinypkg.py").unlink()


def with_another_name(site: Path) -> None:
    metadata = site / "needy-1.0.dist-info" / "METADATA"
    text = metadata.read_text().replace("Name: needy", "Name: other")
    metadata.unlink()
    metadata.write_text(text)


def with_empty_metadata(site: Path) -> None:
    metadata = site / "needy-1.0.dist-info" / "METADATA"
    metadata.unlink()
    metadata.write_text("")


def without_record(site: Path) -> None:
    (site / "needy-1.0.dist-info" / "RECORD").unlink()


def listed_twice(site: Path) -> None:
    shutil.copytree(site / "needy-1.0.dist-info", site / "needy-0.9.dist-info")
    metadata = site / "needy-0.9.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.0", "0.9"))


DAMAGES = [
    *(without_its_code, without_a_module, without_a_sub_package, cut_off, without_what_it_needs),
    *(with_another_name, with_empty_metadata, without_record, listed_twice),
]


@pytest.mark.first_line_of("misnamed-metadata")
@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_broken_is_mended_by_the_line_that_is_printed(
    needy: Desk, shared_kernel: Kernel, damage: Callable[[Path], None]
) -> None:
    site = needy.environment.site_packages
    assert shared_kernel.run("%safeinstall needy").ok
    damage(site)
    stopped = shared_kernel.run("%safeinstall needy")
    assert not stopped.ok, stopped.everything
    assert "Nothing changed." in stopped.everything
    line = stopped.everything.split("→ ")[1].splitlines()[0].split("   ")[0]
    mended = shared_kernel.run(line)
    assert mended.ok, (stopped.everything, line, mended.everything)
    assert shared_kernel.run("%safeinstall needy").ok  # where the line has only taken it away
    again = shared_kernel.run("%safeinstall needy")
    assert again.ok, (line, mended.everything, again.everything)
    assert "needy 1.0 is already in" in again.everything
    assert sorted(info.name for info in site.glob("needy-*.dist-info")) == ["needy-1.0.dist-info"]


def test_an_installer_that_sees_nothing_to_change_proves_nothing(
    needy: Desk, shared_kernel: Kernel
) -> None:
    assert shared_kernel.run("%safeinstall needy").ok
    (needy.environment.site_packages / "needy" / "core.py").unlink()
    for line in (
        "%safeinstall -U needy",
        "%safeinstall --dry-run needy",
        "%safeinstall --pre needy",
    ):
        stopped = shared_kernel.run(line)
        assert "needy 1.0 lacks 1 of 3 files: needy/core.py" in stopped.everything, line
    assert shared_kernel.run("%safeinstall --force-reinstall needy==1.0").ok
    assert "already in" in shared_kernel.run("%safeinstall -U needy").everything


ATTACKS = {
    "beside the notebook": ("", "beside"),
    "sys.path.insert": ("import sys; sys.path.insert(0, {front!r})", "front"),
    "a relative folder": ("import sys; sys.path.insert(0, 'front')", "front"),
    "site.addsitedir": (
        "import pathlib, site; pathlib.Path('pth').mkdir(exist_ok=True);"
        "line = 'import sys; sys.path.insert(0, ' + repr({front!r}) + ')';"
        "pathlib.Path('pth/x.pth').write_text(line);"
        "site.addsitedir('pth')",
        "front",
    ),
    "a zip": (
        "import sys, zipfile; z = zipfile.ZipFile('z.zip', 'w'); z.write({front!r} + '/needy.py',"
        "'needy.py'); z.close(); sys.path.insert(0, 'z.zip')",
        "z.zip",
    ),
}


def test_another_copy_in_front_is_named_and_taken_away_again(
    needy: Desk, shared_kernel: Kernel
) -> None:
    front, beside = needy.notebooks / "front", needy.notebooks / "needy.py"
    front.mkdir()
    (front / "needy.py").write_text("")
    shared_kernel.run("import sys; path = list(sys.path)")
    assert shared_kernel.run("%safeinstall needy").ok
    for name, (cell, where) in ATTACKS.items():
        if where == "beside":
            beside.write_text("")
            shared_kernel.run("sys.path.insert(0, '')")
        else:
            assert shared_kernel.run(cell.format(front=str(front))).ok, name
        stopped = shared_kernel.run("%safeinstall needy")
        expected = beside if where == "beside" else where
        assert not stopped.ok, name
        assert "import needy would find" in stopped.everything, name
        assert str(expected) in stopped.everything, name
        shared_kernel.run("sys.path[:] = path")
        beside.unlink(missing_ok=True)
    assert shared_kernel.run("%safeinstall needy").ok


def test_a_terminal_asks_a_new_process_and_pythonpath_counts(needy: Desk) -> None:
    front = needy.notebooks / "by-path"
    front.mkdir()
    (front / "tinypkg.py").write_text("")
    words = ("-m", "safeinstall", "install", "tinypkg")
    environment, settings = needy.environment, needy.settings
    done = environment.run(*words, settings=settings, cwd=needy.wheels)
    assert done.returncode == 0, done.stderr
    done = environment.run(
        *words, settings={**settings, "PYTHONPATH": str(front)}, cwd=needy.wheels
    )
    assert done.returncode == 1, done.stdout
    assert str(front / "tinypkg.py") in done.stderr.replace("\n    ", "").replace("\n  ", "")


def test_a_terminal_works_in_a_folder_of_files_named_as_libraries(
    needy: Desk, tmp_path: Path
) -> None:
    (tmp_path / "uv").mkdir()
    mine = ("json.py", "csv.py", "secrets.py", "packaging.py", "uv/__init__.py")
    for name in mine:
        (tmp_path / name).write_text("from pathlib import Path\nPath('ran').touch()\n1 / 0\n")
    settings = {**needy.settings, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(needy.wheels)}
    for command in ("install", "uninstall", "install"):
        words = ("-m", "safeinstall", command, "lonely")
        make_wheel(needy.wheels, "lonely")
        done = needy.environment.run(*words, settings=settings, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert command == "uninstall" or "json.py" in done.stdout
    assert not (tmp_path / "ran").exists()
