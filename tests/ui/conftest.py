"""A browser, a JupyterLab and a Notebook 7, and kernels that live elsewhere."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from support import lab, privileges
from support.environments import CACHE, Environment, Workshop
from support.wheels import make_wheel
from ui.desk import Desk

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Use the Chromium of this machine."""
    arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
    return {**browser_type_launch_args, "executable_path": lab.chromium(), "args": arguments}


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """What all tests here share: servers, kernels by name, wheels and notebooks."""

    shop: Workshop
    folder: Path
    wheels: Path
    notebooks: Path
    share: Path
    kernels: dict[str, Environment]
    urls: dict[str, str]

    def fresh(self, kind: str, *packages: str, base: Path | None = None) -> str:
        """Make another environment with a kernel; the value is the kernel's name."""
        name = f"{kind}-{next(_numbers)}"
        prefix = self.folder / "kernels" / name
        prefix.parent.mkdir(exist_ok=True)
        make_kernel(self.shop, prefix, base or self.shop.base, *packages)
        self.kernels[name] = Environment(prefix=prefix, kind="uv-venv", base=self.shop.base)
        argv = [str(prefix / "bin" / "python"), "-m", "ipykernel_launcher", "-f"]
        lab.kernelspec(self.share, name, [*argv, "{connection_file}"])
        return name


def make_kernel(shop: Workshop, prefix: Path, base: Path, *packages: str) -> None:
    """Make an environment with a kernel, without pip and without safeinstall."""
    shop.run(shop.uv, "venv", "-q", "--python", base, prefix)
    links: list[str | Path] = ["--no-index", "--find-links", shop.wheels]
    if "ipykernel==6.29.5" in packages:
        links += ["--find-links", CACHE / "old"]
    target = ("--python", prefix / "bin" / "python")
    wanted = (
        packages if any(p.startswith("ipykernel") for p in packages) else (*packages, "ipykernel")
    )
    shop.run(shop.uv, "pip", "install", "-q", *links, *target, *wanted)


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """Set everything up once: two servers in one environment, kernels in others."""
    folder = Path(tempfile.mkdtemp(prefix="safeinstall-ui-"))
    folder.chmod(0o755)
    shop = Workshop(folder)
    wheels, notebooks, share = folder / "wheels", folder / "notebooks", folder / "share"
    for place in (wheels, notebooks, share):
        place.mkdir()
    make_wheels(wheels)
    server = lab.equip_server(shop, folder / "server")
    settings = {
        "JUPYTER_PATH": str(share),
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": f"{wheels} {shop.wheels}",
        "UV_CACHE_DIR": str(shop.cache / "uv"),
    }
    toy = [str(server.python), str(Path(lab.__file__).with_name("toy_kernel.py")), "-f"]
    lab.kernelspec(share, "parrot", [*toy, "{connection_file}"], language="parrot")
    urls: dict[str, str] = {}
    (folder / "lab").mkdir()
    (folder / "nb").mkdir()
    with (
        lab.serving(server, folder / "lab", notebooks, settings=settings) as lab_url,
        lab.serving(
            server, folder / "nb", notebooks, app="notebook", settings=settings
        ) as notebook_url,
    ):
        urls = {"lab": lab_url, "notebook": notebook_url}
        yield Site(
            shop=shop,
            folder=folder,
            wheels=wheels,
            notebooks=notebooks,
            share=share,
            kernels={},
            urls=urls,
        )
    if not os.environ.get("SAFEINSTALL_KEEP"):
        shutil.rmtree(folder, ignore_errors=True)


def make_wheels(wheels: Path) -> None:
    """Write the packages that are installed here."""
    make_wheel(wheels, "tinypkg")
    make_wheel(wheels, "tinypkg", "2.0")


@pytest.fixture
def desk(site: Site, page: Page) -> Iterator[Desk]:
    """A browser page in front of the servers; whatever it complains about fails the test."""
    page.set_viewport_size({"width": 1280, "height": 800})
    bench = Desk(page, site.urls, site.notebooks)
    yield bench
    bench.close()
    assert bench.complaints == []


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
