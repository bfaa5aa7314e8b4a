"""The environment of this interpreter, or of another one that is started once to be asked."""

from __future__ import annotations

import shutil
from pathlib import Path

from safeinstall import inspection
from safeinstall.environment import Environment
from safeinstall.errors import EnvironmentReportError
from safeinstall.runner import CommandNotFoundError, run

__all__ = ["environment_of", "this_environment"]

_PROBE_SECONDS = 30.0


def this_environment() -> Environment:
    """Return the environment of the running interpreter."""
    return inspection.this_environment()


def environment_of(python: str) -> Environment:
    """Return the environment of another interpreter, which is started once to be asked.

    `python` is a path, a name on PATH, or the folder of an environment.
    Raises `EnvironmentReportError` when nothing there answers like a Python.
    """
    path = Path(python).expanduser()
    if path.is_dir():
        inside = [path / "bin" / "python", path / "Scripts" / "python.exe", path / "python.exe"]
        path = next((candidate for candidate in inside if _exists(candidate)), inside[0])
    executable = str(path.absolute()) if _exists(path) else shutil.which(python)
    if executable is None:
        raise EnvironmentReportError(f"There is no interpreter at {python}.", code="not-a-python")
    command, cookie = inspection.probe_command(executable)
    try:
        answer = run(command, timeout=_PROBE_SECONDS)
    except CommandNotFoundError as error:
        raise EnvironmentReportError(error.message, code="not-a-python") from error
    return inspection.parse_probe(executable, answer.stdout, cookie)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:  # raised up to Python 3.13 for a folder one may not look into
        return False
