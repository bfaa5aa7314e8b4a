"""The oldest kernel there may be: safeinstall comes into it without replacing any part of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement

from integration.conftest import Desk, set_up
from support import kernels
from support.environments import Environment, Workshop, changes, snapshot
from support.wheelhouse import OLDEST, project_requirements
from support.wheels import make_wheel

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def old(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk whose kernel was there before safeinstall came."""
    folder = tmp_path_factory.mktemp("old")
    prefix = folder / "b"
    workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, prefix)
    environment = Environment(prefix=prefix, kind="uv-venv", base=workshop.base.parent.parent)
    workshop.bring(environment.python, *OLDEST)
    before = snapshot(prefix)
    links = ("--find-links", workshop.ours, "--find-links", workshop.old_wheels)
    workshop.bring(environment.python, *links, "safeinstall")
    replaced = [path for path in changes(before, snapshot(prefix)) if path in before]
    assert [path for path in replaced if ".dist-info" in path] == []
    return set_up(workshop, folder, environment)


@pytest.fixture
def kernel(old: Desk) -> Iterator[kernels.Kernel]:
    with old.kernel() as running:
        yield running


def test_the_oldest_that_is_declared_is_what_is_tested() -> None:
    declared = {needed.name: needed for needed in map(Requirement, project_requirements())}
    for tested in map(Requirement, OLDEST):
        version = next(iter(tested.specifier)).version
        floor = next(iter(declared[tested.name.replace("-", "_")].specifier))
        assert (floor.operator, version.startswith(floor.version)) == (">=", True), tested


def test_an_install_its_proof_and_its_undo(old: Desk, kernel: kernels.Kernel) -> None:
    make_wheel(old.wheels, "tinypkg", "2.0")
    done = kernel.run(f"%safeinstall {old.offline} 'tinypkg<2'\nprint('two lines')")
    assert "tinypkg 1.0 installed" in done.everything, done.everything
    assert "Ready to import" in done.everything
    assert done.stdout.strip() == "two lines"
    assert kernel.run("import tinypkg; print(tinypkg.__version__)").stdout.strip() == "1.0"
    assert "already in" in kernel.run(f"%safeinstall {old.offline} tinypkg").everything
    upgraded = kernel.run(f"%safeinstall {old.offline} -U tinypkg")
    assert "Restart the kernel" in upgraded.everything, upgraded.everything
    assert "Undone: tinypkg 2.0" in kernel.run("%safeundo").everything
    assert "tinypkg 1.0 removed" in kernel.run("%safeuninstall tinypkg").everything


def test_a_part_of_the_kernel_is_replaced_after_a_second_kernel_has_answered(
    old: Desk, workshop: Workshop, kernel: kernels.Kernel
) -> None:
    line = f"%safeinstall --no-index --find-links {workshop.wheels} -U jupyter-client"
    done = kernel.run(line)
    assert done.ok, done.everything
    assert "Restart the kernel" in done.everything, done.everything
    assert kernel.run("%safeundo").ok
    assert "all in order" in kernel.run("%kernelenv --kernels --start").everything


def test_a_warning_and_the_note_below_a_missing_import(old: Desk, kernel: kernels.Kernel) -> None:
    missing = kernel.run("import yaml")
    assert missing.ename == "ModuleNotFoundError"
    assert "%safeinstall pyyaml" in missing.everything.lower()
    warned = kernel.run(f"!pip install --target elsewhere {old.offline} tinypkg")
    assert "%safeinstall" in warned.everything, warned.everything
