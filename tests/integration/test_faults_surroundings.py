"""A full disk, a disk that turns read-only, a network that goes away: nothing is left of it."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from integration.test_install_interrupt import wait_for
from support import privileges
from support.killing import litter
from support.places import Place, differences, tree
from support.wheels import make_sdist, make_wheel

pytestmark = pytest.mark.integration

LIMITED = """
import os, resource, sys
limit = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


def bulky(place: Place, version: str) -> None:
    """Make a wheel of one large file and a few hundred small ones."""
    modules = {f"bulky/m{number}.py": f"# {version}\n" for number in range(300)}
    text = os.urandom(400_000).hex()
    modules |= {"bulky/__init__.py": f"v = {version!r}\n", "bulky/big.py": f"# {text}\n"}
    make_wheel(place.wheels, "bulky", version, modules=modules)


def prepared(folder: Path) -> Place:
    """Return an environment with `bulky 1.0`, and the wheel of 2.0."""
    place = Place(folder)
    place.make()
    for version in ("1.0", "2.0"):
        bulky(place, version)
    place.installed("bulky==1.0")
    return place


def assert_one_sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 8, done.stderr
    assert "Nothing changed." in done.stderr, done.stderr
    return " ".join(done.stderr.split())


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_limit_on_the_size_of_files(tmp_path: Path, installer: str) -> None:
    """The larger the limit, the later it strikes: unpacking, journal, or not at all."""
    place = prepared(tmp_path)
    before = tree(place.prefix)
    outcomes = []
    for limit in (0, 4_000, 60_000, 500_000):
        command = place.line("install", "--installer", installer, "bulky==2.0")[1:]
        done = place.attempt([sys.executable, "-c", LIMITED, str(limit), *command])
        outcomes.append(done.returncode)
        assert_one_sentence(done)
        assert differences(before, tree(place.prefix)) == []
        assert litter(place.prefix) == []
    assert outcomes == [1, 1, 1, 1]
    place.installed("--installer", installer, "bulky==2.0")


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """Mount a small disk in memory, where that is allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0755", "none", str(folder)]
    if not privileges.can_switch() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_with_less_and_less_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "24m") as disk:
        place = prepared(disk)
        before = tree(place.prefix)
        ballast = disk / "ballast"
        full = named = 0
        for room in (0, 20_000, 400_000, 1_100_000, 1_900_000):
            ballast.unlink(missing_ok=True)
            ballast.touch()
            free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            with ballast.open("wb") as file, contextlib.suppress(OSError):
                for _ in range(max(0, free - room) // 4096):
                    file.write(b"x" * 4096)
                    file.flush()
            done = place.safeinstall("install", "bulky==2.0")
            if done.returncode:
                full += 1
                words = assert_one_sentence(done)
                assert "is full" not in words or "The disk of ~/env is full" in words
                named += "is full" in words
                assert differences(before, tree(place.prefix)) == []
            else:
                place.run(place.line("undo"))
                assert differences(before, tree(place.prefix)) == []
            assert litter(place.prefix) == []
        assert full >= 3
        assert named
        ballast.unlink()
        place.installed("bulky==2.0")


def test_a_disk_that_is_full_once_everything_is_unpacked(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "24m") as disk:
        place = Place(disk)
        place.make()
        parts = [f"part{number}" for number in range(4)]
        for name in parts:
            make_wheel(place.wheels, name)
        make_wheel(place.wheels, "whole", requires=parts)
        place.installed("whole")
        place.run(place.line("undo"))
        before, kept = tree(place.prefix), litter(place.prefix)
        ballast = disk / "ballast"
        said = set()
        for room in range(0, 200_000, 4096):  # the blocks of such a disk
            free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            ballast.write_bytes(b"x" * max(0, free - room))
            done = place.safeinstall("install", "whole")
            ballast.unlink()
            if done.returncode == 0:
                break
            said.add(assert_one_sentence(done))
            assert differences(before, tree(place.prefix)) == []
            assert litter(place.prefix) == kept
        assert done.returncode == 0, done.stderr
        assert len(said) > 2, said


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Take the right to change a folder, also from root where the file system knows how."""
    if privileges.can_switch():
        if subprocess.run(["chattr", "+i", str(folder)], capture_output=True).returncode:
            pytest.skip("this file system has no immutable folders")
    else:
        folder.chmod(0o555)
    try:
        yield
    finally:
        if privileges.can_switch():
            subprocess.run(["chattr", "-i", str(folder)], check=True)
        else:
            folder.chmod(0o755)


def test_a_folder_that_turns_read_only_in_the_middle(tmp_path: Path) -> None:
    """The commit begins, comes to a folder that cannot be changed, and takes everything back."""
    place, started = Place(tmp_path), tmp_path / "started"
    place.make()
    for version in ("1.0", "2.0"):
        line = f"v = {version!r}\n"
        make_wheel(place.wheels, "first", version, modules={"first/__init__.py": line})
        make_wheel(place.wheels, "nsp-part", version, modules={"shared/part.py": line})
    make_wheel(place.wheels, "stays", modules={"shared/stays.py": ""})
    place.installed("first==1.0", "nsp-part==1.0", "stays")
    make_sdist(place.wheels, "slow", sleep=3, started=str(started))
    before = tree(place.prefix)
    command = place.line("install", "--allow-build", "slow", "slow", "first==2.0", "nsp-part==2.0")
    ours = subprocess.Popen(
        command, env=place.settings, cwd=tmp_path, text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    wait_for(started)
    with read_only(place.site / "shared"):
        out, err = ours.communicate(timeout=60)
    assert_one_sentence(subprocess.CompletedProcess([], ours.returncode, out, err))
    assert differences(before, tree(place.prefix)) == []
    assert litter(place.prefix) == []
    place.installed("first==2.0", "nsp-part==2.0")


class _Flaky(BaseHTTPRequestHandler):
    """An index that hangs up in the middle of every wheel."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.folder = folder
        super().__init__(*arguments)  # type: ignore[arg-type]

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the test's own output is enough."""

    def do_GET(self) -> None:
        """Send the list of wheels as a whole, and a wheel by half."""
        whole = self.path.endswith("/")
        links = "".join(f'<a href="{w.name}">{w.name}</a>' for w in self.folder.glob("*.whl"))
        body = links.encode() if whole else (self.folder / Path(self.path).name).read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if whole else "application/octet-stream")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body if whole else body[: len(body) // 2])
        self.close_connection = True


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_a_network_that_goes_away_in_the_middle(tmp_path: Path, installer: str) -> None:
    place = prepared(tmp_path / "here")
    elsewhere = tmp_path / "elsewhere"
    make_wheel(elsewhere, "remote", modules={"remote.py": f"# {os.urandom(200_000).hex()}\n"})
    before = tree(place.prefix)
    handler = functools.partial(_Flaky, elsewhere)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        settings = {
            "PIP_NO_INDEX": "", "PIP_FIND_LINKS": "", "PIP_RETRIES": "1", "UV_HTTP_RETRIES": "1",
            "PIP_INDEX_URL": f"http://127.0.0.1:{server.server_address[1]}/simple",
        }  # fmt: skip
        command = ("--installer", installer, "remote")
        done = place.safeinstall("install", *command, **settings)
    finally:
        server.shutdown()
        server.server_close()
    words = assert_one_sentence(done)
    assert any(word in words for word in ("remote", "127.0.0.1", "connection")), words
    assert differences(before, tree(place.prefix)) == []
    assert litter(place.prefix) == []
