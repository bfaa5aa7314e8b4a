"""From a request to the best plan there is: no builds, the kernel kept, everybody satisfied.

Nobody's code is run to make a plan: both installers are told `--only-binary :all:`; a name in
`--no-binary` is the exception (uv: `BuildOptions::no_build_package`, pip:
`FormatControl.get_allowed_formats`), and what has to be built is asked about.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from packaging.utils import InvalidSdistFilename, canonicalize_name, parse_sdist_filename

from safeinstall import guards, importing
from safeinstall.distributions import Distribution, Snapshot, snapshot
from safeinstall.environment import Environment
from safeinstall.errors import InstallerError
from safeinstall.findings import Finding
from safeinstall.guards import conflicts, environment_state, kernel_stack, weigh
from safeinstall.guards.environment_state import EnvironmentState, Loaded, OtherKernel
from safeinstall.guards.request import builds_from_source, is_explicit
from safeinstall.installers import place_of
from safeinstall.installers.sources import ResolvedRequest
from safeinstall.metadata.record import RecordError, RecordRow, read_record
from safeinstall.operations.context import Context
from safeinstall.operations.planning.resolver import Resolver
from safeinstall.plan import Plan
from safeinstall.request import RequestItem, names
from safeinstall.requirements import Violation


def plan_facts(plan: Plan, context: Context) -> EnvironmentState:
    """Return the facts around the plan; nothing is touched and no process is started."""
    environment = plan.intent.environment
    visible = _visible(plan, environment)
    by_key = visible.by_key()
    leaving = [
        by_key[key]
        for change in plan.changes.leaving
        if (key := canonicalize_name(change.name)) in by_key
    ]
    pids = other_kernels(environment.prefix) if leaving else ()
    return EnvironmentState(
        visible=visible,
        markers=environment.markers,
        loaded=_loaded(plan, leaving) if context.live else (),
        owners=environment_state.owners_of(leaving, environment),
        kernels=tuple(OtherKernel(pid=pid) for pid in pids),
        home_is_kept=_home_is_kept(environment),
        shadows=shadows_of(_guessed(plan), environment, context.cwd),
    )


def shadows_of(modules: Iterable[str], environment: Environment, cwd: str) -> dict[str, str]:
    """Return which of the modules an earlier entry of the import path holds, and where.

    A folder without `__init__.py` does not count: a real package behind it wins (PEP 420).
    """
    own = {os.path.realpath(path) for path in environment.paths.site_packages}
    earlier = []
    for entry in environment.sys_path:
        if os.path.realpath(entry or cwd) in own:
            break
        earlier.append(entry or cwd)
    stdlib = (environment.paths.stdlib, os.path.join(environment.paths.stdlib, "lib-dynload"))
    folders = [
        path for path in dict.fromkeys(earlier) if path not in stdlib and path[-4:] != ".zip"
    ]
    if environment.flags.isolated:
        folders = [path for path in folders if path != cwd]
    found = {}
    for module in modules:
        for folder in folders:
            parts = module.split(".")  # a package in the place of a folder without code wins, too
            paths = [os.path.join(folder, *parts[: n + 1]) for n in range(len(parts))]
            forms = (*(os.path.join(path, "__init__.py") for path in paths), f"{paths[-1]}.py")
            place = next(filter(os.path.lexists, forms), None)
            if place:
                found[module] = place.removesuffix(f"{os.sep}__init__.py")
                break
    return found


def _visible(plan: Plan, environment: Environment) -> Snapshot:
    """Return what the interpreter can import; what the plan was made from is not read again."""
    own = {os.path.realpath(path) for path in environment.paths.site_packages}
    found: list[Distribution] = []
    taken = False
    for entry in environment.sys_path:
        if entry and os.path.realpath(entry) in own:
            found += () if taken else plan.installed.distributions
            taken = True
        elif entry and entry != environment.paths.stdlib:
            found += snapshot([entry]).distributions
    return Snapshot(tuple(found if taken else (*found, *plan.installed.distributions)))


def _loaded(plan: Plan, leaving: Iterable[Distribution]) -> tuple[Loaded, ...]:
    again = {canonicalize_name(c.name) for c in plan.changes if c.kind == "reinstalled"}
    owner = {
        path: distribution.name
        for distribution in leaving
        if distribution.key not in again
        for path in _recorded(distribution.metadata, distribution.location)
    }
    by_owner: dict[str, list[importing.StaleModule]] = {}
    for module, path in importing.loaded_from(owner):
        by_owner.setdefault(owner[path], []).append(module)
    return tuple(
        Loaded(
            name=name,
            modules=tuple(module.name for module in modules),
            compiled=sum(module.compiled for module in modules),
        )
        for name, modules in by_owner.items()
    )


def _guessed(plan: Plan) -> list[str]:
    """Return what the requested ones are probably imported as: not known before staging."""
    modules = []
    for change in plan.changes.requested:
        known = [name for name in names.modules_of(change.name) if "." not in name]
        modules += known or [change.name.replace("-", "_").replace(".", "_")]
    return modules


def _home_is_kept(environment: Environment) -> bool:
    try:
        return os.stat(environment.home).st_dev != os.stat(environment.prefix).st_dev  # noqa: PTH116
    except OSError:
        return False


def other_kernels(prefix: str, *, proc: str = "/proc", own: int | None = None) -> tuple[int, ...]:
    """Return the process ids of other ipykernels whose interpreter lies below `prefix`.

    Where processes cannot be listed (no /proc) nothing is said.
    """
    own = os.getpid() if own is None else own
    found = []
    try:
        entries = [entry for entry in Path(proc).iterdir() if entry.name.isdigit()]
    except OSError:
        return ()
    for entry in entries:
        try:
            with (entry / "cmdline").open("rb") as file:
                words = os.fsdecode(file.read(4096)).split("\0")
        except OSError:
            continue
        below = words[0].startswith(prefix.rstrip("/\\") + os.sep)
        if int(entry.name) != own and _is_kernel(words) and below:
            found.append(int(entry.name))
    return tuple(sorted(found))


def _is_kernel(words: list[str]) -> bool:
    return any(
        word in ("ipykernel_launcher", "ipykernel") or word.endswith("ipykernel_launcher.py")
        for word in words[1:6]
    )


def _recorded(metadata: str, folder: str) -> dict[str, str]:
    """Return absolute path -> hash from the RECORD in `metadata`, its rows relative to `folder`."""
    try:
        return placed_rows(read_record(metadata).rows, folder)
    except RecordError:
        return {}


def placed_rows(lines: Iterable[RecordRow], folder: str) -> dict[str, str]:
    """Return absolute path -> hash of RECORD rows that are relative to `folder`."""
    return {
        os.path.normpath(path) if ".." in path else path: line.digest
        for line in lines
        for path in [os.path.join(folder, line.path)]
    }


_ROUNDS: Final = 12
"""Each round may bring to light one more package that has to be built."""
_NAMED: Final = (
    re.compile(r"Wheels are required for `([^`]+)`"),
    re.compile(r"Building source distributions for `([^`]+)` is disabled"),
    re.compile(r"Building source distributions is disabled, but attempted to build `([^`]+)`"),
    re.compile(r"Package `([^`]+)` can't be installed because it is marked as `--no-build`"),
    re.compile(r"Could not install locked package '([^']+)' from '.*': No sources permitted"),
    re.compile(r"source distributions are not permitted for package '([^']+)'"),  # pip 26.1
)
_SOURCES: Final = ("archive", "vcs", "folder", "editable")
"""Kinds of items that are built, in whatever way they were typed."""
_NAMELESS: Final = "Building source distributions is disabled"
"""What uv says, and no name, where only the code of a place tells what it is called."""
_SKIPPED: Final = re.compile(r"No sources permitted for (?P<name>[^:\s]+): (?P<url>\S+)")


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgedPlan:
    """A plan, the facts around it, and what the guards say of it."""

    plan: Plan | None
    """None when no plan can be made without an answer first."""
    facts: EnvironmentState
    findings: tuple[Finding, ...] = ()


def best_plan(resolver: Resolver) -> JudgedPlan:
    """Return the best plan for the request and every finding about it; nothing is touched.

    When a plan takes from the kernel what it runs on, the request is solved again with the
    kernel's distributions kept. When it breaks others, a version that suits them is looked for.
    Raises `InstallerError` when the request cannot be met.
    """
    context, request = resolver.context, resolver.intent.request
    plan, findings = _plan_without_builds(resolver)
    if plan is None:
        return JudgedPlan(plan=None, facts=EnvironmentState(), findings=findings)
    facts = plan_facts(plan, context)
    violations = conflicts.violations_of(plan, facts)
    hurts = kernel_stack.kernel_violations(violations, facts)
    if hurts and not request.allows("allow-kernel-change"):
        versions = facts.visible.by_key()
        pins = [f"{name}=={versions[name].version}" for name in kernel_stack.kernel_closure(facts)]
        kept = _constrained(resolver, pins)
        if kept is not None:
            kept_facts = plan_facts(kept, context)
            left = conflicts.violations_of(kept, kept_facts)
            if not kernel_stack.kernel_violations(left, kept_facts):
                findings = (*findings, kernel_stack.kernel_kept(plan, kept))
                plan, facts, violations = kept, kept_facts, left
    others = set(violations) - set(kernel_stack.kernel_violations(violations, facts))
    fitting = ""
    if others and not request.allows("allow-conflicts"):
        fitting = _fitting_line(resolver, sorted(others, key=str))
    judged = guards.examine_plan(plan, facts, violations, fitting, context.policy)
    return JudgedPlan(plan=plan, facts=facts, findings=(*findings, *judged))


def _fitting_line(resolver: Resolver, violations: Sequence[Violation]) -> str:
    """Return the line for a version of the request that breaks nobody, or an empty text.

    First the request as typed, then what the others require in the place of its versions.
    """
    pins = [violation.requirement for violation in violations]
    relaxed = conflicts.relax(resolver.intent.request, violations)
    tries = [(resolver, True)] + ([(resolver.asking(relaxed), False)] if relaxed else [])
    for attempt, as_asked in tries:
        plan = _constrained(attempt, pins)
        if plan is None:
            continue
        if not conflicts.violations_of(plan, plan_facts(plan, resolver.context)):
            return conflicts.fitting_line(plan, as_asked=as_asked)
    return ""


def _constrained(resolver: Resolver, lines: Iterable[str]) -> Plan | None:
    """Return the plan within these constraints, or None when there is none."""
    constraints = resolver.intent.sources.constraints
    with tempfile.TemporaryDirectory(prefix="safeinstall-") as folder:
        file = Path(folder, "constraints.txt")
        file.write_text("".join(f"{line}\n" for line in sorted(lines)), encoding="utf-8")
        try:
            within = resolver.with_sources(constraints=(*constraints, str(file)))
            plan, _ = _plan_without_builds(within)
        except InstallerError:
            return None
    if plan is None:
        return None
    # what is staged are exact pins: the file is not needed again, and is gone
    sources = replace(plan.intent.sources, constraints=constraints)
    return replace(plan, intent=replace(plan.intent, sources=sources))


def _plan_without_builds(resolver: Resolver) -> tuple[Plan | None, tuple[Finding, ...]]:
    """Return a plan that builds nothing but what was allowed, or None and the question.

    Raises `InstallerError` when the request cannot be met either way.
    """
    intent = resolver.intent
    no_binary = intent.sources.no_binary
    if ":all:" in no_binary:
        return resolver.dry_run(), ()
    allowed = set(intent.request.allow_builds)
    building: set[str] = {canonicalize_name(name) for name in no_binary}
    findings: tuple[Finding, ...] = ()
    if not resolver.chosen.installer.asks_before_places:
        places = {i.text for i in intent.request.items if _has_no_name(i) and not is_explicit(i)}
        findings = _question(places - allowed, resolver)
        if any(each.stops for each in findings):
            return None, findings
        allowed |= places
    needed = _names(_built(resolver))
    explicit = _names(filter(is_explicit, intent.request.items))
    for _ in range(_ROUNDS):
        asked = needed - building - allowed - explicit
        if asked:
            findings = _question(asked, resolver)
            if any(each.stops for each in findings):
                return None, findings
        building |= needed
        careful = resolver.with_sources(only_binary=(":all:",), no_binary=tuple(sorted(building)))
        nameless = [item for item in resolver.intent.request.items if _has_no_name(item)]
        try:
            plan = careful.dry_run()
        except InstallerError as error:
            said = (_named(error) or _skipped(error, careful)) - _without_source(resolver)
            needed = said - building
            if nameless and (said or _NAMELESS in error.context):
                resolver, question = _with_names(resolver, nameless, said)
                findings = (*findings, *question)
                if any(each.stops for each in question):
                    return None, question
                allowed |= _names(_built(resolver))
            elif not needed:
                raise
        else:
            if not (names := _names_by_place(nameless, plan)):
                return plan, findings
            resolver = _named_request(resolver, names)
        if nameless:
            known = _built(resolver)
            needed = _names(known) - building
            explicit |= _names(filter(is_explicit, known))
            allowed |= _names(item for item in known if item.text in allowed)
    raise InstallerError("Too many packages have to be built from source.", code="build-failed")


def _question(names: Collection[str], resolver: Resolver) -> tuple[Finding, ...]:
    """Return the question before the code of these packages, or places, is run."""
    finding = builds_from_source(resolver.intent, names) if names else None
    return weigh([finding], resolver.intent, resolver.context.policy) if finding else ()


def _has_no_name(item: RequestItem) -> bool:
    return item.name is None and item.kind in _SOURCES


def _with_names(
    resolver: Resolver, nameless: Sequence[RequestItem], said: set[str]
) -> tuple[Resolver, tuple[Finding, ...]]:
    """Return the resolver with the names of these places, and the question before their code runs.

    A place on this machine that was typed is built because it was; another one is asked about by
    the name the installer has said, or by itself where only its code tells the name.
    """
    allowed = resolver.intent.request.allow_builds
    asking = {item.text for item in nameless if not is_explicit(item)} - allowed
    if len(asking) == 1 == len(said):
        asking = said - allowed
    question = _question(asking, resolver)
    if any(each.stops for each in question):
        return resolver, question
    return _named_request(resolver, {i: resolver.name_of(i) for i in nameless}), question


def _names(items: Iterable[RequestItem]) -> set[str]:
    return {item.name for item in items if item.name}


def _built(resolver: Resolver) -> tuple[RequestItem, ...]:
    """Return the places of the request that are built where they are."""
    return tuple(item for item in resolver.intent.request.items if item.kind in _SOURCES)


def _named_request(resolver: Resolver, names: Mapping[RequestItem, str | None]) -> Resolver:
    request = resolver.intent.request
    items = tuple(replace(item, name=names.get(item, item.name)) for item in request.items)
    return resolver.asking(replace(request, items=items))


def _names_by_place(items: Iterable[RequestItem], plan: Plan) -> dict[RequestItem, str | None]:
    """Return the names of what a plan takes from the places that `items` lead to."""
    found = {
        place_of(resolved.url): canonicalize_name(resolved.name)
        for resolved in plan.resolved.arriving
        if resolved.url
    }
    return {item: found[place] for item in items if (place := place_of(item.text)) in found}


def _named(error: InstallerError) -> set[str]:
    """Return the names uv says it would have to build."""
    return {
        canonicalize_name(name) for pattern in _NAMED for name in pattern.findall(error.context)
    }


def _without_source(resolver: Resolver) -> set[str]:
    """Return the names of which a lock lists wheels alone: nothing there could be built."""
    locked = (item for item in resolver.intent.request.items if item.locked)
    return _names(item for item in locked if item.kind == "named" and not item.has_source)


def _skipped(error: InstallerError, resolver: Resolver) -> set[str]:
    """Return the names of which pip found source archives only; it is asked once more, aloud."""
    louder = resolver.chosen.installer.louder(resolver.command(), level=3)
    if louder is None or error.code not in ("not-found", "no-such-version", "conflict"):
        return set()
    text = resolver.run(louder).output
    wanted = {
        canonicalize_name(name)
        for name in re.findall(r"No matching distribution found for ([A-Za-z0-9._-]+)", text)
    }
    return {name for name in _sources_of(text, resolver.intent) if name in wanted}


def _sources_of(text: str, intent: ResolvedRequest) -> Collection[str]:
    found: set[str] = set()
    asked = {item.name: item.requirement for item in intent.request.items}
    for skipped in _SKIPPED.finditer(text):
        file = unquote(urlsplit(skipped["url"]).path).rpartition("/")[2]
        try:
            name, version = parse_sdist_filename(file)
        except InvalidSdistFilename:
            continue
        requirement = asked.get(name)
        if requirement is not None and not requirement.specifier.contains(version, True):
            continue
        if name == canonicalize_name(skipped["name"]):
            found.add(str(name))
    return found
