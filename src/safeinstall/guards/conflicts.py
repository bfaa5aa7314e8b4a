"""The whole new set: what an installer breaks while it reports success."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from safeinstall.distributions import Change, Distribution, Snapshot
from safeinstall.findings import Finding, Suggestion, some
from safeinstall.guards.environment_state import EnvironmentState
from safeinstall.guards.kernel_stack import kernel_violations
from safeinstall.plan import Plan
from safeinstall.request import InstallRequest
from safeinstall.request.commands import TYPED
from safeinstall.requirements import Violation, applies, meets, new_violations, wanted_by


def after_plan(
    plan: Plan, around: EnvironmentState, staged: Snapshot | None = None
) -> dict[str, Distribution]:
    """Return what the interpreter would see after the plan, by canonical name.

    Without `staged` the metadata of what arrives is not known yet: its requirements count as met
    (the installer has resolved them).
    """
    new = dict(around.visible.by_key())
    arriving = staged.by_key() if staged else {}
    for change in plan.changes:
        key = canonicalize_name(change.name)
        if change.after is None:
            new.pop(key, None)
        elif key in arriving:
            new[key] = arriving[key]
        else:
            version = change.after
            new[key] = Distribution(name=change.name, version=version, location="", metadata="")
    return new


def violations_of(
    plan: Plan, around: EnvironmentState, staged: Snapshot | None = None
) -> tuple[Violation, ...]:
    """Return the requirements that hold now, or are new, and would not be met after the plan."""
    new = after_plan(plan, around, staged)
    found = new_violations(around.visible.by_key(), new, around.markers)
    if not plan.intent.request.no_deps:
        return found
    left_alone = {canonicalize_name(change.name) for change in plan.changes.arriving}
    return tuple(v for v in found if canonicalize_name(v.owner) not in left_alone)


def breaks_installed(
    plan: Plan, around: EnvironmentState, found: Sequence[Violation], fitting: str = ""
) -> Finding | None:
    """Ask before installed distributions lose what they need; `fitting`: a line that suits all.

    `found`: the plan's new violations. Those inside the kernel are `kernel_stack`'s business.
    """
    own = set(kernel_violations(found, around))
    if not (others := [violation for violation in found if violation not in own]):
        return None
    intent = plan.intent
    owners = list(dict.fromkeys(violation.owner for violation in others))
    number = "1 package" if len(owners) == 1 else f"{len(owners)} packages"
    where = f"{number} in {intent.environment.label}: {some(owners)}."
    context = "\n".join(_chain(violation, around) for violation in others)
    culprits = _culprits(others, plan)
    if intent.request.allows("allow-conflicts"):
        return Finding.warn("breaks-installed", f"{culprits} breaks {where}", context=context)
    line = intent.line(allow=intent.request.allow | {"allow-conflicts"}, dry_run=False)
    ways = [Suggestion(line, "" if fitting else "do it all the same")]
    if fitting:
        ways.insert(0, Suggestion(fitting, "satisfies everybody"))
    message = f"{culprits} would break {where}"
    return Finding.ask("breaks-installed", message, *ways, context=context)


def overridden(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Refuse a plan after which what was asked for does not hold: settings of uv say otherwise.

    uv takes UV_OVERRIDE for what was typed, too, and leaves out what UV_EXCLUDE names
    (uv-resolver, `Manifest::requirements`).
    """
    after = after_plan(plan, around)
    for item in plan.intent.request.items:
        wanted = item.requirement
        if wanted is None or wanted.url or not applies(wanted, around.markers):
            continue
        there = after.get(canonicalize_name(wanted.name))
        if there and meets(there.version, wanted) is not False:
            continue
        settings = " and ".join(plan.intent.sources.overriding) or "the settings of uv"
        instead = f"say {there.name} {there.version} instead" if there else "leave it out"
        message = f"{item.text} was asked for, and {settings} {instead}."
        return Finding.refuse("overridden", message)
    return None


def relax(request: InstallRequest, violations: Sequence[Violation]) -> InstallRequest | None:
    """Return the request with what the others require in place of the versions asked for.

    None when it names nothing that anybody else requires.
    """
    wanted: dict[str, list[str]] = {}
    for violation in violations:
        wanted.setdefault(violation.name, []).append(violation.requirement)
    items, any_changed = [], False
    for item in request.items:
        if item.kind != "named" or item.requirement is None or item.name not in wanted:
            items.append(item)
            continue
        requirement = Requirement(str(item.requirement))
        requirement.specifier = SpecifierSet()
        for text in wanted[item.name]:
            requirement.specifier &= Requirement(text).specifier
        items.append(replace(item, text=str(requirement), requirement=requirement))
        any_changed = True
    return replace(request, items=tuple(items)) if any_changed else None


def fitting_line(plan: Plan, *, as_asked: bool) -> str:
    """Return the line that leads to `plan`, which suits everybody.

    `as_asked`: its request is the one that was typed, so the versions found are written out.
    """
    intent = plan.intent
    if not as_asked:  # what files list is written out: they list what does not suit
        items = tuple(replace(item, origin=TYPED) for item in intent.request.items)
        files = dict.fromkeys(("requirement_files", "groups", "extras"), ())
        return intent.line(items=items, dry_run=False, **files)
    arriving = plan.changes.arriving
    found: dict[str, str | None] = {canonicalize_name(c.name): c.after for c in arriving}
    texts = []
    for item in intent.request.items:
        version = found.get(item.name or "")
        if item.kind == "named" and item.requirement is not None and version:
            extras = ",".join(sorted(item.requirement.extras))
            texts.append(f"{item.requirement.name}{f'[{extras}]' if extras else ''}=={version}")
        else:
            texts.append(item.text)
    return intent.line(requirements=tuple(texts), dry_run=False)


def _culprits(violations: Sequence[Violation], plan: Plan) -> str:
    changes: dict[str, Change] = {canonicalize_name(change.name): change for change in plan.changes}
    named = filter(None, (changes.get(n) for n in dict.fromkeys(v.name for v in violations)))
    words = [f"{c.name} {c.after}" if c.after else f"removing {c.name}" for c in named]
    return " and ".join(words[:3]) or "This plan"


def _chain(violation: Violation, around: EnvironmentState) -> str:
    there = f"it would have {violation.found}" if violation.found else "it would have none"
    above = list(wanted_by(canonicalize_name(violation.owner), around.visible.by_key()))[:2]
    needed = f"; {' and '.join(above)} needs {violation.owner}" if above else ""
    return f"{violation.words} ({there}{needed})"
