"""What this interpreter is, and where an install command would put its files.

Contract of this room: standard library only, Python >= 3.8 syntax, importable from a zip, starts no
process, changes nothing, never raises. The modules are loaded when they are first used, so that
importing the package costs nothing in a kernel.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

    from .pip_config import Setting
    from .prediction import Prediction

__all__ = ["predict", "read_pip_settings"]


def predict(
    cell: str,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> tuple[Prediction, ...]:
    """Where each install command of *cell* would put its files, in the order of the cell.

    What is not given is read from the running process: its variables, its folder, its interpreter.
    """
    from .destination import predict as _predict

    return _predict(cell, environ=environ, cwd=cwd, facts=facts)


def read_pip_settings(
    environ: Mapping[str, str], prefix: str, home: str | None = None
) -> tuple[Setting, ...]:
    """What pip's variables and configuration files say for an interpreter with this *prefix*."""
    from .pip_config import read_pip_settings as _read

    return _read(environ, prefix, home)
