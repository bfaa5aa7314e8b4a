"""Guards that look at what is going on: other kernels, indexes that took a version back."""

from __future__ import annotations

from pathlib import Path

import pytest

from integration.conftest import Desk
from safeinstall.findings import Severity
from safeinstall.operations import there
from safeinstall.operations.install import install
from safeinstall.operations.planning import other_kernels
from safeinstall.request import parse
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
