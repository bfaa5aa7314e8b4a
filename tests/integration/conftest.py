"""A kernel in environment B, its server in environment A, and a folder of wheels between them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from support import kernels
from support.environments import Environment, Workshop, changes, server_settings, snapshot
from support.wheels import make_wheel


@dataclass(frozen=True, kw_only=True, slots=True)
class Desk:
    """What one notebook user has: a kernel's environment, a server's settings, wheels, a folder."""

    environment: Environment
    settings: dict[str, str]
    wheels: Path
    notebooks: Path

    @property
    def offline(self) -> str:
        """The options that name the wheels."""
        return f"--no-index --find-links {self.wheels}"

    @contextmanager
    def kernel(self, **settings: str) -> Iterator[kernels.Kernel]:
        """Start the kernel, with further settings of the server, and load the extension."""
        known = {**self.settings, **settings}
        with kernels.start(self.environment.python, known, self.notebooks) as kernel:
            loaded = kernel.run("%load_ext safeinstall")
            assert loaded.ok, loaded.everything
            yield kernel


@pytest.fixture(scope="session")
def workshop() -> Iterator[Workshop]:
    """The maker of environments, in a folder that an ordinary user can reach too."""
    folder = Path(tempfile.mkdtemp(prefix="safeinstall-tests-"))
    folder.chmod(0o755)
    yield Workshop(folder)
    shutil.rmtree(folder)


@pytest.fixture
def public_folder(workshop: Workshop) -> Iterator[Path]:
    """A folder that every user can reach, which a test's own is not."""
    folder = Path(tempfile.mkdtemp(prefix="public-", dir=workshop.folder))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def set_up(workshop: Workshop, folder: Path, environment: Environment) -> Desk:
    """Lay out a desk around an environment."""
    wheels, notebooks = folder / "wheels", folder / "notebooks"
    notebooks.mkdir(parents=True)
    make_wheel(wheels, "tinypkg")
    settings = server_settings(workshop.server, folder / "home")
    return Desk(environment=environment, settings=settings, wheels=wheels, notebooks=notebooks)


@pytest.fixture
def desk(workshop: Workshop, tmp_path: Path) -> Iterator[Desk]:
    """A desk of the test's own; the server's environment must come out as it went in."""
    before = snapshot(workshop.server.prefix)
    yield set_up(workshop, tmp_path, workshop.copy(tmp_path / "b"))
    assert changes(before, snapshot(workshop.server.prefix)) == []


@pytest.fixture(scope="module")
def shared_desk(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk for a whole module, whose wheels are found through pip's own settings."""
    folder = tmp_path_factory.mktemp("shared")
    desk = set_up(workshop, folder, workshop.copy(folder / "b"))
    desk.settings.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(desk.wheels))
    return desk


@pytest.fixture(scope="module")
def shared_kernel(shared_desk: Desk) -> Iterator[kernels.Kernel]:
    """The kernel of that desk."""
    with shared_desk.kernel() as kernel:
        yield kernel
