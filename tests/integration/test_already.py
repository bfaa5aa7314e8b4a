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
