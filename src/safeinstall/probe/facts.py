"""The facts of the interpreter that runs this file, as JSON-able data.

Contract of this file: it is both imported (``facts()``) and run as a script by any interpreter
from Python 3.8 on, started with its own flags: ``python facts.py COOKIE`` prints the cookie, one
JSON object and the reversed cookie on one line, so that nothing a ``sitecustomize`` prints can be
taken for the report. Standard library only; no side effects; leaves no compiled files behind.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

__all__ = ["SCHEMA", "facts"]

SCHEMA = 1
_FLAGS = ("isolated", "no_user_site", "ignore_environment", "no_site", "safe_path")
_WRITTEN = ("purelib", "platlib", "scripts", "data")


def _marker(stdlib: str, in_venv: bool) -> dict[str, str | None] | None:
    """Find PEP 668's marker and the text its distributor wrote into it."""
    path = os.path.join(stdlib, "EXTERNALLY-MANAGED")
    if in_venv or not os.path.isfile(path):
        return None
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            lines = file.read(64 * 1024).splitlines()
    except OSError:
        lines = []
    message: list[str] = []
    reading = False
    for line in lines:  # configparser would cost more than the rest of this report
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
    from .installed import find_distribution, module_origin
    from .search_path import user_site_allowed

    folders = [] if environ.get("PYTHONSAFEPATH") else _own_folder()
    folders += [f for f in environ.get("PYTHONPATH", "").split(os.pathsep) if f]
    folders += [f for f in sys.path if f and f not in folders]
    # The child has no -s and no -I: it may read a user site that this process does not.
    venv = None
    if sys.prefix != sys.base_prefix:
        from .kind import pyvenv_settings

        venv = pyvenv_settings(sys.prefix)
    if user["path"] and user["path"] not in folders and user_site_allowed(environ, venv):
        folders.append(user["path"])
    origin = module_origin("pip", folders)
    if origin is None:
        return None
    found = find_distribution("pip", [origin])
    return {"version": found.version if found else "", "path": os.path.join(origin, "pip")}


def facts(environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Collect the facts of the running interpreter; *environ* replaces the process's variables."""
    import sysconfig

    from .access import describe_access, user_name
    from .kernel import PATHS, default_scheme, user_site_facts
    from .kind import conda_facts, interpreter_kind, pyvenv_settings
    from .search_path import home_folder
    from .surroundings import container_facts, find_uv

    environ = os.environ if environ is None else environ
    scheme = default_scheme()
    paths = {name: sysconfig.get_path(name, scheme) for name in PATHS}
    in_venv = sys.prefix != sys.base_prefix
    kind, evidence = interpreter_kind(sys.prefix, sys.base_prefix, sysconfig.get_scheme_names())
    user_site = user_site_facts()
    shared: bool | None = None
    if in_venv:
        included = pyvenv_settings(sys.prefix).get("include-system-site-packages", "")
        shared = included.lower() == "true"
    executable = sys.executable or ""
    uid = os.getuid() if hasattr(os, "getuid") else -1
    euid = os.geteuid() if hasattr(os, "geteuid") else -1
    return {
        "schema": SCHEMA,
        "executable": executable,
        "real_executable": os.path.realpath(executable) if executable else "",
        "version": sys.version.split()[0],
        "version_info": list(sys.version_info[:3]),
        "implementation": sys.implementation.name,
        "cache_tag": sys.implementation.cache_tag,
        "platform": sys.platform,
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "exec_prefix": sys.exec_prefix,
        "base_executable": getattr(sys, "_base_executable", None) or executable,
        "flags": {name: bool(getattr(sys.flags, name, False)) for name in _FLAGS},
        "kind": kind,
        "evidence": evidence,
        "system_site_packages": shared,
        "scheme": scheme,
        "paths": paths,
        "sys_path": [str(entry) for entry in sys.path],
        "user_site": user_site,
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


def _main(cookie: str) -> None:
    """Run as a script: load the room this file lies in by its place, and print the report."""
    import importlib.util
    import json

    here = os.path.dirname(os.path.abspath(__file__))
    # The folder of a script is the first entry of sys.path: it is ours, not the interpreter's.
    if not getattr(sys.flags, "safe_path", False) and not sys.flags.isolated:
        del sys.path[:1]
    sys.dont_write_bytecode = True
    name = "_safeinstall_probe"
    spec = importlib.util.spec_from_file_location(
        name, os.path.join(here, "__init__.py"), submodule_search_locations=[here]
    )
    if spec is None or spec.loader is None:
        raise SystemExit("cannot load the probe from %s" % here)
    room = importlib.util.module_from_spec(spec)
    sys.modules[name] = room
    spec.loader.exec_module(room)
    report = importlib.import_module(name + ".facts").facts()
    sys.stdout.write(cookie + json.dumps(report) + cookie[::-1] + "\n")


if __name__ == "__main__":
    _main(sys.argv[1] if len(sys.argv) > 1 else "")
