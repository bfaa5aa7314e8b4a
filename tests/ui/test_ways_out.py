"""Out of an environment that cannot be written, into one of one's own, with the notebook."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from support import lab, privileges
from support.environments import changes, snapshot
from ui.conftest import Site
from ui.desk import Desk

pytestmark = [pytest.mark.integration, pytest.mark.ui]


@pytest.fixture
def locked_kernel(site: Site) -> Iterator[str]:
    """A kernel whose environment its user may not write: root's, or one without write bits."""
    name = site.fresh("locked")
    environment = site.kernels[name]
    uid = privileges.ORDINARY if privileges.can_switch() else None
    home = site.folder / "user"
    home.mkdir(exist_ok=True)
    folders = [p for p in environment.prefix.rglob("*") if p.is_dir() and not p.is_symlink()]
    if uid is None:
        for folder in folders:
            folder.chmod(0o555)
    else:
        privileges.give(home, uid)
        privileges.give(site.notebooks, uid)
    data = home / "jupyter"
    settings = {
        "HOME": str(home),
        "JUPYTER_DATA_DIR": str(site.share) if uid is None else str(data),
        "UV_CACHE_DIR": str(home / "uv"),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
    }
    other = f"{name}-user"
    argv = [str(environment.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    lab.kernelspec(site.share, other, argv, settings=settings, uid=uid)
    site.kernels[other] = environment
    give_kernelspecs(site, data, uid)
    yield other
    for folder in folders:
        folder.chmod(0o755)


def give_kernelspecs(site: Site, data: Path, uid: int | None) -> None:
    """Let the server see the kernels that the user registers (on a real machine it is theirs)."""
    if uid is None:
        return
    kernels = data / "kernels"
    kernels.mkdir(parents=True, exist_ok=True)
    privileges.give(data, uid)
    server_side = site.folder / "lab" / "data" / "kernels"
    if not server_side.exists():
        server_side.parent.mkdir(parents=True, exist_ok=True)
        server_side.symlink_to(kernels)


def test_a_read_only_environment_is_refused_and_a_new_one_takes_the_notebook(
    site: Site, desk: Desk, locked_kernel: str
) -> None:
    environment = site.kernels[locked_kernel]
    before = snapshot(environment.prefix)
    desk.open(locked_kernel, "import tinypkg; print(tinypkg.__version__)")
    desk.ready()
    verdict = desk.part("verdict")
    expect(verdict).to_contain_text("You may not write")
    desk.install("tinypkg")
    expect(desk.part("status")).to_contain_text("Nothing changed")
    desk.part("status").get_by_label("beside the notebook").fill("fresh-env")
    desk.part("status").locator("[data-safeinstall=new-environment]").click()
    expect(verdict).to_contain_text("Installs go here", timeout=90_000)
    expect(desk.part("executable")).to_contain_text("/fresh-env/bin/python")
    desk.run(0)
    expect(desk.output(0)).to_have_text("2.0")
    assert desk.source(0) == "import tinypkg; print(tinypkg.__version__)"
    assert changes(before, snapshot(environment.prefix)) == []
