"""Only the transaction's room writes into an environment; and what is read there is read once."""

from __future__ import annotations

import collections
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import Desk
from support.environments import Workshop
from support.wheels import make_wheel

pytestmark = pytest.mark.integration

WATCHER = r"""
import json, os, sys
from pathlib import Path

out, prefix, words = sys.argv[1], os.path.realpath(sys.argv[2]), sys.argv[3:]
ROOM = os.path.join("safeinstall", "transaction", "")
WRITES = {  # at which places in the arguments are paths, and what each is relative to
    "os.mkdir": {0: 2}, "os.rmdir": {0: 1}, "os.remove": {0: 1}, "os.rename": {0: 2, 1: 3},
    "os.symlink": {1: 2}, "os.link": {1: 3}, "os.chmod": {0: 2}, "os.chown": {0: 3},
    "os.truncate": {0: 9},
}
FLAGS = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
written, foreign, listed, read = [], [], [], []


def place(path, folder=-1):
    if isinstance(path, int):
        return ""
    path = os.fsdecode(path)
    if not os.path.isabs(path):
        inside = isinstance(folder, int) and folder >= 0
        path = os.path.join(os.readlink(f"/proc/self/fd/{folder}") if inside else os.getcwd(), path)
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


def hook(event, args):
    if event in ("os.listdir", "os.scandir"):
        listed.append(place(args[0] or "."))
    elif event == "open":
        path, mode, flags = args
        if not isinstance(path, (str, bytes)):
            return
        if isinstance(flags, int) and flags & FLAGS:
            note(event, place(path))
        else:
            read.append(place(path))
    elif event in WRITES:
        for at, folder in WRITES[event].items():
            note(event, place(args[at], args[folder] if folder < len(args) else -1))


def note(event, path):
    if not (path == prefix or path.startswith(prefix + os.sep)):
        return
    written.append([event, path])
    frame = sys._getframe()
    while frame:
        if ROOM in frame.f_code.co_filename:
            return
        frame = frame.f_back
    foreign.append([event, path])


import safeinstall.cli

sys.addaudithook(hook)
status = safeinstall.cli.main(words)
found = {"status": status, "written": written, "foreign": foreign, "listed": listed, "read": read}
Path(out).write_bytes(json.dumps(found).encode())
"""


def watched(desk: Desk, prefix: Path, *words: str, **settings: str) -> Mapping[str, Any]:
    """Run a command line in the kernel's environment, and return what it did to `prefix`."""
    answer = desk.notebooks / "watched.json"
    known = {**desk.settings, **settings}
    done = desk.environment.run(
        "-B", "-c", WATCHER, answer, prefix, *words, settings=known, cwd=desk.notebooks
    )
    assert answer.exists(), done.stderr
    found: dict[str, Any] = json.loads(answer.read_text())
    answer.unlink()
    assert found["status"] == 0, done.stderr
    return found


def test_only_the_transaction_writes_into_the_environment(desk: Desk) -> None:
    prefix = desk.environment.prefix
    links = desk.offline.split()
    make_wheel(desk.wheels, "tinypkg", "2.0")
    for words in (
        ("install", *links, "tinypkg==1.0"),
        ("install", *links, "tinypkg==2.0"),
        ("undo",),
        ("uninstall", "tinypkg"),
        ("undo",),
        ("install", *links, "--force-reinstall", "tinypkg"),
    ):
        found = watched(desk, prefix, *words)
        assert found["foreign"] == [], words
        assert any("site-packages" in path for _, path in found["written"]), words


@pytest.mark.parametrize("options", [(), ("--overlay",)], ids=["whole", "overlay"])
def test_only_the_transaction_writes_into_a_new_environment(
    desk: Desk, workshop: Workshop, options: tuple[str, ...]
) -> None:
    new = desk.notebooks / "new"
    links = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"{desk.wheels} {workshop.wheels}"}
    cache = {"UV_CACHE_DIR": str(workshop.cache / "uv")}
    found = watched(desk, new, "new-env", str(new), *options, "tinypkg", **links, **cache)
    assert found["foreign"] == []
    assert [path for _, path in found["written"] if ".safeinstall-unfinished" in path]


@pytest.mark.parametrize("before", ["", "tinypkg==1.0"], ids=["new", "upgrade"])
def test_an_install_lists_the_packages_seldom_and_reads_each_file_once(
    desk: Desk, before: str
) -> None:
    site = os.path.realpath(desk.environment.site_packages)
    links = desk.offline.split()
    make_wheel(desk.wheels, "tinypkg", "3.0")
    if before:
        watched(desk, desk.environment.prefix, "install", *links, before)
    found = watched(desk, desk.environment.prefix, "install", *links, "tinypkg==3.0")
    assert found["listed"].count(site) <= 3
    metadata = [
        path
        for path in found["read"]
        if path.endswith((".dist-info/RECORD", ".dist-info/METADATA")) and path.startswith(site)
    ]
    assert {path: n for path, n in collections.Counter(metadata).items() if n > 1} == {}
    assert len(metadata) > 10
