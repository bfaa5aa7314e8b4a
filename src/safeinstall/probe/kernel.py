"""The few facts of the running interpreter that a prediction needs."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

__all__ = ["PATHS", "default_scheme", "kernel_facts", "user_site_facts"]

PATHS = ("stdlib", "platstdlib", "purelib", "platlib", "scripts", "data", "include")
"""The names of a scheme's folders that are reported."""


def default_scheme() -> str:
    """Name the scheme of a default install (``sysconfig.get_preferred_scheme``, 3.10+)."""
    import sysconfig

    preferred = getattr(sysconfig, "get_preferred_scheme", None)
    if preferred is not None:
        return str(preferred("prefix"))
    default: Callable[[], str] | None = getattr(sysconfig, "_get_default_scheme", None)
    return str(default()) if default is not None else "posix_prefix"


def user_site_facts() -> dict[str, Any]:
    """Read the user site as ``site`` decided it for this process."""
    import site

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


def kernel_facts() -> dict[str, Any]:
    """Return the part of the facts that a prediction needs, which costs a tenth of the whole."""
    import sysconfig

    from .kind import interpreter_kind

    scheme = default_scheme()
    schemes = sysconfig.get_scheme_names()
    return {
        "executable": sys.executable or "",
        "version_info": list(sys.version_info[:3]),
        "prefix": sys.prefix,
        "base_prefix": sys.base_prefix,
        "kind": interpreter_kind(sys.prefix, sys.base_prefix, schemes)[0],
        "paths": {name: sysconfig.get_path(name, scheme) for name in PATHS},
        "sys_path": [str(entry) for entry in sys.path],
        "user_site": user_site_facts(),
    }
