"""A password of an index stays off every command line, and out of all that is kept or shown."""

from __future__ import annotations

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from integration.conftest import Desk
from support.indexes import private
from support.wheels import make_project, make_wheel

pytestmark = [pytest.mark.integration, pytest.mark.attack("secrets on command lines")]

PASSWORDS = {
    "apostrophe": "it's-a-s3cret",
    "signs": "p@ss#w/o:rd?x&y",
    "percent": "100%-s3cret",
    "blank": "two words",
    "quotes": 'say "no" \\ never',
    "unicode": "schlüsselwört",
}


@contextmanager
def watched() -> Iterator[set[str]]:
    """Collect the command lines of all processes while the block runs."""
    seen: set[str] = set()
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.002):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes().decode("utf-8", "replace"))
                except OSError:
                    continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def kept_by(desk: Desk) -> str:
    """Return all that is kept of the transactions."""
    area = desk.environment.prefix / ".safeinstall"
    return "\n".join(p.read_text("utf-8", "replace") for p in area.rglob("*") if p.is_file())


def repository(folder: Path) -> Path:
    """Make a repository that a server of files can hand out."""
    project = make_project(folder / "sources", "from_git")
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@example.invalid", "-C", str(project)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *words], check=True)
    bare = folder / "from-git.git"
    subprocess.run(["git", "clone", "-q", "--bare", str(project), str(bare)], check=True)
    subprocess.run(["git", "-C", str(bare), "update-server-info"], check=True)
    return bare


CASES = [
    *(("uv", kind) for kind in ("signs", "quotes", "unicode")),
    *(("pip", kind) for kind in PASSWORDS if kind != "unicode"),  # pip sends Latin-1
]


@pytest.mark.parametrize(("installer", "kind"), CASES)
def test_the_password_of_an_index_is_nowhere(
    desk: Desk, tmp_path: Path, installer: str, kind: str
) -> None:
    password = PASSWORDS[kind]
    written = quote(password, safe="")
    make_wheel(tmp_path / "served", "from-index")
    make_wheel(tmp_path / "served", "from-place")
    with private(tmp_path / "served", tmp_path / "root", "ana", password) as host:
        base = f"http://ana:{written}@{host}"
        (wheel,) = (tmp_path / "root" / "simple" / "from-place").glob("*.whl")
        place = f"from-place @ {base}/simple/from-place/{wheel.name}"
        words = f'--installer {installer} --index-url "{base}/simple/" -f "{base}/links/"'
        (tmp_path / "root" / "links").mkdir()
        with desk.kernel(PIP_INDEX_URL=f"{base}/simple") as kernel, watched() as lines:
            done = kernel.run(f"%safeinstall -v {words} --allow-direct from-index '{place}'")
            assert done.ok, done.everything
            assert kernel.run("import from_index, from_place").ok
            failed = kernel.run(f"%safeinstall {words} no-such-thing")
            assert not failed.ok
            looks = ("%safeundo --list", "%kernelenv", "%kernelenv --doctor --json")
            told = "".join(kernel.run(look).everything for look in looks)
        assert any("from-index" in line for line in lines), "somebody looked"
        texts = "\n".join([*lines, kept_by(desk), done.everything, failed.everything])
        for secret in {password, written}:
            assert secret not in texts + told, [t for t in lines if secret in t]


@pytest.mark.skipif(shutil.which("git") is None, reason="a repository is what git makes")
@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_the_password_of_a_repository_is_not_seen_by_git_either(
    desk: Desk, tmp_path: Path, installer: str
) -> None:
    password = PASSWORDS["signs"]
    written = quote(password, safe="")
    repository(tmp_path / "root")
    with private(tmp_path / "none", tmp_path / "root", "ana", password) as host:
        place = f"git+http://ana:{written}@{host}/from-git.git"
        with desk.kernel() as kernel, watched() as lines:
            words = f"--installer {installer} --no-index"
            asked = kernel.run(f"%safeinstall {words} {place}")
            assert "building it would run code" in " ".join(asked.evalue.split())
            line = f"%safeinstall {words} --allow-build from-git 'from-git @ {place}'"
            done = kernel.run(line)
            assert done.ok, done.everything
            assert kernel.run("import from_git").ok
        assert any("from-git.git" in line for line in lines), "somebody looked"
        for secret in {password, written}:
            told = asked.everything + done.everything
            assert secret not in "\n".join([*lines, kept_by(desk), told])


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_what_a_build_needs_comes_from_a_private_index_unseen(
    desk: Desk, tmp_path: Path, installer: str
) -> None:
    password = PASSWORDS["apostrophe"]
    make_wheel(tmp_path / "served", "build-help")
    text = make_project(desk.notebooks / "built", "built") / "pyproject.toml"
    text.write_text(text.read_text().replace("requires = []", 'requires = ["build-help"]'))
    with private(tmp_path / "served", tmp_path / "root", "ana", password) as host:
        index = f"http://ana:{quote(password, safe='')}@{host}/simple/"
        with desk.kernel(PIP_INDEX_URL=index) as kernel, watched() as lines:
            done = kernel.run(f"%safeinstall --installer {installer} ./built")
            assert done.ok, done.everything
    seen = [line for line in lines if password in line or quote(password, safe="") in line]
    assert seen == []
    assert password not in kept_by(desk) + done.everything
