"""`--user` and `--break-system-packages`: only where asked for and where they work; undoable."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.conftest import Desk, set_up
from integration.test_ways_out import DEBIAN, debian_version
from support import privileges, ways
from support.environments import Environment, Workshop, changes, snapshot
from support.wheels import make_wheel

pytestmark = pytest.mark.integration


@pytest.fixture
def plain_desk(workshop: Workshop, tmp_path: Path) -> Iterator[Desk]:
    """A kernel on an interpreter of its own, which looks at the user site."""
    prefix = tmp_path / "plain"
    shutil.copytree(workshop.standalone.prefix, prefix, symlinks=True)
    plain = Environment(prefix=prefix, kind="standalone", base=prefix)
    workshop.equip(plain)
    desk = set_up(workshop, tmp_path, plain)
    make_wheel(desk.wheels, "with-command", scripts={"with-command": "with_command:main"})
    yield desk


def test_it_lands_in_the_user_site_is_importable_at_once_and_is_undone(plain_desk: Desk) -> None:
    desk, home = plain_desk, Path(plain_desk.settings["HOME"])
    before = snapshot(desk.environment.prefix)
    with desk.kernel() as kernel:
        result = kernel.run(f"%safeinstall {desk.offline} --user with-command tinypkg")
        outcome = result.outcome
        assert outcome["status"] == "done"
        assert "user-site-leaks" in [finding["code"] for finding in outcome["findings"]]
        assert all(v["landed"] and v["fresh"] and v["kernel"] for v in outcome["verification"])
        where = kernel.run("import tinypkg; print(tinypkg.__file__)")
        assert where.stdout.startswith(str(home / ".local" / "lib"))
        assert "your user site" in result.data["text/plain"]
        assert "%safeundo --user" in result.data["text/plain"]
        done = subprocess.run([home / ".local" / "bin" / "with-command"], capture_output=True,
                              text=True, env=desk.settings)  # fmt: skip
        assert done.stdout.strip() == "1.0", done.stderr
        assert kernel.run("%safeundo --user").ok
    assert not list((home / ".local" / "lib").rglob("tinypkg*"))
    assert not (home / ".local" / "bin" / "with-command").exists()
    assert changes(before, snapshot(desk.environment.prefix)) == []


def test_an_upgrade_there_replaces_what_is_there_and_nothing_else(plain_desk: Desk) -> None:
    desk = plain_desk
    with desk.kernel() as kernel:
        assert kernel.run(f"%safeinstall {desk.offline} --user tinypkg").ok
        make_wheel(desk.wheels, "tinypkg", "2.0")
        make_wheel(desk.wheels, "wants", requires=["tinypkg>=2"])
        outcome = kernel.run(f"%safeinstall {desk.offline} --user wants").outcome
    planned = {(c["name"], c["before"], c["after"]) for c in outcome["plan"]["changes"]}
    assert planned == {("wants", None, "1.0"), ("tinypkg", "1.0", "2.0")}
    assert desk.environment.version_of("tinypkg", desk.settings) == "2.0"


def test_a_virtual_environment_does_not_look_there(desk: Desk) -> None:
    with desk.kernel() as kernel:
        result = kernel.run(f"%safeinstall {desk.offline} --user tinypkg")
        assert result.ename == "SafeInstallStopped"
        assert "does not look" in result.traceback
        line = ways.lines_to_type(result)[0]
        assert "--user" not in line
        assert kernel.run(line).ok
        assert kernel.run("import tinypkg").ok
    assert not (Path(desk.settings["HOME"]) / ".local").exists()


def test_what_went_to_the_user_site_is_uninstalled_there_and_only_when_asked(
    plain_desk: Desk,
) -> None:
    with plain_desk.kernel() as kernel:
        assert kernel.run(f"%safeinstall {plain_desk.offline} --user tinypkg").ok
        refused = kernel.run("%safeuninstall tinypkg")
        assert "%safeuninstall --user tinypkg" in refused.evalue, refused.everything
        assert kernel.run("import tinypkg").ok
        removed = kernel.run("%safeuninstall --user tinypkg")
        assert removed.outcome["status"] == "done", removed.everything
        kernel.restart()
        assert kernel.run("import tinypkg").ename == "ModuleNotFoundError"
        kernel.run("%load_ext safeinstall")
        assert kernel.run("%safeundo --user").ok
        assert kernel.run("import tinypkg").ok


def test_a_user_site_that_is_switched_off_is_refused(plain_desk: Desk) -> None:
    desk = plain_desk
    with desk.kernel(PYTHONNOUSERSITE="1") as kernel:
        result = kernel.run(f"%safeinstall {desk.offline} --user tinypkg")
        assert "switched off" in result.traceback, result.everything
    assert not list(Path(desk.settings["HOME"]).rglob("tinypkg*"))


def test_an_externally_managed_interpreter_wants_the_whole_flag(plain_desk: Desk) -> None:
    desk, home = plain_desk, Path(plain_desk.settings["HOME"])
    marker = desk.environment.site_packages.parent / "EXTERNALLY-MANAGED"
    marker.write_text("[externally-managed]\nError=No.\n")
    with desk.kernel() as kernel:
        refused = kernel.run(f"%safeinstall {desk.offline} --user tinypkg")
        assert refused.ename == "SafeInstallStopped"
        assert "--break-system-packages" not in ways.lines_to_type(refused)[0]
        assert not (home / ".local").exists()
        forced = kernel.run(f"%safeinstall {desk.offline} --break-system-packages tinypkg")
        assert forced.outcome["status"] == "done", forced.everything
        assert "system-changed" in [f["code"] for f in forced.outcome["findings"]]
        assert kernel.run("import tinypkg").ok
        assert kernel.run("%safeundo").ok
    assert not (desk.environment.site_packages / "tinypkg.py").exists()


@pytest.mark.skipif(not debian_version(), reason="no externally managed system Python")
@pytest.mark.skipif(
    not privileges.can_switch() or shutil.which("unshare") is None,
    reason="needs its own /usr/local",
)
def test_debians_own_layout(workshop: Workshop, tmp_path: Path) -> None:
    lent, wheels = tmp_path / "lent", tmp_path / "wheels"
    make_wheel(wheels, "with-command", scripts={"with-command": "with_command:main"})
    links = ("--no-index", "--find-links", ways.wheels_for(debian_version()), "--find-links")
    workshop.run(
        workshop.uv, "pip", "install", "-q", "--python", DEBIAN, "--target", lent, *links,
        workshop.ours, "ipykernel", "safeinstall",
    )  # fmt: skip
    ours, offline = f"{DEBIAN} -m safeinstall", f"--no-index --find-links {wheels}"
    script = f"""
        mount -t tmpfs none /usr/local || exit 77
        {ours} install {offline} --break-system-packages with-command || exit 1
        /usr/local/bin/with-command || exit 2
        {DEBIAN} -c 'import with_command; print(with_command.__file__)' || exit 3
        {ours} undo || exit 4
        {DEBIAN} -c 'import with_command' && exit 5
        test -e /usr/local/bin/with-command && exit 6
        exit 0
    """
    settings = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(lent)}
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, env=settings,
        cwd=tmp_path,
    )  # fmt: skip
    if done.returncode == 77:
        pytest.skip("no mount of its own")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"/usr/local/lib/python{debian_version()}/dist-packages/" in done.stdout
