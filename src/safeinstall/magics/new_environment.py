"""What `%safeinstall --new-env` does."""

from __future__ import annotations

from safeinstall import operations, render
from safeinstall.errors import SafeInstallStopped
from safeinstall.magics.progress import Progress
from safeinstall.operations.new_environment import new_environment
from safeinstall.render.outcome_words import DisplayedNewEnvironment, new_environment_message
from safeinstall.request import Request

__all__ = ["run"]


def run(request: Request, progress: Progress) -> DisplayedNewEnvironment:
    """Make the environment and return what is to be shown; a stop fails the cell."""
    here = operations.here(progress)
    made = new_environment(request, here)
    message = new_environment_message(made, here.environ)
    if not made.outcome.ok:
        text = render.as_text(message, verbose=request.verbose)
        raise SafeInstallStopped(text, made.outcome)
    return DisplayedNewEnvironment(made, message)
