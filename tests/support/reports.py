"""Probe reports as values: what a machine would say, for tests that need no machine."""

from __future__ import annotations

from typing import Any

from safeinstall.environment import Destination, Environment
from safeinstall.installers.sources import ResolvedRequest, Sources
from safeinstall.request import parse

__all__ = ["MARKER", "environment", "intent", "locked_access", "report"]


def report(prefix: str = "/home/ana/proj/.venv", **changes: Any) -> dict[str, Any]:
    """Return the report of a plain venv of Python 3.12, with `changes` to its keys."""
    site = f"{prefix}/lib/python3.12/site-packages"
    access = {
        "probed": site,
        "writable": True,
        "reason": None,
        "owner": "ana",
        "group": "ana",
        "mode": "0755",
        "you": "ana",
        "detail": "",
    }
    return {
        "schema": 1,
        "executable": f"{prefix}/bin/python",
        "real_executable": "/usr/bin/python3.12",
        "base_executable": "/usr/bin/python3.12",
        "version": "3.12.1",
        "version_info": [3, 12, 1],
        "implementation": "cpython",
        "cache_tag": "cpython-312",
        "platform": "linux",
        "prefix": prefix,
        "base_prefix": "/usr",
        "exec_prefix": prefix,
        "flags": {
            "isolated": False,
            "no_user_site": False,
            "ignore_environment": False,
            "no_site": False,
            "safe_path": False,
        },
        "kind": "venv",
        "evidence": ["pyvenv.cfg"],
        "system_site_packages": False,
        "scheme": "venv",
        "paths": {
            "stdlib": "/usr/lib/python3.12",
            "platstdlib": f"{prefix}/lib/python3.12",
            "purelib": site,
            "platlib": site,
            "scripts": f"{prefix}/bin",
            "data": prefix,
            "include": f"{prefix}/include",
        },
        "sys_path": ["/usr/lib/python3.12", site],
        "user_site": {
            "path": "/home/ana/.local/lib/python3.12/site-packages",
            "base": "/home/ana/.local",
            "enabled": False,
            "exists": False,
            "on_path": False,
        },
        "externally_managed": None,
        "access": {
            key: {"path": path, **access}
            for key, path in (
                ("purelib", site),
                ("platlib", site),
                ("scripts", f"{prefix}/bin"),
                ("data", prefix),
            )
        },
        "user": {"name": "ana", "uid": 1000, "euid": 1000, "home": "/home/ana"},
        "pip": None,
        "uv": None,
        "container": {"hints": [], "ephemeral": False},
        "conda": None,
        **changes,
    }


def environment(prefix: str = "/home/ana/proj/.venv", **changes: Any) -> Environment:
    """Return the environment of such a report."""
    return Environment.from_report(report(prefix, **changes))


def locked_access() -> dict[str, Any]:
    """Return the access of an interpreter that belongs to root while you are ana."""
    path = "/opt/python/lib/python3.12/site-packages"
    entry = {
        "path": path,
        "probed": path,
        "writable": False,
        "reason": "not-owner",
        "owner": "root",
        "group": "root",
        "mode": "0755",
        "you": "ana",
        "detail": f"{path} belongs to root (mode 755), not to you",
    }
    return dict.fromkeys(("purelib", "platlib", "scripts", "data"), entry)


MARKER = {"marker": "/usr/lib/python3.12/EXTERNALLY-MANAGED", "message": "use apt"}


def intent(
    line: str = "pandas", *, sources: Sources | None = None, **report: Any
) -> ResolvedRequest:
    here = environment(**report)
    return ResolvedRequest(
        environment=here,
        request=parse(line, cwd="/home/ana/proj"),
        sources=sources or Sources(),
        redirections=(),
        destination=Destination.of(here),
    )
