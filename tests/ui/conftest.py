"""A browser, a JupyterLab and a Notebook 7, and kernels that live elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from support import lab, privileges
from support.environments import Environment
from ui.lab_page import LabPage
from ui.site import Site, a_site


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the Chromium of this machine."""
    arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
    return {**browser_type_launch_args, "executable_path": lab.chromium(), "args": arguments}


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Set everything up once: two servers in one environment, kernels in others."""
    with a_site() as made:
        server = lab.equip_server(made.shop, made.folder / "server")
        toy = [str(server.python), str(Path(lab.__file__).with_name("toy_kernel.py")), "-f"]
        lab.kernelspec(made.share, "parrot", [*toy, "{connection_file}"], language="parrot")
        with (
            made.serving("lab", server),
            made.serving("notebook", server, app="notebook"),
        ):
            yield made


@pytest.fixture(scope="session")
def oldest(site: Site) -> Iterator[tuple[str, str]]:
    """The oldest JupyterLab and Notebook the panel works in, by the names of their servers."""
    server = lab.equip_server(site.shop, site.folder / "oldest", lab.OLDEST_LAB)
    with (
        site.serving("lab-oldest", server),
        site.serving("notebook-oldest", server, app="notebook"),
    ):
        yield "lab-oldest", "notebook-oldest"


@pytest.fixture(scope="session")
def gateway(site: Site) -> Iterator[str]:
    """A JupyterLab whose kernels are all another server's, by the name of its server."""
    server = Environment(prefix=site.folder / "server", kind="uv-venv", base=site.shop.base)
    with (
        site.serving("gateway", server, app="jupyter_server") as url,
        site.serving("lab-remote", server, f"--gateway-url={url}"),
    ):
        yield "lab-remote"


@pytest.fixture
def lab_page(site: Site, page: Page) -> Iterator[LabPage]:
    """A browser page in front of the servers; whatever it complains about fails the test."""
    page.set_viewport_size({"width": 1280, "height": 800})
    opened = LabPage(page, site.urls, site.notebooks)
    yield opened
    opened.close()
    assert opened.complaints == []


@pytest.fixture
def locked_kernel(site: Site) -> Iterator[str]:
    """A kernel whose environment its user may not write: root's, or one without write bits."""
    standalone = site.shop.standalone  # one that every user of the machine can start
    name = site.fresh("locked", base=standalone.python)
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
        "LD_LIBRARY_PATH": str(standalone.prefix / "lib"),
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
