"""Whom the doctor looks at: an environment that answers, or one that can only be looked at."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safeinstall.environment import Environment
from safeinstall.errors import EnvironmentReportError, SafeInstallError
from safeinstall.inspection import marker_environment
from safeinstall.operations.context import Context
from safeinstall.operations.locate import environment_of
from safeinstall.probe.facts.interpreter_files import pyvenv_settings

__all__ = ["Patient", "patient_at", "patient_of"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Patient:
    """An environment to be examined."""

    prefix: str
    python: str
    """Its interpreter, whether it starts or not."""
    version: str
    site_packages: tuple[str, ...]
    import_path: tuple[str, ...]
    """The folders it imports from, in order; its own folders where it cannot be asked."""
    environment: Environment | None
    """None when its interpreter does not start."""
    trouble: str = ""
    """Why it does not."""

    @property
    def markers(self) -> Mapping[str, str] | None:
        """What environment markers mean here, or None where nobody can say."""
        return marker_environment(self.environment) if self.environment else None


def patient_of(environment: Environment) -> Patient:
    """Return an environment that answered."""
    return Patient(
        prefix=environment.prefix,
        python=environment.executable,
        version=environment.version,
        site_packages=environment.paths.site_packages,
        import_path=tuple(entry for entry in environment.sys_path if entry),
        environment=environment,
    )


def patient_at(place: str, context: Context) -> Patient:
    """Return the environment of an interpreter or folder, also when it cannot start.

    Raises `EnvironmentReportError` when nothing there looks like an environment.
    """
    try:
        return patient_of(environment_of(place))
    except SafeInstallError as error:
        trouble = error.message
    path = Path(context.cwd, Path(place).expanduser())
    prefix = path.parent.parent if path.parent.name == "bin" else path
    found = sorted(prefix.glob("lib/python3.*/site-packages"))
    if not found:
        raise EnvironmentReportError(
            f"There is no Python environment at {place}.", code="not-a-python"
        )
    folder = str(found[-1])
    python = path if path != prefix else prefix / "bin" / "python"
    if python.is_symlink() and not python.exists():
        target = os.path.realpath(python)
        trouble = f"{python} leads to {target}, which is not there."
    settings = pyvenv_settings(str(prefix))
    named = settings.get("version_info") or settings.get("version") or ""
    minor = found[-1].parent.name.removeprefix("python")
    return Patient(
        prefix=str(prefix),
        python=str(python),
        version=named if named.startswith(f"{minor}.") else minor,
        site_packages=(folder,),
        import_path=(folder,),
        environment=None,
        trouble=trouble,
    )


def standard_modules() -> frozenset[str]:
    """Return the names of the standard library."""
    return sys.stdlib_module_names
