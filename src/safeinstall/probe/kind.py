"""What kind of environment an interpreter belongs to, and the evidence for it."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["conda_facts", "interpreter_kind", "pyvenv_settings"]

_BIGGEST_CFG = 64 * 1024


def pyvenv_settings(prefix: str) -> dict[str, str]:
    """Read ``pyvenv.cfg`` of *prefix* as ``site.py`` does: lower-cased keys, values as they stand.

    An environment without the file gives an empty dictionary.
    """
    settings = {}
    try:
        with open(os.path.join(prefix, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
            text = file.read(_BIGGEST_CFG)
    except (OSError, ValueError):
        return {}
    for line in text.splitlines():
        key, equals, value = line.partition("=")
        if equals:
            settings[key.strip().lower()] = value.strip()
    return settings


def conda_facts(prefix: str) -> dict[str, Any] | None:
    """Describe the conda prefix, or None where *prefix* is not one."""
    if not os.path.isdir(os.path.join(prefix, "conda-meta")):
        return None
    base = None
    if os.path.basename(os.path.dirname(prefix)) == "envs":
        base = False
    elif os.path.isdir(os.path.join(prefix, "condabin")):
        base = True
    history = os.path.isfile(os.path.join(prefix, "conda-meta", "history"))
    return {"prefix": prefix, "base": base, "history": history}


def interpreter_kind(
    prefix: str, base_prefix: str, schemes: tuple[str, ...]
) -> tuple[str, list[str]]:
    """Name the kind of environment at *prefix* and the observations that say so.

    *schemes* are the names ``sysconfig`` knows: Debian adds two of its own.
    """
    if sys.platform == "emscripten":
        return "pyodide", ["sys.platform is emscripten"]
    if prefix != base_prefix:
        settings = pyvenv_settings(prefix)
        evidence = ["sys.prefix %s differs from sys.base_prefix %s" % (prefix, base_prefix)]
        for maker, kind in (("uv", "uv-venv"), ("virtualenv", "virtualenv")):
            if maker in settings:
                made = "pyvenv.cfg says it was made by %s %s" % (maker, settings[maker])
                return kind, [*evidence, made]
        return "venv", evidence
    if os.path.isdir(os.path.join(prefix, "conda-meta")):
        return "conda", ["%s has a conda-meta folder" % prefix]
    if prefix == "/usr" and ("posix_local" in schemes or "deb_system" in schemes):
        return "debian-system", ["the prefix is /usr", "sysconfig knows Debian's own schemes"]
    owned_by_system = ("/usr", "/usr/local", "/System/", "/Library/Developer/")
    if prefix in owned_by_system or prefix.startswith(owned_by_system[2:]):
        return "system", ["the prefix %s belongs to the operating system" % prefix]
    return "pyenv", ["%s is a stand-alone prefix outside /usr" % prefix]
