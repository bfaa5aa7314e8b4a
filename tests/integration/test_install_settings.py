"""What pip and uv are told about versions and files holds, whichever of them does the work."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from integration.conftest import Desk

pytestmark = pytest.mark.integration


def install(
    desk: Desk, *words: str, installer: str = "uv", **settings: str
) -> subprocess.CompletedProcess[str]:
    """Install from a terminal in the folder of the notebooks."""
    line = ("-m", "safeinstall", "install", "--installer", installer, *words)
    known = {**desk.settings, **settings}
    return desk.environment.run(*line, settings=known, cwd=desk.notebooks)


@pytest.mark.parametrize(
    ("place", "mode"),
    [
        *(("variable", mode) for mode in ("symlink", "hardlink", "clone", "copy")),
        *((file, "symlink") for file in ("uv.toml", "pyproject.toml")),
    ],
)
def test_an_environment_holds_files_whatever_link_mode_uv_is_told(
    desk: Desk, place: str, mode: str
) -> None:
    line = f'link-mode = "{mode}"\n'
    text = {"uv.toml": line, "pyproject.toml": f"[tool.uv]\n{line}"}.get(place)
    if text:
        (desk.notebooks / place).write_text(text)
    told = {} if text else {"UV_LINK_MODE": mode}
    cache = desk.notebooks / "cache"
    done = install(desk, *desk.offline.split(), "tinypkg", UV_CACHE_DIR=str(cache), **told)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(cache)
    folder = desk.environment.site_packages
    assert not [path for path in folder.rglob("*") if path.is_symlink()]
    assert desk.environment.run("-c", "import tinypkg", settings=desk.settings).returncode == 0
