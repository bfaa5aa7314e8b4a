"""What to call an environment in a place where a path is too long.

Contract of this file: Python >= 3.8, standard library only.
"""

from __future__ import annotations

import os

__all__ = ["environment_name"]

_GENERIC = ("venv", ".venv", "env", ".env", "virtualenv", ".virtualenv")
_OWNERS = {"debian-system": "Debian's Python", "system": "system Python"}


def environment_name(prefix: str, kind: str) -> str:
    """Return the name people use: `proj/.venv`, `data` (a conda environment), `system Python`."""
    if kind in _OWNERS:
        return _OWNERS[kind]
    folder, name = os.path.split(prefix.rstrip("/\\"))
    if name in _GENERIC and os.path.basename(folder):
        return f"{os.path.basename(folder)}/{name}"
    return name or prefix
