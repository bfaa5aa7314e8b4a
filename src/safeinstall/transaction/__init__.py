"""Transactions: the only code that writes into an environment.

`Area.open(prefix)`, its lock, a transaction with a staging area, commit by renames, recovery, undo.
Names are resolved when first used, so that `recover` imports on Python 3.8 with the standard
library alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from safeinstall.transaction.errors import (
        JournalError,
        LockBusy,
        TransactionError,
        UndoRefused,
        UnsafeArea,
    )
    from safeinstall.transaction.installed_state import fingerprint
    from safeinstall.transaction.moves.commit import Committed
    from safeinstall.transaction.moves.layout import EscapesPrefix
    from safeinstall.transaction.recover import Recovery
    from safeinstall.transaction.space import free_bytes, space_needed
    from safeinstall.transaction.staged import Staged, StagedDistribution
    from safeinstall.transaction.store.area import Area
    from safeinstall.transaction.store.history import Entry
    from safeinstall.transaction.store.journal import Change
    from safeinstall.transaction.store.lock import Holder, Lock
    from safeinstall.transaction.transaction import Transaction

__all__ = [
    "Area",
    "Change",
    "Committed",
    "Entry",
    "EscapesPrefix",
    "Holder",
    "JournalError",
    "Lock",
    "LockBusy",
    "Recovery",
    "Staged",
    "StagedDistribution",
    "Transaction",
    "TransactionError",
    "UndoRefused",
    "UnsafeArea",
    "fingerprint",
    "free_bytes",
    "space_needed",
]

_HOMES = {
    "Area": "store.area",
    "Change": "store.journal",
    "Committed": "moves.commit",
    "Entry": "store.history",
    "EscapesPrefix": "moves.layout",
    "Holder": "store.lock",
    "JournalError": "errors",
    "Lock": "store.lock",
    "LockBusy": "errors",
    "Recovery": "recover",
    "Staged": "staged",
    "StagedDistribution": "staged",
    "Transaction": "transaction",
    "TransactionError": "errors",
    "UndoRefused": "errors",
    "UnsafeArea": "errors",
    "fingerprint": "installed_state",
    "free_bytes": "space",
    "space_needed": "space",
}


def __getattr__(name: str) -> object:
    """Resolve a public name on first use (PEP 562)."""
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
