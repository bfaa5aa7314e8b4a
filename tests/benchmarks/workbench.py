"""What the measurements share: environments beside the caches, and a table."""

# ruff: noqa: T201 (a measurement prints its table)

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from support import kernels
from support.environments import CACHE, Environment, Workshop, server_settings

__all__ = ["CACHE", "Bench", "table", "workbench"]


class Bench:
    """Fresh environments with a kernel, and the settings of a server in another one."""

    def __init__(self, shop: Workshop) -> None:
        self.shop = shop
        self._count = 0

    def settings(self, wheels: Path) -> dict[str, str]:
        """The server's settings: packages from `wheels`, uv's cache warm and on the same disk."""
        known = server_settings(self.shop.server, self.shop.folder / "home")
        sources = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}
        return known | sources | {"UV_CACHE_DIR": str(CACHE / "uv")}

    def index_settings(self) -> dict[str, str]:
        """The same settings, but packages come from the index that this machine is set up for."""
        closed = ("HTTP_PROXY", "HTTPS_PROXY", "PIP_CONFIG_FILE", "PIP_NO_INDEX", "PIP_FIND_LINKS")
        known = {k: v for k, v in self.settings(CACHE).items() if k not in closed}
        ways = ("PIP_", "UV_", "SSL_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
        own = {k: v for k, v in os.environ.items() if k.upper().startswith(ways)}
        return {**own, **known}

    @contextmanager
    def environment(self) -> Iterator[Environment]:
        """A fresh environment, removed afterwards."""
        self._count += 1
        environment = self.shop.copy(self.shop.folder / f"fresh-{self._count}")
        yield environment
        shutil.rmtree(environment.prefix)

    @contextmanager
    def kernel(self, environment: Environment, wheels: Path | None) -> Iterator[kernels.Kernel]:
        """A kernel of that environment; without `wheels` it asks the machine's index."""
        notebooks = self.shop.folder / "notebooks"
        notebooks.mkdir(exist_ok=True)
        settings = self.settings(wheels) if wheels else self.index_settings()
        with kernels.start(environment.python, settings, notebooks, quiet=True) as kernel:
            yield kernel


@contextmanager
def workbench() -> Iterator[Bench]:
    """Set up below the cache folder, so that uv can link instead of copying."""
    folder = CACHE / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    yield Bench(Workshop(folder))
    shutil.rmtree(folder)


def table(title: str, seconds: Mapping[str, Sequence[float]], baseline: str) -> None:
    """Print medians, their spread, and their ratio to the baseline's median."""
    unit = statistics.median(seconds[baseline])
    print(f"\n{title}")
    print(f"  {'':34}{'median':>10}{'min':>10}{'max':>10}{'ratio':>8}")
    for name, values in seconds.items():
        median = statistics.median(values)
        figures = f"{median * 1e3:>8.1f}ms{min(values) * 1e3:>8.1f}ms{max(values) * 1e3:>8.1f}ms"
        print(f"  {name:34}{figures}{median / unit:>8.2f}")
