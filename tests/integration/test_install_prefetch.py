"""What is staged while an index is asked counts only if the index says the same."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from integration.conftest import Desk
from safeinstall.metadata.distribution import InstalledState
from safeinstall.operations import there
from safeinstall.operations.context import Context
from safeinstall.operations.planning import best_plan
from safeinstall.operations.planning.installer_choice import choose
from safeinstall.operations.planning.resolver import Resolver
from safeinstall.operations.staging import Prefetch
from safeinstall.request import InstallRequest, parse
from safeinstall.runner import Command, Completed, run
from support.environments import Environment, Workshop, changes, snapshot
from support.indexes import Moody, moody
from support.killing import running_in
from support.wheels import make_wheel

pytestmark = pytest.mark.integration


@pytest.fixture
def index(desk: Desk, workshop: Workshop, tmp_path: Path) -> Iterator[Moody]:
    """An index that the desk's settings name, and whose one wheel is in uv's cache."""
    with moody(desk.wheels, tmp_path / "www") as served:
        desk.settings["PIP_INDEX_URL"] = served.address
        elsewhere = workshop.copy(tmp_path / "elsewhere")
        done = install(desk, elsewhere, "tinypkg")
        assert done.returncode == 0, done.stderr
        yield served


def install(desk: Desk, environment: Environment, *words: str) -> subprocess.CompletedProcess[str]:
    return environment.run("-m", "safeinstall", "install", *words, settings=desk.settings)


def resolving(request: InstallRequest, context: Context) -> Resolver:
    return Resolver(
        intent=context.meet(request),
        chosen=choose(context.meet(request), context),
        context=context,
        state=InstalledState(context.environment.paths.site_packages).look(),
    )


def left_over(desk: Desk) -> list[str]:
    """List the transactions that never reached the environment."""
    transactions = desk.environment.prefix / ".safeinstall" / "transactions"
    found = transactions.iterdir() if transactions.exists() else ()
    return [path.name for path in found if not (path / "state.committed").exists()]


@pytest.mark.parametrize("newer", [False, True], ids=["the same", "a newer version"])
def test_the_index_decides_whether_what_was_staged_is_taken(
    desk: Desk, index: Moody, monkeypatch: pytest.MonkeyPatch, newer: bool
) -> None:
    if newer:
        make_wheel(index.folder / "simple" / "tinypkg", "tinypkg", "2.0")
        (index.folder / "simple/tinypkg/index.html").write_text(
            '<a href="tinypkg-1.0-py3-none-any.whl">1</a>'
            '<a href="tinypkg-2.0-py3-none-any.whl">2</a>'
        )
    for name in ("HOME", "PIP_INDEX_URL", "PIP_CONFIG_FILE", "NO_PROXY"):
        monkeypatch.setenv(name, desk.settings[name])
    context = there(str(desk.environment.python))
    request = parse("tinypkg", cwd=str(desk.notebooks))
    resolver = resolving(request, context)
    with Prefetch(resolver) as ahead:
        ahead.get_its_start()
        plan = best_plan(resolver).plan
        assert plan is not None
        prepared = ahead.take(plan)
    assert (prepared is None) == newer
    if prepared is not None:
        with prepared:
            assert [d.name for d in prepared.staged.distributions] == ["tinypkg"]
    assert left_over(desk) == []
    assert install(desk, desk.environment, "tinypkg").returncode == 0
    version = desk.environment.version_of("tinypkg", desk.settings)
    assert version == ("2.0" if newer else "1.0")
    assert left_over(desk) == []


def another_index(desk: Desk, index: Moody, wheel: Path) -> None:
    """Name a second index, which is asked first, in the settings."""
    page = index.folder / "second" / "tinypkg"
    page.mkdir(parents=True)
    (page / wheel.name).write_bytes(wheel.read_bytes())
    (page / "index.html").write_text(f'<a href="{wheel.name}">1</a>')
    desk.settings["PIP_EXTRA_INDEX_URL"] = index.address.replace("/simple/", "/second/")


def another_build(desk: Desk, index: Moody, wheel: Path) -> None:
    """Offer a second build of the same version beside the first."""
    page = index.folder / "simple" / "tinypkg"
    (page / "tinypkg-1.0-2-py3-none-any.whl").write_bytes(wheel.read_bytes())
    (page / "index.html").write_text(
        f'<a href="{wheel.name}">1</a><a href="tinypkg-1.0-2-py3-none-any.whl">2</a>'
    )


def another_content(desk: Desk, index: Moody, wheel: Path) -> None:
    """Put another file of the same name in the place of the first, and say its hash."""
    page = index.folder / "simple" / "tinypkg"
    (page / wheel.name).unlink()  # the index links the desk's own
    (page / wheel.name).write_bytes(wheel.read_bytes())
    promised = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (page / "index.html").write_text(f'<a href="{wheel.name}#sha256={promised}">1</a>')


@pytest.mark.parametrize(
    "offer", [another_index, another_build, another_content], ids=lambda offer: offer.__name__
)
def test_the_same_version_is_not_taken_from_the_caches_when_the_index_means_another_file(
    desk: Desk, index: Moody, tmp_path: Path, offer: Callable[[Desk, Moody, Path], None]
) -> None:
    modules = {"tinypkg.py": "__version__ = 'another'\n"}
    offer(desk, index, make_wheel(tmp_path / "other", "tinypkg", "1.0", modules=modules))
    done = install(desk, desk.environment, "tinypkg")
    assert done.returncode == 0, done.stderr
    assert "another" in (desk.environment.site_packages / "tinypkg.py").read_text()
    assert left_over(desk) == []


def test_an_index_that_fails_now_fails_the_install_whatever_was_staged(
    desk: Desk, index: Moody
) -> None:
    before = snapshot(desk.environment.prefix)
    index.turn("failing")
    done = install(desk, desk.environment, "tinypkg")
    assert done.returncode == 1
    assert index.asked.is_set()
    assert changes(before, snapshot(desk.environment.prefix)) == []
    assert left_over(desk) == []


def test_a_question_drops_what_was_staged(desk: Desk, index: Moody) -> None:
    make_wheel(desk.wheels, "needy", requires=["tinypkg<1"])
    make_wheel(desk.wheels, "tinypkg", "0.5")
    old = install(desk, desk.environment, *desk.offline.split(), "needy", "tinypkg")
    assert old.returncode == 0, old.stderr
    before = snapshot(desk.environment.prefix)
    done = install(desk, desk.environment, "--upgrade", "tinypkg")
    assert done.returncode == 3, done.stderr
    assert changes(before, snapshot(desk.environment.prefix)) == []
    assert left_over(desk) == []


def test_an_interrupt_while_the_index_is_asked_leaves_nothing_and_no_lock(
    desk: Desk, index: Moody
) -> None:
    before = snapshot(desk.environment.prefix)
    with desk.kernel() as kernel:
        index.turn("stalling")
        asked = kernel.send("%safeinstall tinypkg")
        assert index.asked.wait(30)
        kernel.interrupt()
        stopped = kernel.result(asked, timeout=20)
        assert "Interrupted; nothing changed." in stopped.traceback
        assert changes(before, snapshot(desk.environment.prefix)) == []
        assert left_over(desk) == []
        assert [line for line in running_in(desk.environment.prefix) if "uv" in line] == []
        index.turn("serving")
        again = kernel.run("%safeinstall --no-wait tinypkg\nimport tinypkg")
        assert again.ok, again.everything


def test_a_second_interrupt_while_the_guess_is_waited_for_leaves_nothing(
    desk: Desk, index: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "PIP_INDEX_URL", "PIP_CONFIG_FILE", "NO_PROXY"):
        monkeypatch.setenv(name, desk.settings[name])
    staged = threading.Event()

    def late(command: Command, **options: Any) -> Completed:
        answer = run(command, **{**options, "stop": None})
        if "--prefix" in command.argv:  # from here on the guess can be stopped no more
            staged.set()
            time.sleep(1)
        return answer

    context = replace(there(str(desk.environment.python)), run=late)
    request = parse("tinypkg", cwd=str(desk.notebooks))
    again = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    ahead = Prefetch(resolving(request, context))
    with pytest.raises(KeyboardInterrupt), ahead:
        assert staged.wait(30)
        again.start()
        raise KeyboardInterrupt
    deadline = time.monotonic() + 10
    while left_over(desk) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left_over(desk) == []
    assert install(desk, desk.environment, "--no-wait", "tinypkg").returncode == 0


def test_a_death_while_the_index_is_asked_leaves_what_recovery_takes_away(
    desk: Desk, index: Moody
) -> None:
    before = snapshot(desk.environment.prefix)
    index.turn("stalling")
    process = subprocess.Popen(
        [str(desk.environment.python), "-m", "safeinstall", "install", "tinypkg"],
        env=desk.settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    assert index.asked.wait(30)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    index.over.set()
    index.turn("serving")
    done = install(desk, desk.environment, "--no-wait", "tinypkg")
    assert done.returncode == 0, done.stderr
    assert left_over(desk) == []
    ours = changes(before, snapshot(desk.environment.prefix))
    assert ours
    assert all("tinypkg" in path or path.endswith("site-packages") for path in ours), ours
