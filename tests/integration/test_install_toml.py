"""Scripts, pyproject.toml and locks mean in every door what they mean to uv and pip."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from integration.conftest import Desk
from support.environments import Workshop, changes, snapshot
from support.indexes import serving
from support.kernels import Kernel
from support.locks import entry, lock_of
from support.wheels import make_sdist, make_wheel

pytestmark = pytest.mark.integration

OTHER = f">={sys.version_info[0]}.{sys.version_info[1] + 1}"


def installed(kernel: Kernel, line: str) -> dict[str, str]:
    """Run the line and return the new version of everything it changed."""
    outcome = kernel.run(line).outcome
    assert outcome["status"] == "done", outcome
    return {change["name"]: change["after"] for change in outcome["plan"]["changes"]}


def refused(desk: Desk, kernel: Kernel, line: str) -> str:
    """Run a line that is stopped, and return what it said; nothing may have changed."""
    before = snapshot(desk.environment.prefix)
    result = kernel.run(line)
    assert not result.ok, result.everything
    assert changes(before, snapshot(desk.environment.prefix)) == []
    return " ".join(result.traceback.split())


def test_a_script_in_a_file_and_in_a_cell(shared_desk: Desk, shared_kernel: Kernel) -> None:
    for name in ("of-script", "of-cell"):
        make_wheel(shared_desk.wheels, name, "1.0")
        make_wheel(shared_desk.wheels, name, "2.0")
    block = '# /// script\n# requires-python = ">=3"\n# dependencies = ["{}<2"]\n# ///\n'
    (shared_desk.notebooks / "job.py").write_text(block.format("of-script") + "import of_script\n")
    assert installed(shared_kernel, "%safeinstall -r job.py") == {"of-script": "1.0"}
    again = shared_kernel.run("%safeinstall -r job.py").outcome
    assert again["status"] == "satisfied"
    assert again["seconds"]["total"] < 0.1
    cell = f"%%safeinstall\n{block.format('of-cell')}"
    assert installed(shared_kernel, cell) == {"of-cell": "1.0"}
    shared_kernel.run("%safeinstall -U of-script")
    assert installed(shared_kernel, "%safeinstall -r job.py") == {"of-script": "1.0"}


def test_a_script_for_another_python_is_refused_also_where_its_packages_are_there(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    block = f'# /// script\n# requires-python = "{OTHER}"\n# dependencies = ["tinypkg"]\n# ///\n'
    (shared_desk.notebooks / "newer.py").write_text(block)
    shared_kernel.run("%safeinstall tinypkg")
    said = refused(shared_desk, shared_kernel, "%safeinstall -r newer.py")
    assert f"newer.py needs Python {OTHER}, and this kernel runs" in said


def test_settings_for_uv_are_obeyed_or_named(shared_desk: Desk, shared_kernel: Kernel) -> None:
    wheel = make_wheel(shared_desk.notebooks / "aside", "from-aside")
    make_wheel(shared_desk.wheels, "pinned-source")
    sources = (
        "# [tool.uv]\n# resolution = 'lowest'\n# [tool.uv.sources]\n"
        f"# from-aside = {{ path = 'aside/{wheel.name}' }}\n"
    )
    text = f'# /// script\n# dependencies = ["from-aside", "pinned-source"]\n{sources}# ///\n'
    (shared_desk.notebooks / "sources.py").write_text(text)
    said = refused(shared_desk, shared_kernel, "%safeinstall -r sources.py")
    assert "sources.py asks for from-aside @ file://" in said
    done = shared_kernel.run("%safeinstall -r sources.py --allow-direct")
    assert [f["code"] for f in done.outcome["findings"]] == ["unheeded-settings"]
    assert "resolution in sources.py" in done.outcome["findings"][0]["message"]
    assert shared_kernel.run("import from_aside, pinned_source").ok


PROJECT = """\
[project]
name = "mine"
version = "1"
dependencies = ["base-part<2"]
[project.optional-dependencies]
plot = ["plot-part; python_version > '3'"]
all = ["mine[plot]", "more-part"]
[dependency-groups]
dev = ["dev-part==1.0", {include-group = "lint"}]
lint = ["lint-part"]
"""


@pytest.fixture(scope="module")
def project(shared_desk: Desk) -> Desk:
    """The desk with a project in the notebook's folder, and the wheels that it names."""
    for name in ("base", "plot", "more", "dev", "lint"):
        make_wheel(shared_desk.wheels, f"{name}-part", "1.0")
        make_wheel(shared_desk.wheels, f"{name}-part", "2.0")
    (shared_desk.notebooks / "pyproject.toml").write_text(PROJECT)
    (shared_desk.notebooks / "sub").mkdir()
    (shared_desk.notebooks / "sub" / "pyproject.toml").write_text(PROJECT)
    return shared_desk


def changed(answer: str) -> dict[str, str]:
    data = json.loads(answer)
    found = data["changes"] if "changes" in data else data["plan"]["changes"]
    return {change["name"]: change.get("version") or change["after"] for change in found}


@pytest.mark.parametrize(
    "words",
    [
        ("-r", "pyproject.toml"),
        ("-r", "sub/pyproject.toml", "--extra", "plot"),
        ("-r", "pyproject.toml", "--extra", "all", "--group", "dev"),
        ("--group", "lint"),
        ("--group", "sub/pyproject.toml:dev", "more-part<2"),
    ],
    ids=" ".join,
)
def test_a_project_means_what_it_means_to_uv(
    project: Desk, workshop: Workshop, words: tuple[str, ...]
) -> None:
    asked = (*project.offline.split(), "--dry-run", *words)
    desk, python = project, project.environment.python
    ours = desk.environment.run(
        *("-m", "safeinstall", "install", "--json", *asked),
        settings=desk.settings,
        cwd=desk.notebooks,
    )
    uv = [str(workshop.uv), "pip", "install", "--python", str(python), "--output-format", "json"]
    theirs = subprocess.run(
        [*uv, *asked], cwd=desk.notebooks, env=desk.settings, capture_output=True, text=True
    )
    assert theirs.returncode == 0, theirs.stderr
    assert changed(ours.stdout) == changed(theirs.stdout) != {}


def test_a_group_is_installed_once_and_then_there(project: Desk, shared_kernel: Kernel) -> None:
    line = "%safeinstall -r pyproject.toml --group dev"
    expected = {"base-part": "1.0", "dev-part": "1.0", "lint-part": "2.0"}
    assert installed(shared_kernel, line) == expected
    again = shared_kernel.run(line).outcome
    assert again["status"] == "satisfied"
    assert again["seconds"]["total"] < 0.1
    code = 'import safeinstall; print(safeinstall.install(requirement="pyproject.toml").status)'
    assert shared_kernel.run(code).stdout.strip() == "satisfied"


@pytest.fixture(scope="module")
def new_pip(workshop: Workshop, shared_kernel: Kernel) -> None:
    """The environment has a pip that reads locks; the one that came with it is older."""
    done = shared_kernel.run(f'%safeinstall -f "{workshop.wheels}" "pip>=26.1"')
    assert done.outcome["status"] in ("done", "satisfied")


def test_a_pip_that_reads_no_locks_is_not_asked_to(desk: Desk) -> None:
    old = make_wheel(desk.wheels, "pip", "24.0", modules={"pip/__init__.py": ""})
    (desk.notebooks / "pylock.toml").write_text(lock_of(make_wheel(desk.wheels, "by-lock")))
    with desk.kernel() as kernel:
        assert kernel.run(f'%safeinstall "{old}"').ok
        said = refused(desk, kernel, "%safeinstall --installer pip -r pylock.toml")
        assert "A lock is installed by uv, or by pip 26.1 or newer." in said
        assert installed(kernel, "%safeinstall -r pylock.toml") == {"by-lock": "1.0"}


@pytest.mark.usefixtures("new_pip")
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_lock_brings_its_exact_files_and_nothing_else(
    shared_desk: Desk, shared_kernel: Kernel, tmp_path: Path, installer: str
) -> None:
    aside = shared_desk.notebooks / f"aside-{installer}"
    top = make_wheel(aside, f"top-{installer}", requires=[f"below-{installer}"])
    below = make_wheel(aside, f"below-{installer}")
    for name in ("top", "below"):
        make_wheel(shared_desk.wheels, f"{name}-{installer}", "3.0")
    away = entry(below, url="http://127.0.0.1:9/nowhere.whl", more="marker = 'os_name == \"no\"'")
    with serving(aside, tmp_path / "served") as address:
        served = f"{address}{below.name.partition('-')[0].replace('_', '-')}/{below.name}"
        name = f"pylock.{installer}.toml"
        text = lock_of(top) + entry(below, url=served) + away
        (shared_desk.notebooks / name).write_text(text)
        line = f"%safeinstall --installer {installer} -r {name}"
        assert installed(shared_kernel, f"%safeinstall below-{installer}==3.0")
        expected = {f"top-{installer}": "1.0", f"below-{installer}": "1.0"}
        assert installed(shared_kernel, line) == expected
    again = shared_kernel.run(f"{line} --extra-index-url https://more.example/simple").outcome
    assert again["status"] == "satisfied"
    assert "extra-index" not in {found["code"] for found in again["findings"]}
    assert again["seconds"]["total"] < 0.1
    assert not list(shared_desk.environment.distribution(f"top-{installer}").glob("direct_url*"))
    history = shared_desk.environment.run(
        *("-m", "safeinstall", "history", "--json"), settings=shared_desk.settings
    )
    last = json.loads(history.stdout)["transactions"][0]
    assert last["command"] == f"safeinstall --requirement ./{name} --installer {installer}"
    assert shared_kernel.run("%safeundo").ok
    found = shared_desk.environment.version_of(f"below_{installer}", shared_desk.settings)
    assert found == "3.0"


def test_the_panel_takes_the_same_lines(shared_desk: Desk, shared_kernel: Kernel) -> None:
    file = make_wheel(shared_desk.notebooks / "panel", "of-panel")
    (shared_desk.notebooks / "pylock.panel.toml").write_text(lock_of(file))
    code = """
import time
from safeinstall import agent
job = agent.answer("install", {"line": "-r pylock.panel.toml"})["value"]
while (now := agent.answer("status", {"id": job["id"]})["value"])["state"] == "running":
    time.sleep(0.05)
print(now["result"]["outcome"]["status"])
"""
    assert shared_kernel.run(code).stdout.strip() == "done"
    refusal = shared_kernel.run('print(agent.answer("install", {"line": "-r pylok.panel.toml"}))')
    assert "There is no file pylok.panel.toml." in refusal.stdout
    assert "%safeinstall -r pylock.panel.toml" in refusal.stdout


def test_half_of_a_lock_completes_the_other_half(shared_desk: Desk, shared_kernel: Kernel) -> None:
    files = [make_wheel(shared_desk.notebooks / "halves", name) for name in ("half-a", "half-b")]
    marked = "marker = \"'dev' in dependency_groups\""
    text = lock_of(files[0], top='dependency-groups = ["dev"]') + entry(files[1], more=marked)
    (shared_desk.notebooks / "pylock.halves.toml").write_text(text)
    line = "%safeinstall -r pylock.halves.toml"
    assert installed(shared_kernel, line) == {"half-a": "1.0"}
    assert installed(shared_kernel, f"{line} --group dev") == {"half-b": "1.0"}
    assert shared_kernel.run(f"{line} --group dev").outcome["status"] == "satisfied"


@pytest.mark.usefixtures("new_pip")
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_file_that_is_not_the_one_in_the_lock_is_refused(
    shared_desk: Desk, shared_kernel: Kernel, installer: str
) -> None:
    file = make_wheel(shared_desk.notebooks / "other", f"other-{installer}")
    lock = lock_of(file, digest="0" * 64)
    (shared_desk.notebooks / "pylock.other.toml").write_text(lock)
    line = f"%safeinstall --installer {installer} -r pylock.other.toml"
    said = refused(shared_desk, shared_kernel, line)
    assert "does not have the hash that was asked for" in said


@pytest.mark.usefixtures("new_pip")
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_lock_for_another_platform_is_refused_and_one_of_sources_asks(
    shared_desk: Desk, shared_kernel: Kernel, installer: str
) -> None:
    folder = shared_desk.notebooks / "elsewhere"
    windows = make_wheel(folder, "for-windows", tag="cp39-cp39-win_amd64")
    source = make_sdist(folder, f"src_{installer}")
    for name, file in (("windows", windows), ("source", source)):
        (shared_desk.notebooks / f"pylock.{name}.toml").write_text(lock_of(file))
    line = f"%safeinstall --installer {installer} -r pylock.windows.toml"
    said = refused(shared_desk, shared_kernel, line)
    assert "for-windows is made for another platform or Python than this kernel's" in said
    line = f"%safeinstall --installer {installer} -r pylock.source.toml"
    assert "would run code of the package" in refused(shared_desk, shared_kernel, line)
    done = installed(shared_kernel, f"{line} --allow-build src-{installer}")
    assert {name.replace("_", "-") for name in done} == {f"src-{installer}"}


def test_a_lock_for_another_python_or_machine_is_refused(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    file = make_wheel(shared_desk.notebooks / "other", "for-others")
    for top, says in (
        (f'requires-python = "{OTHER}"', f"pylock.others.toml needs Python {OTHER}"),
        ("environments = [\"sys_platform == 'win32'\"]", "is for other machines than this one"),
    ):
        text = lock_of(file, top=top)
        (shared_desk.notebooks / "pylock.others.toml").write_text(text)
        line = "%safeinstall -r pylock.others.toml"
        assert says in refused(shared_desk, shared_kernel, line)


def test_constraints_of_the_settings_do_not_hinder_a_lock(desk: Desk) -> None:
    file = make_wheel(desk.notebooks / "locked", "held-back")
    (desk.notebooks / "pylock.toml").write_text(lock_of(file))
    limits = desk.notebooks / "limits.txt"
    limits.write_text("held-back>2\n")
    for variable in ("UV_CONSTRAINT", "PIP_CONSTRAINT"):
        done = desk.environment.run(
            *("-m", "safeinstall", "install", "--force-reinstall", "-r", "pylock.toml"),
            settings={**desk.settings, variable: str(limits)},
            cwd=desk.notebooks,
        )
        assert done.returncode == 0, done.stderr
    assert desk.environment.version_of("held_back", desk.settings) == "1.0"


def test_a_new_environment_is_made_of_a_lock(desk: Desk, workshop: Workshop) -> None:
    file = make_wheel(desk.notebooks / "locked", "in-new")
    (desk.notebooks / "pylock.toml").write_text(lock_of(file))
    place = desk.notebooks / "made"
    done = desk.environment.run(
        *("-m", "safeinstall", "new-env", "./made", "-r", "pylock.toml"),
        *("--no-index", "--find-links", workshop.wheels),
        settings=desk.settings,
        cwd=desk.notebooks,
    )
    assert done.returncode == 0, done.stderr
    assert list(place.glob("lib/*/site-packages/in_new-1.0.dist-info"))
    assert list(place.glob("lib/*/site-packages/ipykernel"))
