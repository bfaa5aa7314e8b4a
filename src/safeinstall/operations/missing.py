"""Collect what is true of a module that was not found, and say one line about it."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

from packaging.utils import canonicalize_name

from safeinstall import inspection, names
from safeinstall.environment import Environment, shown
from safeinstall.missing import Facts, Missing, Remark, missing_from, remark
from safeinstall.operations.context import Context

__all__ = ["remark_about"]


def remark_about(
    error: BaseException | None, context: Context, failed: Collection[str] = ()
) -> Remark | None:
    """Return the line about an exception of this process, or None when it is none of ours.

    `failed`: canonical names whose install has failed in this kernel.
    """
    missing = missing_from(error)
    if missing is None:
        return None
    environment = context.environment
    own_file, own_folder = _own_file(missing.top, context.cwd)
    facts = Facts(
        python=environment.python,
        found_now=shown(_found_now(missing.module), environment.home),
        loaded=missing.top in sys.modules,
        own_file=shown(own_file, environment.home),
        own_folder=own_folder,
        installed=_installed(missing, environment),
        other_interpreter=shown(_elsewhere(missing.top, context), environment.home),
        environment=environment.label,
        built_without=missing.top in sys.stdlib_module_names,
        failed=frozenset(failed),
    )
    return remark(missing, facts, context.frontend)


def _found_now(module: str) -> str:
    """Return the file an import would use now that the caches are refreshed, or an empty text."""
    importlib.invalidate_caches()
    parent, _, _ = module.rpartition(".")
    if parent and parent not in sys.modules:
        return ""  # looking for a submodule would import its package
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return ""
    if spec is None:
        return ""
    return spec.origin or next(iter(spec.submodule_search_locations or ()), "")


def _own_file(top: str, cwd: str) -> tuple[str, str]:
    """Return a file or package of that name beside, below or above the notebook, and its folder."""
    here = Path(cwd)
    try:
        below = sorted(each for each in here.iterdir() if each.is_dir() and each.name[:1] != ".")
    except OSError:
        below = []
    known = {os.path.realpath(entry or cwd) for entry in sys.path}
    for folder in (here, here / "src", *below[:50], here.parent, here.parent / "src"):
        if os.path.realpath(folder) in known or "site-packages" in folder.parts:
            continue
        for place in (folder / f"{top}.py", folder / top / "__init__.py"):
            if place.is_file():
                return str(place), str(folder)
    return "", ""


def _installed(missing: Missing, environment: Environment) -> str:
    index = inspection.InstalledIndex(environment.sys_path)
    candidates = (names.distribution_of(missing.module) or "", missing.top)
    for name in candidates:
        found = index.find(canonicalize_name(name)) if name else None
        if found is not None:
            return f"{found.name} {found.version}"
    return ""


def _elsewhere(top: str, context: Context) -> str:
    """Return another environment of this machine that has the module, the likeliest first."""
    own = os.path.realpath(context.environment.prefix)
    for prefix in _prefixes(context):
        if os.path.realpath(prefix) == own or not prefix:
            continue
        for site in sorted(Path(prefix, "lib").glob("python3*/site-packages")):
            if (site / f"{top}.py").is_file() or (site / top / "__init__.py").is_file():
                return prefix
    user = context.environment.user_site
    if user.path and not user.on_path and Path(user.path, top, "__init__.py").is_file():
        return user.path
    return ""


def _prefixes(context: Context) -> Iterator[str]:
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        yield context.environ.get(variable, "")
    for folder in (Path(context.cwd), *Path(context.cwd).parents[:3]):
        yield str(folder / ".venv")
    for entry in context.environ.get("PATH", "").split(os.pathsep):
        if os.path.basename(entry) == "bin" and entry not in ("/usr/bin", "/bin"):
            yield os.path.dirname(entry)
