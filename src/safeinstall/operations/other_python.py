"""The line for a package that needs another Python: a new environment of one that is here."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from safeinstall.errors import InstallerError
from safeinstall.installers import Installer
from safeinstall.interpreter import installed_pythons, managed_pythons
from safeinstall.operations.context import Context
from safeinstall.operations.new_request import KERNEL, line_of
from safeinstall.request import InstallRequest

__all__ = ["with_other_python"]

_WANTED: Final = re.compile(r" needs Python ([<>=!~]\S*?),? and ")
_MINOR: Final = re.compile(r"3\.\d+")


def with_other_python(
    error: InstallerError,
    request: InstallRequest,
    context: Context,
    installer: Installer | None = None,
) -> InstallerError:
    """Return the error with the line to type, or with the word that no such Python is here."""
    wanted = _WANTED.search(error.message)
    if wanted is None or KERNEL in request.items:
        return error  # a new environment is being made already
    try:
        fitting = SpecifierSet(wanted[1])
    except InvalidSpecifier:
        return error
    also = managed_pythons(installer, context.run) if installer else ()
    known = (_MINOR.match(found.version) for found in installed_pythons(context.environ, also))
    minors = sorted({found[0] for found in known if found}, key=Version)
    able = [minor for minor in minors if fitting.contains(minor)]
    if not able:
        message = f"{error.message} No such Python is found on this machine."
        return InstallerError(message, code=error.code, context=error.context)
    asked = replace(request, json=False, user=False, break_system_packages=False)
    place = os.path.join(request.cwd, ".venv")
    hint = line_of(asked, context, new_env=place, python=able[-1])
    return InstallerError(error.message, code=error.code, context=error.context, hint=hint)
