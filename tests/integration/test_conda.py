"""Real conda environments: whose a package is, by which door it comes in, and the way back."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import Desk, set_up
from support import ways
from support.conda import Channel
from support.conda_program import write_program
from support.environments import Environment, Workshop, changes, snapshot
from support.wheels import make_wheel

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def channel(workshop: Workshop) -> Channel:
    """A channel with Python itself and a few packages."""
    made = Channel(workshop.folder / "channel")
    made.add_python(workshop.standalone.prefix)
    wheels = workshop.folder / "for-conda"
    for version in ("1.0", "2.0"):
        made.add_wheel(make_wheel(wheels, "tinypkg", version))
        made.add_wheel(make_wheel(wheels, "from-conda", version))
        made.add_wheel(make_wheel(wheels, "torchlike", version), "pytorchlike", installer="pip")
    made.add_wheel(make_wheel(wheels, "traitlets", "4.3.3"))
    placed = {"placed.py": "WHERE = '/placeholder/of/conda'\n", "other.py": "A = 1\n"}
    made.add_wheel(
        make_wheel(wheels, "placed", modules=placed), placeholder="/placeholder/of/conda"
    )
    made.index()
    return made


@pytest.fixture
def conda_desk(workshop: Workshop, channel: Channel, tmp_path: Path) -> Iterator[Desk]:
    """A desk in a conda environment with packages of both owners; the program is CONDA_EXE."""
    prefix = tmp_path / "envs" / "work"
    channel.install(prefix, "python", "from-conda=1.0", "pytorchlike=1.0", "placed")
    environment = Environment(prefix=prefix, kind="conda", base=prefix)
    workshop.equip(environment)
    desk = set_up(workshop, tmp_path, environment)
    for name in ("from-conda", "torchlike"):
        make_wheel(desk.wheels, name, "2.0")
    program = write_program(tmp_path / "bin" / "conda", channel, tmp_path / "log")
    desk.settings.update(CONDA_EXE=str(program), CONDA_PREFIX=str(prefix), VIRTUAL_ENV="")
    desk.settings.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=f"{desk.wheels} {workshop.wheels}")
    yield desk


def run(desk: Desk, *words: str) -> tuple[int, dict[str, Any], str]:
    """Run a command of ours in a terminal of that desk."""
    done = desk.environment.run(
        "-m", "safeinstall", *words, "--json", settings=desk.settings, cwd=desk.notebooks
    )
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def typed(desk: Desk, line: str) -> None:
    """Type a printed line as it stands; it must succeed."""
    words = shlex.split(line)
    assert words[0] == "safeinstall", line
    status, _, said = run(desk, *words[1:])
    assert status == 0, said


def refusal(outcome: dict[str, Any]) -> dict[str, Any]:
    """Return the one finding that refuses."""
    [finding] = [f for f in outcome["findings"] if f["severity"] == "refuse"]
    found: dict[str, Any] = finding
    return found


def asked(folder: Path) -> list[list[str]]:
    """Return the command lines that conda's program was given."""
    log = folder / "log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def version(desk: Desk, module: str) -> str:
    return desk.environment.version_of(module, desk.settings)


def records(desk: Desk, package: str) -> list[str]:
    """Return the files in which conda says that it has installed the package."""
    found = (desk.environment.prefix / "conda-meta").glob(f"{package}-*.json")
    return sorted(path.name for path in found)


def test_it_is_known_for_what_it_is(conda_desk: Desk) -> None:
    status, found, said = run(conda_desk, "env")
    assert status == 0, said
    assert found["kind"] == "conda"
    assert found["prefix"] == str(conda_desk.environment.prefix)
    shown = conda_desk.environment.run(
        "-c",
        "import safeinstall.probe.facts.interpreter as r; print(r.facts()['evidence'])",
        settings=conda_desk.settings,
    )  # fmt: skip
    assert "has a conda-meta folder" in shown.stdout
    status, listed, said = run(conda_desk, "kernels")
    [own] = [kernel for kernel in listed["kernels"] if kernel["name"] == "python3"]
    assert (own["kind"], own["writable"], own["has_ipykernel"]) == ("conda", True, True)


def test_a_package_of_pypis_goes_in_by_a_transaction_and_out_again(conda_desk: Desk) -> None:
    before = snapshot(conda_desk.environment.prefix)
    status, outcome, said = run(conda_desk, "install", "tinypkg")
    assert status == 0, said
    assert outcome["transaction"]
    assert version(conda_desk, "tinypkg") == "1.0"
    assert records(conda_desk, "tinypkg") == [], "conda was not asked"
    touched = changes(before, snapshot(conda_desk.environment.prefix))
    assert all("tinypkg" in path for path in touched), touched
    assert run(conda_desk, "undo")[0] == 0
    assert changes(before, snapshot(conda_desk.environment.prefix)) == []


def test_the_notebook_in_it_says_so_and_installs(conda_desk: Desk) -> None:
    with conda_desk.kernel() as kernel:
        shown = kernel.run("%kernelenv")
        assert "conda environment" in shown.data["text/plain"], shown.everything
        kernel.run('%config SafeInstall.shell_installs = "block"')
        stopped = kernel.run("%pip uninstall -y from-conda")
        assert stopped.ename == "SafeInstallStopped", stopped.everything
        warning = stopped.displays[0]["text/plain"]
        assert "%conda remove --yes --prefix" in warning
        done = kernel.run("%safeinstall tinypkg").outcome
        assert done["status"] == "done"
        assert kernel.run("import tinypkg; print(tinypkg.__version__)").stdout.strip() == "1.0"
        refused = kernel.run("%safeinstall from-conda==2.0")
        assert "installed by conda" in " ".join(refused.traceback.split()), refused.everything
        line = ways.lines_to_type(refused)[0]
        assert kernel.run(line).outcome["status"] == "done"
        assert kernel.run("import from_conda; print(from_conda.__version__)").stdout == "2.0\n"


def test_what_conda_owns_is_condas_to_change_and_the_line_for_it_works(conda_desk: Desk) -> None:
    before = snapshot(conda_desk.environment.prefix)
    status, outcome, said = run(conda_desk, "install", "from-conda==2.0")
    assert status == 1, said
    finding = refusal(outcome)
    assert finding["code"] == "foreign-owner"
    assert "from-conda 1.0 was installed by conda" in finding["message"]
    assert "conda-meta/from-conda-1.0-0.json" in finding["context"]
    assert changes(before, snapshot(conda_desk.environment.prefix)) == []
    typed(conda_desk, ways.lines_to_type(said)[0])
    assert version(conda_desk, "from_conda") == "2.0"
    assert records(conda_desk, "from-conda") == ["from-conda-2.0-0.json"]


def test_what_conda_calls_otherwise_is_found_in_its_records(conda_desk: Desk) -> None:
    status, outcome, said = run(conda_desk, "install", "torchlike==2.0")
    assert status == 1, said
    finding = refusal(outcome)
    assert (finding["code"], version(conda_desk, "torchlike")) == ("foreign-owner", "1.0")
    line = f'conda install --yes --prefix "{conda_desk.environment.prefix}" "pytorchlike==2.0"'
    assert finding["hint"] == line
    with conda_desk.kernel() as kernel:
        refused = kernel.run("%safeinstall torchlike==2.0")
        line = next(row for row in refused.traceback.split("→") if "%conda" in row).strip()
        assert kernel.run(line.partition("\n")[0]).ok
        assert kernel.run("import torchlike; print(torchlike.__version__)").stdout == "2.0\n"


@pytest.mark.parametrize("name", ["from-conda", "torchlike"])
def test_what_conda_owns_is_not_removed_by_us(conda_desk: Desk, name: str) -> None:
    before = snapshot(conda_desk.environment.prefix)
    status, outcome, said = run(conda_desk, "uninstall", name)
    assert status == 1, said
    finding = refusal(outcome)
    assert finding["code"] == "foreign-owner"
    package = {"torchlike": "pytorchlike"}.get(name, name)
    assert finding["hint"] == f"conda remove --prefix {conda_desk.environment.prefix} {package}"
    assert changes(before, snapshot(conda_desk.environment.prefix)) == []


def test_in_an_environment_of_pixi_pixis_own_line_is_offered(conda_desk: Desk) -> None:
    (conda_desk.environment.prefix / "conda-meta" / "pixi").write_text("{}")
    status, outcome, said = run(conda_desk, "uninstall", "torchlike")
    assert status == 1, said
    assert refusal(outcome)["hint"] == "pixi remove pytorchlike"


@pytest.mark.parametrize("way", [0, 1], ids=["stay with PyPI's", "let conda bring its own"])
def test_what_pypi_brought_is_not_written_over_by_conda(
    conda_desk: Desk, tmp_path: Path, way: int
) -> None:
    make_wheel(conda_desk.wheels, "tinypkg", "2.0")
    assert run(conda_desk, "install", "tinypkg==1.0")[0] == 0
    before = snapshot(conda_desk.environment.prefix)
    words = ("install", "--installer", "conda", "tinypkg==2.0")
    status, outcome, said = run(conda_desk, *words)
    assert status == 1, said
    finding = refusal(outcome)
    assert finding["code"] == "foreign-owner"
    assert "tinypkg 1.0 came through uv" in finding["message"]
    assert changes(before, snapshot(conda_desk.environment.prefix)) == []
    assert all("--dry-run" in words for words in asked(tmp_path))
    typed(conda_desk, ways.lines_to_type(said)[way])
    if way == 1:
        assert run(conda_desk, *words)[0] == 0
    assert version(conda_desk, "tinypkg") == "2.0"
    assert records(conda_desk, "tinypkg") == ([] if way == 0 else ["tinypkg-2.0-0.json"])


@pytest.mark.parametrize("kind", ["conda", "micromamba"])
def test_conda_is_asked_for_its_plan_first_and_then_carries_it_out(
    conda_desk: Desk, channel: Channel, tmp_path: Path, kind: str
) -> None:
    if kind != "conda":
        del conda_desk.settings["CONDA_EXE"]
        program = write_program(tmp_path / "bin" / kind, channel, tmp_path / "log")
        conda_desk.settings["MAMBA_EXE"] = str(program)
    before = snapshot(conda_desk.environment.prefix)
    words = ("install", "--installer", "conda", "from-conda==2.0")
    status, outcome, said = run(conda_desk, *words, "--dry-run")
    assert status == 0, said
    assert outcome["status"] == "planned"
    [change] = outcome["plan"]["changes"]
    assert (change["name"], change["before"], change["after"]) == ("from-conda", "1.0", "2.0")
    assert outcome["plan"]["installer"]["name"] == kind
    assert changes(before, snapshot(conda_desk.environment.prefix)) == []
    status, outcome, said = run(conda_desk, *words)
    assert (status, outcome["status"]) == (0, "done"), said
    assert ["--dry-run" in words for words in asked(tmp_path)] == [True, True, False]
    assert version(conda_desk, "from_conda") == "2.0"
    assert run(conda_desk, *words)[1]["status"] == "satisfied"


def test_a_failure_and_a_missing_program_are_told(conda_desk: Desk) -> None:
    words = ("install", "--installer", "conda", "nope")
    status, _, said = run(conda_desk, *words)
    assert status == 1
    assert "No channel of conda has nope" in said
    Path(conda_desk.settings["CONDA_EXE"]).unlink()
    status, _, said = run(conda_desk, *words)
    assert status == 1
    assert "No conda, mamba or micromamba" in said


@pytest.mark.first_line_of("not-for-conda")
@pytest.mark.parametrize("asked", ["tinypkg[more]", "tinypkg; python_version>'3'", "--pre"])
def test_what_conda_has_no_words_for_is_pypis(conda_desk: Desk, asked: str) -> None:
    words = (asked, "tinypkg") if asked.startswith("--") else (asked,)
    status, outcome, said = run(conda_desk, "install", "--installer", "conda", *words)
    assert status == 1, said
    typed(conda_desk, ways.lines_to_type(said)[0])
    assert version(conda_desk, "tinypkg") == "1.0"
    kinds = ("option-conflict",) if asked.startswith("--") else ("not-for-conda",)
    assert [finding["code"] for finding in outcome["findings"]] == [*kinds]


def test_an_environment_that_is_not_condas_is_said_to_be_so(desk: Desk) -> None:
    with desk.kernel() as kernel:
        result = kernel.run("%safeinstall --installer conda tinypkg")
    assert "is no conda environment" in " ".join(result.traceback.split())


def stopped(desk: Desk, folder: Path, *words: str) -> dict[str, Any]:
    """Let conda install; it must be stopped before it changes anything. Return the finding."""
    before, asked_before = snapshot(desk.environment.prefix), len(asked(folder))
    _, outcome, said = run(desk, "install", "--installer", "conda", *words)
    assert outcome["status"] in ("refused", "needs-confirmation"), said
    assert changes(before, snapshot(desk.environment.prefix)) == []
    assert all("--dry-run" in words for words in asked(folder)[asked_before:])
    finding: dict[str, Any] = outcome["findings"][-1]
    return finding


def test_a_plan_of_condas_that_breaks_others_is_asked_about(
    conda_desk: Desk, tmp_path: Path
) -> None:
    make_wheel(conda_desk.wheels, "needs-it", requires=["from-conda<2"])
    assert run(conda_desk, "install", "needs-it")[0] == 0
    finding = stopped(conda_desk, tmp_path, "from-conda==2.0")
    assert finding["code"] == "breaks-installed"
    assert "needs-it 1.0 needs from-conda<2" in finding["context"]
    words = ("install", "--installer", "conda", "--allow-conflicts", "from-conda==2.0")
    _, outcome, said = run(conda_desk, *words)
    assert outcome["status"] == "done", said


def test_conda_does_not_take_from_the_kernel_what_it_runs_on(
    conda_desk: Desk, tmp_path: Path
) -> None:
    [info] = conda_desk.environment.site_packages.glob("traitlets-*.dist-info")
    (info / "INSTALLER").unlink()  # the environment shares its files with others
    (info / "INSTALLER").write_text("conda\n")
    finding = stopped(conda_desk, tmp_path, "--yes", "traitlets==4.3.3")
    assert (finding["code"], finding["severity"]) == ("kernel-stack", "refuse")
    assert "--allow-kernel-change" in finding["hint"]
    assert "put back" not in json.dumps(finding), "conda has no way back of ours"


def test_a_mistaken_name_is_asked_about_before_conda_is(conda_desk: Desk, tmp_path: Path) -> None:
    assert stopped(conda_desk, tmp_path, "sklearn")["code"] == "name-trap"
    assert asked(tmp_path) == []


def test_what_conda_replaces_while_it_is_loaded_needs_a_restart(conda_desk: Desk) -> None:
    with conda_desk.kernel() as kernel:
        assert kernel.run("import from_conda").ok
        line = "%safeinstall --installer conda from-conda==2.0"
        planned = kernel.run(f"{line} --dry-run").outcome
        assert "replaces-loaded" in [finding["code"] for finding in planned["findings"]]
        done = kernel.run(line).outcome
        assert (done["restart"], done["stale_modules"]) == ("needed", ["from_conda"])


def test_the_doctor_knows_both_owners(conda_desk: Desk) -> None:
    _, found, said = run(conda_desk, "doctor")
    assert [f for f in found["findings"] if f["severity"] != "info"] == [], said
    site = conda_desk.environment.site_packages
    assert str(conda_desk.environment.prefix) in (site / "placed.py").read_text()
    (site / "~inypkg").mkdir()
    (site / "from_conda.py").unlink()  # linked to conda's cache: never write into it
    before = snapshot(conda_desk.environment.prefix)
    _, found, _ = run(conda_desk, "doctor")
    by_code = {f["code"]: f for f in found["findings"]}
    assert {"leftover", "code-missing"} == by_code.keys() - {"ambient-redirect"}
    assert by_code["code-missing"]["fix"] is None, "conda would still list it"
    _, fixed, said = run(conda_desk, "doctor", "--fix")
    assert fixed["transaction"], said
    assert not (site / "~inypkg").exists()
    assert run(conda_desk, "undo")[0] == 0
    assert changes(before, snapshot(conda_desk.environment.prefix)) == []
    typed(conda_desk, by_code["code-missing"]["hint"])
    assert version(conda_desk, "from_conda") == "1.0"
    for name in ("placed.py", "other.py"):
        text = (site / name).read_text()
        (site / name).unlink()
        (site / name).write_text(text.replace("= ", "=\t"))
    _, found, _ = run(conda_desk, "doctor")
    [wrong] = [f for f in found["findings"] if f["code"] == "record-mismatch"]
    assert "placed.py" in wrong["message"] and "other.py" in wrong["message"]


def test_a_new_environment_and_an_overlay_are_made_from_it(conda_desk: Desk) -> None:
    before = snapshot(conda_desk.environment.prefix)
    status, outcome, said = run(conda_desk, "new-env", "over", "--overlay", "tinypkg")
    assert status == 0, said
    assert {change["name"] for change in outcome["plan"]["changes"]} == {"tinypkg"}
    over = Environment(prefix=conda_desk.notebooks / "over", kind="venv", base=Path("/"))
    for name, expected in (("tinypkg", "1.0"), ("from_conda", "1.0")):
        assert over.version_of(name, conda_desk.settings) == expected
    assert changes(before, snapshot(conda_desk.environment.prefix)) == []


@pytest.mark.first_line_of("not-as-conda-lists")
def test_the_doctor_sees_what_uv_did_behind_condas_back(conda_desk: Desk) -> None:
    python = conda_desk.environment.python
    links = ("--no-index", "--find-links", conda_desk.wheels)
    for words in (("install", *links, "--no-deps", "from-conda==2.0"), ("uninstall", "torchlike")):
        command = ("-m", "uv", "pip", words[0], "-q", "--python", python, *words[1:])
        done = conda_desk.environment.run(*command, settings=conda_desk.settings)
        assert done.returncode == 0, done.stderr

    def told() -> dict[str, list[str]]:
        _, outcome, _ = run(conda_desk, "doctor")
        found = [f for f in outcome["findings"] if f["code"] == "not-as-conda-lists"]
        return {finding["message"]: finding["hint"].splitlines() for finding in found}

    findings = told()
    replaced = findings["conda lists from-conda 1.0, and from-conda 2.0 lies in its place."]
    removed = findings["conda lists pytorchlike 1.0, and it is gone."]
    assert len(findings) == 2
    for line in (*replaced, *removed):
        typed(conda_desk, line)
    assert told() == {}
    versions = [conda_desk.environment.version_of(n, {}) for n in ("from_conda", "torchlike")]
    assert versions == ["1.0", "1.0"]
