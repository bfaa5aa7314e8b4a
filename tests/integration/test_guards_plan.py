"""Each guard in a real environment with real wheels: where it must fire, and where it must not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from safeinstall.findings import Severity
from safeinstall.operations import Context, there
from safeinstall.operations.install import install
from safeinstall.outcome import Outcome
from safeinstall.request import parse
from support.environments import Environment, Workshop, changes, snapshot
from support.wheels import make_project, make_sdist, make_wheel

pytestmark = pytest.mark.integration


@dataclass(frozen=True, kw_only=True, slots=True)
class Bench:
    """An environment with something installed, wheels to choose from, and the magic's own story."""

    environment: Environment
    context: Context
    wheels: Path

    def install(self, line: str) -> Outcome:
        """Do what `%safeinstall` would, from another interpreter."""
        offline = f"--no-index --find-links {self.wheels}"
        return install(parse(f"{offline} {line}", cwd=str(self.wheels.parent)), self.context)

    def codes(self, line: str) -> dict[str, Severity]:
        """Return code and severity of every finding of a dry run."""
        outcome = self.install(f"--dry-run {line}")
        return {finding.code: finding.severity for finding in outcome.findings}


@pytest.fixture(scope="module")
def bench(workshop: Workshop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("guards")
    wheels = folder / "wheels"
    for version in ("1.0", "1.5", "2.0"):
        make_wheel(wheels, "base-thing", version)
    make_wheel(wheels, "user-of-base", requires=["base-thing<2", "unrelated; extra == 'never'"])
    make_wheel(wheels, "top-of-all", requires=["user-of-base"])
    make_wheel(wheels, "pusher", "1.0", requires=["base-thing>=1"])
    make_wheel(wheels, "pusher", "2.0", requires=["base-thing>=2"])
    make_wheel(wheels, "gpu-thing", "1.0+cu124")
    make_wheel(wheels, "gpu-thing", "1.1")
    make_wheel(wheels, "gpu-thing", "1.2+cpu")
    make_wheel(wheels, "early-thing", "1.0rc1")
    make_sdist(wheels, "source-only")
    make_wheel(wheels, "wants-source", requires=["source-only"])
    environment = workshop.copy(folder / "b")
    settings = {k: v for k, v in workshop.settings.items() if k not in ("PIP_FIND_LINKS",)}
    context = there(str(environment.python))
    context = Context(
        environment=context.environment, live=False, environ=settings, cwd=str(folder)
    )
    made = Bench(environment=environment, context=context, wheels=wheels)
    done = made.install("top-of-all base-thing==1.0 gpu-thing==1.0+cu124")
    assert done.status == "done", done.findings
    yield made
    shutil.rmtree(environment.prefix)


def stopped(bench: Bench, line: str) -> Outcome:
    before = snapshot(bench.environment.prefix)
    outcome = bench.install(line)
    assert not outcome.ok
    assert changes(before, snapshot(bench.environment.prefix)) == []
    assert outcome.stopping is not None
    assert outcome.stopping.hint, "every stop ends with a line to type"
    return outcome


def test_a_plan_that_breaks_an_installed_package_is_stopped_with_chain_and_way_out(
    bench: Bench,
) -> None:
    outcome = stopped(bench, "base-thing==2.0")
    finding = outcome.stopping
    assert finding is not None
    assert (outcome.status, finding.code) == ("needs-confirmation", "breaks-installed")
    assert "base-thing 2.0 would break 1 package" in finding.message
    assert "user-of-base 1.0 needs base-thing<2" in finding.context
    assert "top-of-all needs user-of-base" in finding.context
    assert "base-thing<2" in finding.hint[0].command
    assert finding.hint[0].note == "satisfies everybody"
    assert "--allow-conflicts" in finding.hint[1].command
    assert bench.install(finding.hint[0].command.removeprefix("%safeinstall")).ok


def test_a_version_of_the_request_that_suits_everybody_is_found(bench: Bench) -> None:
    finding = stopped(bench, "pusher").stopping
    assert finding is not None
    assert finding.hint[0].command.endswith("pusher==1.0")


@pytest.mark.parametrize(
    "line",
    [
        "base-thing==1.5",
        "--force-reinstall base-thing==1.0",
        "pusher==1.0",
        "unrelated-name-of-nothing-installed --no-deps",
    ],
)
def test_what_breaks_nothing_raises_nothing(bench: Bench, line: str) -> None:
    make_wheel(bench.wheels, "unrelated-name-of-nothing-installed", requires=["not-there"])
    assert bench.codes(line) == {}


def test_a_conflict_that_was_there_before_is_nobodys_news(
    workshop: Workshop, bench: Bench, tmp_path: Path
) -> None:
    make_wheel(bench.wheels, "lonely", requires=["base-thing>=9"])
    assert bench.install("--no-deps lonely").ok
    assert "breaks-installed" not in bench.codes("base-thing==1.5")
    assert bench.install("--no-deps early-thing==1.0rc1").ok


def test_an_extra_that_others_ask_for_counts(bench: Bench) -> None:
    make_wheel(bench.wheels, "plug", "1.0", extras={"more": ["base-thing"]})
    make_wheel(bench.wheels, "plug", "2.0", extras={"more": ["base-thing>=2"], "never": ["x>9"]})
    make_wheel(bench.wheels, "plug-user", requires=["plug[more]"])
    assert bench.install("plug-user plug==1.0").ok
    finding = stopped(bench, "--upgrade plug").stopping
    assert finding is not None and finding.code == "breaks-installed"
    assert "plug 2.0 needs base-thing>=2" in finding.context


def test_allowed_conflicts_go_on_and_are_still_named(bench: Bench, workshop: Workshop) -> None:
    codes = bench.codes("--allow-conflicts base-thing==2.0")
    assert codes == {"breaks-installed": Severity.WARNING}


def test_a_special_build_is_kept_unless_it_is_given_up(bench: Bench) -> None:
    finding = stopped(bench, "gpu-thing==1.1").stopping
    assert finding is not None and finding.code == "local-build-replaced"
    assert "1.0+cu124 → 1.1" in finding.message
    assert bench.codes("gpu-thing==1.2+cpu") == {}
    assert bench.codes("--yes gpu-thing==1.1") == {"local-build-replaced": Severity.WARNING}


@pytest.mark.parametrize("installer", ["uv", "pip"])
@pytest.mark.parametrize("name", ["source-only", "wants-source"])
def test_code_of_a_package_runs_only_when_it_is_allowed(
    bench: Bench, installer: str, name: str
) -> None:
    finding = stopped(bench, f"--installer {installer} {name}").stopping
    assert finding is not None and finding.code == "builds-from-source"
    assert "--allow-build source-only" in finding.hint[0].command
    allowed = bench.install(f"--dry-run --installer {installer} --allow-build source-only {name}")
    assert allowed.status == "planned", allowed.findings


def test_a_wheel_of_an_older_version_is_taken_before_anything_is_built(bench: Bench) -> None:
    make_wheel(bench.wheels, "both-kinds", "1.0")
    make_sdist(bench.wheels, "both-kinds", "2.0")
    outcome = bench.install("--dry-run both-kinds")
    assert [change.after for change in outcome.changes] == ["1.0"]


def test_a_folder_that_was_typed_is_built_with_a_note(bench: Bench, tmp_path: Path) -> None:
    project = make_project(tmp_path / "mine", "mine-alone")
    assert bench.codes(f"{project}") == {"builds-from-source": Severity.INFO}
    assert bench.codes(f"-e {project}") == {"builds-from-source": Severity.INFO}


def test_a_narrow_terminal_changes_no_reason(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    project = make_project(tmp_path / "mine", "mine-alone")
    assert bench.codes(f"{project}") == {"builds-from-source": Severity.INFO}


def test_a_place_named_by_a_file_only_is_asked_about(bench: Bench, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "from-afar")
    (tmp_path / "wanted.txt").write_text(f"from-afar @ {wheel.as_uri()}\nbase-thing\n")
    finding = stopped(bench, f"-r {tmp_path}/wanted.txt").stopping
    assert finding is not None and finding.code == "from-file-only"
    assert "wanted.txt:1" in finding.message
    assert "--allow-direct" in finding.hint[0].command
    assert bench.codes(f"-r {tmp_path}/wanted.txt --allow-direct") == {}
    assert bench.codes(f'"from-afar @ {wheel.as_uri()}"') == {}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("sklearn", "scikit-learn"), ("cv2", "opencv-python"), ("reqeusts", "requests")],
)
def test_a_name_that_is_probably_another_is_asked_about(
    bench: Bench, typed: str, meant: str
) -> None:
    finding = stopped(bench, f"{typed}>=1").stopping
    assert finding is not None and finding.code == "name-trap"
    assert finding.hint[0].command.endswith(f'"{meant}>=1"')


def test_a_name_that_is_installed_is_no_trap(bench: Bench) -> None:
    make_wheel(bench.wheels, "reqeusts", "1.0")
    make_wheel(bench.wheels, "reqeusts", "1.1")
    assert bench.install("--yes reqeusts==1.0").ok
    assert bench.codes("--upgrade reqeusts") == {}


def test_a_prerelease_is_named_unless_it_was_asked_for(bench: Bench) -> None:
    make_wheel(bench.wheels, "only-early", "2.0b1")
    make_wheel(bench.wheels, "wants-early", requires=["only-early>=2.0b1"])
    assert bench.codes("wants-early") == {"prerelease": Severity.WARNING}
    assert bench.codes("--pre wants-early") == {}
    assert bench.codes("only-early==2.0b1") == {}


def test_strict_turns_warnings_into_questions(bench: Bench) -> None:
    make_wheel(bench.wheels, "only-early", "2.0b1")
    make_wheel(bench.wheels, "wants-early", requires=["only-early>=2.0b1"])
    outcome = stopped(bench, "--strict wants-early")
    assert outcome.status == "needs-confirmation"
    assert bench.codes("--strict --yes wants-early") == {"prerelease": Severity.WARNING}


def test_a_policy_decides_by_code(bench: Bench) -> None:
    from dataclasses import replace

    line = f"--no-index --find-links {bench.wheels} --dry-run base-thing==2.0"
    request = parse(line, cwd="/")
    off = replace(bench.context, policy={"breaks-installed": None})
    assert install(request, off).findings == ()
    harder = replace(bench.context, policy={"breaks-installed": Severity.REFUSE})
    assert [f.severity for f in install(request, harder).findings] == [Severity.REFUSE]


@pytest.fixture
def owned(bench: Bench) -> Iterator[Callable[[str], None]]:
    """Make the environment look as if conda, or Debian, had installed `base-thing`."""
    info = next(bench.environment.site_packages.glob("base_thing-*.dist-info"))
    installer, conda = info / "INSTALLER", bench.environment.prefix / "conda-meta"
    before = installer.read_text()

    def own(who: str) -> None:
        if who == "conda-record":
            conda.mkdir()
            files = [f"lib/python3/site-packages/{info.name}/METADATA"]
            record = {"name": "thing-of-conda", "files": files}
            (conda / "thing-of-conda-1.0-py_0.json").write_text(json.dumps(record))
        else:
            installer.write_text(f"{who}\n")

    yield own
    installer.write_text(before)
    shutil.rmtree(conda, ignore_errors=True)


@pytest.mark.parametrize(
    ("who", "line"),
    [
        ("conda", "--installer conda base-thing==1.5"),
        ("conda-record", "thing-of-conda"),
        ("debian", "--new-env"),
    ],
)
def test_what_another_program_installed_is_left_to_it(
    bench: Bench, owned: Callable[[str], None], who: str, line: str
) -> None:
    owned(who)
    outcome = stopped(bench, "base-thing==1.5 --yes")
    assert outcome.status == "refused"
    assert outcome.stopping is not None and outcome.stopping.code == "foreign-owner"
    assert line in outcome.stopping.hint[0].command


def test_what_pip_or_uv_installed_has_no_other_owner(
    bench: Bench, owned: Callable[[str], None]
) -> None:
    for who in ("pip", "uv", ""):
        owned(who)
        assert "foreign-owner" not in bench.codes("base-thing==1.5")
