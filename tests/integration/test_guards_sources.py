"""Where packages come from and where they go: a second index, a prefix that will be forgotten."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from integration.conftest import Desk
from safeinstall.findings import Severity
from safeinstall.operations import there
from safeinstall.operations.install import install
from safeinstall.outcome import Outcome
from safeinstall.request import parse
from support.indexes import serving
from support.wheels import make_wheel

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_second_index_is_named_and_its_higher_version_taken(
    desk: Desk, tmp_path: Path, installer: str
) -> None:
    make_wheel(tmp_path / "one", "inhouse", "1.0")
    make_wheel(tmp_path / "two", "inhouse", "2.0")
    context = there(str(desk.environment.python))

    def asked(line: str) -> Outcome:
        words = f"--dry-run --installer {installer} {line} inhouse"
        return install(parse(words, cwd="/"), context)

    with (
        serving(tmp_path / "one", tmp_path / "1") as one,
        serving(tmp_path / "two", tmp_path / "2") as two,
    ):
        both = asked(f"--index-url {one} --extra-index-url {two}")
        alone = asked(f"--index-url {one}")
    [finding] = both.findings
    assert (finding.code, finding.severity) == ("extra-index", Severity.INFO)
    assert "127.0.0.1" in finding.message
    assert [change.after for change in both.changes] == ["2.0"]
    assert alone.findings == ()
    assert [change.after for change in alone.changes] == ["1.0"]


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system than the tests' own."""
    shared = Path("/dev/shm")
    if not shared.is_dir() or shared.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    with tempfile.TemporaryDirectory(dir=shared) as folder:
        yield Path(folder)


def test_a_prefix_that_is_forgotten_is_named_only_where_the_home_folder_is_kept(
    desk: Desk, other_disk: Path
) -> None:
    hosted = {"BINDER_REPO_URL": "https://example.org/repo", "BINDER_LAUNCH_HOST": "example.org"}
    kept = {"HOME": str(other_disk)}
    for settings, expected in ((hosted | kept, True), (hosted, False)):
        with desk.kernel(**settings) as kernel:
            line = f"%safeinstall {desk.offline} --dry-run tinypkg"
            findings = kernel.run(line).outcome["findings"]
            told = [f["severity"] for f in findings if f["code"] == "ephemeral-prefix"]
            assert told == (["info"] if expected else [])
