"""`safeinstall recover`: finish or take back what a killed install left half-done.

With `--python PATH` the environment is found from the path alone, by the standard library: its
interpreter need not start.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from safeinstall.cli.answer import answer
from safeinstall.cli.options import read_options
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store

__all__ = ["run"]

_USAGE = "safeinstall recover [--python PATH] [--json]"


def run(words: Sequence[str]) -> int:
    """Carry out the command and return its exit status."""
    options = read_options(words, usage=_USAGE)
    prefix = _prefix(options.value("--python"))
    recovery = recover_store(Store.open(prefix))
    message = recovery.message if recovery else f"Nothing to recover in {prefix}."
    data = {
        "schema": 1,
        "prefix": prefix,
        "recovered": recovery and {"id": recovery.id, "direction": recovery.direction},
        "message": message,
    }
    answer(message, data if "--json" in options else None)
    return 0


def _prefix(python: str) -> str:
    """Return the environment of an interpreter that may be broken: the folder above its `bin`."""
    if not python:
        return sys.prefix
    path = Path(python).expanduser().absolute()
    if path.is_dir():
        return str(path)
    return str(path.parent.parent if path.parent.name in ("bin", "Scripts") else path.parent)
