"""Real paths of folders agree with the ones that Python finds one by one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from safeinstall.metadata.record import RealFolders


@pytest.fixture
def maze(tmp_path: Path) -> Path:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "link").symlink_to("deep")
    (tmp_path / "deep" / "up").symlink_to("../link/er", target_is_directory=True)
    (tmp_path / "round").symlink_to("round")
    (tmp_path / "gone").symlink_to("nowhere")
    return tmp_path


@pytest.mark.parametrize(
    "folder",
    ["", "deep", "link", "link/er", "link/up", "link/../deep/./up", "deep/", "round", "round/x",
     "gone/x", "absent/x", "//deep"],
)  # fmt: skip
def test_a_folder_is_where_python_says(maze: Path, folder: str) -> None:
    path = f"{maze}/{folder}"
    real = RealFolders()
    for known in (path, path):  # once looked at, and once known
        assert os.path.normpath(real.of(known)) == os.path.realpath(path)


def test_a_relative_folder_is_of_the_working_directory(
    maze: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(maze)
    for folder in ("", ".", "link/er", "../" + maze.name):
        assert RealFolders().of(folder) == os.path.realpath(folder)


def test_each_part_is_looked_at_once(maze: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []
    islink = os.path.islink

    def noted(path: str) -> bool:
        looked.append(path)
        return islink(path)

    monkeypatch.setattr(os.path, "islink", noted)
    real = RealFolders()
    for number in range(50):
        real.of(f"{maze}/deep/er/{number}")
    assert looked.count(f"{maze}/deep/er") == 1
