"""Stop, restart and death of a real kernel in each phase: old or new, alive, nobody left behind."""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from integration.conftest import Desk
from integration.test_install_interrupt import wait_for
from safeinstall.transaction.store.lock import start_time
from support.killing import litter, running_in
from support.places import Place, Tree, differences, tree
from support.wheels import make_sdist, make_wheel

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs /proc"),
]


@contextmanager
def silent_index(asked: threading.Event) -> Iterator[str]:
    """Accept every connection and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(30)
        kept: list[socket.socket] = []

        def accept() -> None:
            try:
                while True:
                    kept.append(server.accept()[0])
                    asked.set()
            except OSError:
                return

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple/"
        for connection in kept:
            connection.close()


def wait_for_state(prefix: Path, states: tuple[str, ...], seconds: float = 30) -> None:
    """Wait, without sleeping, until a transaction of the environment is in one of the states."""
    transactions = prefix / ".safeinstall" / "transactions"
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for one in os.scandir(transactions) if transactions.exists() else ():
            for state in states:
                if os.path.exists(f"{one.path}/state.{state}"):  # noqa: PTH110
                    return
    raise TimeoutError(f"no transaction came to {states}")


@pytest.fixture
def ends(desk: Desk) -> tuple[Tree, Tree]:
    """Install `many 1.0`; return the environment as it is, and as an upgrade would make it."""
    for version in ("1.0", "2.0"):
        line = f"__version__ = {version!r}\n"
        modules = {"many/__init__.py": line}
        modules |= {f"shared/m{number}.py": line for number in range(40)}
        make_wheel(desk.wheels, "many", version, modules=modules)
    make_wheel(desk.wheels, "stays", modules={"shared/stays.py": ""})
    ours = ("-m", "safeinstall")
    install = (*ours, "install", *desk.offline.split())
    run = desk.environment.run
    assert run(*install, "many==1.0", "stays", settings=desk.settings).returncode == 0
    old = tree(desk.environment.prefix)
    assert run(*install, "many==2.0", settings=desk.settings).returncode == 0
    new = tree(desk.environment.prefix)
    assert run(*ours, "undo", settings=desk.settings).returncode == 0
    assert differences(old, tree(desk.environment.prefix)) == []
    return old, new


def assert_old_or_new(desk: Desk, ends: tuple[Tree, Tree]) -> str:
    """Compare every byte; return the version that a new process imports."""
    now = tree(desk.environment.prefix)
    assert now in ends, (differences(ends[0], now)[:5], differences(ends[1], now)[:5])
    assert litter(desk.environment.prefix) == []
    version = desk.environment.version_of("many", {**desk.settings, "PYTHONDONTWRITEBYTECODE": "1"})
    assert version == ("1.0" if now == ends[0] else "2.0")
    return version


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_an_interrupt_while_it_plans(desk: Desk, installer: str) -> None:
    before = tree(desk.environment.prefix)
    asked = threading.Event()
    with desk.kernel() as kernel, silent_index(asked) as address:
        request = kernel.send(
            f"%safeinstall --installer {installer} --index-url {address} somewhere-else"
        )
        assert asked.wait(30)
        kernel.interrupt()
        stopped = kernel.result(request, timeout=20)
        assert "Interrupted; nothing changed." in stopped.traceback
        assert kernel.run("1 + 1").data["text/plain"] == "2"
        needle = [line for line in running_in(desk.environment.prefix) if address in line]
    assert needle == []
    assert tree(desk.environment.prefix) == before


@pytest.mark.parametrize("state", ["leaving", "arriving", "committed"])
def test_an_interrupt_while_it_commits(desk: Desk, ends: tuple[Tree, Tree], state: str) -> None:
    with desk.kernel() as kernel:
        request = kernel.send(f"%safeinstall {desk.offline} many==2.0")
        states = {"leaving": ("leaving", "arriving"), "arriving": ("arriving",)}
        if state in states:
            wait_for_any_of(desk, states[state])
        else:
            wait_for_fourth(desk)
        kernel.interrupt()
        kernel.result(request, timeout=60)
        version = assert_old_or_new(desk, ends)
        assert kernel.run("import many; many.__version__").data["text/plain"] == repr(version)
        again = kernel.run(f"%safeinstall {desk.offline} many==2.0")
        assert again.outcome["status"] == ("done" if version == "1.0" else "satisfied")


def wait_for_any_of(desk: Desk, states: tuple[str, ...]) -> None:
    """Wait until the commit is on its way, or over: it takes a millisecond."""
    try:
        wait_for_state(desk.environment.prefix, states, seconds=8)
    except TimeoutError:
        return  # too quick to be seen


def wait_for_fourth(desk: Desk) -> None:
    """Wait until a transaction is committed: there are three, two installs and an undo."""
    transactions = desk.environment.prefix / ".safeinstall" / "transactions"
    end = time.monotonic() + 30
    while len(list(transactions.glob("*/state.committed"))) < 4 and time.monotonic() < end:
        pass


def test_a_kernel_that_dies_while_it_commits(desk: Desk, ends: tuple[Tree, Tree]) -> None:
    with desk.kernel() as kernel:
        kernel.send(f"%safeinstall {desk.offline} many==2.0")
        wait_for_any_of(desk, ("leaving", "arriving"))
        kernel.kill()
        kernel.restart()
        loaded = kernel.run("%load_ext safeinstall")
        assert loaded.ok
        version = assert_old_or_new(desk, ends)
        assert kernel.run("import many; many.__version__").data["text/plain"] == repr(version)


@pytest.mark.parametrize("ending", ["restart", "kill"])
def test_a_kernel_that_ends_while_an_installer_builds(
    desk: Desk, tmp_path: Path, ending: str
) -> None:
    started = tmp_path / "started"
    make_sdist(desk.wheels, "slow", sleep=60, started=str(started))
    before = tree(desk.environment.prefix)
    with desk.kernel() as kernel:
        kernel.send(f"%safeinstall --allow-build slow {desk.offline} slow")
        wait_for(started)
        if ending == "kill":
            kernel.kill()
        kernel.restart()
        assert kernel.run("%load_ext safeinstall").ok
        assert litter(desk.environment.prefix) == []
        stage = str(desk.environment.prefix / ".safeinstall")
        assert [line for line in running_in(Path(stage)) if "uv" in line] == []
        assert tree(desk.environment.prefix) == before
        assert kernel.run(f"%safeinstall {desk.offline} tinypkg").outcome["status"] == "done"


def test_recovery_ends_the_installer_that_outlived_its_kernel(desk: Desk, tmp_path: Path) -> None:
    started = tmp_path / "started"
    make_sdist(desk.wheels, "slow", sleep=60, started=str(started))
    with desk.kernel() as kernel:
        kernel.send(f"%safeinstall --allow-build slow {desk.offline} slow")
        wait_for(started)
        (journal,) = (desk.environment.prefix / ".safeinstall/transactions").glob("*/journal.json")
        installer = int(json.loads(journal.read_text())["installer"][0])
        assert start_time(installer)
        kernel.kill()
        place = Place(tmp_path)
        recover = ["-m", "safeinstall", "recover", "--python", str(desk.environment.python)]
        done = place.attempt([sys.executable, *recover])
        assert done.returncode == 0, done.stderr
        assert not start_time(installer)  # it may still be a zombie that nobody has waited for
        assert running_in(desk.environment.prefix / ".safeinstall") == []
    assert litter(desk.environment.prefix) == []
