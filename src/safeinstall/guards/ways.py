"""The line that leads out of a refusal: a new environment, as the magic or the command to type."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Final

from safeinstall.findings import Suggestion
from safeinstall.plan import Intent

__all__ = ["new_environment"]

_NOTE: Final = "makes {place}, with {packages}, as a kernel of its own"
_OVERLAY_NOTE: Final = "a kernel of its own that also sees what is installed here"


def new_environment(intent: Intent, *, overlay: bool = False) -> Suggestion:
    """Return the line that installs the request into a new environment with its own kernel.

    The place is `.venv` beside the notebook or, where that is taken, the next free name; where the
    folder cannot be written, a name, which stands for a place the user has elsewhere.
    """
    cwd = intent.request.cwd or os.curdir
    place = _place(cwd)
    changes: dict[str, Any] = {
        "overlay": overlay,
        "user": False,
        "break_system_packages": False,
        "dry_run": False,
        "yes": False,
        "json": False,
    }
    request = intent.request
    # An overlay is put over the interpreter that was named, a plain one is made from it.
    python = {"python": ""} if intent.frontend.in_notebook else {}
    command = request.line(intent.frontend, new_env=place, **python, **changes)
    if overlay:
        return Suggestion(command=command, note=_OVERLAY_NOTE)
    packages = " ".join(item.name or "it" for item in request.items[:3]) or "it"
    where = f"the environment {place}" if _is_name(place) else _beside(place, intent)
    return Suggestion(command=command, note=_NOTE.format(place=where, packages=packages))


def _beside(place: str, intent: Intent) -> str:
    return f"{os.path.basename(place)} {intent.frontend.this_folder}"


def _place(cwd: str) -> str:
    """Return the absolute path of a free `.venv` in the folder, or a name."""
    folder = Path(cwd).absolute()
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        return re.sub(r"[^A-Za-z0-9]+", "-", folder.name).strip("-") or "notebooks"
    names = (".venv", *(f".venv-{count}" for count in range(2, 1000)))
    return str(next(folder / name for name in names if not os.path.lexists(folder / name)))


def _is_name(place: str) -> bool:
    return not Path(place).is_absolute()
