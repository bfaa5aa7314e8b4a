"""The one family of exceptions: each means "could not continue, nothing was changed"."""

from __future__ import annotations

__all__ = [
    "EnvironmentReportError",
    "InstallerError",
    "RequestError",
    "SafeInstallError",
    "SafeInstallStopped",
]


class SafeInstallError(Exception):
    """Base of every error this package raises on purpose.

    `message` is one clear sentence; `hint` is the exact line to type instead, or empty;
    `context` is what explains the message (an installer's own words, a place in the input).
    """

    code = "failed"
    exit_status = 1

    def __init__(self, message: str, *, hint: str = "", context: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context = context
        if code:
            self.code = code


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


class SafeInstallStopped(Exception):  # noqa: N818 - what a notebook shows: a stop, not a crash
    """A refusal or failure: the cell fails, so that "run all" stops; the message is complete."""

    def __init__(self, text: str, outcome: object = None) -> None:
        super().__init__(text)
        self.outcome = outcome

    def _render_traceback_(self) -> list[str]:
        """Return the message alone: where in our code it was raised helps nobody."""
        return [str(self)]
