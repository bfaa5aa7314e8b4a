"""An interpreter, running or as its files describe it: its kind and its folders.

The running one gives its facts as JSON-able data: what decides an install (prefixes, schemes, path,
user site), and what is around: pip and uv, a container, a hosted service. Another one is read from
files after ``Modules/getpath.py`` (``pyvenv.cfg``, landmarks) and ``Lib/sysconfig.py`` (schemes,
with Debian's two additions): nothing is started, so it costs a few ``stat`` calls.
"""

from __future__ import annotations

import os
import re
import site
import sys
import sysconfig

from .search_path import (
    find_distribution,
    home_folder,
    listed,
    module_origin,
    read_text,
    site_folders,
    upward,
    user_base,
    user_site_allowed,
    with_pth_folders,
)
from .writability import describe_access, user_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Mapping


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
        return not self.in_venv and os.path.isfile(os.path.join(self.stdlib, "EXTERNALLY-MANAGED"))

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
    return {"purelib": site, "platlib": site, "scripts": os.path.join(data, "bin"), "data": data}


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
    names = [name for name in listed(lib) if _LIB.match(name)]
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


SCHEMA = 1
_FLAGS = ("isolated", "no_user_site", "ignore_environment", "no_site", "safe_path")
_PATHS = ("stdlib", "platstdlib", "purelib", "platlib", "scripts", "data", "include")
_WRITTEN = ("purelib", "platlib", "scripts", "data")
_HOSTED = (("BINDER_", "Binder"), ("COLAB_", "Colab"), ("JUPYTERHUB_", "JupyterHub"))
_FORGETFUL = ("Binder", "Colab", "Kubernetes")
"""Services that throw the machine away after the session."""


def _default_scheme() -> str:
    """Name the scheme of a default install (``sysconfig.get_preferred_scheme``, 3.10+)."""
    preferred = getattr(sysconfig, "get_preferred_scheme", None)
    if preferred is not None:
        return str(preferred("prefix"))
    default: Callable[[], str] | None = getattr(sysconfig, "_get_default_scheme", None)
    return str(default()) if default is not None else "posix_prefix"


def _user_site() -> dict[str, Any]:
    """Read the user site as ``site`` decided it for this process."""
    try:
        path: str | None = site.getusersitepackages()
        base: str | None = site.getuserbase()
    except (AttributeError, KeyError, OSError, TypeError):  # a platform without one
        path = base = None
    on_path = bool(path) and any(_same(path, entry) for entry in sys.path)
    return {
        "path": path,
        "base": base,
        "enabled": site.ENABLE_USER_SITE,
        "exists": bool(path) and os.path.isdir(path or ""),
        "on_path": on_path,
    }


def _same(one: str | None, other: str) -> bool:
    return one == other or os.path.realpath(one or "") == os.path.realpath(other or os.curdir)


def _marker(stdlib: str, in_venv: bool) -> dict[str, str | None] | None:
    """Find PEP 668's marker and the text its distributor wrote into it."""
    path = os.path.join(stdlib, "EXTERNALLY-MANAGED")
    if in_venv or not os.path.isfile(path):
        return None
    message: list[str] = []
    reading = False
    # configparser would cost more than the rest of this report
    for line in (read_text(path) or "").splitlines():
        if line[:1] in (" ", "\t") or not line.strip():
            if reading:
                message.append("" if line.strip() == "." else line.strip())
            continue
        reading = line.lower().startswith("error=") or line.lower().startswith("error =")
        if reading:
            message = [line.partition("=")[2].strip()]
    return {"marker": path, "message": "\n".join(message).strip() or None}


def _own_folder() -> list[str]:
    try:
        return [os.getcwd()]
    except OSError:  # it was deleted
        return []


def _pip(user: dict[str, Any], environ: Mapping[str, str]) -> dict[str, str] | None:
    """Find the pip that ``python -m pip`` would load, in the order the child looks for it."""
    folders = [] if environ.get("PYTHONSAFEPATH") else _own_folder()
    folders += [f for f in environ.get("PYTHONPATH", "").split(os.pathsep) if f]
    folders += [f for f in sys.path if f and f not in folders]
    # The child has no -s and no -I: it may read a user site that this process does not.
    venv = pyvenv_settings(sys.prefix) if sys.prefix != sys.base_prefix else None
    if user["path"] and user["path"] not in folders and user_site_allowed(environ, venv):
        folders.append(user["path"])
    origin = module_origin("pip", folders)
    if origin is None:
        return None
    pip = find_distribution("pip", [origin])
    return {"version": pip.version if pip else "", "path": os.path.join(origin, "pip")}


def find_uv(
    executable: str, prefix: str, user_base: str | None, environ: Mapping[str, str]
) -> dict[str, str] | None:
    """Return ``{"path", "found"}`` of the uv program nearest to the interpreter, or None."""
    name = "uv.exe" if os.name == "nt" else "uv"
    home = environ.get("HOME", "")
    common = [os.path.join(home, own, "bin") for own in (".local", ".cargo")] if home else []
    places = {
        "beside the interpreter": [os.path.dirname(executable)],
        "in the environment": [os.path.join(prefix, "bin"), os.path.join(prefix, "Scripts")],
        "in the user base": [os.path.join(user_base, "bin")] if user_base else [],
        "on PATH": environ.get("PATH", "").split(os.pathsep),
        "in a common place": [*common, "/usr/local/bin", "/opt/homebrew/bin"],
    }
    for found, folders in places.items():
        for folder in filter(None, folders):
            path = os.path.join(folder, name)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return {"path": path, "found": found}
    return None


def _root_is_overlay() -> bool:
    lines = (read_text("/proc/mounts", 256 * 1024) or "").splitlines()
    # The last mount on a point is the one that is seen.
    kinds = [words[2] for words in (line.split() for line in lines) if words[1:2] == ["/"]]
    return bool(kinds) and kinds[-1] in ("overlay", "overlayfs", "aufs")


def container_facts(environ: Mapping[str, str]) -> dict[str, Any]:
    """List the signs of a container, and say whether what is installed will be forgotten."""
    markers = ("/.dockerenv", "/run/.containerenv")
    hints = ["%s exists" % marker for marker in markers if os.path.exists(marker)]
    cgroup = read_text("/proc/1/cgroup", 4096) or ""
    words = [w for w in ("docker", "kubepods", "containerd", "libpod", "lxc") if w in cgroup]
    hints += ["the control group of process 1 names %s" % word for word in words[:1]]
    marked = bool(hints)
    if "KUBERNETES_SERVICE_HOST" in environ:
        hints.append("Kubernetes: KUBERNETES_SERVICE_HOST is set")
    for start, service in _HOSTED:
        names = sorted(name for name in environ if name.startswith(start))
        if names:
            hints.append("%s: %s is set" % (service, names[0]))
    overlay = _root_is_overlay()
    if overlay:
        hints.append("the root file system is an overlay")
    ephemeral = (marked and overlay) or any(hint.startswith(_FORGETFUL) for hint in hints)
    return {"hints": hints, "ephemeral": ephemeral}


def facts(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Collect the facts of the running interpreter; *environ* replaces the process's variables."""
    environ = os.environ if environ is None else environ
    kernel = kernel_facts()
    in_venv = sys.prefix != sys.base_prefix
    included = pyvenv_settings(sys.prefix).get("include-system-site-packages", "")
    shared = included.lower() == "true" if in_venv else None
    executable, paths, user_site = kernel["executable"], kernel["paths"], kernel["user_site"]
    uid = os.getuid() if hasattr(os, "getuid") else -1
    euid = os.geteuid() if hasattr(os, "geteuid") else -1
    return {
        "schema": SCHEMA,
        **kernel,
        "real_executable": os.path.realpath(executable) if executable else "",
        "version": sys.version.split()[0],
        "implementation": sys.implementation.name,
        "cache_tag": sys.implementation.cache_tag,
        "platform": sys.platform,
        "exec_prefix": sys.exec_prefix,
        "base_executable": getattr(sys, "_base_executable", None) or executable,
        "flags": {name: bool(getattr(sys.flags, name, False)) for name in _FLAGS},
        "system_site_packages": shared,
        "externally_managed": _marker(paths["stdlib"] or "", in_venv),
        "access": {name: describe_access(paths[name]) for name in _WRITTEN},
        "user": {
            "name": user_name(euid) if euid >= 0 else environ.get("USERNAME", ""),
            "uid": uid,
            "euid": euid,
            "home": home_folder(environ),
        },
        "pip": _pip(user_site, environ),
        "uv": find_uv(executable, sys.prefix, user_site["base"], environ),
        "container": container_facts(environ),
        "conda": conda_facts(sys.prefix),
    }


def kernel_facts() -> dict[str, Any]:
    """Return the part of the facts that a prediction needs, which costs a tenth of the whole."""
    scheme = _default_scheme()
    paths = sysconfig.get_paths(scheme)  # each `get_path` works all of them out
    kind, evidence = interpreter_kind(sys.prefix, sys.base_prefix, sysconfig.get_scheme_names())
    return {
        "executable": sys.executable or "",
        "version_info": list(sys.version_info[:3]),
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "kind": kind,
        "evidence": evidence,
        "scheme": scheme,
        "paths": {name: paths[name] for name in _PATHS},
        "sys_path": [str(entry) for entry in sys.path],
        "user_site": _user_site(),
    }
