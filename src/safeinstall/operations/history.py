"""The transactions of an environment: what was done, what died on the way, what is forgotten."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safeinstall.environment import Environment
from safeinstall.errors import RequestError, UndoRefused
from safeinstall.frontend import NOTEBOOK, Frontend
from safeinstall.operations.context import (
    KEEP,
    KEEP_BYTES,
    Context,
    interruptible,
    of_transactions,
)
from safeinstall.operations.undo import changes_of, refuse_if_needed
from safeinstall.request import HistoryRequest, RecoverRequest
from safeinstall.transaction.recover import Recovery, recover_store
from safeinstall.transaction.store.history import Entry, Store
from safeinstall.transaction.store.lock import busy, holder_of, is_held


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """What was done to an environment, the newest first."""

    entries: tuple[Entry, ...]
    environment: Environment
    frontend: Frontend = NOTEBOOK
    exit_status: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        plain = ("id", "time", "command", "state", "undoes", "undoable", "reason", "bytes_kept")
        transactions = [
            {name: getattr(entry, name) for name in plain}
            | {"changes": [change.to_dict() for change in changes_of(entry)]}
            for entry in self.entries
        ]
        return {"schema": 1, "transactions": transactions}


@dataclass(frozen=True, kw_only=True, slots=True)
class Recovered:
    """What recovery found in an environment."""

    prefix: str
    recovery: Recovery | None
    """None when all was well."""
    exit_status: int = 0

    @property
    def message(self) -> str:
        """What was done, in one sentence."""
        return self.recovery.message if self.recovery else f"Nothing to recover in {self.prefix}."

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        found = self.recovery
        return {
            "schema": 1,
            "prefix": self.prefix,
            "recovered": found and {"id": found.id, "direction": found.direction},
            "message": self.message,
        }


def history(request: HistoryRequest, context: Context) -> History:
    """Return the transactions that are kept, after forgetting old ones where that is asked.

    Raises `RequestError` for a number that keeps nothing sensible, and `TransactionError`.
    """
    context = of_transactions(context, user=request.user)
    keep = KEEP if request.keep is None else request.keep
    if keep < 0:
        hint = context.frontend.line("history", "--prune", "--keep", str(KEEP))
        raise RequestError(f"--keep takes a whole number, not '{keep}'.", hint=hint)
    area = Store.open(context.environment.prefix)
    if request.prune:
        with area.lock():
            area.prune(keep=keep, max_bytes=KEEP_BYTES)
    here, frontend = context.environment, context.frontend
    entries = tuple(_with_its_undo(area, entry, context) for entry in area.history())
    return History(entries=entries, environment=here, frontend=frontend)


def _with_its_undo(area: Store, entry: Entry, context: Context) -> Entry:
    """Return the entry with what an undo of it would say now."""
    try:
        refuse_if_needed(area, entry, context)
    except UndoRefused as error:
        return replace(entry, undoable=False, reason=error.message)
    return entry


def recover(request: RecoverRequest, context: Context) -> Recovered:
    """Finish or take back what died in this environment, or in that of an interpreter.

    The environment is found from the path alone: its interpreter need not start. Raises
    `LockBusy` while another process changes it, `JournalError` where nobody can say what was done.
    """
    prefix = _prefix_of(request.python) if request.python else context.environment.prefix
    store = Store.open(prefix)
    with interruptible(prefix):
        found = recover_store(store)
    if found is None and is_held(store.path):
        raise busy(holder_of(store.path))
    if found is not None and found.error is not None:
        raise found.error
    return Recovered(prefix=prefix, recovery=found)


def _prefix_of(python: str) -> str:
    """Return the environment of an interpreter that may be broken: the folder above its `bin`."""
    path = Path(python).expanduser().absolute()
    if path.is_dir():
        return str(path)
    return str(path.parent.parent if path.parent.name in ("bin", "Scripts") else path.parent)
