"""RECORD is a claim of whoever made the wheel: what it only names stays where it is, and is said.

All wheels are installed through pip (or uv) at once, each with its own phantom line, and then all
are removed, or replaced by another version: the tests ask what became of the file of each line.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from integration.conftest import Desk
from support.wheels import make_wheel

pytestmark = [pytest.mark.integration, pytest.mark.attack("files that a RECORD only names")]

MINE = "mine = 'all mine'\n"


def hashed(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    return f"sha256={digest}"


WRONG = f"{hashed('something else')},{len(MINE)}"
NO_HASH = {"no hash": ",", "a size alone": f",{len(MINE)}", "a wrong hash": WRONG}
ODD_HASHES = {
    "a hash nobody knows": "sha0=abc,3",
    "a hash without a length": f"shake_128=abc,{len(MINE)}",
    "half a hash": f"sha256,{len(MINE)}",
    "a size that is none": f"{hashed(MINE)}x,many",
    "the hash of another size": f"{hashed(MINE)},{len(MINE) + 1}",
    "the hash of nothing": f"{hashed('')},0",
}
SITE_FILES = {
    "a module": "mynotes.py",
    "a module in a folder": "mywork/part.py",
    "the start of a package": "mywork/__init__.py",
    "a text": "mywork/data/table.csv",
    "another start-up file": "mine.pth",
    "a file with a blank": "my notes.txt",
    "bytecode": "__pycache__/mynotes.cpython-399.pyc",
    "a module beside one of the wheel": "beside/mine.py",
    "by a way round": "mywork/../mynotes.py",
    "by a point": "./mynotes.py",
}
PREFIX_FILES = {
    "the configuration": "pyvenv.cfg",
    "activate": "bin/activate",
    "activate for fish": "bin/activate.fish",
    "the interpreter": "bin/python",
    "the interpreter by its version": "bin/python3",
    "a script of mine": "bin/mytool",
    "a document": "share/mine/readme.txt",
    "a setting": "etc/jupyter/jupyter_config.json",
    "a file in the root": "notes.txt",
    "a module of Python": "lib/PYTHON/mymodule.py",
    "a part of Python": "lib/PYTHON/lib-dynload/mine.so",
    "the second lib": "lib64",
}
FOLDERS = {"a folder": "mywork", "a folder, as one": "mywork/", "the packages of pip": "pip"}


@dataclass(frozen=True)
class Case:
    line: str
    """The path as the line has it; `PYTHON` is the folder of the version."""
    rest: str
    """Hash and size."""


CASES = {
    **{f"{n}, {h}": Case(p, r) for n, p in SITE_FILES.items() for h, r in NO_HASH.items()},
    **{
        f"{n}, {h}": Case(f"../../../{p}", r)
        for n, p in PREFIX_FILES.items()
        for h, r in NO_HASH.items()
    },
    **{h: Case("mynotes.py", rest) for h, rest in ODD_HASHES.items()},
    **{n: Case(p, ",") for n, p in FOLDERS.items()},
    "a link to a file": Case("link.py", WRONG),
    "a link to a folder": Case("linked", ","),
    "a file behind a link": Case("linked/elsewhere.txt", WRONG),
    "a link to nowhere": Case("dangling.py", WRONG),
    "a pipe": Case("pipe", f"{hashed(MINE)},"),
    "an empty file with its hash": Case("empty.py", f"{hashed('')},0"),
    "python's own file with its hash": Case("../../../lib/PYTHON/mymodule.py", hashed(MINE) + ","),
    "activate with its hash": Case("../../../bin/activate", "ACTIVATE,"),
    "a file of another package": Case("neighbour.py", ","),
    "a file of another package with its hash": Case("neighbour.py", "NEIGHBOUR,"),
    "metadata of another package": Case("neighbour-1.0.dist-info/METADATA", ","),
    "the list of another package": Case("neighbour-1.0.dist-info/RECORD", ","),
}
NAMES = {case: f"stranger{number}" for number, case in enumerate(CASES)}


@dataclass(frozen=True)
class Left:
    """What there was before, and what an operation left and said."""

    site: Path
    before: dict[str, str]
    said: str
    status: str


def path_of(site: Path, case: Case) -> Path:
    line = case.line.replace("PYTHON", site.parent.name)
    return Path(os.path.normpath(site / line))


def look(path: Path) -> str:
    """Return what a path is and holds; folders with all below."""
    if path.is_symlink():
        return f"link {path.readlink()}"
    if path.is_dir():
        return f"folder {sorted((str(p.relative_to(path)), look(p)) for p in path.iterdir())}"
    if path.is_file():
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return "pipe" if path.exists() else "gone"


def put_what_is_mine(site: Path) -> None:
    prefix = site.parents[2]
    paths = [site / p for p in SITE_FILES.values() if ".." not in p]
    paths += [prefix / PREFIX_FILES[n] for n in ("a script of mine", "a document", "a setting")]
    paths += [
        prefix / "notes.txt",
        site.parent / "mymodule.py",
        site.parent / "lib-dynload/mine.so",
    ]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(MINE if path.suffix != ".pth" else "# mine\n")
    (site / "empty.py").touch()
    (site / "link.py").symlink_to("mynotes.py")
    (prefix / "elsewhere").mkdir()
    (prefix / "elsewhere" / "elsewhere.txt").write_text(MINE)
    (site / "linked").symlink_to(prefix / "elsewhere")
    (site / "dangling.py").symlink_to("nowhere")
    os.mkfifo(site / "pipe")
    if not (prefix / "lib64").exists():
        (prefix / "lib64").symlink_to("lib")


def make_wheels(desk: Desk, version: str, *, phantoms: bool) -> None:
    site, activate = desk.environment.site_packages, desk.environment.prefix / "bin" / "activate"
    neighbour = hashed((desk.wheels / "neighbour.py").read_text())
    for key, case in CASES.items():
        line = case.line.replace("PYTHON", site.parent.name)
        rest = case.rest.replace("ACTIVATE", hashed(activate.read_text()))
        own = {f"{NAMES[key]}/__init__.py": f"__version__ = {version!r}\n"}
        own |= {f"beside/{NAMES[key]}.py": "x = 1\n"} if "beside" in line else {}
        phantom = f"{line},{rest.replace('NEIGHBOUR', neighbour)}\n" if phantoms else ""
        make_wheel(desk.wheels, NAMES[key], version, modules=own, phantoms=phantom)


def ours(desk: Desk, *words: str) -> tuple[str, str]:
    done = desk.environment.run(
        "-m", "safeinstall", *words, "--json", settings=desk.settings, cwd=desk.notebooks
    )
    assert done.stdout, done.stderr
    outcome = json.loads(done.stdout)
    messages = [finding["message"] for finding in outcome["findings"]]
    return outcome["status"], " ".join([*messages, done.stderr])


@pytest.fixture(scope="module", params=["uninstall", "upgrade"])
def left(shared_desk: Desk, request: pytest.FixtureRequest) -> Iterator[Left]:
    """Install all wheels through pip, then remove them, or replace them by what has no phantoms."""
    desk, site = shared_desk, shared_desk.environment.site_packages
    kept = site.parents[2].with_name("kept")
    shutil.copytree(site.parents[2], kept, symlinks=True)
    (desk.wheels / "neighbour.py").write_text("theirs = 1\n")
    make_wheel(desk.wheels, "neighbour", modules={"neighbour.py": "theirs = 1\n"})
    make_wheels(desk, "1.0", phantoms=True)
    put_what_is_mine(site)
    run, names = desk.environment.run, NAMES.values()
    words = ("--no-deps", "--no-index", "--find-links", str(desk.wheels), "neighbour", *names)
    done = run("-m", "pip", "install", "-q", *words, settings=desk.settings)
    assert done.returncode == 0, done.stderr
    before = {key: look(path_of(site, case)) for key, case in CASES.items()}
    assert "gone" not in before.values()
    if request.param == "uninstall":
        status, said = ours(desk, "uninstall", *names)
    else:
        make_wheels(desk, "2.0", phantoms=False)
        status, said = ours(desk, "install", "--no-deps", *(f"{name}==2.0" for name in names))
    yield Left(site, before, said, status)
    shutil.rmtree(site.parents[2])
    kept.rename(site.parents[2])


@pytest.mark.parametrize("key", CASES)
def test_what_a_record_only_names_stays(left: Left, key: str) -> None:
    assert left.status == "done", left.said
    assert look(path_of(left.site, CASES[key])) == left.before[key]


def test_what_was_left_is_said_and_what_is_the_packages_own_is_gone(left: Left) -> None:
    assert "it was left" in left.said or "they were left" in left.said
    version = "2.0" if list(left.site.glob("stranger0-2.0*")) else ""
    for name in NAMES.values():
        assert (left.site / name / "__init__.py").exists() == bool(version)
        assert not (left.site / f"{name}-1.0.dist-info").exists()


@pytest.mark.parametrize(
    "line", ["/etc/mine", "../../../../../mine.txt", "../../../.safeinstall/x"]
)
@pytest.mark.parametrize("way", ["uninstall", "upgrade"])
def test_a_line_that_leads_out_of_the_environment_stops_it(desk: Desk, line: str, way: str) -> None:
    site = desk.environment.site_packages
    make_wheel(desk.wheels, "outside", phantoms=f"{line},,\n")
    words = ("-q", "--no-deps", "--no-index", "--find-links", str(desk.wheels), "outside")
    done = desk.environment.run("-m", "pip", "install", *words, settings=desk.settings)
    assert done.returncode == 0, done.stderr
    mine = Path(os.path.normpath(site / "../../../../../mine.txt"))
    mine.write_text(MINE)
    make_wheel(desk.wheels, "outside", "2.0")
    upgrade = ("install", *desk.offline.split(), "outside==2.0")
    status, said = ours(desk, *(("uninstall", "outside") if way == "uninstall" else upgrade))
    assert status in ("failed", "refused")
    assert "lies outside the environment" in said
    assert mine.read_text() == MINE
    assert (site / "outside-1.0.dist-info").exists()
