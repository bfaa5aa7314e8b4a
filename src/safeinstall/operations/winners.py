"""Which copy an import takes where the import path holds several."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from safeinstall.diagnosis import surroundings as around
from safeinstall.diagnosis.values import Diagnosis, Installed
from safeinstall.operations.context import Context
from safeinstall.operations.patients import Patient, standard_modules

__all__ = ["other_folders", "winners"]

_SCAN: Final = 4000
"""Names looked at in a notebook folder: it may be somebody's whole home."""


def other_folders(patient: Patient) -> list[str]:
    """Return the folders of the import path that are not the environment's own."""
    own = {os.path.realpath(folder) for folder in patient.site_packages}
    return [folder for folder in patient.import_path if os.path.realpath(folder) not in own]


def winners(
    patient: Patient, context: Context, own: tuple[Installed, ...], others: tuple[Installed, ...]
) -> Iterator[Diagnosis]:
    """Yield copies and modules that are imported instead of what the environment holds."""
    environment = patient.environment
    if environment is None:
        return
    kinds = dict.fromkeys(patient.site_packages, "this environment")
    for entry in context.environ.get("PYTHONPATH", "").split(os.pathsep):
        if entry:
            kinds[os.path.realpath(entry)] = "PYTHONPATH"
    if environment.user_site.path:
        kinds[os.path.realpath(environment.user_site.path)] = "your user site"
    folders = list(dict.fromkeys(os.path.realpath(entry) for entry in patient.import_path))
    own_folders = {os.path.realpath(folder) for folder in patient.site_packages}
    position = {folder: index for index, folder in enumerate(folders)}
    every = sorted((*own, *others), key=lambda each: position.get(each.folder, 10**6))
    yield from around.copies(every, kinds)
    first = min((position[f] for f in own_folders if f in position), default=0)
    library = os.path.realpath(environment.paths.stdlib)
    front = [
        folder
        for folder in folders[:first]
        if folder not in own_folders
        and folder != library
        and not folder.startswith(library + os.sep)
    ]
    front += [os.path.realpath(context.cwd)] if os.path.realpath(context.cwd) not in front else []
    kinds.setdefault(os.path.realpath(context.cwd), "the notebook's folder")
    held = {each.folder for each in others}
    names = {folder: _importable(folder) for folder in front if folder not in held}
    yield from around.shadowing(names, own, standard_modules(), kinds)


def _importable(folder: str) -> list[str]:
    try:
        entries = [entry for entry, _ in zip(os.scandir(folder or "."), range(_SCAN), strict=False)]
    except OSError:
        return []
    names = {
        entry.name[:-3] if entry.name.endswith(".py") else entry.name
        for entry in entries
        if entry.name.endswith(".py")
        or (entry.is_dir() and (Path(entry.path) / "__init__.py").exists())
    }
    return sorted(name for name in names if name.isidentifier())
