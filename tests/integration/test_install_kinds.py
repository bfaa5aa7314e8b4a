"""One install, every kind of environment: the kernel in B, the server in A, B gets the package."""

from __future__ import annotations

import csv
import json
import shlex
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import Desk, set_up
from support.environments import KINDS, Workshop, changes, snapshot
from support.kernels import Kernel, Result
from support.wheels import make_project, make_wheel

pytestmark = pytest.mark.integration

FOLDERS = dict.fromkeys(KINDS, "b") | {"path-with-spaces-and-accents": "mes études é/b"}


@pytest.fixture(params=FOLDERS)
def desk_of_kind(request: pytest.FixtureRequest, workshop: Workshop, tmp_path: Path) -> Desk:
    """A desk around a fresh environment of the kind the parameter names."""
    prefix = tmp_path / FOLDERS[request.param]
    kind = request.param if request.param in KINDS else "uv-venv"
    prefix.parent.mkdir(exist_ok=True)
    return set_up(workshop, tmp_path, workshop.make(kind, prefix))


def test_the_package_lands_in_the_kernels_environment_and_imports_in_the_next_cell(
    desk_of_kind: Desk, workshop: Workshop
) -> None:
    desk, environment = desk_of_kind, desk_of_kind.environment
    server = snapshot(workshop.server.prefix)
    before = snapshot(environment.prefix)
    with desk.kernel() as kernel:
        installed = kernel.run(f"%safeinstall {desk.offline} tinypkg")
        assert installed.outcome["status"] == "done"
        imported = kernel.run("import tinypkg; print(tinypkg.__file__)")
        assert imported.stdout.strip() == str(environment.site_packages / "tinypkg.py")

    new = changes(before, snapshot(environment.prefix))
    inside = environment.site_packages.relative_to(environment.prefix)
    assert new
    assert all(Path(path).is_relative_to(inside) and "tinypkg" in path for path in new)
    assert changes(server, snapshot(workshop.server.prefix)) == []


def test_what_lands_is_recorded_as_an_installer_must(desk: Desk) -> None:
    scripts = {"tiny-command": "tinypkg:main"}
    make_wheel(desk.wheels, "tinypkg", "1.1", scripts=scripts, data={"share/tiny/a.txt": "a"})
    with desk.kernel() as kernel:
        assert kernel.run(f"%safeinstall {desk.offline} tinypkg").outcome["status"] == "done"
    environment = desk.environment
    info = environment.distribution("tinypkg", "1.1")
    assert (info / "INSTALLER").read_text().strip()
    listed = {row[0] for row in csv.reader((info / "RECORD").open(newline=""))}
    wanted = {
        "tinypkg.py",
        f"{info.name}/METADATA",
        f"{info.name}/INSTALLER",
        f"{info.name}/RECORD",
    }
    assert wanted <= listed
    for path in listed:
        assert (environment.site_packages / path).exists(), path
    command = environment.run(environment.prefix / "bin" / "tiny-command", settings=desk.settings)
    assert command.stdout.strip() == "1.1"
    first_line = (environment.prefix / "bin" / "tiny-command").read_text().splitlines()[0]
    assert first_line == f"#!{environment.python}"
    assert (environment.prefix / "share" / "tiny" / "a.txt").read_text() == "a"


def test_our_own_folder_is_private(desk: Desk) -> None:
    with desk.kernel() as kernel:
        assert kernel.run(f"%safeinstall {desk.offline} tinypkg").ok
    own = desk.environment.prefix / ".safeinstall"
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    assert not list(own.rglob("stage/*"))


def packed(folder: Path, suffix: str) -> Path:
    """Return an archive of a project, called by no name and version."""
    kind = {".tar.gz": "gztar", ".zip": "zip", ".tgz": "gztar"}[suffix]
    made = shutil.make_archive(str(folder), kind, folder.parent, folder.name)
    return Path(made).rename(folder.with_name(f"{folder.name}{suffix}"))


@pytest.mark.parametrize(
    ("installer", "says"), [("uv", "all"), ("uv", "name"), ("uv", "nothing"), ("pip", "nothing")]
)
@pytest.mark.parametrize("way", ["folder", "editable", ".tar.gz", ".zip", "url"])
def test_a_project_is_installed_from_its_place_whatever_it_says_of_itself(
    desk: Desk, way: str, installer: str, says: str
) -> None:
    project = make_project(desk.notebooks / "mine", "my-project", says=says)
    words = ["./mine"] if way == "folder" else ["-e", "./mine"]
    if way.startswith("."):
        words = [f"./{packed(project, way).name}"]
    if way == "url":
        words = [packed(project, ".tar.gz").as_uri()]
    with desk.kernel() as kernel:
        result = kernel.run(f"%safeinstall --no-index --installer {installer} {' '.join(words)}")
        assert result.outcome["status"] == "done", result.everything
        [change] = result.outcome["plan"]["changes"]
        assert (change["name"].replace("_", "-"), change["requested"]) == ("my-project", True)
        assert kernel.run("import my_project").ok
        assert kernel.run("%safeundo").outcome["status"] == "done"


def repository(desk: Desk, says: str) -> str:
    """Return the address of a repository with a project in it."""
    started = str(desk.notebooks / "started")
    project = make_project(desk.notebooks / "mine", "my-project", says=says, started=started)
    who = ("-c", "user.email=ana@example", "-c", "user.name=Ana")
    for command in (("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "first")):
        subprocess.run(["git", *command], cwd=project, check=True)
    return f"git+{project.as_uri()}"


def agreed(kernel: Kernel, line: str) -> Result:
    """Type a line that is asked about, and the one that is offered then."""
    asked = kernel.run(line)
    assert "would run code" in " ".join(asked.evalue.split()), asked.everything
    [line] = [each.strip(" →") for each in asked.evalue.splitlines() if "--allow-build" in each]
    result = kernel.run(line)
    assert result.outcome["status"] == "done", result.everything
    return result


@pytest.mark.skipif(shutil.which("git") is None, reason="a repository is what git makes")
@pytest.mark.parametrize(
    ("installer", "says"),
    [("uv", "all"), ("uv", "name"), ("uv", "nothing"), ("pip", "all"), ("pip", "nothing")],
)
def test_a_repository_is_asked_about_and_the_line_offered_installs_it(
    desk: Desk, installer: str, says: str
) -> None:
    place = repository(desk, says)
    with desk.kernel() as kernel:
        line = f"%safeinstall --no-index --installer {installer} {place}"
        assert not kernel.run(f"{line} --dry-run").ok
        assert not kernel.run(line).ok
        assert not (desk.notebooks / "started").exists(), "its code ran before it was asked about"
        agreed(kernel, line)
        assert kernel.run("import my_project").ok


@pytest.mark.skipif(shutil.which("git") is None, reason="a repository is what git makes")
@pytest.mark.parametrize("says", ["all", "nothing"])
def test_a_repository_whose_files_stay_in_use_comes_and_goes_whole(desk: Desk, says: str) -> None:
    place = repository(desk, says)
    prefix = desk.environment.prefix
    with desk.kernel() as kernel:
        before = snapshot(prefix)
        kernel.run(f"%safeinstall --no-index --dry-run -e {place}")
        assert changes(before, snapshot(prefix)) == []
        agreed(kernel, f"%safeinstall --no-index -e {place}")
        assert (prefix / "src" / "my-project" / ".git").is_dir()
        found = kernel.run("import my_project; print(my_project.__file__)").stdout.strip()
        assert found.startswith(str(prefix / "src" / "my-project")), found
        frozen = desk.environment.run("-m", "pip", "freeze", settings=desk.settings).stdout
        assert "my-project" in frozen.replace("_", "-")
        assert kernel.run("%kernelenv --doctor").ok
        assert kernel.run("%safeundo").outcome["status"] == "done"
    assert changes(before, snapshot(prefix)) == []


@pytest.mark.first_line_of("files-overwritten")
def test_two_that_own_the_same_files_are_named_and_each_is_made_whole(desk: Desk) -> None:
    for name in ("vision", "vision-headless"):
        files = {f"cv/{part}.py": f"whose = {name!r}\n" for part in ("__init__", "data")}
        make_wheel(desk.wheels, name, modules={**files, "cv/same.py": ""})
    links = ("--no-index", "--find-links", desk.wheels)

    def run(*words: str | Path) -> dict[str, Any]:
        command = ("-m", "safeinstall", words[0], "--json", *words[1:])
        return dict(json.loads(desk.environment.run(*command, settings=desk.settings).stdout))

    def typed(line: str) -> dict[str, Any]:
        words = shlex.split(line)
        assert words[0] == "safeinstall"
        return run(*words[1:])

    assert run("install", *links, "vision")["status"] == "done"
    before = snapshot(desk.environment.prefix)
    refused = run("install", *links, "vision-headless")
    assert changes(before, snapshot(desk.environment.prefix)) == []
    [finding] = [f for f in refused["findings"] if f["code"] == "file-collision"]
    assert "vision-headless would write over vision." in finding["message"]
    uv = ("-m", "uv", "pip", "install", "-q", "--python", desk.environment.python, *links)
    assert desk.environment.run(*uv, "vision-headless", settings=desk.settings).returncode == 0
    removed = run("uninstall", "vision-headless")
    assert removed["status"] == "done"
    [left] = [f for f in removed["findings"] if f["code"] == "files-overwritten"]
    assert "cv/__init__.py" in left["message"] and "cv/same.py" not in left["message"]
    desk.settings.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(desk.wheels))
    assert typed(left["hint"])["status"] == "done"
    text = (desk.environment.site_packages / "cv" / "__init__.py").read_text()
    assert text == "whose = 'vision'\n"
    assert typed(finding["hint"])["status"] == "done"
    assert run("install", "vision-headless")["status"] == "done"
