"""What the tests in a browser share: servers, kernels in other environments, wheels, notebooks."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support import lab
from support.environments import Environment, Workshop
from support.wheels import make_wheel

__all__ = ["Site", "a_site"]

_numbers = itertools.count(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Site:
    """Kernels by name, addresses of servers by name, and the folders they all know."""

    shop: Workshop
    folder: Path
    wheels: Path
    notebooks: Path
    share: Path
    settings: Mapping[str, str]
    """What every server hands on to its kernels."""
    kernels: dict[str, Environment]
    urls: dict[str, str]

    def fresh(
        self, kind: str, *packages: str, base: Path | None = None, place: Path | None = None
    ) -> str:
        """Make another environment with a kernel; the value is the kernel's name."""
        name = f"{kind}-{next(_numbers)}"
        prefix = place or self.folder / "kernels" / name
        prefix.parent.mkdir(parents=True, exist_ok=True)
        make_kernel(self.shop, prefix, base or self.shop.base, *packages)
        self.kernels[name] = Environment(prefix=prefix, kind="uv-venv", base=self.shop.base)
        argv = [str(prefix / "bin" / "python"), "-m", "ipykernel_launcher", "-f"]
        lab.kernelspec(self.share, name, [*argv, "{connection_file}"])
        return name

    @contextmanager
    def serving(
        self, name: str, server: Environment, *options: str, app: str = "lab"
    ) -> Iterator[str]:
        """Start a server under that name; `app` is lab, notebook or jupyter_server."""
        folder = self.folder / name
        folder.mkdir()
        with lab.serving(
            server, folder, self.notebooks, *options, app=app, settings=self.settings
        ) as url:
            self.urls[name] = url
            yield url
            del self.urls[name]


def make_kernel(shop: Workshop, prefix: Path, base: Path, *packages: str) -> None:
    """Make an environment with a kernel, without pip and without safeinstall."""
    shop.run(shop.uv, "venv", "-q", "--python", base, prefix)
    kernel = () if any(name.startswith("ipykernel") for name in packages) else ("ipykernel",)
    shop.bring(prefix / "bin" / "python", *packages, *kernel)


@contextmanager
def a_site(folder: Path | None = None) -> Iterator[Site]:
    """Set up what all share, without a server yet; everything is removed afterwards."""
    folder = folder or Path(tempfile.mkdtemp(prefix="safeinstall-ui-"))
    folder.chmod(0o755)
    shop = Workshop(folder)
    wheels, notebooks, share = folder / "wheels", folder / "notebooks", folder / "share"
    for place in (wheels, notebooks, share):
        place.mkdir()
    for version in ("1.0", "2.0"):
        make_wheel(wheels, "tinypkg", version)
    yield Site(
        shop=shop,
        folder=folder,
        wheels=wheels,
        notebooks=notebooks,
        share=share,
        settings={
            "JUPYTER_PATH": str(share),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": f"{wheels} {shop.wheels}",
            "UV_CACHE_DIR": str(shop.cache / "uv"),
        },
        kernels={},
        urls={},
    )
    if not os.environ.get("SAFEINSTALL_KEEP"):
        shutil.rmtree(folder, ignore_errors=True)
