"""The transactions of this environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeinstall import operations
from safeinstall.transaction.store.history import Store

__all__ = ["history"]


def history(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the transactions that are kept, the newest first."""
    area = Store.open(operations.this_environment().prefix)
    return [
        {
            "id": entry.id,
            "time": entry.time,
            "command": entry.command,
            "changes": [
                {"name": change.name, "before": change.before, "after": change.after}
                for change in entry.changes
            ],
            "state": entry.state,
            "undoes": entry.undoes,
            "undoable": entry.undoable,
            "reason": entry.reason,
        }
        for entry in area.history()
    ]
