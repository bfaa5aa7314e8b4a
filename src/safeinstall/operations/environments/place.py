"""Where a new environment goes, and what it and its kernel are called."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Final

from jupyter_core.paths import jupyter_data_dir

from safeinstall.environment import shown
from safeinstall.errors import SafeInstallError
from safeinstall.probe.facts.writability import describe_access
from safeinstall.transaction.in_progress import left_behind

_ROOM_NEEDED: Final = 60 * 2**20
"""Bytes that an environment with a kernel takes at least, unpacked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A place for an environment."""

    path: str
    label: str
    """What tells it from others: `.venv in proj`, or its name."""
    kernel: str
    """The name its kernelspec would like to have."""
    home: str

    @property
    def shown(self) -> str:
        """The path with the home directory shortened."""
        return shown(self.path, self.home)

    def display_name(self, python: str, overlay: bool = False) -> str:
        """Return what the kernel is called in menus."""
        return f"Python {python} ({self.label}{', overlay' if overlay else ''})"


def place_of(asked: str, home: str) -> Place:
    """Return the place meant by an absolute path or a bare name.

    A name goes below `jupyter_core.paths.jupyter_data_dir()`, which each user has for himself.
    """
    if not PurePath(asked).is_absolute():
        return Place(path=os.path.join(_own_folder(), asked), label=asked, kernel=asked, home=home)
    path = os.path.normpath(asked)
    name, folder = os.path.basename(path), os.path.basename(os.path.dirname(path))
    label = f"{name} in {folder}" if folder else name
    hidden = name.startswith(".") or name in ("venv", "env")
    kernel = f"{folder}-{name.strip('.')}" if hidden and folder else name
    return Place(path=path, label=label, kernel=kernel, home=home)


def next_free(place: Place) -> str:
    """Return a path or name like this one for which nothing is there."""
    count = 2
    while os.path.lexists(f"{place.path}-{count}"):
        count += 1
    named = os.path.dirname(place.path) == _own_folder()
    return f"{place.label if named else place.path}-{count}"


def free_name(place: Place) -> str:
    """Return a name under which the user has a place elsewhere; empty where that is none either."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", place.kernel).strip("-") or "notebooks"
    elsewhere = os.path.join(_own_folder(), name)
    if place.path.startswith(_own_folder()) or not describe_access(elsewhere)["writable"]:
        return ""
    if not os.path.lexists(elsewhere):
        return name
    return next_free(Place(path=elsewhere, label=name, kernel=name, home=place.home))


def _own_folder() -> str:
    return os.path.join(str(jupyter_data_dir()), "safeinstall", "environments")


def check(place: Place, line: Callable[[str], str]) -> None:
    """Raise `SafeInstallError` unless an environment can be made here; nothing is touched.

    `line` returns what is to be typed for another path or name.
    """
    if os.path.lexists(place.path) and not _is_empty_folder(place.path):
        left = left_behind(place.path)
        if left is None:
            hint = line(next_free(place))
            raise SafeInstallError(_occupied(place), hint=hint, code="place-taken")
    access = describe_access(place.path)
    if not access["writable"]:
        name = free_name(place)
        raise SafeInstallError(
            f"No environment can be made at {place.shown}: {access['detail']}.",
            hint=line(name) if name else "",
            code="place-not-writable",
        )
    status = os.statvfs(str(access["probed"])) if hasattr(os, "statvfs") else None
    if status is not None and status.f_bavail * status.f_frsize < _ROOM_NEEDED:
        free = status.f_bavail * status.f_frsize / 2**20
        raise SafeInstallError(
            f"There is no room for an environment at {place.shown}: {free:.0f} MB are free and a "
            f"kernel alone takes {_ROOM_NEEDED / 2**20:.0f} MB.",
            code="no-space",
        )


def _is_empty_folder(path: str) -> bool:
    folder = Path(path)
    try:
        return folder.is_dir() and not folder.is_symlink() and not any(folder.iterdir())
    except OSError:
        return False


def _occupied(place: Place) -> str:
    folder = Path(place.path)
    if (folder / "pyvenv.cfg").exists():
        return f"{place.shown} is an environment already; it is left as it is."
    if folder.is_symlink():
        real = replace(place, path=os.path.realpath(folder))
        return f"{place.shown} is a link to {real.shown}; it is left as it is."
    if folder.is_dir():
        project = any((folder / name).exists() for name in ("pyproject.toml", "setup.py"))
        what = "is a project, not a place for an environment" if project else "is not empty"
        return f"{place.shown} {what}; it is left as it is."
    return f"{place.shown} exists and is no folder; it is left as it is."
