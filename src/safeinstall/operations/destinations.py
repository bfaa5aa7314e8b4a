"""The two destinations that have to be asked for in full: the user site, and Debian's /usr/local.

Both are prefixes of their own with the layout of `sysconfig`'s schemes, so the same staging and the
same transaction serve them; `--prefix` unpacks a plain layout, which is renamed inside the stage
where the destination's differs (`dist-packages`, a user site without a version in its path). The
depth below the prefix must be the same: RECORD names scripts relative to the packages.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from safeinstall.changes import Change, Changes
from safeinstall.environment import Access, Environment, Paths
from safeinstall.errors import SafeInstallError
from safeinstall.operations.context import Context
from safeinstall.plan import Plan
from safeinstall.probe.facts.writability import describe_access
from safeinstall.request import InstallRequest
from safeinstall.transaction import in_progress
from safeinstall.transaction.transaction import lay_out_as

_USER_SCHEME: Final = "posix_user"
_OWN: Final = "safeinstall_destination"


def destined(request: InstallRequest, context: Context) -> Context:
    """Return the context with the destination the request names; the same context for a plain one.

    A user site this interpreter does not look at changes nothing here: a guard refuses it.
    """
    environment = context.environment
    if request.break_system_packages and environment.externally_managed:
        environment = _outside(replace(environment, externally_managed=None))
    if request.user and environment.user_site.enabled:
        environment = _user(environment)
    return (
        context if environment is context.environment else replace(context, environment=environment)
    )


def of_transactions(context: Context, *, user: bool = False) -> Context:
    """Return the context in which an interpreter's transactions lie (to undo them).

    Those of an externally managed interpreter lie where it lets the administrator install;
    `user`: those of the user site.
    """
    environment = context.environment
    if environment.externally_managed is not None:
        environment = _outside(environment)
    if user:
        environment = _user(environment)
    return (
        context if environment is context.environment else replace(context, environment=environment)
    )


def prepare(environment: Environment) -> None:
    """Make the folder of the user base, which need not be there yet."""
    if environment.report.get(_OWN):
        in_progress.make_destination(environment.prefix)


def as_planned(plan: Plan) -> Plan:
    """Return the plan as it is for a destination of its own.

    Installers that know nothing of the destination plan to remove what lies elsewhere; there it
    stays, and what the destination holds already is not brought again.
    """
    if not plan.intent.environment.report.get(_OWN):
        return plan
    here = plan.installed.versions()
    items = [
        Change(
            name=change.name,
            before=here.get(_key(change.name)),
            after=change.after,
            requested=change.requested,
        )
        for change in plan.changes.arriving
        if here.get(_key(change.name)) != change.after or plan.intent.request.force_reinstall
    ]
    return replace(plan, changes=Changes.of(items))


def relayout(stage: str, environment: Environment) -> None:
    """Give what was unpacked into `stage` the layout of the destination.

    Raises `SafeInstallError` where that cannot be done by a rename at the same depth.
    """
    if not environment.report.get(_OWN):
        return
    wanted = os.path.relpath(environment.paths.purelib, environment.prefix)
    if not lay_out_as(stage, wanted, environment.python):
        raise SafeInstallError(
            f"Packages cannot be brought to {environment.paths.purelib} safely: "
            "its layout differs from what installers unpack.",
            code="unknown-layout",
        )


def _user(environment: Environment) -> Environment:
    site = environment.user_site.path
    base = str(dict(environment.report["user_site"]).get("base") or Path(site).parents[2])
    paths = replace(
        environment.paths,
        purelib=site,
        platlib=site,
        scripts=os.path.join(base, "bin"),
        data=base,
        include=os.path.join(base, "include"),
    )
    path = environment.sys_path if environment.user_site.on_path else (*environment.sys_path, site)
    return _at(replace(environment, sys_path=path), base, paths, _USER_SCHEME)


def _outside(environment: Environment) -> Environment:
    """Return the place the distributor leaves to the administrator (Debian: /usr/local)."""
    paths = environment.paths
    # A folder that is not there yet is on nobody's path; `site` adds it once it exists.
    path = (*environment.sys_path, *(p for p in paths.site_packages if not Path(p).is_dir()))
    scheme = str(environment.report.get("scheme", ""))
    return _at(replace(environment, sys_path=path), paths.data, paths, scheme)


def _at(environment: Environment, prefix: str, paths: Paths, scheme: str) -> Environment:
    access = tuple(
        (key, Access(**{name: described[name] for name in Access.__slots__}))
        for key in ("purelib", "platlib", "scripts", "data")
        for described in [describe_access(getattr(paths, key))]
    )
    report = {**environment.report, "scheme": scheme, _OWN: True}
    return replace(environment, prefix=prefix, paths=paths, access=access, report=report)


def _key(name: str) -> str:
    return canonicalize_name(name)
