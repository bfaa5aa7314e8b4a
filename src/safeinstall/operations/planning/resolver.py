"""Ask the installer: choose it, let it plan without touching anything, explain why it cannot."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from safeinstall.distributions import snapshot_of
from safeinstall.errors import InstallerError, SafeInstallError
from safeinstall.installers import DryRun, Resolved
from safeinstall.installers.failures import explain
from safeinstall.installers.sources import ResolvedRequest
from safeinstall.installers.uv_settings import may_redirect
from safeinstall.interpreter import installed_pythons, managed_pythons
from safeinstall.metadata.distribution import InstalledState
from safeinstall.operations.context import Context, as_planned
from safeinstall.operations.planning.builds import watched
from safeinstall.operations.planning.installer_choice import choose
from safeinstall.plan import InstallerChoice, Plan
from safeinstall.request import InstallRequest, RequestItem
from safeinstall.request.cutoff import NO_CUTOFF
from safeinstall.request.requirements_file import logical_lines, read_text
from safeinstall.requirements import unmet
from safeinstall.runner import Command, Completed

_FROM_VERSIONS: Final = re.compile(r"\(from versions: ([^)]*)\)")
_OTHER_PYTHON: Final = re.compile(r" needs Python ([<>=!~]\S*?),? and ")
_UNMET: Final = frozenset({"not-found", "no-such-version", "conflict", "cut-off"})
"""Codes of failures that may be due to a setting which hides what is there."""
_ROOM: Final = 2**30
"""A disk with more bytes left is not taken for the full one."""
_MINOR: Final = re.compile(r"3\.\d+")
_LOOK_SECONDS: Final = 6.0
"""After this long whatever versions were found so far are the answer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolver:
    """One request, the installer that is asked about it, and the environment as it was listed."""

    intent: ResolvedRequest
    chosen: InstallerChoice
    context: Context
    state: InstalledState

    @classmethod
    def of(cls, plan: Plan, context: Context) -> Resolver:
        """Return the one that made `plan`."""
        return cls(intent=plan.intent, chosen=plan.chosen, context=context, state=plan.state)

    def with_sources(self, **changes: Any) -> Resolver:
        """Return the same, asking other sources."""
        sources = replace(self.intent.sources, **changes)
        return replace(self, intent=replace(self.intent, sources=sources))

    def asking(self, request: InstallRequest) -> Resolver:
        """Return the same for another request."""
        return replace(self, intent=replace(self.intent, request=request))

    def command(self, *, from_cache: bool = False, config: bool = True) -> Command:
        """Return the command that makes the plan; `config`: with uv's files of settings."""
        intent = self.intent
        asked = (intent.request, intent.environment, intent.sources)
        return self.chosen.installer.plan_command(
            *asked,
            from_cache=from_cache,
            config=config and not may_redirect(self.context.environ, self.context.cwd),
        )

    def run(self, command: Command, **options: Any) -> Completed:
        """Let the installer work on the request, for as long as that may take.

        Raises `InstallerError` when the time is over: installer and builds have been ended.
        """
        minutes = self.context.installer_minutes(self.intent.request, builds=command.builds)
        try:
            with watched(self.intent.environment, builds=command.builds):
                return self.context.run(command, timeout=60 * minutes, **options)
        except SafeInstallError as error:
            if error.code != "timeout":
                raise
            many = f"{minutes:g} minute{'s' if minutes != 1 else ''}"
            words = f"{self.chosen.installer.name} was not done after {many}, and was ended:"
            why = "a build that hangs, or an index that" if command.builds else "an index that"
            hint = self._with_more_time(builds=command.builds)
            message = f"{words} {why} hardly answers."
            raise InstallerError(message, code="timeout", hint=hint) from None

    def _with_more_time(self, *, builds: bool) -> str:
        minutes = self.context.installer_minutes(self.intent.request, builds=builds)
        return self.intent.line(time_limit=f"{3 * minutes:g}")

    def dry_run(self, *, from_cache: bool = False) -> Plan:
        """Ask the installer what the request would change; nothing is touched.

        `from_cache`: uv answers from what it has downloaded before, without the network.
        Raises `InstallerError` with the reason when the request cannot be met.
        """
        context = self.context
        installed = snapshot_of(self.state.distributions)
        context.progress("looking up what is needed")

        def waiting(seconds: float) -> None:
            # uv waits without a word: for an index, and for another uv in the same environment.
            about = " (waiting for the index, or for another install here)" if seconds > 3 else ""
            context.progress(f"looking up what is needed{about}")

        command = self.command(from_cache=from_cache)
        answer = self.run(command, on_line=self.report, on_wait=waiting)
        if not answer.ok:
            raise self.explained(answer, command, from_cache=from_cache)
        resolved = self.chosen.installer.read_plan(answer.stdout, answer.stderr)
        requested = _requested(self.intent.request, resolved)
        return as_planned(
            Plan(
                intent=self.intent,
                chosen=self.chosen,
                changes=resolved.changes(dict(installed.versions()), requested),
                resolved=resolved,
                installed=installed,
                state=self.state,
            )
        )

    def name_of(self, item: RequestItem) -> str | None:
        """Build what `item` leads to as far as its name needs it; None when that tells nothing.

        Raises `InstallerError` when it cannot be built.
        """
        alone = replace(self.intent.request, items=(item,), no_deps=True, requirement_files=())
        try:
            found = self.with_sources(only_binary=(), no_binary=()).asking(alone).dry_run()
        except InstallerError as error:
            if error.code == "timeout":  # the line is about the whole request
                error.hint = self._with_more_time(builds=True)
            raise
        names = [canonicalize_name(each.name) for each in found.resolved.arriving]
        return names[0] if len(names) == 1 else None

    def one_version(
        self, text: str, *, lowest: bool = False, timeout: float | None = None
    ) -> str | None:
        """Ask for the highest (or lowest) version within `text`; None when there is none.

        Raises `SafeInstallError` when `timeout` seconds were not enough.
        """
        intent, installer = self.intent, self.chosen.installer
        command = installer.version_command(
            _alone(text, intent.request), intent.environment, intent.sources, lowest=lowest
        )
        run = self.run if timeout is None else partial(self.context.run, timeout=timeout)
        answer = run(command)
        if not answer.ok:
            return None
        arriving = installer.read_plan(answer.stdout, answer.stderr).arriving
        return arriving[0].version if arriving else None

    def report(self, line: str) -> None:
        """Tell what a line of the installer's output means for whoever waits."""
        words = self.chosen.installer.progress(line)
        if words:
            self.context.progress(words)

    def explained(
        self, answer: Completed, command: Command, *, from_cache: bool = False
    ) -> InstallerError:
        """Return why the installer stopped, with the line to type instead where there is one.

        `from_cache`: nobody will read it, and no network is asked for more.
        """
        intent, installer = self.intent, self.chosen.installer
        asked = (intent.request, intent.environment, intent.sources)
        error = explain(installer.name, answer.output, *asked)
        if from_cache:
            return error
        if error.code in _UNMET and (held_back := self._held_back(error)):
            return held_back
        louder = installer.louder(command)
        missing = error.code in ("not-found", "no-such-version")
        if missing and louder is None and (refusing := self._refusing_index()):
            return refusing
        if missing and louder is not None:
            wider = explain(installer.name, self.run(louder).output, *asked)
            if wider.code.startswith(("index-", "wrong-platform")):
                return wider
        if error.code == "no-such-version":
            return self._with_closest_version(error)
        if error.code == "python-too-old":
            return self.with_other_python(error)
        if error.code == "no-space":
            return self._with_full_disk(error)
        return error

    def _refusing_index(self) -> InstallerError | None:
        """Return what is wrong with one of several indexes: uv goes on in silence to the next."""
        sources = self.intent.sources
        several = (sources.index_url, *sources.extra_index_urls) if sources.extra_index_urls else ()
        for index in several:
            answer = self.run(self.with_sources(index_url=index, extra_index_urls=()).command())
            if not answer.ok:
                asked = (self.intent.request, self.intent.environment, sources)
                error = explain(self.chosen.installer.name, answer.output, *asked)
                if error.code.startswith("index-"):
                    return error
        return None

    def _held_back(self, error: InstallerError) -> InstallerError | None:
        """Return what the request fails on if that is a setting: a cut-off, or constraints.

        The installer is asked without it: what it then plans would have been there.
        """
        sources = self.intent.sources
        if sources.cutoff or sources.package_cutoffs:
            free = replace(self.intent, sources=sources.without_cutoff())
            if plan := replace(self, intent=free)._answer():
                return self._cut_off(plan, error)
        if sources.limiting and (plan := self._answer(config=False)):
            return self._limited(plan, error)
        known = dict(sources.origins)
        if not known or set(sources.constraints) - set(known):
            return None  # none, or one of ours: what it makes impossible is not done
        plan = self.with_sources(constraints=())._answer()
        return self._constrained(plan, error) if plan else None

    def _answer(self, *, config: bool = True) -> DryRun | None:
        """Return what the installer would do, None when it cannot."""
        answer = self.run(self.command(config=config))
        return self.chosen.installer.read_plan(answer.stdout, answer.stderr) if answer.ok else None

    def _cut_off(self, plan: DryRun, error: InstallerError) -> InstallerError:
        """Name what was uploaded after the cut-off, of what `plan` takes without one."""
        sources, bare = self.intent.sources, self.asking(InstallRequest())
        taken = self._requested_first(plan)
        hidden = (each for each in taken if not bare.one_version(f"{each.name}=={each.version}"))
        late = next(hidden, taken[0])
        own = dict(sources.package_cutoffs).get(canonicalize_name(late.name))
        cutoff = own or sources.cutoff
        assert cutoff is not None  # else the plan would have been the same
        message = (
            f"{late.name} {late.version} was uploaded after {cutoff.shown}, "
            f"the cut-off set by {cutoff.source}."
        )
        if "upload-time metadata" in error.context or "missing an upload date" in error.context:
            message = (
                f"The package index does not say when {late.name} {late.version} was uploaded, "
                f"and {cutoff.source} sets a cut-off ({cutoff.shown})."
            )
        anyway = self.intent.line(uploaded_prior_to=NO_CUTOFF)
        earlier = self._allowed_version(late.name)
        if not earlier:
            return InstallerError(message, code="cut-off", context=error.context, hint=anyway)
        return InstallerError(
            f"{message} The newest before it is {earlier[0]}.",
            code="cut-off",
            context=error.context,
            hint=earlier[1],
            also=anyway,
        )

    def _constrained(self, plan: DryRun, error: InstallerError) -> InstallerError:
        """Name the constraint that `plan`, made without any, does not keep to."""
        name, version, line, path = next(self._broken(plan), ("", "", "", ""))
        origins = dict(self.intent.sources.origins)
        if not line:
            places = " and ".join(f"{path} ({origin})" for path, origin in origins.items())
            message = f"The constraints in {places} rule this out."
            return InstallerError(message, code="constrained", context=error.context)
        message = f"{line} in {path} ({origins[path]}) rules out {name} {version}."
        hint = ""
        if earlier := self._allowed_version(name):
            message, hint = f"{message} The newest it allows is {earlier[0]}.", earlier[1]
        return InstallerError(message, code="constrained", context=error.context, hint=hint)

    def _limited(self, plan: DryRun, error: InstallerError) -> InstallerError:
        """Name the constraints in uv's own files that `plan`, made without them, does not heed."""
        newest = self._requested_first(plan)[0]
        places = " and ".join(self.intent.sources.limiting)
        message = f"{newest.name} {newest.version} is ruled out by {places}."
        hint = ""
        if allowed := self._allowed_version(newest.name):
            message, hint = f"{message} The newest it allows is {allowed[0]}.", allowed[1]
        return InstallerError(message, code="constrained", context=error.context, hint=hint)

    def _broken(self, plan: DryRun) -> Iterator[tuple[str, str, str, str]]:
        """Yield name, version, constraint and its file for all that `plan` does not keep to."""
        for each in self._requested_first(plan):
            for path in self.intent.sources.constraints:
                for line in _lines(path):
                    same = canonicalize_name(line.name) == canonicalize_name(each.name)
                    if same and not line.specifier.contains(each.version, prereleases=True):
                        yield each.name, each.version, str(line), path

    def _requested_first(self, plan: DryRun) -> list[Resolved]:
        asked = _requested(self.intent.request, plan)
        return sorted(plan.arriving, key=lambda each: canonicalize_name(each.name) not in asked)

    def _allowed_version(self, name: str) -> tuple[str, str] | None:
        """Return the newest version within the settings of what was asked for, and its line."""
        items = self.intent.request.items
        item = next((item for item in items if item.name == canonicalize_name(name)), None)
        version = self.asking(InstallRequest()).one_version(name) if item else None
        if not version:
            return None
        others = tuple(other.text for other in items if other is not item)
        line = self.intent.line(requirements=(*others, f"{name}=={version}"))
        return version, line

    def _with_closest_version(self, error: InstallerError) -> InstallerError:
        """Name the versions next to the one that does not exist, and the line to type.

        pip has listed what there is; of uv two more dry runs ask for the highest version below and
        the lowest above what was asked.
        """
        items = self.intent.request.items
        item = next((item for item in items if _is_about(error.message, item.name)), None)
        if item is None or item.requirement is None:
            return error
        asked = [s.version for s in item.requirement.specifier if s.operator in ("==", "===", "~=")]
        name = item.requirement.name
        bare = self.asking(InstallRequest())
        if asked:
            version = asked[0].removesuffix(".*")
            known = _listed(error.context)
            if known:
                below, above = _around(version, known)
            else:
                below = bare.one_version(f"{name}<{version}")
                above = bare.one_version(f"{name}>{version}", lowest=True)
        elif not self.chosen.installer.picks_versions:
            return error
        else:
            below, above = bare.one_version(name), None
        found = [version for version in (below, above) if version]
        if not found:
            return error
        verb = "version is" if len(found) == 1 else "are"
        message = f"{error.message} The nearest {verb} {' and '.join(found)}."
        others = tuple(other.text for other in items if other is not item)
        line = self.intent.line(requirements=(*others, f"{name}=={found[0]}"))
        return InstallerError(message, code=error.code, context=error.context, hint=line)

    def _with_full_disk(self, error: InstallerError) -> InstallerError:
        """Name the folder with the least room: the environment, the cache, or temporary files."""
        environ, environment = self.context.environ, self.context.environment
        caches = environ.get("XDG_CACHE_HOME") or os.path.join(environment.home, ".cache")
        cache = environ.get("UV_CACHE_DIR") or environ.get("PIP_CACHE_DIR") or caches
        folders = (environment.prefix, cache, environ.get("TMPDIR") or tempfile.gettempdir())
        free = {path: shutil.disk_usage(path).free for path in folders if Path(path).is_dir()}
        least = min(free, key=lambda path: free[path])
        if free[least] > _ROOM:
            return error  # a quota, or what was in the way is gone
        message = f"The disk of {least} is full: there is no room to unpack the packages."
        return InstallerError(message, code=error.code, context=error.context)

    def with_other_python(self, error: InstallerError) -> InstallerError:
        """Offer a new environment of a Python that is here, or say that no such Python is."""
        request, wanted = self.intent.request, _OTHER_PYTHON.search(error.message)
        if wanted is None or self.context.settings_prefix:
            return error  # a new environment is being made already
        try:
            fitting = SpecifierSet(wanted[1])
        except InvalidSpecifier:
            return error
        also = managed_pythons(self.chosen.installer, self.context.run)
        pythons = installed_pythons(self.context.environ, also)
        minors = {found[0] for each in pythons if (found := _MINOR.match(each.version))}
        able = [minor for minor in sorted(minors, key=Version) if fitting.contains(minor)]
        if not able:
            message = f"{error.message} No such Python is found on this machine."
            return InstallerError(message, code=error.code, context=error.context)
        place = os.path.join(request.cwd, ".venv")
        hint = self.intent.line(
            user=False, break_system_packages=False, new_env=place, python=able[-1]
        )
        return InstallerError(error.message, code=error.code, context=error.context, hint=hint)


def offered_versions(
    requirement: str, request: InstallRequest, context: Context, *, most: int
) -> tuple[str, ...]:
    """Return up to `most` versions within `requirement`; the options of `request` count.

    pip lists all it sees at once; uv is asked for the next lower one until it has none. Raises
    `InstallerError` when there is no installer; an index that cannot tell gives no versions.
    """
    # a dry run: the answer does not depend on whose environment it is
    request = replace(request, break_system_packages=True, dry_run=True)
    state = InstalledState(context.environment.paths.site_packages)
    intent = context.meet(request)
    chosen = choose(intent, context, state)
    resolver = Resolver(intent=intent, chosen=chosen, context=context, state=state)
    try:
        if chosen.installer.picks_versions:
            return _one_by_one(Requirement(requirement), resolver, most)
        return _all_at_once(Requirement(requirement), resolver)[:most]
    except SafeInstallError:
        return ()


def check_python(intent: ResolvedRequest, context: Context, known: InstalledState) -> None:
    """Raise `InstallerError` where a file of the request is for another Python than this one.

    With the line for an environment of one that fits. `known`: as for `choose`.
    """
    environment, demands = context.environment, intent.request.demands
    version, markers = environment.version, environment.markers
    demand = next((each for each in demands if unmet(each, version, markers)), None)
    if demand is None:
        return
    runs = f"and this kernel runs {version}"
    if not demand.python:
        words = f"{demand.origin} is for other machines than this one: {demand.environments}."
        raise InstallerError(words, code="wrong-platform")
    wanted = demand.python.replace(" ", "")
    error = InstallerError(f"{demand.origin} needs Python {wanted}, {runs}.", code="python-too-old")
    chosen = choose(intent, context, known)
    resolver = Resolver(intent=intent, chosen=chosen, context=context, state=known)
    raise resolver.with_other_python(error)


def _lines(path: str) -> list[Requirement]:
    """Return the constraints in a file that can be read here."""
    try:
        text = read_text(path)
    except (OSError, ValueError, LookupError):
        return []
    found = []
    for _, line in logical_lines(text):
        try:
            found.append(Requirement(line))
        except InvalidRequirement:
            continue
    return found


def _one_by_one(wanted: Requirement, resolver: Resolver, most: int) -> tuple[str, ...]:
    end = time.monotonic() + _LOOK_SECONDS
    found: list[str] = []
    within = str(wanted)
    while len(found) < most and (left := end - time.monotonic()) > 0:
        try:
            version = resolver.one_version(within, timeout=left)
            if version is None or version in found:
                break
            found.append(version)
            lower = wanted.specifier & f"<{Version(version).public}"
        except (SafeInstallError, InvalidVersion):
            break  # too slow, or nothing to compare: what there is, is the answer
        next_one = Requirement(str(wanted))
        next_one.specifier = lower
        within = str(next_one)
    return tuple(found)


def _all_at_once(wanted: Requirement, resolver: Resolver) -> tuple[str, ...]:
    """Ask pip for a version that cannot be: it says which there are."""
    impossible = _alone(f"{wanted.name}==0.dev0+none", resolver.intent.request)
    command = resolver.asking(impossible).command()
    known = _listed(resolver.context.run(command, timeout=_LOOK_SECONDS).output)
    return tuple(str(version) for version in reversed(list(wanted.specifier.filter(known))))


def _alone(text: str, request: InstallRequest) -> InstallRequest:
    """Return a request for nothing but `text`, whatever is installed; options of `request` stay."""
    requirement = Requirement(text)
    item = RequestItem(text=text, name=canonicalize_name(requirement.name), requirement=requirement)
    return replace(request, items=(item,), no_deps=True, force_reinstall=True)


def _listed(text: str) -> list[Version]:
    """Return the versions pip has listed in its own words, lowest first."""
    found = _FROM_VERSIONS.search(text)
    versions = []
    for word in found[1].split(",") if found else ():
        try:
            versions.append(Version(word.strip()))
        except InvalidVersion:
            continue
    return sorted(versions)


def _around(asked: str, known: Sequence[Version]) -> tuple[str | None, str | None]:
    """Return the highest of `known` below `asked` and the lowest above it."""
    try:
        wanted = Version(asked)
    except InvalidVersion:
        return str(known[-1]), None
    below = [version for version in known if version < wanted]
    above = [version for version in known if version > wanted]
    return str(below[-1]) if below else None, str(above[0]) if above else None


def _is_about(message: str, name: str | None) -> bool:
    for word in message.split():
        try:
            if name and canonicalize_name(Requirement(word.rstrip(".,")).name) == name:
                return True
        except InvalidRequirement:
            continue
    return False


def _requested(request: InstallRequest, resolved: DryRun) -> frozenset[str]:
    """Return the canonical names the user asked for; folders and URLs get theirs from the plan."""
    named = {str(item.name) for item in request.items if item.name}
    if any(item.name is None for item in request.items):
        named |= {canonicalize_name(found.name) for found in resolved.arriving if found.url}
    return frozenset(named)
