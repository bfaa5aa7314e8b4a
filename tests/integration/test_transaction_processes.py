"""Transactions among other processes: contention, orphans, limits, and being killed at random."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from safeinstall.errors import TransactionError, UndoRefused
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.store.lock import start_time
from safeinstall.transaction.transaction import remove_distributions
from safeinstall.transaction.undo import undo_transaction
from support.environments import Workshop
from support.privileges import ORDINARY, can_switch
from support.wheels import make_wheel
from test_transaction_trees import (
    SITE,
    begin,
    dist_infos,
    environment,
    install,
    package,
    tree,
)
from test_transaction_trees import no_waiting as no_waiting

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL"),
]

ONE, ONE_NEXT = package("one", "1.0"), package("one", "2.0")
PROCESSES, ROUNDS = 8, 5


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    return environment(tmp_path / "env", [ONE])


def test_eight_processes_at_once_take_turns(prefix: Path) -> None:
    counter = prefix / "counter"
    counter.write_text("0")
    children = []
    for number in range(PROCESSES):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for turn in range(ROUNDS):
                    mine = package(f"p{number}", str(turn + 1))
                    before = [package(f"p{number}", str(turn))] if turn else []
                    area = Store.open(str(prefix))
                    with area.lock(timeout=60):
                        assert recover_store(area) is None  # nobody left anything half-done
                        begin(area, [mine]).commit(dist_infos(prefix, before))
                        seen = int(counter.read_text())
                        counter.write_text(str(seen + 1))
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0] * PROCESSES
    assert counter.read_text() == str(PROCESSES * ROUNDS)
    assert len(Store.open(str(prefix)).history()) == PROCESSES * ROUNDS
    for number in range(PROCESSES):
        assert (prefix / package(f"p{number}", str(ROUNDS)).dist_info).is_dir()


ALONE = "import time; time.sleep(60)"
BUILDING = """
import subprocess, sys, time
deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True)"
child = [sys.executable, "-S", "-c", deaf + "; time.sleep(60)"]
subprocess.Popen(child, close_fds=False, stdout=subprocess.PIPE).stdout.readline()
print(flush=True)
time.sleep(60)
"""
"""An installer whose build does not end when it is asked to."""


def dead_after(
    prefix: Path, child_keeps_lock: bool, code: str = ALONE, *, fills: bool = True
) -> int:
    """Let a process start an `installer`, note it, and be killed; return the installer's pid.

    `fills`: it is told to fill the transaction's stage, as an installer is.
    """
    reading, writing = os.pipe()
    owner = os.fork()
    if owner == 0:
        try:
            area = Store.open(str(prefix))
            lock = area.lock(command="install one")
            transaction = begin(area, [ONE_NEXT])
            installer = subprocess.Popen(
                [sys.executable, "-S", "-c", code, transaction.stage if fills else "elsewhere"],
                start_new_session=True,
                pass_fds=(lock.fileno(),) if child_keeps_lock else (),
                stdout=subprocess.PIPE if code is BUILDING else None,
            )
            if installer.stdout:
                installer.stdout.readline()
            transaction.note_installer(installer.pid)
            os.write(writing, str(installer.pid).encode())
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitpid(owner, 0)[1] == signal.SIGKILL
    return int(os.read(reading, 20))


@pytest.mark.parametrize("keeps_lock", [True, False], ids=["with the lock", "without the lock"])
def test_an_installer_that_outlived_its_owner_is_ended(prefix: Path, keeps_lock: bool) -> None:
    before = tree(prefix)
    installer = dead_after(prefix, keeps_lock)
    assert start_time(installer)
    area = Store.open(str(prefix))
    with area.lock(timeout=20):
        recovery = recover_store(area)
        assert recovery is not None
        assert recovery.direction == "litter"
    assert not start_time(installer)
    assert tree(prefix) == before


def test_a_process_that_a_journal_names_is_not_ended_unless_it_fills_that_stage(
    prefix: Path,
) -> None:
    somebody = dead_after(prefix, False, fills=False)
    try:
        assert recover_store(Store.open(str(prefix)))
        assert start_time(somebody)
    finally:
        os.kill(somebody, signal.SIGKILL)


@pytest.mark.skipif(not can_switch(), reason="only root can start somebody else's process")
def test_a_process_of_another_user_is_not_ended(prefix: Path) -> None:
    area = Store.open(str(prefix))
    with area.lock():
        transaction = begin(area, [ONE_NEXT])
        command = ["/bin/sh", "-c", "read line", transaction.stage]
        somebody = subprocess.Popen(command, user=ORDINARY, cwd="/", stdin=subprocess.PIPE)
        try:
            transaction.note_installer(somebody.pid)
            assert recover_store(area)
            assert start_time(somebody.pid)
        finally:
            somebody.kill()
            somebody.wait()


def test_what_an_installer_had_started_is_ended_with_it(prefix: Path) -> None:
    before = tree(prefix)
    installer = dead_after(prefix, True, BUILDING)
    recovery = recover_store(Store.open(str(prefix)))  # without waiting for anybody who lives
    assert recovery is not None
    assert recovery.direction == "litter"
    assert not start_time(installer)
    Store.open(str(prefix)).lock(wait=False).release()
    assert tree(prefix) == before


def test_a_file_size_limit_leaves_the_environment_untouched(prefix: Path) -> None:
    before = tree(prefix)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # an error rather than a death
            area = Store.open(str(prefix))
            with area.lock():
                transaction = begin(area, [ONE_NEXT])
                resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200))
                try:
                    transaction.commit(dist_infos(prefix, [ONE]))
                except TransactionError:
                    status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    assert tree(prefix) == before
    with (area := Store.open(str(prefix))).lock():
        recover_store(area)
        begin(area, [ONE_NEXT]).commit(dist_infos(prefix, [ONE]))


def test_killed_at_random_moments_the_environment_is_old_or_new(
    prefix: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The model is calibrated: kills fall within 1.1 times the measured length of a change."""
    states = [tree(prefix)]
    began = time.perf_counter()
    child = os.fork()  # as the ones to be killed: starting is part of the length
    if child == 0:
        try:
            install(prefix, [ONE_NEXT], [ONE])
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    cycle = time.perf_counter() - began
    states.append(tree(prefix))
    kills, outcomes = 40, [0, 0]
    for number in range(kills):
        old = ONE_NEXT if tree(prefix) == states[1] else ONE
        new = ONE if old is ONE_NEXT else ONE_NEXT
        child = os.fork()
        if child == 0:
            try:
                install(prefix, [new], [old])
            finally:
                os._exit(0)
        time.sleep(1.1 * cycle * (number % 20) / 20)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with (area := Store.open(str(prefix))).lock():
            recover_store(area)
        now = tree(prefix)
        assert now in states
        outcomes[now == (states[1] if new is ONE_NEXT else states[0])] += 1
    with capsys.disabled():
        sys.stdout.write(
            f"\n  {kills} random kills: {outcomes[0]} old, {outcomes[1]} new, 0 damaged "
        )
    assert (prefix / SITE / "one").is_dir()


def test_an_undo_that_races_with_a_foreign_uv_leaves_one_or_the_other(
    workshop: Workshop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheels, target = tmp_path / "wheels", tmp_path / "env"
    for version in ("1.0", "2.0"):
        wheels.mkdir(exist_ok=True)
        make_wheel(wheels, "raced", version, modules={f"raced/v{version[0]}.py": "x = 1\n"})
    workshop.run(workshop.uv, "venv", "-q", "--python", sys.executable, target)
    links = ("-q", "--no-index", "--find-links", wheels, "--python", target / "bin/python")
    install_it = (workshop.uv, "pip", "install", *links)
    site = next((target / "lib").iterdir()) / "site-packages"
    outcomes = {"undone": 0, "refused": 0}
    for turn in range(14):
        workshop.run(*install_it, "raced==1.0")
        with (area := Store.open(str(target))).lock():
            remove_distributions(area, [str(site / "raced-1.0.dist-info")], command="uninstall")
            racer = subprocess.Popen([*install_it, "raced==2.0"], env=workshop.settings)
            time.sleep(turn * 0.0025)
            try:
                undo_transaction(area)
                outcomes["undone"] += 1
            except UndoRefused as error:
                assert "raced 2.0 was installed since by another program" in error.message
                outcomes["refused"] += 1
            assert racer.wait() == 0
        assert [path.name for path in site.glob("raced-*")] == ["raced-2.0.dist-info"]
        assert sorted(path.name for path in (site / "raced").iterdir()) == ["v2.py"]
    with capsys.disabled():
        sys.stdout.write(f"\n  {outcomes} ")
    assert all(outcomes.values())
