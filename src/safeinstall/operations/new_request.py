"""The request for a new environment: its line, the Python it is made from, the kernel it needs."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any, Final

from packaging.requirements import Requirement

from safeinstall.environment import Environment
from safeinstall.errors import SafeInstallError
from safeinstall.interpreter import find_python, managed_pythons
from safeinstall.operations.context import Context
from safeinstall.plan import InstallerChoice
from safeinstall.request import InstallRequest, RequestItem

__all__ = ["KERNEL", "base_of", "check_kernel", "line_of", "with_kernel"]

KERNEL: Final = RequestItem(
    text="ipykernel", name="ipykernel", requirement=Requirement("ipykernel")
)
_OLDEST: Final = (3, 8)


def check_kernel(request: InstallRequest, context: Context) -> None:
    """Raise `SafeInstallError` for options that would keep out what a kernel consists of."""
    if request.no_deps and not request.overlay:
        raise SafeInstallError(
            "--no-deps would leave out what the new kernel itself needs.",
            hint=line_of(request, context, no_deps=False),
            code="option-conflict",
        )


def base_of(request: InstallRequest, context: Context, chosen: InstallerChoice) -> Environment:
    """Return the interpreter the new environment is made from."""
    here = context.environment
    if request.overlay:
        named = request.python.removeprefix("python")
        by_path = os.sep in named  # then the context is that interpreter's already
        if named and not by_path and not f"{here.version}.".startswith(f"{named}."):
            raise SafeInstallError(
                f"--overlay shows the packages of {here.label}, which are made for Python "
                f"{here.python}; another Python cannot use them.",
                hint=line_of(request, context, python=""),
                code="option-conflict",
            )
        return here
    if not request.python:
        return here  # an environment of a virtual one is made from the interpreter below it
    also = managed_pythons(chosen.installer, context.run)
    try:
        found = find_python(request.python, here, context.environ, also)
    except SafeInstallError as error:
        if error.hint:
            error.hint = line_of(request, context, python=error.hint)
        raise
    if tuple(map(int, found.python.split("."))) < _OLDEST:
        raise SafeInstallError(
            f"Python {found.version} is too old for a kernel of today: 3.8 is the oldest.",
            hint=line_of(request, context, python=""),
            code="python-too-old",
        )
    return found


def with_kernel(request: InstallRequest) -> InstallRequest:
    """Return what is installed: the request with ipykernel, as a plain install."""
    named = any(item.name == "ipykernel" for item in request.items)
    return replace(
        request,
        items=request.items if named else (*request.items, KERNEL),
        new_env="",
        overlay=False,
        python="",
        user=False,
        break_system_packages=False,
    )


def line_of(request: InstallRequest, context: Context, **changes: Any) -> str:
    """Return the line to type for the request with `changes`."""
    return request.line(context.frontend, json=False, **changes)
