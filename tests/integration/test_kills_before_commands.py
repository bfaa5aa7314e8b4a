"""Killed in the middle of a commit: whatever is asked next starts from a whole environment."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from safeinstall.transaction.moves.disk import Disk
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.transaction import begin_transaction
from support.places import Place, tree
from support.wheels import make_wheel

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL"),
]


class DiesAfter(Disk):
    """Kills its process at the first step after a name has come to its place."""

    def __init__(self, end: str) -> None:
        self.end, self.armed = end, False

    def before(self, operation: str, path: str) -> None:
        if self.armed:
            os.kill(os.getpid(), signal.SIGKILL)
        self.armed = operation == "rename" and "/stage/" not in path and path.endswith(self.end)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An environment with `shapes 1.0`, whose module `zeta` comes after its dist-info."""
    place = Place(tmp_path)
    place.make()
    for version in ("1.0", "2.0"):
        text = f"__version__ = {version!r}\n"
        make_wheel(place.wheels, "shapes", version, modules={"zeta/__init__.py": text})
    make_wheel(place.wheels, "tinypkg")
    place.installed("shapes==1.0")
    return place


def kill_in_the_middle(place: Place) -> None:
    """Upgrade in a child that dies when the dist-info has arrived and the module has not."""
    child = os.fork()
    if child == 0:
        try:
            area = Store.open(str(place.prefix), disk=DiesAfter("shapes-2.0.dist-info"))
            with area.lock():
                transaction = begin_transaction(area, command="install shapes==2.0")
                stage = ["pip", "install", "-q", "--prefix", transaction.stage, "--no-deps"]
                stage += ["--no-index", "--find-links", str(place.wheels), "shapes==2.0"]
                place.run([sys.executable, "-m", "uv", *stage, "--python", place.python])
                transaction.commit([str(place.site / "shapes-1.0.dist-info")])
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert (place.site / "shapes-2.0.dist-info").is_dir()
    assert not (place.site / "zeta").exists()


def test_an_install_does_not_believe_what_a_killed_one_left(place: Place) -> None:
    kill_in_the_middle(place)
    done = place.safeinstall("install", "--json", "shapes==2.0")
    assert done.returncode == 0, done.stderr
    assert place.imports("import zeta; print(zeta.__version__)") == "2.0"
    assert "as it was before it" in " ".join(done.stderr.split())
    assert json.loads(done.stdout)["status"] == "done"


def test_a_request_that_was_met_before_the_kill_is_met_after_it(place: Place) -> None:
    before = tree(place.prefix)
    kill_in_the_middle(place)
    done = place.safeinstall("install", "shapes")
    assert done.returncode == 0, done.stderr
    assert place.imports("import zeta; print(zeta.__version__)") == "1.0"
    assert tree(place.prefix) == before


def test_a_dry_run_plans_from_a_whole_environment(place: Place) -> None:
    kill_in_the_middle(place)
    done = place.safeinstall("install", "--dry-run", "--json", "shapes==2.0")
    (change,) = json.loads(done.stdout)["plan"]["changes"]
    assert (change["before"], change["after"]) == ("1.0", "2.0")


def test_an_uninstall_removes_what_was_there_before_the_kill(place: Place) -> None:
    kill_in_the_middle(place)
    done = place.safeinstall("uninstall", "--json", "shapes")
    assert done.returncode == 0, done.stderr
    (change,) = json.loads(done.stdout)["plan"]["changes"]
    assert (change["before"], change["after"]) == ("1.0", None)
    assert not list(place.site.glob("shapes-*"))
    assert not (place.site / "zeta").exists()


def test_an_undo_takes_back_what_was_there_before_the_kill(place: Place) -> None:
    kill_in_the_middle(place)
    done = place.safeinstall("undo", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["plan"]["changes"][0]["before"] == "1.0"
    assert not list(place.site.glob("shapes-*"))


def test_a_request_for_something_else_recovers_first(place: Place) -> None:
    kill_in_the_middle(place)
    assert place.installed("tinypkg")["status"] == "done"
    assert place.imports("import zeta, tinypkg; print(zeta.__version__)") == "1.0"
