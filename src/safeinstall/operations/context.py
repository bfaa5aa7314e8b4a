"""What an operation works in: the environment, the effects it may use, who asks, how far it goes.

Made once for each operation, by whoever stands at the door; not made again on the way.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Protocol

from safeinstall.command import Command
from safeinstall.environment import Environment, this_environment
from safeinstall.errors import SafeInstallError
from safeinstall.frontend import NOTEBOOK, Frontend
from safeinstall.guards import Policy
from safeinstall.installers.sources import Sources, redirections
from safeinstall.interpreter import environment_of
from safeinstall.plan import Destination, Plan, ResolvedRequest
from safeinstall.probe.rules.pip_settings import effective_settings, read_pip_settings
from safeinstall.request import DoctorRequest, InstallRequest, RecoverRequest, Request
from safeinstall.runner import Completed, run

Progress = Callable[[str], None]
"""Gets a few words each time the work has moved on."""


class Run(Protocol):
    """What starts a process (`runner.run`, or a recorder in tests)."""

    def __call__(
        self,
        command: Command,
        *,
        on_line: Callable[[str], None] | None = None,
        on_start: Callable[[int], None] | None = None,
        on_wait: Callable[[float], None] | None = None,
        pass_fds: Sequence[int] = (),
        timeout: float | None = None,
        stop: Event | None = None,
    ) -> Completed:
        """Run the command to its end."""
        ...


def silent(words: str) -> None:
    """Say nothing about progress."""


def agreed(plan: Plan) -> bool:
    """Agree to any plan: what was typed is what is wanted."""
    return True


KEEP = 10
"""Transactions kept for undo."""
KEEP_BYTES = 2 * 2**30
"""Disk space they may take, in bytes."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How much is kept for undo when one more transaction has been made; the newest always is."""

    transactions: int = KEEP
    bytes: int = KEEP_BYTES


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Everything an operation needs and may touch."""

    environment: Environment
    live: bool
    """True when the environment's interpreter is this very process."""
    environ: Mapping[str, str]
    cwd: str
    frontend: Frontend = NOTEBOOK
    settings_prefix: str = ""
    """Prefix whose pip configuration counts, where that is not the environment's own: a new
    environment gets its packages from where the present one does."""
    run: Run = run
    progress: Progress = silent
    agreed: Callable[[Plan], bool] = agreed
    """Asked before a plan is carried out; one that is not agreed to is only shown."""
    keeping: Keeping = Keeping()
    policy: Policy = field(default_factory=dict)
    """Severity of findings by code, where it is not their own; None switches a guard off."""

    def meet(self, request: InstallRequest) -> ResolvedRequest:
        """Return the request as it meets the environment: sources merged, redirections named."""
        place = self.settings_prefix or self.environment.prefix
        read = read_pip_settings(self.environ, place, self.environment.home or None)
        settings = tuple(effective_settings(read).values())
        return ResolvedRequest(
            environment=self.environment,
            request=request,
            sources=Sources.merged(settings, request, self.environ),
            redirections=redirections(self.environ, settings),
            destination=Destination.of(self.environment),
            frontend=self.frontend,
        )


def folder() -> str:
    """Return the folder this process works in. Raises `SafeInstallError` when it was deleted."""
    try:
        return str(Path.cwd())
    except OSError as error:
        raise SafeInstallError(
            "The folder that this was started in is gone: start from another one.",
            code="no-folder",
        ) from error


def here(progress: Progress = silent) -> Context:
    """Return the context of this process: its interpreter, variables and folder."""
    return Context(
        environment=this_environment(),
        live=True,
        environ=dict(os.environ),
        cwd=folder(),
        progress=progress,
    )


def there(python: str, progress: Progress = silent) -> Context:
    """Return the context of another interpreter.

    Raises `EnvironmentReportError` when `python` is no interpreter that answers.
    """
    return Context(
        environment=environment_of(python),
        live=False,
        environ=dict(os.environ),
        cwd=folder(),
        progress=progress,
    )


def context_for(request: Request, progress: Progress = silent) -> Context:
    """Return the context a request is about: this process, or the interpreter it names.

    For a new environment `python` is the Python it is made of, unless it names, with `overlay`, the
    interpreter whose packages are to be seen. The doctor and recovery look at a place that need
    not start: they are given its name and this process.
    Raises `EnvironmentReportError` when the interpreter does not answer.
    """
    python = request.python
    if isinstance(request, DoctorRequest | RecoverRequest):
        python = ""
    if isinstance(request, InstallRequest) and request.new_env:
        python = python if request.overlay and os.sep in python else ""
    return there(python, progress) if python else here(progress)
