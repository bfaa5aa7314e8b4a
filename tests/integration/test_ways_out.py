"""From each refusal to a working import by typing exactly the printed line."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.conftest import Desk, set_up
from support import kernels, privileges, ways
from support.environments import Environment, Workshop, changes, snapshot
from support.kernels import OUTCOME, Kernel, Result
from support.wheels import make_wheel

pytestmark = pytest.mark.integration

DEBIAN = Path("/usr/bin/python3")


def typed_until_done(kernel: Kernel, line: str) -> Result:
    """Type a line; the cell must succeed."""
    result = kernel.run(line, timeout=180)
    assert result.ok, result.everything
    return result


def check_new_kernel(result: Result, desk: Desk, module: str, expected: str = "") -> None:
    """Start the kernel that the result names, through jupyter_client, and import the package."""
    spec = result.data[OUTCOME]["kernelspec"]
    assert spec["display_name"] in result.data["text/plain"]
    home = Path(desk.settings["HOME"])
    with ways.registered(spec["name"], home, desk.settings, desk.notebooks) as kernel:
        where = kernel.run(f"import sys, {module}; print(sys.prefix, {module}.__file__)")
        assert where.ok, where.everything
        prefix, file = where.stdout.split()
        assert prefix == str(desk.notebooks / ".venv")
        assert file.startswith(expected or prefix)


def debian_version() -> str:
    """Return the version of an externally managed /usr/bin/python3 that we support, or nothing."""
    if not DEBIAN.exists():
        return ""
    code = "import sys, os, sysconfig; print('%d.%d' % sys.version_info[:2]); print(os.path.exists(os.path.join(sysconfig.get_path('stdlib'), 'EXTERNALLY-MANAGED')))"  # noqa: E501
    done = subprocess.run([DEBIAN, "-c", code], capture_output=True, text=True)
    version, _, managed = done.stdout.strip().partition("\n")
    return version if managed == "True" and version >= "3.10" else ""


@pytest.fixture
def debian_desk(workshop: Workshop, public_folder: Path) -> Desk:
    """An ordinary user whose kernel runs the distribution's own Python."""
    version = debian_version()
    if not version:
        pytest.skip("no externally managed system Python")
    if not privileges.can_switch():
        pytest.skip("needs the right to become another user")
    wheels = public_folder / "all-wheels"
    shutil.copytree(ways.wheels_for(version), wheels)
    links = ("--no-index", "--find-links", wheels, "--find-links", workshop.ours)
    system = Environment(prefix=Path("/usr"), kind="system", base=Path("/usr"))
    desk = set_up(workshop, public_folder, system)
    own = Path(desk.settings["HOME"], ".local", "lib", f"python{version}", "site-packages")
    workshop.run(
        workshop.uv, "pip", "install", "-q", "--python", DEBIAN, "--target", own,
        *links, "ipykernel", "safeinstall",
    )  # fmt: skip
    for wheel in wheels.glob("*.whl"):
        shutil.move(wheel, desk.wheels / wheel.name)
    desk.settings["VIRTUAL_ENV"] = ""
    privileges.give(Path(desk.settings["HOME"]))
    privileges.give(desk.notebooks)
    return desk


@pytest.mark.first_line_of("externally-managed")
@pytest.mark.parametrize("magic", ["%safeinstall", "%pip install"])
def test_out_of_the_systems_own_python(debian_desk: Desk, magic: str) -> None:
    """By the line of the refusal, and by the one that the warning about pip offers."""
    desk = debian_desk
    before = snapshot(Path("/usr/local/lib"))
    with kernels.start(DEBIAN, desk.settings, desk.notebooks, uid=privileges.ORDINARY) as kernel:
        assert kernel.run("%load_ext safeinstall").ok
        stopped = kernel.run(f"{magic} {desk.offline} tinypkg")
        text = stopped.traceback or stopped.displays[0]["text/plain"]
        line = ways.lines_to_type(text)[0]
        assert "--new-env" in line
        result = typed_until_done(kernel, line)
        assert kernel.run("import tinypkg").ename == "ModuleNotFoundError"
    check_new_kernel(result, desk, "tinypkg")
    assert changes(before, snapshot(Path("/usr/local/lib"))) == []


@pytest.fixture
def read_only_desk(workshop: Workshop, public_folder: Path) -> Iterator[Desk]:
    """The desk of an ordinary user whose kernel's environment belongs to somebody else."""
    prefix = public_folder / "b"
    workshop.run(workshop.standalone.python, "-m", "venv", prefix)
    environment = Environment(prefix=prefix, kind="venv", base=workshop.standalone.prefix)
    workshop.equip(environment)
    desk = set_up(workshop, public_folder, environment)
    for wheel in workshop.wheels.glob("*.whl"):
        shutil.copy2(wheel, desk.wheels)
    make_wheel(desk.wheels, "already-here")
    workshop.run(
        workshop.uv, "pip", "install", "-q", "--python", environment.python,
        "--no-index", "--find-links", desk.wheels, "already-here",
    )  # fmt: skip
    desk.settings.update(workshop.libraries_of(environment))
    if privileges.can_switch():
        privileges.give(Path(desk.settings["HOME"]))
        privileges.give(desk.notebooks)
    else:
        for folder in [prefix, *(path for path in prefix.rglob("*") if path.is_dir())]:
            folder.chmod(0o555)
    yield desk
    for folder in [prefix, *(path for path in prefix.rglob("*") if path.is_dir())]:
        folder.chmod(0o755)


@pytest.mark.first_line_of("not-writable")
@pytest.mark.parametrize("way", [0, 1], ids=["with an overlay", "without"])
def test_out_of_a_read_only_environment(read_only_desk: Desk, way: int) -> None:
    desk, environment = read_only_desk, read_only_desk.environment
    make_wheel(desk.wheels, "needs-it", requires=["already-here"])
    before = snapshot(environment.prefix)
    with kernels.start(
        environment.python,
        desk.settings,
        desk.notebooks,
        uid=privileges.ORDINARY if privileges.can_switch() else None,
    ) as kernel:
        assert kernel.run("%load_ext safeinstall").ok
        warned = kernel.run(f"%pip install {desk.offline} needs-it")
        refusal = kernel.run(f"%safeinstall {desk.offline} needs-it")
        line = ways.lines_to_type(refusal)[way]
        offered = ways.lines_to_type(warned.displays[0]["text/plain"])
        assert offered == ways.lines_to_type(refusal)[:1]
        assert ("--overlay" in line) == (way == 0)
        if privileges.can_switch():  # somebody has set an odd mode: nothing falls over it
            [odd] = environment.site_packages.glob("tornado-*.dist-info")
            mode = (odd / "RECORD").stat().st_mode
            (odd / "RECORD").chmod(0o600)
            seen = kernel.run("%kernelenv --doctor").data["text/plain"]
            assert f"{odd.name} in {odd.parent} cannot be read by you" in " ".join(seen.split())
            [opening] = re.findall(r"(?:sudo )?chmod .*", seen)
            ways.typed_in_a_shell(opening, desk.notebooks)
            assert "cannot be read" not in kernel.run("%kernelenv --doctor").data["text/plain"]
            (odd / "RECORD").chmod(mode)
        seen = kernel.run("%kernelenv --doctor").data["text/plain"]
        assert "Installs cannot write into" in seen
        assert "%safeinstall --new-env --overlay" in seen
        result = typed_until_done(kernel, line)
    check_new_kernel(result, desk, "needs_it")
    installed = {change["name"] for change in result.data[OUTCOME]["plan"]["changes"]}
    if way == 0:
        check_new_kernel(result, desk, "already_here", str(environment.prefix))
        assert installed == {"needs-it"}
    else:
        check_new_kernel(result, desk, "already_here")
        assert {"needs-it", "already-here", "ipykernel"} <= installed
    assert changes(before, snapshot(environment.prefix)) == []


@pytest.mark.first_line_of("place-not-writable")
def test_out_of_a_place_where_no_environment_can_be_made(read_only_desk: Desk) -> None:
    desk, environment = read_only_desk, read_only_desk.environment
    uid = privileges.ORDINARY if privileges.can_switch() else None
    with kernels.start(environment.python, desk.settings, desk.notebooks, uid=uid) as kernel:
        assert kernel.run("%load_ext safeinstall").ok
        place = environment.prefix / "elsewhere"
        refusal = kernel.run(f"%safeinstall --new-env={place} {desk.offline} tinypkg")
        assert "No environment can be made" in refusal.evalue, refusal.everything
        result = typed_until_done(kernel, ways.lines_to_type(refusal)[0])
        assert result.data[OUTCOME]["kernelspec"]["name"] == "elsewhere"


@pytest.mark.first_line_of("virtualenv-required")
def test_out_of_a_demand_for_a_virtual_environment(workshop: Workshop, public_folder: Path) -> None:
    prefix = public_folder / "plain"
    shutil.copytree(workshop.standalone.prefix, prefix, symlinks=True)
    plain = Environment(prefix=prefix, kind="standalone", base=prefix)
    workshop.equip(plain)
    desk = set_up(workshop, public_folder, plain)
    desk.settings["PIP_REQUIRE_VIRTUALENV"] = "1"
    offline = f"{desk.offline} --find-links {workshop.wheels}"
    with desk.kernel() as kernel:
        refusal = kernel.run(f"%safeinstall {offline} tinypkg")
        result = typed_until_done(kernel, ways.lines_to_type(refusal)[0])
    check_new_kernel(result, desk, "tinypkg")


def test_out_of_a_refusal_in_a_terminal(workshop: Workshop, public_folder: Path) -> None:
    prefix = public_folder / "managed"
    shutil.copytree(workshop.standalone.prefix, prefix, symlinks=True)
    managed = Environment(prefix=prefix, kind="externally-managed", base=prefix)
    workshop.equip(managed)
    (managed.site_packages.parent / "EXTERNALLY-MANAGED").write_text(
        "[externally-managed]\nError=No.\n"
    )
    desk = set_up(workshop, public_folder, managed)
    arguments = f"install {desk.offline} --find-links {workshop.wheels} tinypkg".split()
    refused = managed.run(
        "-m", "safeinstall", *arguments, settings=desk.settings, cwd=desk.notebooks
    )
    assert refused.returncode == 1
    line = ways.lines_to_type(refused.stderr)[0].split()
    assert line[:2] == ["safeinstall", "new-env"]
    done = managed.run("-m", *line, settings=desk.settings, cwd=desk.notebooks)
    assert done.returncode == 0, done.stderr
    made = Environment(prefix=desk.notebooks / ".venv", kind="venv", base=prefix)
    assert made.version_of("tinypkg", desk.settings) == "1.0"


def test_out_of_a_package_that_is_damaged_in_uvs_cache(desk: Desk) -> None:
    with desk.kernel() as kernel:
        assert kernel.run(f"%safeinstall {desk.offline} tinypkg").ok
        module = desk.environment.site_packages / "tinypkg.py"
        module.write_text(module.read_text().replace("1.0", "6.6"))  # uv's cache is edited too
        assert kernel.run("%safeuninstall tinypkg").ok
        refusal = kernel.run(f"%safeinstall {desk.offline} tinypkg")
        assert "not what its RECORD says" in refusal.traceback, refusal.everything
        typed_until_done(kernel, ways.lines_to_type(refusal)[0])
        assert kernel.run("import tinypkg; print(tinypkg.__version__)").stdout == "1.0\n"
