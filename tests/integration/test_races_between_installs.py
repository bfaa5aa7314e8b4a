"""Many installs of one environment at the same time: each whole, none lost, nobody in silence."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from uv import find_uv_bin

from integration.conftest import Desk
from integration.test_install_interrupt import wait_for
from safeinstall import operations, render
from safeinstall.operations import carry_out
from safeinstall.request import UndoRequest, parse_uninstall
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.transaction import remove_distributions
from support.examples import examples
from support.indexes import moody
from support.kernels import Kernel
from support.killing import litter
from support.places import Place, tree
from support.racing import Race
from support.wheels import make_sdist, make_wheel

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL"),
]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.make()
    for version in ("1.0", "1.5", "2.0"):
        make_wheel(place.wheels, "tinypkg", version)
    return place


def start(place: Place, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    """Start an install that goes on by itself."""
    return subprocess.Popen(
        place.line("install", *arguments),
        env={**place.settings, **settings}, cwd=place.folder, text=True, start_new_session=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.timeout(3000)
def test_eight_installs_at_once_all_arrive_each_time(tmp_path: Path) -> None:
    race = Race(tmp_path)
    race.prepare()
    for number in range(examples(5)):
        race.round(number)


@pytest.mark.parametrize("foreign", ["uv", "pip"])
def test_a_foreign_installer_in_between_is_noticed_and_planned_around(
    place: Place, tmp_path: Path, foreign: str
) -> None:
    place.installed("tinypkg==1.0")
    make_wheel(place.wheels, "foreign")
    started = tmp_path / "started"
    make_sdist(place.wheels, "slow", sleep=3, started=str(started))
    ours = start(place, "--json", "--allow-build", "slow", "slow", "tinypkg==2.0")
    wait_for(started)
    tool = [find_uv_bin(), "pip", "install", "-q", "--python", str(place.python)]
    if foreign == "pip":
        tool = [sys.executable, "-m", "pip", "--python", str(place.python), "install", "-q"]
    links = ["--no-index", "--find-links", str(place.wheels)]
    place.run([*tool, *links, "tinypkg==1.5", "foreign"])
    out, err = ours.communicate(timeout=60)
    assert ours.returncode == 0, err
    versions = {each["name"]: each["before"] for each in json.loads(out)["plan"]["changes"]}
    assert versions == {"slow": None, "tinypkg": "1.5"}
    assert place.imports("import tinypkg, slow; print(tinypkg.__version__)") == "2.0"
    assert list(place.site.glob("foreign-*"))
    assert len(list(place.site.glob("tinypkg-*"))) == 1


def test_no_wait_refuses_at_once_and_names_the_holder(place: Place) -> None:
    before = tree(place.prefix)
    with Store.open(str(place.prefix)).lock(command="a long install"):
        began = time.monotonic()
        done = place.safeinstall("install", "--no-wait", "tinypkg")
        assert time.monotonic() - began < 20
    assert done.returncode == 1
    assert f"Process {os.getpid()}" in done.stderr
    assert "a long install" in done.stderr
    assert tree(place.prefix) == before


def test_no_wait_does_not_wait_for_an_install_whose_index_does_not_answer(
    place: Place, tmp_path: Path
) -> None:
    with moody(place.wheels, tmp_path / "index") as index:
        index.turn("stalling")
        asking = start(place, "--index-url", index.address, "unheard-of", PIP_NO_INDEX="0")
        try:
            assert index.asked.wait(20)
            began = time.monotonic()
            assert place.safeinstall("install", "--no-wait", "tinypkg").returncode == 0
            assert time.monotonic() - began < 10
        finally:
            os.killpg(asking.pid, signal.SIGKILL)
            asking.communicate()


@pytest.mark.parametrize(
    ("meanwhile", "status", "said"),
    [
        ("needs-tiny", 3, "needs-tiny 1.0 needs tinypkg>=1"),
        ("tinypkg==2.0", 0, "tinypkg 2.0 removed"),
    ],
)
def test_what_came_while_a_removal_waited_is_judged_with_the_rest(
    place: Place, meanwhile: str, status: int, said: str
) -> None:
    make_wheel(place.wheels, "needs-tiny", requires=["tinypkg>=1"])
    place.installed("tinypkg==1.0")
    waits = Event()

    def listen(words: str) -> None:
        if "waiting for" in words:
            waits.set()

    context = operations.there(str(place.python), listen)
    with ThreadPoolExecutor() as pool:
        lock = Store.open(str(place.prefix)).lock()
        removal = pool.submit(carry_out, parse_uninstall("tinypkg", cwd=str(place.folder)), context)
        assert waits.wait(20)
        install = [find_uv_bin(), "pip", "install", "-q", "--python", str(place.python)]
        place.run([*install, "--no-index", "--find-links", str(place.wheels), meanwhile])
        lock.release()
        outcome: Any = removal.result(30)
    assert outcome.exit_status == status
    assert said in render.as_text(render.outcome_message(outcome))


def test_an_undo_that_waited_takes_back_what_was_the_last_when_it_was_typed(place: Place) -> None:
    make_wheel(place.wheels, "other")
    place.installed("other")
    place.installed("tinypkg")
    waits = Event()
    context = operations.there(str(place.python), lambda words: waits.set())
    with ThreadPoolExecutor() as pool:
        area = Store.open(str(place.prefix))
        with area.lock():
            undone = pool.submit(carry_out, UndoRequest(), context)
            assert waits.wait(20)
            going = [str(path) for path in place.site.glob("other-*")]
            remove_distributions(area, going, "another notebook")
        result: Any = undone.result(30)
        assert result.status == "done"
    assert not list(place.site.glob("tinypkg*"))
    assert not list(place.site.glob("other*"))


def test_a_holder_that_died_is_nobody_to_wait_for(place: Place) -> None:
    child = os.fork()
    if child == 0:
        try:
            Store.open(str(place.prefix)).lock(command="will die")
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    assert "will die" in (place.prefix / ".safeinstall" / "lock").read_text()
    assert place.safeinstall("install", "--no-wait", "tinypkg").returncode == 0
    assert litter(place.prefix) == []


def shown_until(kernel: Kernel, words: str) -> list[str]:
    """Return what a cell shows up to and with these words."""
    seen: list[str] = []
    end = time.monotonic() + 30
    while time.monotonic() < end and not any(words in shown for shown in seen):
        message = kernel.message(timeout=end - time.monotonic())
        if message["msg_type"] in ("display_data", "update_display_data"):
            seen.append(message["content"]["data"]["text/plain"])
    return seen


def test_a_second_safeinstall_waits_visibly_and_goes_on(desk: Desk) -> None:
    with desk.kernel() as kernel, Store.open(str(desk.environment.prefix)).lock() as lock:
        request = kernel.send(f"%safeinstall {desk.offline} tinypkg", watched=True)
        seen = shown_until(kernel, "waiting for")
        assert f"process {os.getpid()}" in seen[-1]
        lock.release()
        assert kernel.result(request).outcome["status"] == "done"


def test_an_install_that_is_kept_waiting_by_its_index_says_so(desk: Desk, tmp_path: Path) -> None:
    with moody(tmp_path, tmp_path / "index") as index, desk.kernel() as kernel:
        index.turn("stalling")
        line = f"%safeinstall --index-url {index.address} unheard-of"
        request = kernel.send(line, watched=True)
        seen = shown_until(kernel, "waiting for the index")
        assert seen[0] == "… looking up what is needed"
        kernel.interrupt()
        assert "Interrupted; nothing changed" in kernel.result(request).everything
