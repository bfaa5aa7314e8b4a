"""Whether the environment that this process was started in is still the one that lies there.

Under a running kernel it may be moved, deleted, emptied or made anew with another Python. Nothing
that is not loaded can be imported then, so this file is loaded with the first of ours and asks for
nothing else; only where the packages are there it reads ``pyvenv.cfg`` as everybody does.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys

CODE = "environment-lost"
"""The finding's code."""
_OWN = ("ipykernel", "IPython", "traitlets", "safeinstall")
"""What a kernel has loaded, and we; where all of it is gone, nobody has uninstalled just one."""
_SIBLINGS = 200
"""Folders looked at beside an environment that is gone."""


def lost_environment() -> tuple[str, str] | None:
    """Return what has become of this process's environment, and the shell command that helps.

    None where all is as it was; the command is empty where none is known.
    """
    prefix = sys.prefix
    if not os.path.isdir(prefix):
        moved = _moved_to(prefix)
        words = f"{prefix}, the environment this kernel was started in,"
        if moved:
            back = f"mv {shlex.quote(moved)} {shlex.quote(prefix)}"
            return f"{words} has been moved to {moved}: nothing in it can be reached.", back
        return f"{words} is not there any more: it was moved or deleted.", _made_anew(prefix)
    if not os.path.exists(sys.executable):
        return f"{sys.executable}, the Python of this kernel, is gone.", _made_anew(prefix)
    there, gone = _loaded_from(prefix)
    if gone and not there:
        words = f"{prefix} was emptied or made anew under this kernel"
        return f"{words}: the packages the kernel runs on are gone from it.", _filled(prefix)
    if "safeinstall" in gone:
        words = f"safeinstall was taken out of {prefix} after this kernel had loaded it."
        return words, _filled(prefix)
    other = _other_version(prefix)
    if other:
        words = f"{prefix} was made anew with Python {other} under this kernel"
        own = ".".join(map(str, sys.version_info[:2]))
        return f"{words}, which runs {own}: it has to be restarted.", _filled(prefix)
    return None


def _loaded_from(prefix: str) -> tuple[list[str], list[str]]:
    """Return which of what this process has loaded from there is there still, and which is not."""
    there: list[str] = []
    gone: list[str] = []
    for name in _OWN:
        file = getattr(sys.modules.get(name), "__file__", None) or ""
        if file.startswith(os.path.join(prefix, "")):
            (there if os.path.exists(file) else gone).append(name)
    return there, gone


def _other_version(prefix: str) -> str:
    """Return the minor version that ``pyvenv.cfg`` names, where this process has another one."""
    from .interpreter import pyvenv_settings  # see above

    settings = pyvenv_settings(prefix)
    named = settings.get("version_info") or settings.get("version") or ""
    minor = ".".join(named.split(".")[:2])
    return "" if minor in ("", ".".join(map(str, sys.version_info[:2]))) else minor


def _moved_to(prefix: str) -> str:
    """Return the environment beside this place whose activate script still names it."""
    parent = os.path.dirname(prefix)
    try:
        names = sorted(os.listdir(parent))[:_SIBLINGS]
    except OSError:
        return ""
    wanted = os.fsencode(prefix)
    for name in names:
        place = os.path.join(parent, name)
        try:
            with open(os.path.join(place, "bin", "activate"), "rb") as script:
                words = script.read(1 << 16).replace(b"'", b" ").replace(b'"', b" ").split()
        except OSError:
            continue
        if wanted in words or b"VIRTUAL_ENV=" + wanted in words:
            return place
    return ""


def _made_anew(prefix: str) -> str:
    """Return the command that makes a virtual environment there again, with a kernel."""
    base = getattr(sys, "_base_executable", "") or ""
    if sys.prefix == sys.base_prefix or not os.path.exists(base):
        return ""
    place = shlex.quote(prefix)
    maker = ("uv venv --python", "uv venv --clear --python")[os.path.isdir(prefix)]
    making = (
        f"{maker} {shlex.quote(base)}" if shutil.which("uv") else f"{shlex.quote(base)} -m venv"
    )
    return f"{making} {place} && {_filled(prefix)}"


def _filled(prefix: str) -> str:
    """Return the command that brings back what the kernel runs on."""
    python = shlex.quote(os.path.join(prefix, "bin", "python"))
    ours = getattr(sys.modules.get("safeinstall"), "__file__", None) or ""
    names = "ipykernel safeinstall" if ours.startswith(os.path.join(prefix, "")) else "ipykernel"
    if shutil.which("uv"):
        return f"uv pip install --python {python} {names}"
    return f"{python} -m pip install {names}"
