"""Undo, uninstall and recovery in real kernels: every byte comes back."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from integration.conftest import Desk
from support import kernels
from support.environments import changes, snapshot
from support.wheels import make_project, make_wheel

pytestmark = pytest.mark.integration


def test_undo_puts_back_every_byte_and_the_old_version_imports(desk: Desk) -> None:
    make_wheel(desk.wheels, "tinypkg", "2.0", data={"share/tiny/data.txt": "two"})
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} tinypkg==1.0")
        before = snapshot(desk.environment.prefix)
        assert kernel.run(f"%safeinstall {desk.offline} -U tinypkg").outcome["status"] == "done"
        assert changes(before, snapshot(desk.environment.prefix)) != []
        undone = kernel.run("%safeundo").outcome
        assert (undone["status"], undone["verb"]) == ("done", "undo")
        assert changes(before, snapshot(desk.environment.prefix)) == []
        assert kernel.run("import tinypkg; print(tinypkg.__version__)").stdout.strip() == "1.0"


def test_undo_of_a_first_install_leaves_nothing_behind(desk: Desk) -> None:
    before = snapshot(desk.environment.prefix)
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} tinypkg")
        kernel.run("import tinypkg")
        kernel.run("%safeundo")
    assert changes(before, snapshot(desk.environment.prefix)) == []


def test_an_editable_install_no_index_offers_comes_back_too(desk: Desk, tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", "mine", "0.1")
    make_wheel(desk.wheels, "mine", "5.0")
    with desk.kernel() as kernel:
        assert kernel.run(f"%safeinstall --no-index -e {project}").ok
        before = snapshot(desk.environment.prefix)
        assert kernel.run(f"%safeinstall {desk.offline} --force-reinstall mine==5.0").ok
        assert kernel.run("%safeundo").ok
        assert changes(before, snapshot(desk.environment.prefix)) == []


def test_uninstall_removes_it_and_undo_brings_it_back(desk: Desk) -> None:
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} tinypkg")
        before = snapshot(desk.environment.prefix)
        gone = kernel.run("%safeuninstall tinypkg").outcome
        assert (gone["status"], gone["plan"]["changes"][0]["after"]) == ("done", None)
        assert kernel.run("import tinypkg").ename == "ModuleNotFoundError"
        kernel.run("%safeundo")
        assert changes(before, snapshot(desk.environment.prefix)) == []
        assert kernel.run("import tinypkg").ok


def test_what_others_need_is_asked_about_and_what_the_kernel_needs_is_refused(desk: Desk) -> None:
    make_wheel(desk.wheels, "needs-tiny", "1.0", requires=["tinypkg>=1"])
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} needs-tiny")
        before = snapshot(desk.environment.prefix)
        asked = kernel.run("%safeuninstall tinypkg")
        assert asked.ename == "SafeInstallStopped"
        assert "needs-tiny 1.0 needs tinypkg>=1" in asked.traceback
        assert "%safeuninstall --allow-conflicts tinypkg" in asked.traceback
        kernel_part = kernel.run("%safeuninstall tornado")
        assert "The kernel itself needs tornado" in kernel_part.traceback
        assert changes(before, snapshot(desk.environment.prefix)) == []
        assert kernel.run("%safeuninstall --allow-conflicts tinypkg").ok


def test_a_later_change_forbids_undo_and_the_order_is_named(desk: Desk) -> None:
    for version in ("2.0", "3.0"):
        make_wheel(desk.wheels, "tinypkg", version)
    with desk.kernel() as kernel:
        first = kernel.run(f"%safeinstall {desk.offline} tinypkg==1.0").outcome["transaction"]
        second = kernel.run(f"%safeinstall {desk.offline} tinypkg==2.0").outcome["transaction"]
        refused = kernel.run(f"%safeundo {first}")
        assert refused.ename == "SafeInstallStopped"
        assert second in refused.traceback
        assert kernel.run("%safeundo").ok
        assert kernel.run(f"%safeundo {first}").ok


def test_a_transaction_that_died_is_recovered_when_the_extension_is_loaded(desk: Desk) -> None:
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} tinypkg")
        before = snapshot(desk.environment.prefix)
        (area,) = (desk.environment.prefix / ".safeinstall" / "transactions").iterdir()
        dead = area.with_name("0002-dead")
        (dead / "stage").mkdir(parents=True)
        (dead / "state.staging").touch()
        (dead / "stage" / "left-over").write_text("x")
        kernel.restart()
        assert kernel.run("%load_ext safeinstall").ok
        assert not dead.exists()
        assert changes(before, snapshot(desk.environment.prefix)) == []


def test_history_and_undo_from_a_terminal(desk: Desk) -> None:
    run = desk.environment.run
    python = ("-m", "safeinstall")
    installed = run(*python, "install", *desk.offline.split(), "tinypkg", settings=desk.settings)
    assert installed.returncode == 0, installed.stderr
    listed = run(*python, "history", "--json", settings=desk.settings)
    (entry,) = json.loads(listed.stdout)["transactions"]
    assert (entry["changes"][0]["name"], entry["undoable"]) == ("tinypkg", True)
    undone = run(*python, "undo", entry["id"], "--json", settings=desk.settings)
    assert json.loads(undone.stdout)["status"] == "done"
    nothing = run(*python, "undo", settings=desk.settings)
    assert nothing.returncode == 1
    assert os.linesep.join(nothing.stderr.splitlines()[:1]).startswith("✗ Nothing changed.")


def test_the_extension_is_loaded_by_every_kernel_of_its_environment_alone(desk: Desk) -> None:
    config = desk.environment.prefix / "etc" / "ipython" / "ipython_config.py"
    config.parent.mkdir(parents=True)
    own = "c = get_config()\nc.InteractiveShell.show_rewritten_input = False\n"
    config.write_text(own)
    before = snapshot(desk.environment.prefix)

    def run(*words: str) -> str:
        done = desk.environment.run(
            *("-m", "safeinstall", "autoload", *words), settings=desk.settings
        )
        assert done.returncode == 0, done.stderr
        return " ".join(done.stdout.split())

    known = "print('safeinstall' in get_ipython().magics_manager.magics['line'])"
    assert "loads safeinstall by itself (" in run()
    assert "already" in run()
    with kernels.start(desk.environment.python, desk.settings, desk.notebooks) as kernel:
        assert kernel.run(known).stdout.strip() == "True"
    assert "does not load" in run("--off")
    assert config.read_text() == own
    changed = changes(before, snapshot(desk.environment.prefix))
    assert changed == [str(config.relative_to(desk.environment.prefix))]
    with kernels.start(desk.environment.python, desk.settings, desk.notebooks) as kernel:
        assert kernel.run(known).stdout.strip() == "False"


def test_history_says_yes_only_for_what_an_undo_would_do(desk: Desk) -> None:
    make_wheel(desk.wheels, "on-top", requires=["tinypkg"])
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} tinypkg")
        kernel.run(f"%safeinstall {desk.offline} on-top")
        rows = kernel.run("%safeundo --list").data["text/plain"].splitlines()
        first, latest = sorted(row.strip() for row in rows if row.strip().startswith("000"))
        assert latest.endswith("yes"), latest
        assert first.endswith("not now"), first
        assert kernel.run(f"%safeundo {first.split()[0]}").ename == "SafeInstallStopped"


def test_recovery_works_from_another_interpreter_on_one_that_cannot_start(
    desk: Desk, workshop: object
) -> None:
    prefix = desk.environment.prefix
    dead = prefix / ".safeinstall" / "transactions" / "0001-dead"
    (dead / "stage").mkdir(parents=True)
    (prefix / ".safeinstall").chmod(0o700)
    (dead / "state.staging").touch()
    python = desk.environment.python
    python.rename(python.with_name("python-gone"))
    other = python.with_name("python-gone")
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "safeinstall", "recover", "--python", str(python)],
        capture_output=True,
        text=True,
        check=False,
    )
    other.rename(python)
    assert done.returncode == 0, done.stderr
    assert not dead.exists()
