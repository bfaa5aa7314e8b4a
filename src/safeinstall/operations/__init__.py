"""The stories: what happens in which order, with the effects passed in.

`carry_out` is the one dispatcher: every door makes a request and a context, and calls it.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, Final, Protocol, cast

from safeinstall.environment import this_environment
from safeinstall.errors import SafeInstallError
from safeinstall.operations.context import (
    Context,
    Keeping,
    Progress,
    Proving,
    context_for,
    folder,
    here,
    interruptible,
    there,
)
from safeinstall.outcome import finding_of
from safeinstall.probe.facts.search_path import WithoutFolder
from safeinstall.request import InstallRequest, Request

__all__ = [
    "Context",
    "Keeping",
    "Progress",
    "Proving",
    "Result",
    "carry_out",
    "context_for",
    "folder",
    "here",
    "there",
    "this_environment",
]


class Result(Protocol):
    """What came of a request: every story returns one."""

    @property
    def exit_status(self) -> int:
        """0 done or nothing to do, 1 refused or failed, 3 needs confirmation."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        ...


STORIES: Final = {
    "install": "safeinstall.operations.install",
    "new_environment": "safeinstall.operations.environments",
    "uninstall": "safeinstall.operations.uninstall",
    "undo": "safeinstall.operations.undo",
    "history": "safeinstall.operations.history",
    "recover": "safeinstall.operations.history",
    "survey": "safeinstall.operations.survey",
    "where": "safeinstall.operations.survey",
    "autoload": "safeinstall.operations.autoload",
    "doctor": "safeinstall.operations.diagnose",
    "kernels": "safeinstall.operations.diagnose",
}
"""Story and the module whose function of the same name tells it; imported when first asked for."""


def carry_out(request: Request, context: Context) -> Result:
    """Do what the request asks for, in the context; the environment ends as asked or as it was.

    Raises `SafeInstallError` for what cannot be begun or is interrupted; what goes wrong later, the
    result says.
    """
    story = "survey" if request.command == "env" else request.command
    if isinstance(request, InstallRequest) and request.new_env:
        story = "new_environment"
    home = sys.modules.get(STORIES[story])
    if home is None:
        with WithoutFolder():
            home = import_module(STORIES[story])
    try:
        with interruptible(context.environment.prefix):
            return cast(Result, getattr(home, story)(request, context))
    except OSError as error:
        told = finding_of(error, context.frontend)
        raise SafeInstallError(told.message, context=told.context, code=told.code) from error
