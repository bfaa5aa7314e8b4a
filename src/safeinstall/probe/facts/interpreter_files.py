"""An interpreter as its files describe it: what kind of environment, which folders it fills.

Written after ``Modules/getpath.py`` (``pyvenv.cfg``, landmarks) and ``Lib/sysconfig.py`` (schemes,
with Debian's two additions). Nothing is started, so another interpreter costs a few ``stat`` calls.
"""

from __future__ import annotations

import os
import re
import sys

from .search_path import (
    read_text,
    site_folders,
    upward,
    user_base,
    user_site_allowed,
    with_pth_folders,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping


_LIB = re.compile(r"^(?:python|pypy)(\d+)\.(\d+)t?$")
_DEBIAN_SHARED = "/usr/lib/python3/dist-packages"


def pyvenv_settings(prefix: str) -> dict[str, str]:
    """Read ``pyvenv.cfg`` of *prefix* as ``site.py`` does: lower-cased keys, values as they stand.

    An environment without the file gives an empty dictionary.
    """
    settings = {}
    for line in (read_text(os.path.join(prefix, "pyvenv.cfg")) or "").splitlines():
        key, equals, value = line.partition("=")
        if equals:
            settings[key.strip().lower()] = value.strip()
    return settings


def conda_facts(prefix: str) -> dict[str, Any] | None:
    """Describe the conda prefix, or None where *prefix* is not one."""
    if not os.path.isdir(os.path.join(prefix, "conda-meta")):
        return None
    base = True if os.path.isdir(os.path.join(prefix, "condabin")) else None
    if os.path.basename(os.path.dirname(prefix)) == "envs":
        base = False
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


class Interpreter:
    """What decides an install: prefixes, version, the folders of its schemes."""

    __slots__ = ("base_prefix", "debian", "executable", "lib_name", "live", "prefix", "venv")

    def __init__(
        self,
        executable: str,
        prefix: str,
        base_prefix: str,
        lib_name: str,
        venv: Mapping[str, str] | None,
        live: Mapping[str, str] | None = None,
    ) -> None:
        """Keep what was read; *live* are scheme folders a running interpreter reported."""
        self.executable = executable
        self.prefix = prefix
        self.base_prefix = base_prefix
        self.lib_name = lib_name
        self.venv = venv
        self.live = live
        self.debian = base_prefix == "/usr" and os.path.isdir(_DEBIAN_SHARED)

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor version."""
        match = _LIB.match(self.lib_name)
        return (int(match.group(1)), int(match.group(2))) if match else (3, 0)

    @property
    def stdlib(self) -> str:
        """The folder of the standard library, where PEP 668's marker lies."""
        return os.path.join(self.base_prefix, "lib", self.lib_name)

    @property
    def in_venv(self) -> bool:
        """What pip and PEP 668 ask: does the prefix differ from the base prefix?"""
        return self.prefix != self.base_prefix

    def externally_managed(self) -> bool:
        """Whether PEP 668's marker is in force here."""
        marker = os.path.join(self.stdlib, "EXTERNALLY-MANAGED")
        return not self.in_venv and os.path.isfile(marker)

    def scheme(self, environ: Mapping[str, str]) -> dict[str, str]:
        """Return the folders of a default install (``sysconfig.get_preferred_scheme``)."""
        if self.debian and not self.in_venv:
            if environ.get("DEB_PYTHON_INSTALL_LAYOUT") in ("deb", "deb_system"):
                site, data = _DEBIAN_SHARED, self.prefix
            else:
                data = os.path.join(self.prefix, "local")
                site = os.path.join(data, "lib", self.lib_name, "dist-packages")
            return scheme_folders(site, data)
        if self.live:
            return dict(self.live)
        return scheme_folders(self.site_below(self.prefix), self.prefix)

    def site_below(self, prefix: str, debian_local: bool = False) -> str:
        """Return the folder ``--prefix`` fills: ``posix_prefix``, or Debian's ``posix_local``."""
        if debian_local and self.debian and not self.in_venv:
            return os.path.join(prefix, "local", "lib", self.lib_name, "dist-packages")
        return os.path.join(prefix, "lib", self.lib_name, "site-packages")

    def user_scheme(self, environ: Mapping[str, str], cwd: str) -> dict[str, str]:
        """Return the folders of ``--user``; a relative base is taken from *cwd*."""
        base = os.path.normpath(os.path.join(cwd, user_base(environ)))
        return scheme_folders(os.path.join(base, "lib", self.lib_name, "site-packages"), base)

    def user_site_allowed(
        self, environ: Mapping[str, str], no_user_site: bool = False
    ) -> bool | None:
        """Return ``site.ENABLE_USER_SITE`` of a process of this interpreter started now."""
        if no_user_site:
            return False
        return user_site_allowed(environ, self.venv if self.in_venv else None)

    def search_path(
        self, environ: Mapping[str, str], cwd: str, first: str | None, no_user_site: bool = False
    ) -> list[str]:
        """Return ``sys.path`` of a child; *first* is its first entry, None for a safe path."""
        folders = [] if first is None else [first]
        added = environ.get("PYTHONPATH", "").split(os.pathsep)
        folders += [os.path.join(cwd, entry) for entry in added if entry]
        folders += [self.stdlib, os.path.join(self.stdlib, "lib-dynload")]
        own = site_folders(self.prefix, self.lib_name, self.debian, self.in_venv)
        if self.live:
            own = [*dict.fromkeys((self.live["purelib"], self.live["platlib"])), *own]
        user = self.user_scheme(environ, cwd)["purelib"]
        user_folders = [user] if self.user_site_allowed(environ, no_user_site) else []
        if not self.in_venv:
            site = [*user_folders, *own]
        elif (self.venv or {}).get("include-system-site-packages", "").lower() == "true":
            base = site_folders(self.base_prefix, self.lib_name, self.debian, False)
            site = [*own, *user_folders, *base]
        else:
            site = own
        return list(dict.fromkeys([*folders, *with_pth_folders(list(dict.fromkeys(site)))]))


def scheme_folders(site: str, data: str) -> dict[str, str]:
    """Return a scheme whose modules all go to *site* and whose scripts go below *data*."""
    scripts = os.path.join(data, "bin")
    return {"purelib": site, "platlib": site, "scripts": scripts, "data": data}


def interpreter_from_facts(facts: Mapping[str, Any]) -> Interpreter:
    """Describe the kernel's interpreter, whose scheme folders need no guessing."""
    lib_name = os.path.basename(str(facts["paths"]["stdlib"]))
    if not _LIB.match(lib_name):
        lib_name = "python%d.%d" % tuple(facts["version_info"][:2])
    in_venv = facts["prefix"] != facts["base_prefix"]
    return Interpreter(
        str(facts["executable"]),
        str(facts["prefix"]),
        str(facts["base_prefix"]),
        lib_name,
        pyvenv_settings(facts["prefix"]) if in_venv else None,
        {name: str(facts["paths"][name]) for name in ("purelib", "platlib", "scripts", "data")},
    )


def _library_at(prefix: str, hint: str) -> str | None:
    """Name the ``lib/pythonX.Y`` below *prefix* that has the landmark, preferring *hint*."""
    lib = os.path.join(prefix, "lib")
    if hint and os.path.isfile(os.path.join(lib, hint, "os.py")):
        return hint
    try:
        names = [name for name in os.listdir(lib) if _LIB.match(name)]
    except OSError:
        return None
    # A program called `python3` that no link resolves: only one library may answer.
    with_landmark = [name for name in names if os.path.isfile(os.path.join(lib, name, "os.py"))]
    return with_landmark[0] if len(with_landmark) == 1 else None


def read_interpreter(executable: str) -> Interpreter | None:
    """Describe the interpreter at *executable*; None where its files do not make sense.

    ``pyvenv.cfg`` is looked for beside the path as given and one folder up, before links are
    followed: a link to a venv's python from elsewhere is the base interpreter.
    """
    if not os.path.isfile(executable):
        return None
    folder = os.path.dirname(os.path.abspath(executable))
    real = os.path.realpath(executable)
    hint = os.path.basename(real)
    hint = hint if _LIB.match(hint) else ""
    prefix, settings = None, None
    for candidate in (folder, os.path.dirname(folder)):
        if os.path.isfile(os.path.join(candidate, "pyvenv.cfg")):
            prefix, settings = candidate, pyvenv_settings(candidate)
            said = settings.get("version_info", settings.get("version", ""))
            version = re.match(r"(\d+)\.(\d+)", said)
            if version and not hint:
                hint = "python%s.%s" % version.groups()
            break
    starts = [real]
    home = settings.get("home") if settings else None
    if home:
        beside = [os.path.join(home, name) for name in (hint, "python3", "python") if name]
        starts = [os.path.realpath(path) for path in beside if os.path.exists(path)] + starts
    for start in starts:
        for base in upward(os.path.dirname(start)):
            lib_name = _library_at(base, hint)
            if lib_name:
                return Interpreter(executable, prefix or base, base, lib_name, settings)
    return None
