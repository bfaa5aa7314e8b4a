"""The ``sys.path`` of a process that is not running yet: ``python -m pip``, ``pip``, a new kernel.

Written after ``Modules/getpath.py`` and ``Lib/site.py`` (and Debian's patch of the latter). An
installer is a child of the kernel: it takes over the variables, but not the flags (``-s -I -E``).
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping, Sequence

__all__ = ["home_folder", "site_folders", "user_base", "user_site_allowed", "with_pth_folders"]

_MOST_PTH = 200
_BIGGEST_PTH = 64 * 1024


def home_folder(environ: Mapping[str, str]) -> str:
    """Return what ``os.path.expanduser("~")`` gives in a process with these variables.

    Without HOME the passwd entry decides; without an entry the answer is a literal ``~``.
    """
    home = environ.get("HOME")
    if home is None:
        try:
            import pwd

            home = pwd.getpwuid(os.getuid()).pw_dir
        except (ImportError, KeyError, OSError, AttributeError):
            return "~"
    return home.rstrip("/") or "/"


def user_base(environ: Mapping[str, str]) -> str:
    """Return the folder ``site.getuserbase()`` gives (``site.py:_getuserbase``)."""
    base = environ.get("PYTHONUSERBASE")
    return base or os.path.join(home_folder(environ), ".local")


def user_site_allowed(environ: Mapping[str, str], venv: Mapping[str, str] | None) -> bool | None:
    """Return ``site.ENABLE_USER_SITE`` of a child (``site.py:check_enableusersite``, ``venv``).

    *venv* holds the settings of ``pyvenv.cfg``, None outside a virtual environment. ``site.py``
    lower-cases the value of include-system-site-packages, so ``True`` counts as true.
    """
    if venv is not None and venv.get("include-system-site-packages", "").lower() != "true":
        return False
    if environ.get("PYTHONNOUSERSITE"):
        return False
    try:
        if os.getuid() != os.geteuid() or os.getgid() != os.getegid():
            return None
    except AttributeError:
        pass
    return True


def site_folders(prefix: str, lib_name: str, debian: bool, in_venv: bool) -> list[str]:
    """List the folders ``site.getsitepackages()`` adds for one *prefix*, existing or not."""
    plain = os.path.join(prefix, "lib", lib_name, "site-packages")
    if not debian:
        return [os.path.join(prefix, "lib64", lib_name, "site-packages"), plain]
    local = os.path.join(prefix, "local", "lib", lib_name, "dist-packages")
    shared = os.path.join(prefix, "lib", "python3", "dist-packages")
    return [plain, local, shared] if in_venv else [local, shared]


def with_pth_folders(folders: Sequence[str]) -> list[str]:
    """Follow every site folder by the folders that its ``.pth`` files add (``site.py:addpackage``).

    Lines that start with ``import`` are code and are left alone.
    """
    result = []
    for folder in folders:
        if not os.path.isdir(folder):
            continue
        result.append(folder)
        try:
            names = sorted(n for n in os.listdir(folder) if n.endswith(".pth"))[:_MOST_PTH]
        except OSError:
            continue
        for name in names:
            try:
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                    lines = file.read(_BIGGEST_PTH).splitlines()
            except OSError:
                continue
            for line in lines:
                line = line.strip()
                if not line or line.startswith(("#", "import ", "import\t")):
                    continue
                added = os.path.join(folder, line)
                if os.path.exists(added) and added not in result:
                    result.append(added)
    return result
