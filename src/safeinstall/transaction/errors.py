"""What this room raises: every message says that the environment is as it was, or what to run.

Their names are sentences of the trade (`except LockBusy`), hence no suffix.

Imports on Python 3.8 with the standard library alone: recovery may run in another interpreter.
"""

from __future__ import annotations

from safeinstall.errors import SafeInstallError

__all__ = ["JournalError", "LockBusy", "TransactionError", "UndoRefused", "UnsafeArea"]


class TransactionError(SafeInstallError):
    """A transaction could not go on; the environment is as it was before it."""

    code = "transaction-failed"


class UnsafeArea(TransactionError):  # noqa: N818
    """`.safeinstall` is not a private folder of ours: a link, another owner, writable by others."""

    code = "unsafe-area"


class LockBusy(TransactionError):  # noqa: N818
    """Another process works on this environment."""

    code = "locked"


class JournalError(TransactionError):
    """A journal that promises moves cannot be read: nothing is touched until somebody looks."""

    code = "journal-unreadable"


class UndoRefused(TransactionError):  # noqa: N818
    """Undoing would lose or break something; the message says what and in which order to go."""

    code = "undo-refused"
