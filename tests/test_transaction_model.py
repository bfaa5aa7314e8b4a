"""A machine that installs, upgrades, removes, undoes and dies, beside a model that cannot err."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from safeinstall.transaction.moves.disk import Disk
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Entry, Store
from safeinstall.transaction.transaction import remove_distributions
from safeinstall.transaction.undo import undo_transaction
from support.examples import examples
from test_transaction_trees import (
    SITE,
    Package,
    Tree,
    begin,
    compiled,
    dist_infos,
    environment,
    tree,
)
from test_transaction_trees import no_waiting as no_waiting

NAMES = ("ant", "bee", "cat")


def make(name: str, version: str) -> Package:
    """Make a package that shares folders with the others and has a file of one version only."""
    return Package(
        name,
        version,
        {
            f"{SITE}/{name}/__init__.py": f"version = {version}\n",
            f"{SITE}/{name}/v{version}/inner.py": "inner\n",
            f"{SITE}/zoo/{name}.py": f"zoo = {version}\n",
            f"{SITE}/zoo/wild/{name}{version}.py": "wild\n",
            f"{SITE}/{name}_flat.py": f"flat = {version}\n",
            f"share/zoo/{name}.txt": f"data {version}\n",
            f"bin/{name}": f"#!python {version}\n",
            "share/licence.txt": "the same in all of them\n",
        },
    )


class Mortal(Disk):
    """Stops for good before its N-th operation; what is on the disk then stays."""

    def __init__(self, left: int) -> None:
        self.left = left

    def before(self, operation: str, path: str) -> None:
        self.left -= 1
        if self.left <= 0:
            raise SystemExit

    def sync(self, descriptor: int) -> None:
        pass


IMMORTAL = 10**9
lifetimes = st.one_of(st.just(IMMORTAL), st.integers(min_value=1, max_value=150))
choices = st.dictionaries(st.sampled_from(NAMES), st.sampled_from("123"), min_size=1)


class Transactions(RuleBasedStateMachine):
    """What is installed, as a dictionary, against what lies on the disk."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.prefix = environment(self.folder / "env", [])
        self.installed: dict[str, str] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def packages(self, names: Iterable[str]) -> list[Package]:
        return [make(name, self.installed[name]) for name in names if name in self.installed]

    def expected(self, installed: dict[str, str]) -> Tree:
        by_hand = self.folder / "hand"
        environment(by_hand, [make(*item) for item in installed.items()])
        found = tree(by_hand)
        shutil.rmtree(by_hand)
        return found

    def present(self) -> Tree:
        """Return the tree without bytecode, which may come and go."""
        return {
            name: entry for name, entry in tree(self.prefix).items() if "__pycache__" not in name
        }

    def settle(self, after: dict[str, str], died: bool) -> None:
        """Recover if somebody died, and take over whichever state it is: old or new."""
        if died:
            with (area := Store.open(str(self.prefix))).lock():
                recover_store(area)
                assert not area.unfinished()
            if self.present() == self.expected(after):
                self.installed = after
        else:
            self.installed = after

    @rule(wanted=choices, lifetime=lifetimes)
    def install(self, wanted: dict[str, str], lifetime: int) -> None:
        leaving = dist_infos(self.prefix, self.packages(wanted))
        died = False
        try:
            with (area := Store.open(str(self.prefix), disk=Mortal(lifetime))).lock():
                begin(area, [make(*item) for item in wanted.items()]).commit(leaving)
        except SystemExit:
            died = True
        self.settle({**self.installed, **wanted}, died)

    @precondition(lambda self: self.installed)
    @rule(names=st.sets(st.sampled_from(NAMES), min_size=1), lifetime=lifetimes)
    def remove(self, names: set[str], lifetime: int) -> None:
        leaving = dist_infos(self.prefix, self.packages(sorted(names)))
        died = False
        try:
            with (area := Store.open(str(self.prefix), disk=Mortal(lifetime))).lock():
                remove_distributions(area, leaving, command="uninstall")
        except SystemExit:
            died = True
        self.settle({k: v for k, v in self.installed.items() if k not in names}, died)

    @rule(data=st.data(), lifetime=lifetimes)
    def undo(self, data: st.DataObject, lifetime: int) -> None:
        undoable = [entry for entry in Store.open(str(self.prefix)).history() if entry.undoable]
        if not undoable:
            return
        entry: Entry = data.draw(st.sampled_from(undoable))
        after = dict(self.installed)
        for change in entry.changes:
            after.pop(change.name, None)
            if change.before is not None:
                after[change.name] = change.before
        died = False
        try:
            with (area := Store.open(str(self.prefix), disk=Mortal(lifetime))).lock():
                undo_transaction(area, entry.id)
        except SystemExit:
            died = True
        self.settle(after, died)

    @rule(data=st.data())
    def use(self, data: st.DataObject) -> None:
        """Let Python compile something that is installed."""
        sources = sorted(name for name in self.present() if name.endswith(".py"))
        if sources:
            compiled(self.prefix, data.draw(st.sampled_from(sources)))

    @rule(keep=st.integers(min_value=1, max_value=4))
    def prune(self, keep: int) -> None:
        if (self.prefix / ".safeinstall").exists():
            with (area := Store.open(str(self.prefix))).lock():
                area.prune(keep=keep)

    @invariant()
    def the_environment_is_what_the_model_says(self) -> None:
        assert self.present() == self.expected(self.installed)

    @invariant()
    def no_bytecode_without_its_own_source(self) -> None:
        for path in self.prefix.joinpath(SITE).rglob("*.pyc"):
            source = path.parent.parent / f"{path.name.partition('.')[0]}.py"
            assert path.read_bytes() == b"bytecode of " + source.read_bytes()


TestTransactions = pytest.mark.timeout(120)(Transactions.TestCase)
TestTransactions.settings = settings(
    max_examples=examples(25),
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
