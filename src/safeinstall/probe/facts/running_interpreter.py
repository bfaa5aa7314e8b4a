"""The facts of the interpreter that runs this file, as JSON-able data.

What decides an install (prefixes, schemes, path, user site), and what is around: the pip and the
uv that could serve it, a container, a hosted service.
"""

from __future__ import annotations

import os
import site
import sys
import sysconfig

from .interpreter_files import conda_facts, interpreter_kind, pyvenv_settings
from .search_path import find_distribution, home_folder, module_origin, read_text, user_site_allowed
from .writability import describe_access, user_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Mapping


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
    kind, evidence = interpreter_kind(sys.prefix, sys.base_prefix, sysconfig.get_scheme_names())
    return {
        "executable": sys.executable or "",
        "version_info": list(sys.version_info[:3]),
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "kind": kind,
        "evidence": evidence,
        "scheme": scheme,
        "paths": {name: sysconfig.get_path(name, scheme) for name in _PATHS},
        "sys_path": [str(entry) for entry in sys.path],
        "user_site": _user_site(),
    }
