"""An environment that sees the packages of another one without copying them.

`include-system-site-packages` shows the packages of the *base* interpreter only. Where the present
environment is itself a virtual one, a `.pth` file in the new one names its folders: `site` reads it
after the new environment's own folder, so what is installed there wins, and `addsitedir` obeys the
`.pth` files of the present environment too (editable installs, an overlay below an overlay).

What has to be installed is asked of the *present* environment (neither uv nor a plan of the empty
one knows what can be seen through it), and exactly that is put into the new one.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from safeinstall.distributions import Changes, snapshot
from safeinstall.environment import Environment
from safeinstall.errors import InstallerError
from safeinstall.metadata.distribution import InstalledState
from safeinstall.operations.context import Context
from safeinstall.operations.planning.resolver import Resolver
from safeinstall.plan import InstallerChoice, Plan
from safeinstall.request import InstallRequest, RequestItem
from safeinstall.transaction import in_progress

PATH_FILE: Final = "safeinstall-overlay.pth"


def sees_base(environment: Environment) -> bool:
    """Tell whether the overlay must see the base interpreter's packages, as the present does."""
    return not environment.is_virtual or bool(environment.report.get("system_site_packages"))


def overlay_lines(environment: Environment) -> tuple[str, ...]:
    """Return the lines of the `.pth` file; none where the base interpreter is all there is."""
    if not environment.is_virtual:
        return ()
    return tuple(
        f"import site; site.addsitedir({folder!r})" for folder in environment.paths.site_packages
    )


def write_path_file(present: Environment, new: Environment) -> None:
    """Make the new environment see the packages of the present one."""
    lines = overlay_lines(present)
    if lines:
        in_progress.write_path_file(new.paths.purelib, PATH_FILE, lines)


def needed(
    request: InstallRequest, context: Context, chosen: InstallerChoice
) -> tuple[Plan, InstallRequest]:
    """Return what the present environment lacks, as a plan and as a request for exactly that.

    Nothing is touched. Raises `InstallerError` when the request cannot be met.
    """
    asked = replace(request, break_system_packages=True)  # a dry run breaks nothing
    state = InstalledState(context.environment.paths.site_packages).look()
    resolver = Resolver(intent=context.meet(asked), chosen=chosen, context=context, state=state)
    plan = _planned(resolver)
    return plan, replace(request, items=tuple(_exact(request, plan)), no_deps=True, upgrade=False)


def _planned(resolver: Resolver) -> Plan:
    """Return what is lacking, counting what the present environment sees in other places too.

    uv looks at an environment's own folder only, not at what `.pth` files, the base interpreter or
    the user site add. Those versions are kept where that can be done, and then not brought again.
    """
    intent, environment = resolver.intent, resolver.intent.environment
    own = {os.path.realpath(folder) for folder in environment.paths.site_packages}
    elsewhere = [
        found
        for found in snapshot(environment.sys_path).by_key().values()
        if os.path.realpath(found.location) not in own
    ]
    if not elsewhere:
        return resolver.dry_run()
    with tempfile.TemporaryDirectory() as scratch:
        pins = Path(scratch, "seen.txt")
        pins.write_text("".join(f"{f.name}=={f.version}\n" for f in elsewhere), "utf-8")
        try:
            constraints = (*intent.sources.constraints, str(pins))
            plan = resolver.with_sources(constraints=constraints).dry_run()
        except InstallerError:
            return resolver.dry_run()
    seen = {found.key: found.version for found in elsewhere}
    arriving = tuple(
        found
        for found in plan.resolved.arriving
        if seen.get(canonicalize_name(found.name)) != found.version
    )
    kept = {canonicalize_name(found.name) for found in arriving}
    changes = [c for c in plan.changes if c.after is None or canonicalize_name(c.name) in kept]
    resolved = replace(plan.resolved, arriving=arriving)
    return replace(plan, intent=intent, resolved=resolved, changes=Changes.of(changes))


def _exact(request: InstallRequest, plan: Plan) -> Iterable[RequestItem]:
    kept = {item.name: item for item in request.items if item.kind != "named" or item.hashes}
    unnamed = [item for item in request.items if item.name is None]
    yield from unnamed
    for found in plan.resolved.arriving:
        key = canonicalize_name(found.name)
        if key in kept:
            yield kept[key]
        elif not (found.url and unnamed):
            yield _pinned(found.pin)


def _pinned(text: str) -> RequestItem:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return RequestItem(text=text, kind="url")
    return RequestItem(
        text=text,
        name=canonicalize_name(requirement.name),
        requirement=requirement,
        kind="url" if requirement.url else "named",
    )
