"""Commands that make an empty virtual environment: uv's, or the `venv` module's.

Known from `uv venv --help` (0.13) and `Lib/venv/__main__.py`; neither puts pip in: packages come
through safeinstall, and Debian's `venv` without pip needs no `python3-venv`.
"""

from __future__ import annotations

from typing import Final

from safeinstall.command import Command
from safeinstall.installers.sources import REDIRECTING_VARIABLES

__all__ = ["stdlib_command", "uv_command"]

_DROPPED: Final = (
    *REDIRECTING_VARIABLES,
    "UV_VENV_SEED",
    "UV_VENV_CLEAR",
    "UV_VENV_RELOCATABLE",
    "UV_PROJECT",
    "UV_WORKING_DIRECTORY",
    "RUST_LOG",
)


def uv_command(
    binary: str, python: str, folder: str, *, prompt: str, system_site: bool = False
) -> Command:
    """Return what lets uv make an environment of the interpreter `python` at `folder`."""
    argv = [binary, "venv", "--quiet", "--no-project", "--no-config", "--color", "never"]
    argv += ["--allow-existing", "--python", python, "--prompt", prompt]
    argv += ["--system-site-packages"] if system_site else []
    return Command(argv=(*argv, folder), overrides=_overrides())


def stdlib_command(python: str, folder: str, *, prompt: str, system_site: bool = False) -> Command:
    """Return what lets the interpreter `python` make the environment itself."""
    argv = [python, "-m", "venv", "--without-pip", "--prompt", prompt]
    argv += ["--system-site-packages"] if system_site else []
    return Command(argv=(*argv, folder), overrides=_overrides())


def _overrides() -> dict[str, str | None]:
    overrides: dict[str, str | None] = dict.fromkeys(_DROPPED)
    return overrides | {"UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
