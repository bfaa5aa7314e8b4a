"""Folders that pip chooses differently from release to release (``locations/__init__.py``)."""

from __future__ import annotations

import os

from ..facts.search_path import home_folder
from .pip_settings import parse_ini

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping

    from ..facts.interpreter_files import Interpreter

__all__ = ["distutils_override", "site_of_prefix"]


def site_of_prefix(interpreter: Interpreter, prefix: str, version: tuple[int, ...]) -> str:
    """Return the folder ``--prefix`` fills; from 26.3 on Debian's own scheme is not used for it."""
    return interpreter.site_below(prefix, debian_local=version < (26, 3))


def distutils_override(
    interpreter: Interpreter, version: tuple[int, ...], environ: Mapping[str, str], cwd: str
) -> dict[str, str]:
    """Return scheme folders that configuration files of distutils move, or nothing.

    pip asks distutils before 21.3 everywhere, and before 26.1 on Python older than 3.10.
    """
    if version >= (26, 1) or (version >= (21, 3) and interpreter.version >= (3, 10)):
        return {}
    files = (
        os.path.join(interpreter.stdlib, "distutils", "distutils.cfg"),
        os.path.join(home_folder(environ), ".pydistutils.cfg"),
        os.path.join(cwd, "setup.cfg"),
    )
    said = {
        key: value
        for path in files
        for section, key, value in parse_ini(path)
        if section == "install"
    }
    base = said.get("prefix") or said.get("home")
    moved: dict[str, str] = {}
    if base:
        base = os.path.join(cwd, os.path.expanduser(base))
        site = interpreter.site_below(base)
        if not said.get("prefix"):
            site = os.path.join(base, "lib", "python")
        moved = {"purelib": site, "platlib": site, "scripts": os.path.join(base, "bin")}
    for name in ("purelib", "platlib", "scripts"):
        value = said.get("install-" + name)
        if value:
            moved[name] = os.path.join(cwd, os.path.expanduser(value))
    if said.get("install-lib"):
        site = os.path.join(cwd, os.path.expanduser(said["install-lib"]))
        moved.update(purelib=site, platlib=site)
    return moved
