"""Every stop that prints a line: the line is read from the message, typed, and leads on."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration.conftest import Desk, set_up
from support import ways
from support.environments import Environment, Workshop, changes, snapshot
from support.kernels import Kernel
from support.locks import lock_of
from support.wheels import make_project, make_sdist, make_wheel

pytestmark = pytest.mark.integration


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """A line that is stopped, and what holds once a printed line has been typed."""

    id: str
    code: str
    """The finding that stops it: the first that weighs most."""
    line: str
    says: str
    """Words of the message: it is this stop and no other."""
    imports: str = "tinypkg"
    """What can be imported then; empty where the line was no install."""
    version: str = "1.0"
    before: str = ""
    """A cell that sets the scene; it must succeed."""
    way: int = 0
    """Which of the printed lines is typed."""


STOPS = (
    Stop(id="breaks-installed, a version for all", code="breaks-installed",
         before="%safeinstall of-thing", line="%safeinstall pusher", says="needs thing<2",
         imports="pusher"),
    Stop(id="breaks-installed, all the same", code="breaks-installed",
         before="%safeinstall of-thing", line="%safeinstall thing==2.0", says="needs thing<2",
         way=1, imports="thing", version="2.0"),
    Stop(id="breaks-installed, by what a script lists", code="breaks-installed",
         before="%safeinstall of-thing", line="%safeinstall -r of-two.py", says="needs thing<2",
         imports="thing"),
    Stop(id="name-trap", code="name-trap", line="%safeinstall sklearn", says="scikit-learn",
         imports="sklearn"),
    Stop(id="builds-from-source", code="builds-from-source", line="%safeinstall source-only",
         says="source", imports="source_only"),
    Stop(id="from-file-only", code="from-file-only", line="%safeinstall -r direct.txt",
         says="direct.txt:1", imports="from_afar"),
    Stop(id="file-option", code="file-option", line="%safeinstall -r options.txt",
         says="--find-links", imports="far_off"),
    Stop(id="file-option, of a script", code="file-option", line="%safeinstall -r links.py",
         says="--find-links", imports="by_script"),
    Stop(id="usage, a script without -r", code="usage", line="%safeinstall plain.py",
         says="-r goes before", imports="of_plain"),
    Stop(id="usage, a group misspelt", code="usage", line="%safeinstall --group tset",
         says="no group tset", imports="of_test"),
    Stop(id="usage, an extra misspelt", code="usage",
         line="%safeinstall -r pyproject.toml --extra polt", says="no extra polt",
         imports="of_plot"),
    Stop(id="usage, what stands beside a lock", code="usage",
         line="%safeinstall -r pylock.toml tinypkg", says="whole by itself", imports="of_lock"),
    Stop(id="usage, dependencies that a build tells", code="usage",
         line="%safeinstall -r built-here/pyproject.toml", says="to its build",
         imports="built_here"),
    Stop(id="no-such-version", code="no-such-version", line="%safeinstall tinypkg==9",
         says="nearest", version="2.0"),
    Stop(id="local-build-replaced", code="local-build-replaced",
         before="%safeinstall gpu-thing==1.0+cu124", line="%safeinstall gpu-thing==1.1",
         says="1.0+cu124", imports="gpu_thing", version="1.1"),
    Stop(id="startup-code", code="startup-code", line="%safeinstall at-start",
         says="runs code at the start", imports="at_start"),
    Stop(id="strict", code="prerelease", line="%safeinstall --strict early-thing",
         says="pre-release", imports="early_thing", version="1.0rc1"),
    Stop(id="conda asked for", code="no-installer",
         line="%safeinstall --installer conda tinypkg==1.0", says="no conda environment"),
    Stop(id="import-failed", code="import-failed", line="%safeinstall --prove-import of-yaml",
         says="No module named 'yaml'", imports="of_yaml"),
    Stop(id="usage, no number of seconds", code="usage",
         line="%safeinstall --import-seconds soon tinypkg==1.0", says="no number of seconds"),
    Stop(id="usage, one equals sign", code="usage", line="%safeinstall tinypkg=2.0", says="==",
         version="2.0"),
    Stop(id="usage, an option misspelt", code="usage", line="%safeinstall --upgrad tinypkg",
         says="--upgrade", version="2.0"),
    Stop(id="usage, an option of another place", code="usage",
         line="%safeinstall --target x tinypkg", says="--target", version="2.0"),
    Stop(id="usage, nothing that could be meant", code="usage",
         line="%safeinstall ./no-such-folder", says="no file or folder", imports=""),
    Stop(id="usage, of another magic", code="usage", line="%kernelenv --nonsense",
         says="is not understood", imports=""),
    Stop(id="other-destination", code="other-destination", line="%safeinstall --user for-me",
         says="does not look", imports="for_me"),
    Stop(id="file-collision", code="file-collision", line="%safeinstall one-of-two two-of-two",
         says="both bring", imports="two_of_two"),
    Stop(id="too-big", code="too-big", line="%safeinstall swollen", says="zip bomb",
         imports="swollen"),
    Stop(id="no-such-python", code="no-such-python",
         line="%safeinstall --new-env=made --python 3.1 tinypkg", says="no Python 3.1", imports=""),
    Stop(id="place-taken", code="place-taken", line="%safeinstall --new-env=./afar tinypkg",
         says="is not empty", imports=""),
    Stop(id="option-conflict", code="option-conflict",
         line="%safeinstall --new-env=whole --no-deps tinypkg", says="would leave out", imports=""),
    Stop(id="option-conflict, conda", code="option-conflict",
         line="%safeinstall --new-env=mine --installer conda tinypkg", says="made by uv or pip",
         imports=""),
    Stop(id="undo-refused, no such transaction", code="undo-refused", line="%safeundo 0999-abcd",
         says="no transaction 0999-abcd", imports=""),
    Stop(id="unheeded-settings", code="unheeded-settings", line="%safeinstall -r of-index.py",
         says="set for uv's own commands", imports="of_index"),
)  # fmt: skip


@pytest.fixture(scope="module")
def stage(shared_desk: Desk, workshop: Workshop) -> Desk:
    """The desk with everything that makes trouble."""
    wheels, notebooks = shared_desk.wheels, shared_desk.notebooks
    make_wheel(wheels, "tinypkg", "2.0")
    for version in ("1.0", "2.0"):
        make_wheel(wheels, "thing", version)
    make_wheel(wheels, "of-thing", requires=["thing<2"])
    make_wheel(wheels, "pusher", "1.0", requires=["thing>=1"])
    make_wheel(wheels, "pusher", "2.0", requires=["thing>=2"])
    make_wheel(wheels, "scikit-learn", modules={"sklearn.py": "__version__ = '1.0'\n"})
    make_wheel(wheels, "of-yaml", modules={"of_yaml.py": "import yaml\n__version__ = '1.0'\n"})
    make_wheel(wheels, "PyYAML", modules={"yaml.py": ""})
    make_sdist(wheels, "source-only")
    make_wheel(wheels, "gpu-thing", "1.0+cu124")
    make_wheel(wheels, "gpu-thing", "1.1")
    make_wheel(wheels, "early-thing", "1.0rc1")
    make_wheel(wheels, "for-me")
    make_wheel(wheels, "swollen", files={"swollen.bin": "0" * (101 * 2**20)})
    make_wheel(wheels, "at-start", files={"at_start.pth": "import at_start\n"})
    for name in ("one-of-two", "two-of-two"):
        code = f"__version__ = '1.0'  # {name}\n"
        make_wheel(wheels, name, modules={f"{name.replace('-', '_')}.py": code, "both.py": code})
    modules = {"colorsys_marker.py": "__version__ = '1.0'\n"}
    make_wheel(wheels, "colorsys", modules=modules)
    afar = make_wheel(notebooks / "afar", "from-afar")
    make_wheel(notebooks / "afar", "far-off")
    (notebooks / "direct.txt").write_text(f"from-afar @ {afar.as_uri()}\n")
    (notebooks / "options.txt").write_text("--find-links ./afar\nfar-off\n")
    make_wheel(notebooks / "afar", "by-script")
    for name in ("of-plain", "of-test", "of-plot", "of-index"):
        make_wheel(wheels, name)
    links = '# [tool.uv]\n# find-links = ["./afar"]\n'
    own = "# [tool.uv.sources]\n# of-index = { index = 'own' }\n"
    scripts = [("links", "by-script", links), ("plain", "of-plain", ""), ("of-two", "thing==2", "")]
    scripts += [("of-index", "of-index", own)]
    for name, needs, more in scripts:
        text = f'# /// script\n# dependencies = ["{needs}"]\n{more}# ///\n'
        (notebooks / f"{name}.py").write_text(text)
    (notebooks / "pyproject.toml").write_text(
        '[project]\nname = "p"\nversion = "1"\ndependencies = []\n'
        'optional-dependencies = { plot = ["of-plot"] }\n'
        '[dependency-groups]\ntest = ["of-test"]\n'
    )
    locked = make_wheel(notebooks / "locked", "of-lock")
    (notebooks / "pylock.toml").write_text(lock_of(locked))
    built = make_project(notebooks / "built-here", "built_here") / "pyproject.toml"
    text = built.read_text().replace('["version"]', '["version", "dependencies"]')
    built.write_text(text)
    for wheel in workshop.wheels.glob("*.whl"):  # a new environment has a kernel of its own
        shutil.copy2(wheel, wheels)
    return shared_desk


@pytest.fixture(scope="module")
def kernel(stage: Desk, shared_kernel: Kernel) -> Iterator[Kernel]:
    """The kernel of that desk."""
    yield shared_kernel


@pytest.mark.parametrize("stop", STOPS, ids=[stop.id for stop in STOPS])
def test_the_printed_line_leads_to_a_working_import(
    kernel: Kernel, stage: Desk, stop: Stop
) -> None:
    if stop.before:
        assert kernel.run(stop.before).ok
    refusal = kernel.run(stop.line)
    assert not refusal.ok, refusal.everything
    assert kernel.run("import sys; print(sys.last_value.code)").stdout == f"{stop.code}\n"
    told = " ".join(f"{refusal.traceback} {refusal.evalue}".split())
    assert stop.says in told
    lines = ways.lines_to_type(refusal)
    assert lines, told
    done = kernel.run(lines[stop.way])
    assert done.ok, (lines, done.everything)
    assert (
        not stop.imports
        or stage.environment.version_of(stop.imports, stage.settings) == stop.version
    )


@pytest.mark.first_line_of("kernel-stack")
def test_a_part_of_the_kernel_may_change_by_the_line_that_says_so(
    desk: Desk, workshop: Workshop
) -> None:
    [installed] = desk.environment.site_packages.glob("comm-*.dist-info")
    modules = {
        f"comm/{path.name}": path.read_bytes()
        for path in (desk.environment.site_packages / "comm").glob("*.py")
    }
    make_wheel(desk.wheels, "comm", "0.0.1", modules=modules)
    assert installed.name != "comm-0.0.1.dist-info"
    with desk.kernel() as kernel:
        refusal = kernel.run(f"%safeinstall {desk.offline} comm==0.0.1")
        assert "ipykernel" in refusal.traceback, refusal.everything
        [line] = [each for each in ways.lines_to_type(refusal) if "--allow-kernel" in each]
        done = kernel.run(line)
        assert done.outcome["status"] == "done", done.everything
    assert (desk.environment.site_packages / "comm-0.0.1.dist-info").exists()


@pytest.mark.first_line_of("shadowed")
def test_ones_own_file_in_front_of_a_package_is_given_another_name(
    kernel: Kernel, stage: Desk
) -> None:
    make_wheel(stage.wheels, "in-the-way")
    (stage.notebooks / "in_the_way.py").write_text("mine = 1\n")
    refusal = kernel.run("%safeinstall in-the-way")
    assert "Put back as it was" in refusal.evalue, refusal.everything
    [line] = ways.lines_to_type(refusal)
    assert kernel.run(line).ok
    assert (stage.notebooks / "my_in_the_way.py").read_text() == "mine = 1\n"
    assert kernel.run("%safeinstall in-the-way").ok
    assert kernel.run("import in_the_way; print(in_the_way.__version__)").stdout.strip() == "1.0"


def test_what_can_and_what_cannot_be_removed(kernel: Kernel, stage: Desk) -> None:
    assert kernel.run("%safeinstall of-thing").ok
    refusal = kernel.run("%safeuninstall thing")
    assert "of-thing 1.0 needs thing<2" in refusal.traceback
    assert kernel.run(ways.lines_to_type(refusal)[0]).ok
    assert "No module" in stage.environment.version_of("thing", stage.settings)
    assert kernel.run("%safeinstall --yes thing==1.0").ok
    (stage.environment.distribution("thing") / "RECORD").unlink()
    refusal = kernel.run("%safeuninstall thing")
    assert "no list of its files" in " ".join(refusal.traceback.split())
    assert kernel.run(ways.lines_to_type(refusal)[0]).ok
    assert kernel.run("%safeuninstall --allow-conflicts thing").ok
    assert not list(stage.environment.site_packages.glob("thing*"))


@pytest.mark.first_line_of("not-importable")
def test_out_of_an_import_path_that_misses_the_environment(
    workshop: Workshop, tmp_path: Path
) -> None:
    prefix = tmp_path / "plain"
    shutil.copytree(workshop.standalone.prefix, prefix, symlinks=True)
    plain = Environment(prefix=prefix, kind="standalone", base=prefix)
    desk = set_up(workshop, tmp_path, plain)
    user = Path(desk.settings["HOME"], ".local", plain.site_packages.relative_to(prefix))
    links = ("--no-index", "--find-links", workshop.wheels, "--find-links", workshop.ours)
    workshop.run(
        workshop.uv, "pip", "install", "-q", "--python", plain.python, "--target", user, *links,
        "ipykernel", "safeinstall",
    )  # fmt: skip
    hide = f"import sys\nif {str(plain.site_packages)!r} in sys.path:\n"
    hide += f"    sys.path.remove({str(plain.site_packages)!r})\n"
    (user / "usercustomize.py").write_text(hide)
    desk.settings.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=f"{desk.wheels} {workshop.wheels}")
    with desk.kernel() as kernel:
        refusal = kernel.run("%safeinstall tinypkg")
        assert "does not import from" in " ".join(refusal.traceback.split()), refusal.everything
        done = kernel.run(ways.lines_to_type(refusal)[0], timeout=180)
        assert done.ok, done.everything
    home = Path(desk.settings["HOME"])
    with ways.registered("notebooks-venv", home, desk.settings, desk.notebooks) as new:
        assert new.run("import tinypkg").ok


@pytest.mark.first_line_of("no-installer")
def test_out_of_an_environment_without_the_installer_that_was_asked_for(
    desk: Desk, workshop: Workshop, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, bare)
    links = ("--no-index", "--find-links", workshop.wheels, "--find-links", workshop.ours)
    workshop.run(workshop.uv, "pip", "install", "-q", "--python", bare / "bin" / "python", *links,
                 "ipykernel", "safeinstall")  # fmt: skip
    if not (Path(sys.base_prefix, "lib").glob("python3*/ensurepip")):
        pytest.skip("this Python has no ensurepip")
    python = bare / "bin" / "python"
    environment = Environment(prefix=bare, kind="uv-venv", base=bare)
    words = ("-m", "safeinstall", "install", "--installer", "pip", *desk.offline.split(), "tinypkg")
    refused = environment.run(*words, settings=desk.settings)
    assert refused.returncode == 1
    [line] = [each for each in refused.stderr.splitlines() if "ensurepip" in each]
    program, *rest = line.replace("→", "").split()
    assert program.strip('"') == str(python)
    assert environment.run(*rest, settings=desk.settings).returncode == 0
    assert environment.run(*words, settings=desk.settings).returncode == 0
    assert environment.version_of("tinypkg", desk.settings) == "1.0"


@pytest.mark.first_line_of("half-changed", "transaction-failed")
def test_what_could_not_even_be_put_back_is_put_right_by_the_line_that_is_shown(
    desk: Desk,
) -> None:
    make_wheel(desk.wheels, "tinypkg", "2.0")
    failing = """
    from safeinstall.transaction.moves.disk import Disk

    rename = Disk.rename
    def fail(disk, source, target):
        if sick and "tinypkg" in target and "replaced" not in target:
            raise OSError(5, "Input/output error")
        return rename(disk, source, target)
    Disk.rename, sick = fail, True
    """
    prefix = desk.environment.prefix
    with desk.kernel() as kernel:
        assert kernel.run(f"%safeinstall {desk.offline} tinypkg==1.0").ok
        before = snapshot(prefix)
        assert kernel.run(textwrap.dedent(failing)).ok
        stopped = kernel.run(f"%safeinstall {desk.offline} tinypkg==2.0")
        assert "half-changed" in " ".join(stopped.evalue.split()), stopped.everything
        assert changes(before, snapshot(prefix)) != []
        assert kernel.run("sick = False").ok
        [line] = ways.lines_to_type(stopped)
        assert kernel.run(line).ok
        assert changes(before, snapshot(prefix)) == []
        assert kernel.run(f"%safeinstall {desk.offline} tinypkg==2.0").ok


@pytest.mark.first_line_of("unknown-report")
def test_out_of_a_uv_that_speaks_another_language(desk: Desk, workshop: Workshop) -> None:
    [info] = desk.environment.site_packages.glob("uv-*.dist-info")
    binary = desk.environment.prefix / "bin" / "uv"
    for path in (info / "METADATA", info / "RECORD", binary):
        text = b"#!/bin/sh\necho would install this and that\n"
        if path is not binary:
            text = path.read_bytes().replace(info.name[3:-10].encode(), b"0.12.18")
        path.unlink()  # shared with other environments
        path.write_bytes(text)
    binary.chmod(0o755)
    info.rename(info.with_name("uv-0.12.18.dist-info"))
    desk.settings.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=f"{desk.wheels} {workshop.wheels}")
    with desk.kernel() as kernel:
        refusal = kernel.run("%safeinstall tinypkg")
        assert "its version is too old" in " ".join(refusal.evalue.split()), refusal.everything
        done = kernel.run(ways.lines_to_type(refusal)[0])
        assert done.ok, done.everything
        assert kernel.run("%safeinstall tinypkg").ok


@pytest.mark.first_line_of("not-installed")
def test_out_of_an_environment_that_has_no_safeinstall_to_be_loaded(
    desk: Desk, workshop: Workshop, tmp_path: Path
) -> None:
    bare = tmp_path / "bare"
    workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, bare)
    places = f"{workshop.wheels} {workshop.ours}"
    settings = {**desk.settings, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": places}

    def safeinstall(*words: str) -> subprocess.CompletedProcess[str]:
        return desk.environment.run("-m", "safeinstall", *words, settings=settings)

    refused = safeinstall("autoload", "--python", str(bare))
    assert refused.returncode == 1, refused.stdout
    [line] = ways.lines_to_type(refused.stderr)
    done = safeinstall(*shlex.split(line)[1:])
    assert done.returncode == 0, (line, done.stderr)
    assert safeinstall("autoload", "--python", str(bare)).returncode == 0
