"""The one family of exceptions: each means "could not continue, nothing was changed".

Some names are sentences of the trade (`except LockBusy`), hence without a suffix. Imports on Python
3.8 with the standard library alone: recovery may run in another interpreter."""

from __future__ import annotations


class SafeInstallError(Exception):
    """Base of every error this package raises on purpose.

    `message` is one clear sentence; `hint` is the exact line to type instead, or empty, and `also`
    another one; `command`, where that is a command of ours, its words (`Frontend.line` writes the
    line of each door);
    `context` is what explains the message (an installer's own words, a place in the input).
    """

    code = "failed"
    exit_status = 1

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        also: str = "",
        command: tuple[str, ...] = (),
        context: str = "",
        code: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.also = also
        self.command = command
        self.context = context
        self.shown = ""
        """All there is to say, as laid out by the door that lets it through."""
        if code:
            self.code = code

    def _render_traceback_(self) -> list[str]:
        """Return the message alone (IPython): where in our code it was raised helps nobody."""
        return [self.shown or self.message]


class RequestError(SafeInstallError):
    """What was typed cannot be understood or is not allowed: exit status 2."""

    code = "usage"
    exit_status = 2


class InstallerError(SafeInstallError):
    """The installer stopped; `message` is its reason in our words, `context` its own."""

    code = "installer-failed"


class EnvironmentReportError(SafeInstallError):
    """An interpreter could not be asked about its environment."""

    code = "no-environment"


class TransactionError(SafeInstallError):
    """A transaction could not go on; the environment is as it was before it."""

    code = "transaction-failed"


class UnsafeStore(TransactionError):  # noqa: N818
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


class EscapesPrefix(TransactionError):  # noqa: N818
    """A path that does not stay inside the environment."""

    code = "escapes-prefix"


class SafeInstallStopped(Exception):  # noqa: N818 - what a notebook shows: a stop, not a crash
    """A refusal or failure: the cell fails, so that "run all" stops; the message is complete.

    `outcome` is there when work had begun; `code` is that of the finding or error that stopped it.
    """

    def __init__(self, text: str, outcome: object = None, code: str = "") -> None:
        super().__init__(text)
        self.outcome = outcome
        self.code = code or getattr(getattr(outcome, "stopping", None), "code", "")

    def _render_traceback_(self) -> list[str]:
        """Return the message alone: where in our code it was raised helps nobody."""
        return [str(self)]
