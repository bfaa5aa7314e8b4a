"""A journal, a state or a list of files that somebody else wrote can do nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from safeinstall.errors import SafeInstallError, UnsafeStore
from safeinstall.transaction.recover import main, recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.undo import undo_transaction
from support.strangers import ID, Stranger, plant, precious, strangers
from test_transaction_trees import Tree, environment, install, package, tree
from test_transaction_trees import no_waiting as no_waiting

ALL = strangers()
ONE, TWO = package("one", "1.0"), package("two", "1.0")


def outcome_of(use: Callable[[], object]) -> str:
    """Carry it out; return what it says, in one sentence: any other error is a traceback."""
    try:
        use()
    except SafeInstallError as error:
        assert "\n" not in error.message
        assert "\x1b" not in error.message
        assert len(error.message) < 2000
        return error.message
    return ""


def locked(prefix: Path, use: Callable[[Store], object]) -> str:
    def run() -> None:
        with (area := Store.open(str(prefix))).lock(timeout=0.2):
            use(area)

    return outcome_of(run)


def everything(prefix: Path) -> list[str]:
    """Do all that reads a transaction; return what was said."""
    said = [outcome_of(lambda: recover_store(Store.open(str(prefix)))) for _ in "12"]
    said.append(outcome_of(lambda: Store.open(str(prefix)).history()))
    said.append(outcome_of(lambda: Store.open(str(prefix)).refused()))
    said.append(outcome_of(lambda: Store.open(str(prefix)).stuck()))
    said += [locked(prefix, partial(undo_transaction, id=id)) for id in (None, ID, "1")]
    said.append(locked(prefix, lambda area: undo_transaction(area, ID, force=True)))
    said.append(locked(prefix, lambda area: area.prune(keep=1)))
    return said


def users(prefix: Path, outside: Path) -> tuple[Tree, Tree]:
    return tree(prefix), tree(outside)


@pytest.mark.attack("journals, states and lists of a stranger")
@pytest.mark.parametrize("stranger", ALL, ids=lambda s: s.name)
def test_what_a_stranger_wrote_touches_nothing_and_stops_nothing(
    tmp_path: Path, stranger: Stranger, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = precious(tmp_path / "outside")
    prefix = environment(tmp_path / "env", [ONE])
    plant(prefix, stranger, outside)
    before = users(prefix, outside)
    said = everything(prefix)
    with contextlib.suppress(SafeInstallError):
        main([str(prefix)])
    assert users(prefix, outside) == before
    printed = capsys.readouterr()
    assert len((printed.out + printed.err).splitlines()) <= 1
    if "lock" in stranger.name.split()[:2] and not stranger.taken:
        assert any("it is not used" in each or "lock" in each for each in said)
        return
    install(prefix, [TWO])
    assert Store.open(str(prefix)).refused().keys() <= {ID, "0002-beef"}
    for id in Store.open(str(prefix)).refused():
        locked(prefix, partial(Store.set_aside, id=id))
    assert Store.open(str(prefix)).refused() == {}
    locked(prefix, undo_transaction)
    assert users(prefix, outside) == before


def test_there_are_many_of_them_and_most_are_refused_by_name(tmp_path: Path) -> None:
    assert len({stranger.name for stranger in ALL}) == len(ALL) > 400
    refused = 0
    wanted = [s for s in ALL if not s.taken and "lock" not in s.name and s.state != "staging"]
    for number, stranger in enumerate(wanted[::7]):
        prefix = environment(tmp_path / str(number) / "env", [ONE])
        plant(prefix, stranger, precious(tmp_path / str(number) / "outside"))
        with contextlib.suppress(UnsafeStore):
            refused += ID in Store.open(str(prefix)).refused()
    assert refused > len(wanted[::7]) * 0.8
