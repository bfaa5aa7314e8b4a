"""Guards that look at what is going on: other kernels, indexes that took a version back."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from integration.conftest import Desk
from integration.test_agent import ask
from safeinstall.findings import Severity
from safeinstall.operations import there
from safeinstall.operations.install import install
from safeinstall.operations.planning import other_kernels
from safeinstall.request import parse
from support.environments import changes, snapshot
from support.indexes import serving
from support.wheels import make_wheel

pytestmark = pytest.mark.integration


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc")
def test_another_kernel_of_the_environment_is_named_when_something_is_replaced(desk: Desk) -> None:
    make_wheel(desk.wheels, "tinypkg", "2.0")
    context = there(str(desk.environment.python))

    def codes(line: str) -> dict[str, Severity]:
        outcome = install(parse(f"{desk.offline} {line}", cwd="/"), context)
        assert outcome.ok, outcome.findings
        return {f.code: f.severity for f in outcome.findings}

    with desk.kernel():
        assert codes("tinypkg==1.0") == {}
        assert codes("tinypkg==2.0") == {"shared-environment": Severity.WARNING}
    assert other_kernels(str(desk.environment.prefix)) == ()
    assert codes("tinypkg==1.0") == {}


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_version_its_makers_took_back_is_named_with_their_reason(
    desk: Desk, tmp_path: Path, installer: str
) -> None:
    make_wheel(tmp_path / "w", "takenback")
    with serving(tmp_path / "w", tmp_path / "index") as url:
        page = tmp_path / "index" / "simple" / "takenback" / "index.html"
        page.write_text(page.read_text().replace("<a ", '<a data-yanked="it &lt;b&gt;reaks" '))
        line = f"--dry-run --installer {installer} --index-url {url} takenback==1.0"
        outcome = install(parse(line, cwd="/"), there(str(desk.environment.python)))
    [finding] = outcome.findings
    assert (finding.code, finding.severity) == ("yanked", Severity.WARNING)
    assert "it <b>reaks" in finding.message


def moved(prefix: Path) -> None:
    prefix.rename(prefix.with_name("b2"))


def deleted(prefix: Path) -> None:
    shutil.rmtree(prefix)


def cleared(prefix: Path) -> None:
    base = (prefix / "bin" / "python").resolve()
    subprocess.run([base, "-m", "venv", "--clear", "--without-pip", prefix], check=True)


def of_another_python(prefix: Path) -> None:
    config = prefix / "pyvenv.cfg"
    minor = "{}.{}".format(*sys.version_info)
    config.write_text(config.read_text().replace(minor, "3.99"))


def without_python(prefix: Path) -> None:
    for name in (prefix / "bin").glob("python*"):
        name.unlink()


def without_safeinstall(prefix: Path) -> None:
    [package] = prefix.glob("lib/python3*/site-packages/safeinstall")
    shutil.rmtree(package)


FATES: dict[Callable[[Path], None], str] = {
    moved: "has been moved to",
    deleted: "is not there any more",
    cleared: "was emptied or made anew",
    of_another_python: "was made anew with Python 3.99",
    without_safeinstall: "safeinstall was taken out of",
    without_python: "the Python of this kernel, is gone",
}


@pytest.mark.first_line_of("environment-lost")
@pytest.mark.parametrize("fate", FATES)
def test_an_environment_that_is_another_one_now_is_named_in_one_sentence(
    desk: Desk, fate: Callable[[Path], None]
) -> None:
    prefix = desk.environment.prefix
    lines = [f"%safeinstall {desk.offline} tinypkg", "%safeinstall", "%kernelenv"]
    lines += ["%kernelenv --doctor", "%safeundo", "%safeuninstall tinypkg"]
    with desk.kernel() as kernel:
        fate(prefix)
        after = snapshot(desk.environment.prefix.parent)
        for line in lines:
            stopped = kernel.run(line)
            assert stopped.ename == "SafeInstallStopped", stopped.everything
            assert FATES[fate] in stopped.evalue
            assert len(stopped.evalue.splitlines()) <= 3
        shell = kernel.run("# pip install: !")
        assert FATES[fate] in shell.stdout
        assert "Watch" not in shell.everything
        touched = changes(after, snapshot(prefix.parent))
        assert [path for path in touched if not path.startswith("home")] == []
        if fate is moved:
            typed = stopped.evalue.splitlines()[1].strip(" →")
            assert kernel.run(typed).ok
            assert kernel.run(lines[0]).ok
            assert kernel.run("import tinypkg").ok


def test_the_panel_says_it_first_whatever_was_loaded_before(desk: Desk) -> None:
    """The code of the panel comes along: nothing of it is looked for in what is gone."""
    for loaded in (True, False):
        prefix = desk.environment.prefix
        with desk.kernel() as kernel:
            if not loaded:
                kernel.run("%unload_ext safeinstall")
            prefix.rename(prefix.with_name("b2"))
            facts = ask(kernel, "facts")["value"]
            assert facts["verdict"]["state"] == "no"
            assert facts["verdict"]["code"] == "environment-lost"
            assert "has been moved to" in facts["verdict"]["sentence"]
            assert not facts["abilities"]
            refused = ask(kernel, "install", line=f"{desk.offline} tinypkg")["error"]
            assert refused["code"] == "environment-lost"
            assert shlex.split(refused["hint"])[0] == "mv"
            prefix.with_name("b2").rename(prefix)
