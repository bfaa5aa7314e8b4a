"""The report about an interpreter: its keys, its truth, and the promises of its file."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from pathlib import Path

import pytest

from safeinstall import probe
from safeinstall.probe.facts.interpreter import facts

PROBE = Path(probe.__file__).parent
SCRIPT = PROBE / "__init__.py"
MODULES = sorted(PROBE.rglob("*.py"))
COOKIE = "c00k1e"


def report_of(python: str, *flags: str, env: dict[str, str] | None = None) -> dict[str, object]:
    out = subprocess.run(
        [python, *flags, str(SCRIPT), COOKIE], capture_output=True, text=True, check=True, env=env
    ).stdout
    inner = out.split(COOKIE, 1)[1].split(COOKIE[::-1], 1)[0]
    report = json.loads(inner)
    assert isinstance(report, dict)
    return report


@pytest.fixture(scope="module")
def bare_venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("facts") / "env"
    venv.create(folder, with_pip=False, symlinks=True)
    return folder


def test_the_report_survives_json() -> None:
    report = facts()
    assert json.loads(json.dumps(report)) == report


def test_the_report_names_this_interpreter_and_its_folders() -> None:
    report = facts()
    assert report["executable"] == sys.executable
    assert report["paths"]["purelib"] == sysconfig.get_paths()["purelib"]
    assert report["sys_path"] == sys.path


def test_the_script_has_the_same_keys_as_the_function() -> None:
    assert list(report_of(sys.executable)) == list(facts())


def test_the_script_does_not_report_its_own_folder_on_the_path() -> None:
    assert str(PROBE) not in report_of(sys.executable)["sys_path"]  # type: ignore[operator]


def test_the_script_leaves_no_compiled_files(tmp_path: Path) -> None:
    copy = tmp_path / "probe"
    shutil.copytree(PROBE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [sys.executable, str(copy / "__init__.py"), COOKIE], capture_output=True, check=True
    )
    assert not list(copy.rglob("__pycache__"))


def test_chatter_of_the_interpreter_cannot_break_the_report(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('{hello}')\n")
    report = report_of(sys.executable, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert report["schema"] == 1


def test_flags_of_the_interpreter_are_reported() -> None:
    flags = report_of(sys.executable, "-s")["flags"]
    assert flags["no_user_site"] is True  # type: ignore[index]
    assert flags["isolated"] is False  # type: ignore[index]


def test_a_bare_environment_is_a_venv_without_pip_and_without_the_user_site(
    bare_venv: Path,
) -> None:
    report = report_of(str(bare_venv / "bin" / "python"), env={"PATH": "/nowhere"})
    assert report["kind"] == "venv"
    assert report["pip"] is None
    assert report["system_site_packages"] is False
    assert report["user_site"]["enabled"] is False  # type: ignore[index]
    assert report["externally_managed"] is None


@pytest.mark.parametrize(("maker", "kind"), [("uv", "uv-venv"), ("virtualenv", "virtualenv")])
def test_the_maker_of_an_environment_is_read_from_its_file(
    tmp_path: Path, maker: str, kind: str
) -> None:
    venv.create(tmp_path / "env", with_pip=False, symlinks=True)
    with (tmp_path / "env" / "pyvenv.cfg").open("a") as file:
        file.write(f"{maker} = 1.2.3\n")
    report = report_of(str(tmp_path / "env" / "bin" / "python"))
    assert report["kind"] == kind


def test_a_conda_prefix_is_known_by_its_metadata(tmp_path: Path) -> None:
    from safeinstall.probe.facts.interpreter import conda_facts, interpreter_kind

    prefix = tmp_path / "envs" / "lab"
    (prefix / "conda-meta").mkdir(parents=True)
    assert interpreter_kind(str(prefix), str(prefix), ())[0] == "conda"
    assert conda_facts(str(prefix)) == {"prefix": str(prefix), "base": False, "history": False}


def test_why_a_folder_is_not_writable_is_one_sentence() -> None:
    from safeinstall.probe.facts.writability import describe_access

    answer = describe_access("/proc/version/below")
    assert answer["writable"] is False
    assert answer["detail"] == "/proc/version is not a folder"


def test_the_closest_existing_parent_is_what_is_tested(tmp_path: Path) -> None:
    from safeinstall.probe.facts.writability import describe_access

    answer = describe_access(str(tmp_path / "not" / "yet"))
    assert (answer["probed"], answer["writable"]) == (str(tmp_path), True)


def test_a_relative_folder_ends_the_search(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from safeinstall.probe.facts.writability import closest_existing

    monkeypatch.chdir(tmp_path)
    assert closest_existing("~/.local/lib") == str(tmp_path)


def test_a_binder_session_is_ephemeral() -> None:
    from safeinstall.probe.facts.interpreter import container_facts

    answer = container_facts({"BINDER_SERVICE_HOST": "1"})
    assert answer["ephemeral"] is True


def test_the_report_costs_little() -> None:
    facts()
    start = time.perf_counter()
    facts()
    assert time.perf_counter() - start < 0.05


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(PROBE)))
def test_every_module_keeps_the_floor_of_the_room(module: Path) -> None:
    text = module.read_text(encoding="ascii")
    # what a Python is, it is asked itself: an old one has to understand the question
    old = (3, 7) if module.parent.name == "facts" else (3, 8)
    tree = ast.parse(text, feature_version=old)
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= len(module.relative_to(PROBE).parts)
            if not node.level:
                names.add((node.module or "").split(".")[0])
    assert names <= sys.stdlib_module_names
    assert not names & {"subprocess", "importlib.metadata", "configparser", "socket"}


def test_the_room_is_importable_from_a_zip(tmp_path: Path) -> None:
    archive = tmp_path / "carried.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for module in MODULES:
            file.write(module, f"carried/{module.relative_to(PROBE)}")
    code = f"import sys; sys.path.insert(0, {str(archive)!r}); from carried.facts."
    code += "interpreter import facts"
    code += "; facts()"
    subprocess.run([sys.executable, "-c", code], check=True)
