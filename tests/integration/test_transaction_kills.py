"""Killed at every single file-system operation, and recovered: the environment is old or new.

The model is a table of stories; each is run once to count its operations and then, for every N, in
a child that is killed with SIGKILL just before its N-th. Recovery is killed at each of its own
operations as well. No installer takes part: a stage is written by hand.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from safeinstall.transaction.moves.disk import Disk
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.transaction import remove_distributions
from safeinstall.transaction.undo import undo_transaction
from support.killing import litter
from test_transaction_trees import (
    SITE,
    Package,
    Tree,
    begin,
    compiled,
    dist_infos,
    environment,
    install,
    package,
    tree,
)

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork and SIGKILL"),
]

STAYING = Package(
    "staying",
    "1.0",
    {
        f"{SITE}/shared/staying.py": "staying = 1\n",
        f"{SITE}/neighbour.py": "neighbour = 1\n",
        "share/man/staying.1": "manual\n",
        "bin/staying": "#!python\n",
    },
)


def first(version: str) -> Package:
    """Make a package with everything that can be shared, and a file that only one version has."""
    return package(
        "first",
        version,
        **{
            f"{SITE}/shared/first.py": f"first = {version!r}\n",
            f"{SITE}/shared/sub/only.py": f"only = {version!r}\n",
            f"{SITE}/flat.py": f"flat = {version!r}\n",
            f"{SITE}/only_in_{version[0]}.py": "x = 1\n",
            "share/man/first.1": f"manual {version}\n",
            "etc/first/settings.json": "{}\n",
            f"lib64/python3.12/site-packages/first/native{version[0]}.so": f"elf {version}\n",
        },
    )


def editable(version: str) -> Package:
    """Make what an editable install leaves: a path file and a dist-info."""
    return Package("local", version, {f"{SITE}/__editable__.local-{version}.pth": "/src/local\n"})


OLD = [first("1.0"), editable("0.1")]
NEW = [first("2.0.1"), editable("0.2.1"), package("added", "1.0")]


def small(version: str) -> Package:
    """Make a package with one file of each sort: some disks need an operation for every file."""
    return Package(
        "small",
        version,
        {
            f"{SITE}/small/__init__.py": f"small = {version!r}\n",
            f"{SITE}/shared/small.py": f"small = {version!r}\n",
            f"{SITE}/shared/only_in_{version[0]}/x.py": f"x = {version!r}\n",
            "bin/small": f"#!python\n# {version}\n",
        },
    )


SMALL_OLD, SMALL_NEW = [small("1.0")], [small("2.0.1")]


class Quick(Disk):
    """Does not wait for the platter: a killed process does not need it."""

    def sync(self, descriptor: int) -> None:
        pass


class Counting(Quick):
    """Knows how often it was used."""

    count = 0

    def before(self, operation: str, path: str) -> None:
        self.count += 1


class Deadly(Quick):
    """Kills its process before the N-th operation."""

    def __init__(self, last: int) -> None:
        self.left = last

    def before(self, operation: str, path: str) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def crosses(source: str, target: str) -> bool:
    """Tell whether a move goes from our area to the environment or back."""
    return (".safeinstall/" in source) != (".safeinstall/" in target)


def overlay(disk: Disk) -> Disk:
    """Make `disk` one where folders cannot be renamed across, as on overlayfs."""
    return _refusing(disk, lambda source, target: Path(source).is_dir() and crosses(source, target))


def other_device(disk: Disk) -> Disk:
    """Make `disk` one where nothing can be renamed across, as between two mounts."""
    return _refusing(disk, crosses)


def _refusing(disk: Disk, refuses: Callable[[str, str], bool]) -> Disk:
    rename = disk.rename

    def refusing(source: str, target: str) -> None:
        if refuses(source, target):
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), source)
        rename(source, target)

    disk.rename = refusing  # type: ignore[method-assign]
    return disk


def as_is(disk: Disk) -> Disk:
    return disk


Story = Callable[[Path, Disk], None]


def upgrade(prefix: Path, disk: Disk) -> None:
    install(prefix, NEW, OLD, disk=disk)


def small_upgrade(prefix: Path, disk: Disk) -> None:
    install(prefix, SMALL_NEW, SMALL_OLD, disk=disk)


def undo(prefix: Path, disk: Disk) -> None:
    area = Store.open(str(prefix), disk=disk)
    with area.lock():
        undo_transaction(area)


def remove(prefix: Path, disk: Disk) -> None:
    area = Store.open(str(prefix), disk=disk)
    with area.lock():
        remove_distributions(area, dist_infos(prefix, OLD), command="uninstall")


def roll_back(prefix: Path, disk: Disk) -> None:
    area = Store.open(str(prefix), disk=disk)
    with area.lock():
        transaction = begin(area, SMALL_NEW)
        transaction.commit(leaving=dist_infos(prefix, SMALL_OLD))
        transaction.rollback()


def recover(prefix: Path, disk: Disk) -> None:
    area = Store.open(str(prefix), disk=disk)
    with area.lock():
        recover_store(area)


@dataclass(frozen=True)
class Case:
    """A story told on one kind of disk, after another story."""

    story: Story
    before: Story | None = None
    disk: Callable[[Disk], Disk] = as_is
    reaches: Story | None = None
    """What leads to the new state, when the story itself leads back."""


CASES = {
    "upgrade": Case(upgrade),
    "undo": Case(undo, before=upgrade),
    "remove": Case(remove),
    "undo of a removal": Case(undo, before=remove),
    "rollback": Case(roll_back, reaches=small_upgrade),
    "upgrade, folders cannot be renamed": Case(small_upgrade, disk=overlay),
    "undo, folders cannot be renamed": Case(undo, before=small_upgrade, disk=overlay),
    "upgrade, nothing can be renamed": Case(small_upgrade, disk=other_device),
}


@pytest.fixture
def memory() -> Iterator[Path]:
    """Give a folder in memory where there is one: thousands of trees are made and thrown away."""
    shared = Path("/dev/shm")
    where = shared if os.access(shared, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=where) as folder:
        yield Path(folder)


@pytest.fixture(params=CASES, ids=lambda name: name.replace(" ", "-"))
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def starting_point(folder: Path, case: Case) -> Path:
    """Make the environment that every run of the case starts from."""
    prefix = environment(folder / "start", [STAYING, *OLD, *SMALL_OLD])
    for source in (
        "flat.py",
        "neighbour.py",
        "first/__init__.py",
        "shared/first.py",
        "small/__init__.py",
    ):
        compiled(prefix, f"{SITE}/{source}")
    compiled(prefix, f"{SITE}/shared/staying.py")
    (prefix / "etc/mine.conf").write_text("of nobody\n")
    (prefix / "bin/first").chmod(0o750)
    if case.before is not None:
        case.before(prefix, Quick())
    return prefix


def link_copy(source: Path, target: Path) -> Path:
    """Copy a tree fast: files are never changed in place, so links will do; no lock."""
    if target.exists():
        shutil.rmtree(target)
    _link_copy(str(source), target)
    return target


def _link_copy(source: str, target: Path) -> None:
    target.mkdir(stat.S_IMODE(Path(source).stat().st_mode))
    for entry in os.scandir(source):
        there = target / entry.name
        if entry.is_dir(follow_symlinks=False):
            _link_copy(entry.path, there)
        elif entry.name != "lock":
            os.link(entry.path, there, follow_symlinks=False)


def killed(story: Story, prefix: Path, disk: Disk) -> bool:
    """Run the story in a child; True when it was killed, an error when it failed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            story(prefix, disk)
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), f"the child failed with {status}"
    return status != 0


def whole_state(prefix: Path) -> str:
    """Summarise everything, our own area included, as far as recovery could see it."""
    lines: list[str] = []
    _summarise(str(prefix), "", lines)
    return "\n".join(lines)


def _summarise(folder: str, shown: str, lines: list[str]) -> None:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = f"{shown}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            lines.append(name)
            _summarise(entry.path, name, lines)
        else:
            # Whatever differs between two versions here differs in length.
            ours = entry.name == "lock" or "journal" in entry.name
            lines.append(f"{name} {0 if ours else entry.stat(follow_symlinks=False).st_size}")


def runs_to_the_end(story: Story, start: Path, work: Path, disk: Callable[[Disk], Disk]) -> int:
    """Count the operations of a whole run."""
    link_copy(start, work)
    counting = Counting()
    story(work, disk(counting))
    return counting.count


def test_killed_anywhere_and_recovered_the_environment_is_old_or_new(
    case: Case, memory: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("secrets.token_hex", lambda size: "ab" * size)  # the same names every time
    start, work, wreck = starting_point(memory, case), memory / "work", memory / "wreck"
    old = tree(start)
    operations = runs_to_the_end(case.story, start, work, case.disk)
    if case.reaches is not None:
        assert tree(work) == old
        case.reaches(link_copy(start, work), Quick())
    new = tree(work)
    assert old != new
    check = Check(old, new, case.disk, memory / "again")
    outcomes = {"old": 0, "new": 0}
    killed_twice = 0
    for point in range(1, operations + 1):
        link_copy(start, wreck)
        assert killed(case.story, wreck, case.disk(Deadly(point)))
        outcomes[check.recovers(link_copy(wreck, work))] += 1
        check.recovers_from_every_step_of_recovery(wreck, work)
        if point == operations // 2:
            killed_twice = recovery_is_killed(wreck, work, case, check)
    with capsys.disabled():
        sys.stdout.write(
            f"\n  {operations} operations, {operations} kills: {outcomes['old']} old,"
            f" {outcomes['new']} new, 0 damaged; recovery killed {killed_twice} times and stopped"
            f" in {len(check.seen)} more states "
        )
    assert outcomes["old"] > 0


class Recording(Quick):
    """Keeps what a kill before each operation would leave: what lies on the disk just then."""

    def __init__(self, work: Path, folder: Path, seen: set[str], states: list[Path]) -> None:
        self.work, self.folder, self.seen, self.states = work, folder, seen, states

    def before(self, operation: str, path: str) -> None:
        state = whole_state(self.work)
        if state not in self.seen:
            self.seen.add(state)
            self.states.append(link_copy(self.work, self.folder / str(len(self.states))))


class Check:
    """Judges what recovery makes of a wreck."""

    def __init__(self, old: Tree, new: Tree, disk: Callable[[Disk], Disk], again: Path) -> None:
        self.old, self.new, self.disk, self.again = old, new, disk, again
        self.seen: set[str] = set()
        self.wrecks: set[str] = set()

    def recovers(self, wreck: Path) -> str:
        """Recover and return `old` or `new`; fail when the environment is neither."""
        recover(wreck, self.disk(Quick()))
        assert not litter(wreck)
        assert not Store.open(str(wreck)).unfinished()
        now = tree(wreck)
        if now == self.old:
            return "old"
        differences = sorted(self.new.items() ^ now.items())[:8] if now != self.new else []
        assert now == self.new, f"neither old nor new: {differences}"
        return "new"

    def recovers_from_every_step_of_recovery(self, wreck: Path, work: Path) -> None:
        """Stop a recovery of `wreck` at each operation, and recover what is left there."""
        as_found = whole_state(wreck)
        if as_found in self.wrecks:
            return  # an operation that changes no name, such as waiting for the disk
        self.wrecks.add(as_found)
        states: list[Path] = []
        folder = self.again
        folder.mkdir()

        link_copy(wreck, work)
        recover(work, self.disk(Recording(work, folder, self.seen, states)))
        for state in states:
            self.recovers(state)
        shutil.rmtree(folder)


def recovery_is_killed(wreck: Path, work: Path, case: Case, check: Check) -> int:
    """Kill the recovery of `wreck` for real at each of its operations; a second one finishes."""
    count = runs_to_the_end(recover, wreck, work, case.disk)
    for point in range(1, count + 1):
        link_copy(wreck, work)
        assert killed(recover, work, case.disk(Deadly(point)))
        check.recovers(work)
    return count
