from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from safeinstall import importing


@pytest.fixture(autouse=True)
def import_system_as_before(tmp_path: Path) -> Iterator[None]:
    before, modules = list(sys.path), set(sys.modules)
    yield
    sys.path[:] = before
    for name in set(sys.modules) - modules:
        file = getattr(sys.modules[name], "__file__", None) or ""
        if file.startswith(str(tmp_path)):
            del sys.modules[name]
    importlib.invalidate_caches()


def test_a_directory_new_to_this_process_becomes_importable(tmp_path: Path) -> None:
    site = tmp_path / "user-site"
    site.mkdir()
    (site / "arrived_one.py").write_text("x = 1")
    assert importing.refresh([str(site)], ())
    assert importlib.import_module("arrived_one").x == 1


def test_a_known_directory_is_only_looked_at_again(tmp_path: Path) -> None:
    sys.path.append(str(tmp_path))
    assert importlib.util.find_spec("arrived_two") is None
    (tmp_path / "arrived_two.py").write_text("x = 2")
    assert not importing.refresh([str(tmp_path)], ())
    assert importlib.import_module("arrived_two").x == 2


def test_an_entry_that_did_not_exist_before_is_believed_now(tmp_path: Path) -> None:
    late = tmp_path / "late"
    sys.path.append(str(late))
    assert importlib.util.find_spec("arrived_three") is None
    late.mkdir()
    (late / "arrived_three.py").write_text("x = 3")
    importing.refresh([str(late)], ())
    assert importlib.import_module("arrived_three").x == 3


def test_a_new_path_file_is_read_at_once(tmp_path: Path) -> None:
    source = tmp_path / "src"
    source.mkdir()
    (source / "arrived_four.py").write_text("x = 4")
    (tmp_path / "four.pth").write_text(f"{source}\n")
    sys.path.append(str(tmp_path))
    assert importing.refresh([str(tmp_path)], [str(tmp_path / "four.pth")])
    assert importlib.import_module("arrived_four").x == 4


def test_only_loaded_modules_of_changed_files_are_stale(tmp_path: Path) -> None:
    sys.path.append(str(tmp_path))
    for name in ("stale_a", "stale_b", "stale_c"):
        (tmp_path / f"{name}.py").write_text("")
    importlib.invalidate_caches()
    importlib.import_module("stale_a")
    importlib.import_module("stale_b")
    changed = {str(tmp_path / "stale_a.py"), str(tmp_path / "stale_c.py")}
    assert [m.name for m in importing.stale_modules(changed)] == ["stale_a"]
    assert not importing.stale_modules(changed)[0].compiled


def test_a_stale_file_is_known_through_a_link(tmp_path: Path) -> None:
    real = tmp_path / "lib"
    real.mkdir()
    (tmp_path / "lib64").symlink_to(real)
    (real / "stale_d.py").write_text("")
    sys.path.append(str(tmp_path / "lib64"))
    importlib.invalidate_caches()
    importlib.import_module("stale_d")
    assert [m.name for m in importing.stale_modules({str(real / "stale_d.py")})] == ["stale_d"]


def test_origins_say_which_file_an_import_would_use(tmp_path: Path) -> None:
    (tmp_path / "origin_one.py").write_text("")
    (tmp_path / "origin_ns").mkdir()
    sys.path.append(str(tmp_path))
    importlib.invalidate_caches()
    found = importing.origins(["origin_one", "origin_ns", "origin_none"])
    assert found == {
        "origin_one": (str(tmp_path / "origin_one.py"),),
        "origin_ns": (str(tmp_path / "origin_ns"),),
        "origin_none": (),
    }
