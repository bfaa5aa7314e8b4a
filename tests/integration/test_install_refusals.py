"""Where nothing may be written, nothing is: one clear reason, and a line to type instead."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.conftest import Desk, set_up
from support import kernels, privileges
from support.environments import Environment, Workshop, changes, snapshot
from support.kernels import Result
from support.wheels import make_wheel

pytestmark = pytest.mark.integration

MARKER_TEXT = "[externally-managed]\nError=Ask your administrator, whose words these are.\n"


def assert_refused_in_few_words(result: Result) -> None:
    """Check that the cell failed with one short reason and a line to type, without a wall."""
    assert not result.ok
    assert "Traceback (most recent call last)" not in result.traceback
    assert len(result.traceback.splitlines()) <= 10, result.traceback
    shown = result.stdout + result.stderr + result.traceback
    assert "othing changed" in shown, shown
    assert "→" in shown or "%safeinstall" in shown, shown


@pytest.fixture
def read_only_desk(workshop: Workshop, public_folder: Path) -> Iterator[Desk]:
    """The desk of an ordinary user whose kernel's environment belongs to somebody else."""
    prefix = public_folder / "b"
    workshop.run(workshop.standalone.python, "-m", "venv", prefix)
    environment = Environment(prefix=prefix, kind="venv", base=workshop.standalone.prefix)
    workshop.equip(environment)
    desk = set_up(workshop, public_folder, environment)
    if privileges.can_switch():
        privileges.give(Path(desk.settings["HOME"]))
        privileges.give(desk.notebooks)
    else:
        for folder in [prefix, *(path for path in prefix.rglob("*") if path.is_dir())]:
            folder.chmod(0o555)
    yield desk
    for folder in [prefix, *(path for path in prefix.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)


@pytest.mark.parametrize("package", ["tinypkg", "with-command"])
def test_a_read_only_environment_is_left_alone(
    read_only_desk: Desk, workshop: Workshop, package: str
) -> None:
    desk, environment = read_only_desk, read_only_desk.environment
    make_wheel(desk.wheels, "with-command", scripts={"with-command": "with_command:main"})
    before = snapshot(environment.prefix)
    home = Path(desk.settings["HOME"])
    with kernels.start(
        environment.python,
        desk.settings,
        desk.notebooks,
        uid=privileges.ORDINARY if privileges.can_switch() else None,
        extra_settings=workshop.libraries_of(environment),
    ) as kernel:
        who = kernel.run("import os, sys; print(os.geteuid(), sys.prefix)").stdout.split()
        assert who == [
            str(privileges.ORDINARY if privileges.can_switch() else os.geteuid()),
            str(environment.prefix),
        ]
        loaded = kernel.run("%load_ext safeinstall")
        assert loaded.ok, loaded.everything
        result = kernel.run(f"%safeinstall {desk.offline} {package}")
        assert_refused_in_few_words(result)
        assert str(environment.prefix) in result.stdout + result.stderr + result.traceback
        assert kernel.run(f"import {package.replace('-', '_')}").ename == "ModuleNotFoundError"
    assert changes(before, snapshot(environment.prefix)) == []
    assert not (environment.prefix / ".safeinstall").exists()
    assert not list(home.rglob("tinypkg*.dist-info"))


def test_where_an_install_would_be_refused_what_works_is_offered_at_once(
    read_only_desk: Desk, workshop: Workshop
) -> None:
    desk, environment = read_only_desk, read_only_desk.environment
    with kernels.start(
        environment.python,
        desk.settings,
        desk.notebooks,
        uid=privileges.ORDINARY if privileges.can_switch() else None,
        extra_settings=workshop.libraries_of(environment),
    ) as kernel:
        kernel.run("%load_ext safeinstall")
        for cell in ("%safeinstall", "import pandas"):
            words = kernel.run(cell).everything
            assert "%safeinstall --new-env" in words, words
            assert "%safeinstall pandas" not in words, words


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_the_store_of_an_admin_stops_nobody_who_shares_the_environment(
    read_only_desk: Desk, workshop: Workshop, mode: int
) -> None:
    desk, environment = read_only_desk, read_only_desk.environment
    if not privileges.can_switch():
        pytest.skip("needs the right to become another user")
    begun = environment.prefix / ".safeinstall" / "transactions" / "0001-dead"
    begun.mkdir(parents=True)
    (begun / "state.staging").touch()
    for folder in (begun.parent.parent, begun.parent, begun):
        folder.chmod(mode)
    before = snapshot(environment.prefix)
    with kernels.start(
        environment.python,
        desk.settings,
        desk.notebooks,
        uid=privileges.ORDINARY,
        extra_settings=workshop.libraries_of(environment),
    ) as kernel:
        loaded = kernel.run("%load_ext safeinstall")
        assert loaded.ok, loaded.everything
        assert loaded.everything.strip() in ("", "{}"), loaded.everything
        for look in ("%kernelenv", "%kernelenv --doctor"):
            assert kernel.run(look).ok, look
        assert_refused_in_few_words(kernel.run(f"%safeinstall {desk.offline} tinypkg"))
        for line in ("%safeundo", "%safeundo --list", "%safeuninstall ipykernel"):
            result = kernel.run(line)
            assert "Traceback" not in result.everything, result.everything
            assert len(result.evalue.splitlines()) <= 6, result.evalue
        again = kernel.run("%reload_ext safeinstall")
        assert again.ok, again.everything
    assert changes(before, snapshot(environment.prefix)) == []


def test_an_environment_whose_bin_alone_is_read_only_gets_nothing_of_a_package_with_a_command(
    read_only_desk: Desk, workshop: Workshop
) -> None:
    desk, environment = read_only_desk, read_only_desk.environment
    if not privileges.can_switch():
        pytest.skip("needs the right to become another user")
    make_wheel(desk.wheels, "with-command", scripts={"with-command": "with_command:main"})
    privileges.give(environment.prefix)
    os.chown(environment.prefix / "bin", 0, 0)
    before = snapshot(environment.prefix)
    libraries = workshop.libraries_of(environment)
    with kernels.start(
        environment.python,
        desk.settings,
        desk.notebooks,
        uid=privileges.ORDINARY,
        extra_settings=libraries,
    ) as kernel:
        kernel.run("%load_ext safeinstall")
        assert_refused_in_few_words(kernel.run(f"%safeinstall {desk.offline} with-command"))
    assert changes(before, snapshot(environment.prefix)) == []


@pytest.fixture
def managed(workshop: Workshop, public_folder: Path) -> Environment:
    """A stand-alone interpreter whose distributor forbids installing, with a kernel in it."""
    prefix = public_folder / "managed"
    shutil.copytree(workshop.standalone.prefix, prefix, symlinks=True, copy_function=os.link)
    environment = Environment(prefix=prefix, kind="externally-managed", base=prefix)
    workshop.equip(environment)
    (environment.site_packages.parent / "EXTERNALLY-MANAGED").write_text(MARKER_TEXT)
    return environment


def test_an_externally_managed_interpreter_is_left_alone(
    workshop: Workshop, public_folder: Path, managed: Environment
) -> None:
    desk = set_up(workshop, public_folder, managed)
    before = snapshot(managed.prefix)
    with desk.kernel() as kernel:
        result = kernel.run(f"%safeinstall {desk.offline} tinypkg")
        assert_refused_in_few_words(result)
    assert changes(before, snapshot(managed.prefix)) == []
    done = managed.run(
        "-m",
        "safeinstall",
        "install",
        "--json",
        *desk.offline.split(),
        "tinypkg",
        settings=desk.settings,
    )
    assert done.returncode == 1
    outcome = json.loads(done.stdout)
    assert outcome["status"] == "refused"
    assert "externally-managed" in [finding["code"] for finding in outcome["findings"]]
    [finding] = [f for f in outcome["findings"] if f["severity"] == "refuse"]
    assert finding["hint"]


def test_a_yes_does_not_overrule_a_distributor(
    workshop: Workshop, public_folder: Path, managed: Environment
) -> None:
    desk = set_up(workshop, public_folder, managed)
    before = snapshot(managed.prefix)
    arguments = ("-m", "safeinstall", "install", "--yes", *desk.offline.split(), "tinypkg")
    assert managed.run(*arguments, settings=desk.settings).returncode == 1
    assert changes(before, snapshot(managed.prefix)) == []


def debian_python() -> str:
    """Name a distribution's own Python of the tests' version that is externally managed, if any."""
    python = Path("/usr/bin/python" + sysconfig.get_python_version())
    marker = Path("/usr/lib", python.name, "EXTERNALLY-MANAGED")
    return str(python) if python.exists() and marker.exists() else ""


@pytest.mark.skipif(
    not debian_python(), reason="no externally managed system Python of this version"
)
@pytest.mark.skipif(not privileges.can_switch(), reason="needs the right to become another user")
def test_the_systems_own_python_is_left_alone(workshop: Workshop, public_folder: Path) -> None:
    lent = public_folder / "lent"  # the kernel's own packages, on PYTHONPATH
    links = ("--no-index", "--find-links", workshop.wheels, "--find-links", workshop.ours)
    workshop.run(
        workshop.uv, "pip", "install", "-q", "--python", workshop.base, "--target", lent,
        *links, "ipykernel", "safeinstall",
    )  # fmt: skip
    system = Environment(prefix=Path("/usr"), kind="system", base=Path("/usr"))
    desk = set_up(workshop, public_folder, system)
    privileges.give(Path(desk.settings["HOME"]))
    privileges.give(desk.notebooks)
    with kernels.start(
        Path(debian_python()),
        {**desk.settings, "PYTHONPATH": str(lent)},
        desk.notebooks,
        uid=privileges.ORDINARY,
    ) as kernel:
        assert kernel.run("%load_ext safeinstall").ok
        assert_refused_in_few_words(kernel.run(f"%safeinstall {desk.offline} tinypkg"))
        assert kernel.run("import tinypkg").ename == "ModuleNotFoundError"
    assert not list(Path(desk.settings["HOME"]).rglob("tinypkg*.dist-info"))


def test_an_environment_made_private_stays_private(desk: Desk) -> None:
    desk.environment.prefix.chmod(0o700)
    with desk.kernel() as kernel:
        assert kernel.run(f"%safeinstall {desk.offline} tinypkg").ok
    assert stat.S_IMODE(desk.environment.prefix.stat().st_mode) == 0o700
