"""Choose the installer that does the work, and say why."""

from __future__ import annotations

import os
import shutil
import sys

from packaging.version import InvalidVersion, Version

from safeinstall.environment import Environment
from safeinstall.errors import InstallerError
from safeinstall.inspection import InstalledIndex
from safeinstall.installers.pip import OLDEST, Pip
from safeinstall.installers.uv import Uv
from safeinstall.metadata.installed_state import InstalledState
from safeinstall.metadata.record import RecordError
from safeinstall.plan import InstallerChoice
from safeinstall.request import InstallRequest

__all__ = ["choose"]


def choose(
    request: InstallRequest, environment: Environment, known: InstalledState | None = None
) -> InstallerChoice:
    """Return the installer that does the work, with the reason for the choice.

    `known`: what has been listed before.
    Raises `InstallerError` when there is none, naming what to install.
    """
    own = InstalledIndex(sys.path, known)
    if request.installer in ("auto", "uv"):
        found = _find_uv(environment, own)
        if found:
            binary, version, where = found
            reason = "asked for" if request.installer == "uv" else where
            return InstallerChoice(installer=Uv(binary), version=version, reason=reason)
        if request.installer == "uv":
            raise InstallerError("uv is not found.", code="no-installer", hint="%safeinstall uv")
    if request.installer in ("auto", "pip"):
        reason = "asked for" if request.installer == "pip" else "uv is not found"
        chosen = _find_pip(environment, reason, own)
        if chosen:
            return chosen
    raise InstallerError(
        f"No installer serves {environment.label}: neither uv nor pip 22.3 or newer is found.",
        code="no-installer",
        hint=f'"{environment.executable}" -m ensurepip --upgrade',
    )


def _find_uv(environment: Environment, index: InstalledIndex) -> tuple[str, str, str] | None:
    """Return uv's binary, version and how it was found: ours, the kernel's, or one on PATH."""
    own = _own_uv(index)
    if own:
        return (*own, "installed with safeinstall")
    if environment.uv:
        return environment.uv, "", "found with the interpreter"
    on_path = shutil.which("uv")
    return (on_path, "", "found on PATH") if on_path else None


def _own_uv(index: InstalledIndex) -> tuple[str, str] | None:
    """Return the binary and version of the uv that came with us.

    Its files are asked, not its module: a `uv.py` beside the notebook would be imported instead.
    """
    info = index.info("uv")
    try:
        paths = info.record.paths if info else []
    except RecordError:
        return None
    for path in paths:
        folder, _, file = path.rpartition("/")
        if info and file in ("uv", "uv.exe") and folder.rpartition("/")[2] in ("bin", "Scripts"):
            binary = os.path.normpath(os.path.join(info.folder, path))
            if os.access(binary, os.X_OK):
                return binary, info.version
    return None


def _find_pip(
    environment: Environment, reason: str, index: InstalledIndex
) -> InstallerChoice | None:
    if environment.pip and environment.pip.release >= OLDEST:
        return InstallerChoice(
            installer=Pip((environment.executable, "-m", "pip")),
            version=environment.pip.version,
            reason=reason,
        )
    found = index.find("pip")
    try:
        if found is None or Version(found.version).release[:2] < OLDEST:
            return None
    except InvalidVersion:
        return None
    return InstallerChoice(
        installer=Pip((sys.executable, "-m", "pip", "--python", environment.executable)),
        version=found.version,
        reason=f"{reason}; the environment has no pip that can",
    )
