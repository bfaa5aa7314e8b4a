"""What is proved after the commit, in real kernels: landed, fresh, this kernel, restart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import Desk
from support import ways
from support.environments import CACHE, changes, snapshot
from support.kernels import Kernel
from support.wheels import make_wheel

pytestmark = pytest.mark.integration


def alarms(outcome: dict[str, Any]) -> list[str]:
    return [f["code"] for f in outcome["findings"] if f["code"] != "ambient-redirect"]


def test_a_file_of_the_notebooks_folder_that_wins_is_named_and_the_install_put_back(
    desk: Desk,
) -> None:
    (desk.notebooks / "tinypkg.py").write_text("mine = True\n")
    before = snapshot(desk.environment.prefix)
    with desk.kernel() as kernel:
        stopped = kernel.run(f"%safeinstall {desk.offline} tinypkg")
        assert not stopped.ok
        assert str(desk.notebooks / "tinypkg.py") in stopped.everything
        assert changes(before, snapshot(desk.environment.prefix)) == []
        (desk.notebooks / "tinypkg.py").unlink()
        assert kernel.run(f"%safeinstall {desk.offline} tinypkg").ok


def test_a_folder_without_code_of_the_same_name_does_no_harm(desk: Desk) -> None:
    (desk.notebooks / "tinypkg").mkdir()
    with desk.kernel() as kernel:
        outcome = kernel.run(f"%safeinstall {desk.offline} tinypkg").outcome
        assert (outcome["status"], alarms(outcome)) == ("done", [])
        assert kernel.run("import tinypkg; tinypkg.__version__").ok


def test_names_at_the_top_that_many_share_are_no_alarm(desk: Desk) -> None:
    for name in ("first-of", "second-of"):
        module = name.replace("-", "_")
        files = {f"{module}/__init__.py": "", f"tests/test_{module}.py": ""}
        make_wheel(desk.wheels, name, modules=files)
    with desk.kernel() as kernel:
        for name in ("first-of", "second-of"):
            outcome = kernel.run(f"%safeinstall {desk.offline} {name}").outcome
            assert (outcome["status"], alarms(outcome)) == ("done", [])


def test_a_loaded_package_is_named_before_and_the_verdict_is_exact(desk: Desk) -> None:
    with desk.kernel() as kernel:
        for version in ("1.0", "2.0"):
            files = {"pack/__init__.py": f"v = {version!r}\n", "pack/part.py": "x = 1\n"}
            make_wheel(desk.wheels, "pack", version, modules=files)
        kernel.run(f"%safeinstall {desk.offline} pack==1.0")
        kernel.run("import pack.part")
        planned = kernel.run(f"%safeinstall {desk.offline} --dry-run pack==2.0").outcome
        [finding] = planned["findings"]
        assert finding["code"] == "replaces-loaded"
        assert "pack (2 modules)" in finding["message"]
        done = kernel.run(f"%safeinstall {desk.offline} pack==2.0").outcome
        assert done["restart"] == "needed"
        assert done["stale_modules"] == ["pack"]  # part.py is the same file in both
        assert done["findings"] == []
        again = kernel.run(f"%safeinstall {desk.offline} --force-reinstall pack==2.0").outcome
        assert again["restart"] != "needed"


def line_below(kernel: Kernel, code: str) -> str:
    result = kernel.run(code)
    assert result.ename in ("ModuleNotFoundError", "ImportError"), result.everything
    assert len(result.displays) <= 1
    return result.displays[0]["text/plain"] if result.displays else ""


def test_a_missing_import_gets_one_line_below_its_traceback(desk: Desk) -> None:
    with desk.kernel(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(desk.wheels)) as kernel:
        assert "%safeinstall scikit-learn" in line_below(kernel, "import sklearn.cluster")
        assert "%safeinstall lxml" in line_below(
            kernel,
            "try:\n    import lxml\nexcept ImportError as e:\n"
            "    raise ImportError('no parser: pip install lxml') from e",
        )
        assert "Python 2" in line_below(kernel, "import urllib2")
        (desk.notebooks / "lib").mkdir()
        (desk.notebooks / "lib" / "helpers_of_mine.py").write_text("")
        assert "a file of yours" in line_below(kernel, "import helpers_of_mine")
        assert "%safeinstall tinypkg" in line_below(kernel, "import tinypkg")
        kernel.run(f"%safeinstall {desk.offline} nowhere-to-be-found")
        assert line_below(kernel, "import nowhere_to_be_found") == ""
        assert kernel.run("1 / 0").displays == []
        assert kernel.run("x = 1").displays == []
        kernel.run(f"%safeinstall {desk.offline} tinypkg")
        (desk.environment.site_packages / "tinypkg.py").unlink()
        assert "damaged" in line_below(kernel, "import tinypkg")
        kernel.run("%unload_ext safeinstall")
        assert line_below(kernel, "import sklearn") == ""


def test_a_distribution_without_modules_is_not_said_to_be_ready(desk: Desk) -> None:
    make_wheel(desk.wheels, "only-names", modules={}, requires=["tinypkg"])
    with desk.kernel() as kernel:
        result = kernel.run(f"%safeinstall {desk.offline} only-names")
        assert result.outcome["status"] == "done", result.everything
        assert "Ready to import" not in result.data["text/plain"]
        assert "no module of its own" in result.data["text/plain"]


def test_a_namespace_package_is_proved_by_what_lies_in_it(desk: Desk) -> None:
    make_wheel(desk.wheels, "shared-part", modules={"shared/part/__init__.py": "x = 1\n"})
    (desk.notebooks / "shared" / "part").mkdir(parents=True)
    with desk.kernel() as kernel:
        fine = kernel.run(f"%safeinstall {desk.offline} shared-part")
        assert (fine.outcome["status"], alarms(fine.outcome)) == ("done", []), fine.everything
        assert kernel.run("from shared.part import x").ok
    before = snapshot(desk.environment.prefix)
    make_wheel(desk.wheels, "shared-other", modules={"shared/other/__init__.py": "x = 1\n"})
    clone = desk.notebooks / "shared" / "other" / "__init__.py"
    clone.parent.mkdir()
    clone.write_text("mine = True\n")
    with desk.kernel() as kernel:
        stopped = kernel.run(f"%safeinstall {desk.offline} shared-other")
        assert not stopped.ok, stopped.everything
        assert str(clone.parent) in stopped.everything
        assert changes(before, snapshot(desk.environment.prefix)) == []


FINDER = """
import sys
from importlib.util import spec_from_file_location
class Finder:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "mine":
            return spec_from_file_location(name, {file!r}, submodule_search_locations=[{folder!r}])
def install():
    sys.meta_path.append(Finder)
"""


def test_a_clone_beside_the_notebook_is_no_proof_of_the_project_in_it(desk: Desk) -> None:
    """An editable install that is found by a hook is behind any folder of its name."""
    clone = desk.notebooks / "mine"
    package = clone / "mine"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("x = 1\n")
    finder = FINDER.format(file=str(package / "__init__.py"), folder=str(package))
    made = make_wheel(
        desk.wheels,
        "mine",
        modules={"__editable___mine_finder.py": finder},
        files={
            "__editable__.mine-1.0.pth": "import __editable___mine_finder as f; f.install()\n",
            "mine-1.0.dist-info/top_level.txt": "mine\n",
        },
    )
    plain = make_wheel(desk.wheels / "plain", "mine", modules={"mine/__init__.py": "x = 1\n"})
    backend = f"""
import shutil
def build_editable(folder, config_settings=None, metadata_directory=None):
    shutil.copy({str(made)!r}, folder)
    return {made.name!r}
def build_wheel(folder, config_settings=None, metadata_directory=None):
    shutil.copy({str(plain)!r}, folder)
    return {plain.name!r}
"""
    (clone / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "mine"\nversion = "1.0"\n'
    )
    (clone / "backend.py").write_text(backend)
    before = snapshot(desk.environment.prefix)
    with desk.kernel() as kernel:
        stopped = kernel.run(f"%safeinstall {desk.offline} --allow-build mine -e ./mine")
        assert not stopped.ok, stopped.everything
        assert "import mine would find" in stopped.everything
        assert f"{clone}," in stopped.everything
        assert changes(before, snapshot(desk.environment.prefix)) == []
        [line] = ways.lines_to_type(stopped)
        assert "-e" not in line.split() and "--editable" not in line
        done = kernel.run(line)
        assert done.ok, done.everything
        assert kernel.run("from mine import x").ok


LINGERS = (
    "import subprocess, sys\n"
    "sleep = [sys.executable, '-c', 'import time; time.sleep(300)', 'of-the-test']\n"
    "a, b = subprocess.Popen(sleep), subprocess.Popen(sleep, start_new_session=True)\n"
    "open({pids!r}, 'w').write(f'{{a.pid}} {{b.pid}}')\n"
)
BROKEN = {
    "raises": ("raise ValueError('no config')", "import it fails: ValueError: no config."),
    "needs-one": (
        "try:\n    import ctypes\n    ctypes.CDLL('libnowhere-7.so.1')\nexcept OSError as e:\n"
        "    raise ImportError('it was built with it') from e",
        "import it needs libnowhere-7.so.1, a shared library that is not found.",
    ),
    "needs-gl": (
        "raise ImportError('libGL.so.1: cannot open shared object file: No such file')",
        "import it needs libGL.so.1, a shared library that is not found.",
    ),
    "needs-yaml": ("import yaml", "import it fails: ModuleNotFoundError: No module named 'yaml'."),
    "crashes": (
        "import os, signal, sys\nprint('dying', file=sys.stderr)\nos.kill(os.getpid(), 11)",
        "import it crashes Python (SIGSEGV).",
    ),
    "leaves": ("import os; os._exit(0)", "import it ends Python (exit status 0)."),
    "exits": ("import sys; sys.exit('bye')", "import it fails: SystemExit: bye."),
    "asks": ("input()", "import it fails: EOFError: EOF when reading a line."),
    "hangs": ("import sys\nwhile True: print('x' * 999)", "import it was not done after 2 s."),
}


def installed(desk: Desk, *words: str) -> tuple[int, dict[str, Any], str]:
    """Install from a terminal; return exit status, JSON and text."""
    offline = desk.offline.split()
    command = ("-m", "safeinstall", "install", "--json", *offline, *words)
    settings = {**desk.settings, "PATH": f"{desk.environment.prefix}/bin:{desk.settings['PATH']}"}
    done = desk.environment.run(*command, settings=settings, cwd=desk.notebooks)
    return done.returncode, json.loads(done.stdout), done.stderr


@pytest.mark.parametrize("how", BROKEN)
def test_what_cannot_be_imported_is_put_back_exactly(desk: Desk, how: str, tmp_path: Path) -> None:
    code, says = BROKEN[how]
    pids = tmp_path / "pids"
    files = {"it/__init__.py": LINGERS.format(pids=str(pids)) + "from it import part\n"}
    files["it/part.py"] = code
    make_wheel(desk.wheels, "it", modules=files, requires=["tinypkg"])
    (desk.environment.prefix / "bin" / "apt-get").symlink_to("/bin/true")  # never started
    before = snapshot(desk.environment.prefix)
    status, outcome, text = installed(desk, "--import-seconds=2", "--prove-import", "it")
    assert (status, outcome["status"]) == (1, "rolled-back"), text
    assert says in " ".join(text.split())
    assert changes(before, snapshot(desk.environment.prefix)) == []
    for pid in pids.read_text().split():
        assert b"of-the-test" not in command_of(pid)
    finding = next(f for f in outcome["findings"] if f["code"] == "import-failed")
    lines = finding["hint"].splitlines()
    assert "--prove-import" not in lines[-1]
    assert "it" in lines[-1].split()
    assert how != "needs-gl" or "apt-get install --yes libgl1" in lines[0]


def command_of(pid: str) -> bytes:
    try:
        return Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return b""


def test_what_is_imported_is_said_and_what_was_there_is_imported_too(desk: Desk) -> None:
    broken = "import nowhere_at_all\n"
    whole = {"fine/__init__.py": "#" * (len(broken) - 1) + "\n", "_fine.py": "1 / 0"}
    make_wheel(desk.wheels, "fine", modules=whole)
    make_wheel(desk.wheels, "only-names", modules={}, requires=["tinypkg"])
    status, outcome, text = installed(desk, "--prove-import", "fine", "tinypkg")
    assert (status, sorted(outcome["imported"])) == (0, ["fine", "tinypkg"])
    assert "imported: fine, tinypkg." in text
    status, outcome, text = installed(desk, "--prove-import", "fine")
    assert (status, outcome["status"], outcome["imported"]) == (0, "satisfied", ["fine"])
    for _ in range(2):
        status, outcome, text = installed(desk, "--prove-import", "only-names")
        assert (status, outcome["imported"]) == (0, [])
        assert text.count("no module of its own to import") == 1
    module = desk.environment.site_packages / "fine" / "__init__.py"
    module.write_text(broken)  # as long as it was: only an import tells
    status, outcome, text = installed(desk, "--prove-import", "fine")
    assert (status, outcome["status"]) == (1, "failed")
    assert "No module named 'nowhere_at_all'" in text
    [finding] = [f for f in outcome["findings"] if f["code"] == "import-failed"]
    again = finding["hint"].removeprefix("safeinstall install ").split()
    status, outcome, text = installed(desk, *again)
    assert (status, outcome["imported"]) == (0, ["fine"]), text


def test_the_setting_proves_every_import_and_the_module_that_lacks_is_offered(desk: Desk) -> None:
    make_wheel(desk.wheels, "of-yaml", modules={"of_yaml.py": "import yaml"})
    make_wheel(desk.wheels, "PyYAML", modules={"yaml/__init__.py": ""})
    before = snapshot(desk.environment.prefix)
    with desk.kernel() as kernel:
        kernel.run("%config SafeInstall.prove_import = True")
        stopped = kernel.run(f"%safeinstall {desk.offline} of-yaml")
        assert not stopped.ok
        assert changes(before, snapshot(desk.environment.prefix)) == []
        lines = [line.strip(" →") for line in stopped.everything.splitlines() if "PyYAML" in line]
        done = kernel.run(lines[0].split("   ")[0])
        assert done.ok, done.everything
        assert sorted(done.outcome["imported"]) == ["of_yaml", "yaml"]


def test_a_new_environment_is_gone_again_when_an_import_in_it_fails(desk: Desk) -> None:
    make_wheel(desk.wheels, "raises", modules={"raises.py": "raise ValueError('no config')"})
    settings = {"PIP_FIND_LINKS": f"{CACHE / 'wheelhouse'} {desk.wheels}", "PIP_NO_INDEX": "1"}
    with desk.kernel(**settings) as kernel:
        line = "%safeinstall --new-env --prove-import"
        stopped = kernel.run(f"{line} raises")
        assert not stopped.ok
        assert "import raises fails: ValueError: no config." in stopped.everything
        assert not (desk.notebooks / ".venv").exists()
        assert kernel.run(f"{line} tinypkg").ok


WRITES = (
    "import pathlib\n"
    "here = pathlib.Path(__file__)\n"
    "here.with_name('left-behind.dat').write_text('x')\n"
    "(here.parent / '__pycache__').mkdir(exist_ok=True)\n"
    "(here.parent / '__pycache__' / 'numba.nbi').write_text('x')\n"
    "1 / 0\n"
)


def test_what_an_import_wrote_into_its_package_goes_as_well(desk: Desk) -> None:
    make_wheel(desk.wheels, "writer", modules={"writer/__init__.py": WRITES})
    before = snapshot(desk.environment.prefix)
    status, outcome, text = installed(desk, "--prove-import", "writer")
    assert (status, outcome["status"]) == (1, "rolled-back"), text
    assert changes(before, snapshot(desk.environment.prefix)) == []
    assert not [*desk.environment.prefix.rglob("numba.nbi")]


HOSTILE = "from pathlib import Path\nPath({mark!r}).touch()\nraise RuntimeError('mine')\n"


def test_files_named_as_libraries_are_named_and_do_no_harm(desk: Desk) -> None:
    mark = desk.notebooks.parent / "ran"
    with desk.kernel() as kernel:
        assert kernel.run("import sys; sys.path.insert(0, '')").ok
        (desk.notebooks / "uv").mkdir()
        for name in ("json.py", "tempfile.py", "packaging.py", "safeinstall.py", "uv/__init__.py"):
            (desk.notebooks / name).write_text(HOSTILE.format(mark=str(mark)))
        for option in ("", "--prove-import", "--force-reinstall"):
            done = kernel.run(f"%safeinstall {desk.offline} {option} tinypkg")
            assert done.ok, done.everything
            text = " ".join(done.data["text/plain"].split())
            assert "and 2 more beside this notebook stand in the places of libraries" in text
        assert not mark.exists()
        assert kernel.run("import tinypkg").ok


FINDER = """
import sys, importlib.util
class InFront:
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name == "tinypkg":
            return importlib.util.spec_from_loader(name, loader=None)
sys.meta_path.insert(0, InFront)
"""


def test_a_finder_that_claims_the_name_in_front_is_said(desk: Desk) -> None:
    with desk.kernel() as kernel:
        assert kernel.run(FINDER).ok
        done = kernel.run(f"%safeinstall {desk.offline} tinypkg")
        assert [(v["landed"], v["fresh"], v["kernel"]) for v in done.outcome["verification"]] == [
            (True, True, False)
        ]
        text = done.data["text/plain"]
        assert "import tinypkg is answered by __main__.InFront (sys.meta_path)" in text
        assert "Ready to import" not in text
        again = kernel.run("%safeinstall tinypkg")
        assert "__main__.InFront" in again.evalue
        assert kernel.run("sys.meta_path.remove(InFront)").ok
        assert kernel.run("%safeinstall tinypkg").ok
        assert kernel.run("import tinypkg").ok


def test_a_folder_put_in_front_is_said_after_an_install_too(desk: Desk) -> None:
    mine = desk.notebooks / "mine"
    mine.mkdir()
    (mine / "tinypkg.py").write_text("")
    with desk.kernel() as kernel:
        kernel.run(f"import sys; sys.path.insert(0, {str(mine)!r})")
        text = kernel.run(f"%safeinstall {desk.offline} tinypkg").everything
        assert f"import tinypkg would find {mine / 'tinypkg.py'}, not tinypkg 1.0" in text
        assert "Ready to import" not in text
