"""The request for a new environment: its line, the Python it is made from, the kernel it needs."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from packaging.requirements import Requirement

from safeinstall.environment import Environment
from safeinstall.errors import SafeInstallError
from safeinstall.operations.pythons import find_python
from safeinstall.operations.world import World
from safeinstall.plan import Chosen
from safeinstall.request import Request, RequestItem

__all__ = ["KERNEL", "base_of", "line_of", "next_free", "with_kernel"]

KERNEL: Final = RequestItem(
    text="ipykernel", name="ipykernel", requirement=Requirement("ipykernel")
)
_OLDEST: Final = (3, 8)


def base_of(request: Request, world: World, chosen: Chosen) -> Environment:
    """Return the interpreter the new environment is made from."""
    here = world.environment
    if request.overlay:
        named = request.python.removeprefix("python")
        by_path = os.sep in named  # then the world is that interpreter's already
        if named and not by_path and not f"{here.version}.".startswith(f"{named}."):
            raise SafeInstallError(
                f"--overlay shows the packages of {here.label}, which are made for Python "
                f"{here.python}; another Python cannot use them.",
                hint=line_of(request, world, python=""),
                code="option-conflict",
            )
        return here
    if not request.python:
        return here  # an environment of a virtual one is made from the interpreter below it
    uv = chosen.launcher[0] if chosen.name == "uv" else ""
    try:
        found = find_python(request.python, world, uv)
    except SafeInstallError as error:
        if error.hint:
            error.hint = line_of(request, world, python=error.hint)
        raise
    if tuple(map(int, found.python.split("."))) < _OLDEST:
        raise SafeInstallError(
            f"Python {found.version} is too old for a kernel of today: 3.8 is the oldest.",
            hint=line_of(request, world, python=""),
            code="python-too-old",
        )
    return found


def with_kernel(request: Request) -> Request:
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


def line_of(request: Request, world: World, **changes: Any) -> str:
    """Return the line to type for the request with `changes`: a magic, or a command."""
    if world.prefix.startswith("%"):
        return request.line(world.prefix, **changes)
    place = str(changes.pop("new_env", request.new_env))
    inside = place.removeprefix(request.cwd.rstrip(os.sep) + os.sep) if request.cwd else place
    return request.line(f"safeinstall new-env {inside}", new_env="", json=False, **changes)


def next_free(path: str) -> str:
    """Return a path like this one where nothing is."""
    count = 2
    while Path(f"{path}-{count}").exists():
        count += 1
    return f"{path}-{count}"
