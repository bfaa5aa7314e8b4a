"""Verify a commit: it landed, a new process imports it, a kernel starts, and this one sees it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from safeinstall import importing
from safeinstall.distributions import Staged
from safeinstall.environment import Environment, shown
from safeinstall.findings import Finding, Severity, Suggestion, some
from safeinstall.importing import Claim
from safeinstall.metadata.record import public
from safeinstall.operations.context import Context
from safeinstall.operations.planning import placed_rows
from safeinstall.outcome import Restart, Verdict
from safeinstall.plan import Plan
from safeinstall.runner import LIBRARY_ONLY, Command

_SCRIPT: Final = (
    LIBRARY_ONLY
    + """
import json
from importlib.machinery import PathFinder
from importlib.util import find_spec
sys.path[:] = path
def place(spec):
    file = spec is not None and spec.origin
    return file if file not in ("namespace", "frozen", "built-in") else None
def origin(name):
    top, *rest = name.split(".")
    module = sys.modules.get(top)
    if getattr(module, "__path__", None) and not getattr(module, "__file__", None):
        file, folders = None, list(module.__path__)
    else:
        spec = find_spec(top)
        file, folders = place(spec), spec and spec.submodule_search_locations
    for part in rest:
        if not file and folders:
            spec = PathFinder.find_spec(part, list(folders))
            file, folders = place(spec), spec and spec.submodule_search_locations
    return [file] if file else list(folders or ())
def asked(name):
    try:
        return origin(name)
    except Exception:
        return []
print(sys.argv[1] + json.dumps({name: asked(name) for name in sys.argv[2:]}) + sys.argv[1][::-1])
"""
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A requested distribution as it stands in the environment after the commit."""

    name: str
    version: str
    modules: tuple[str, ...]
    """The modules whose import proves something (`DistInfo.importable`)."""
    files: frozenset[str]
    """Absolute paths of the files of its new RECORD."""
    path_files: tuple[str, ...] = ()
    """Its `.pth` files, which Python reads at start-up only."""
    source: str | None = None
    """The project folder of an editable install: there its modules live."""


def fresh_command(
    environment: Environment, modules: Sequence[str], cookie: str, cwd: str
) -> Command:
    """Return what asks a new process, started as the kernel was, where modules would come from."""
    argv = (environment.executable, *environment.flags.arguments(), "-c", _SCRIPT, cookie, *modules)
    return Command(argv=argv, cwd=cwd, overrides={"PYTHONIOENCODING": "utf-8"})


def read_fresh(stdout: str, cookie: str) -> dict[str, tuple[str, ...]] | None:
    """Return the origins a fresh process reported, or None when it did not start properly."""
    start, end = stdout.find(cookie), stdout.rfind(cookie[::-1])
    if start < 0 or end < start:
        return None
    data = json.loads(stdout[start + len(cookie) : end])
    return {name: tuple(places) for name, places in data.items()}


def verdicts_of(
    arrivals: Sequence[Arrival],
    present: Set[str],
    fresh: Mapping[str, tuple[str, ...]] | None,
    kernel: Mapping[str, tuple[str, ...]] | None,
) -> tuple[Verdict, ...]:
    """Return the verdict about each arrival from what two processes said about its modules.

    Of one that brings no module nothing can be proved by importing: the answer is None.

    `present`: absolute paths of the files that are in place as they were staged.
    """
    return tuple(
        Verdict(
            name=arrival.name,
            landed=arrival.files <= present,
            fresh=_comes_from(arrival, fresh),
            kernel=_comes_from(arrival, kernel),
        )
        for arrival in arrivals
    )


def outdated(arrivals: Sequence[Arrival], verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """Return the modules a fresh process would import from the new files but this kernel does not.

    The kernel has loaded them from another copy: only a restart brings the new one.
    """
    names = {verdict.name for verdict in verdicts if verdict.fresh and verdict.kernel is False}
    return tuple(module for a in arrivals if a.name in names for module in a.modules)


def shadow_findings(
    arrivals: Sequence[Arrival], fresh: Mapping[str, tuple[str, ...]], home: str = ""
) -> tuple[Finding, ...]:
    """Return a refusal for each module that a fresh process imports from another copy."""
    return tuple(
        Finding.refuse(
            "shadowed",
            f"import {module} would find {shown(places[0], home)}, not the copy just "
            f"installed ({arrival.name} {arrival.version}).",
            context="An earlier entry of the import path holds another copy: give that one "
            "another name, or take it away.",
        )
        for arrival in arrivals
        for module in arrival.modules
        if (places := fresh.get(module, ())) and not is_own(arrival, places)
    )


def _comes_from(arrival: Arrival, origins: Mapping[str, tuple[str, ...]] | None) -> bool | None:
    if origins is None or not arrival.modules:
        return None
    return all(is_own(arrival, origins.get(module, ())) for module in arrival.modules)


def is_own(arrival: Arrival, places: Sequence[str]) -> bool:
    """Tell whether an import that uses `places` uses the arrival's files."""
    if places and places[0] in arrival.files:
        return True
    files = {os.path.normcase(file) for file in arrival.files}
    source = os.path.join(os.path.normcase(arrival.source or os.devnull), "")
    folders = {os.path.dirname(file) for file in files}
    for place in places:
        if os.path.basename(place) == "__init__.py":
            # a package shared by several distributions (pkgutil style): one folder, many owners
            shared = os.path.normcase(os.path.dirname(place))
            if any(f == shared or f.startswith(shared + os.sep) for f in folders):
                return True
        for path in {os.path.normcase(place), os.path.normcase(os.path.realpath(place))}:
            if path in files or any(
                folder == path or folder.startswith(path + os.sep) for folder in folders
            ):
                return True
            # the project's own folder, found by its name beside the notebook, is no package
            if arrival.source and path.startswith(source):
                return True
    return False


_FRESH_SECONDS: Final = 60.0
_OURS: Final = frozenset({"packaging", "safeinstall", "uv"})
"""What we need beside the standard library."""
_NAMED: Final = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What was staged, and therefore must be found now."""

    arrivals: tuple[Arrival, ...]
    """The requested distributions."""
    sizes: Mapping[str, int]
    """Every file that was moved in, of all distributions, with its size."""
    changed: frozenset[str]
    """Files whose content is another one now, or gone."""
    kernel: tuple[str, ...] = ()
    """The members of the kernel's own stack that changed: then a second kernel must start."""

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules of the requested distributions, those for people, each once."""
        return tuple(dict.fromkeys(name for each in self.arrivals for name in public(each.modules)))


Tried = Callable[[tuple[str, ...]], Finding | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What was found; with a `failure` the transaction has to be rolled back."""

    verdicts: tuple[Verdict, ...]
    failure: Finding | None = None
    restart: Restart = "none"
    stale: tuple[importing.StaleModule, ...] = ()
    remarks: tuple[Finding, ...] = ()
    """What is wrong around what came, and does not undo it."""


def verify(evidence: Evidence, context: Context, tried: Tried) -> Proof:
    """Return what is true after the commit; this process is refreshed only when all is well.

    `tried` imports the modules it is given, where that is wanted, and says what is wrong.
    """
    arrivals = evidence.arrivals
    with ThreadPoolExecutor(1) as beside:  # a new process takes longer than looking at every file
        looking = beside.submit(_present, evidence.sizes)
        fresh, noise = _asked_afresh(arrivals, context)
        present = looking.result()
    missing = sorted(evidence.sizes.keys() - present)
    verdicts = verdicts_of(arrivals, present, None if missing else fresh, None)
    if missing:
        return Proof(verdicts=verdicts, failure=_lost(missing, context))
    if fresh is None:
        return Proof(verdicts=verdicts, failure=_no_process(noise))
    if any(verdict.fresh is False for verdict in verdicts):
        failure = _imported_elsewhere(arrivals, verdicts, fresh, context)
        return Proof(verdicts=verdicts, failure=failure)
    if evidence.kernel:
        why = _second_kernel(context)
        if why is not None:
            return Proof(verdicts=verdicts, failure=_no_kernel(evidence.kernel, why, context))
    if (found := tried(evidence.modules)) is not None:
        return Proof(verdicts=verdicts, failure=found)
    if not context.live:
        return Proof(verdicts=verdicts, remarks=tuple(in_the_way(context)))
    return _here(evidence, present, fresh, context)


def evidence_of(
    staged: Staged, plan: Plan, environment: Environment, kernel: tuple[str, ...]
) -> Evidence:
    """Return what must be found after the commit of what is staged.

    `kernel`: the members of the kernel's own stack that the plan changes.
    """
    return Evidence(
        arrivals=_arrivals(staged, plan, environment),
        sizes={
            os.path.join(environment.prefix, file): size
            for file, size in staged.sizes.items()
            if not file.endswith(".pyc")
        },
        changed=_changed_files(staged, environment),
        kernel=kernel,
    )


def _here(
    evidence: Evidence, present: Set[str], fresh: Mapping[str, tuple[str, ...]], context: Context
) -> Proof:
    arrivals = evidence.arrivals
    path_files = [file for arrival in arrivals for file in arrival.path_files]
    refreshed = importing.refresh(context.environment.paths.site_packages, path_files)
    stale = importing.stale_modules(evidence.changed)
    claims = importing.claims(module for arrival in arrivals for module in arrival.modules)
    found = {name: claim.places for name, claim in claims.items()}
    verdicts = verdicts_of(arrivals, present, fresh, found)
    if not stale:
        stale = importing.loaded(outdated(arrivals, verdicts))
    restart: Restart = "needed" if stale else "refreshed" if refreshed else "none"
    wrong = (
        replace(shadowed(arrival, module, claims[module], context), severity=Severity.WARNING)
        for arrival in arrivals
        for module in arrival.modules
        if not stale and not is_own(arrival, found[module])
    )
    remarks = (*wrong, *in_the_way(context))
    return Proof(verdicts=verdicts, restart=restart, stale=stale, remarks=remarks)


def shadowed(arrival: Arrival, module: str, claim: Claim, context: Context) -> Finding:
    """Return who answers an import here in the place of what is installed."""
    who, here = f"{arrival.name} {arrival.version}", "In this kernel" if context.live else "Here"
    place = shown(claim.places[0], context.environment.home) if claim.places else ""
    if claim.loaded:
        has = f"has loaded {module} from {place}" if place else f"has a {module} that is no file"
        return Finding.refuse("shadowed", f"This kernel {has}, not {who}: restart it.")
    if claim.by:
        words = f"{here} import {module} is answered by {claim.by} (sys.meta_path), not by {who}."
        why = "Whoever put that finder there decides what is imported: take it out, or restart."
        return Finding.refuse("shadowed", words, context=why)
    words = f"{here} import {module} would find {place or 'nothing'}, not {who}."
    why = "It comes earlier in the import path: give it another name, or take it away."
    return Finding.refuse("shadowed", words, context=why if place else "")


def in_the_way(context: Context) -> Iterator[Finding]:
    """Yield the files of the folder that a new process takes for a library it needs to start."""
    try:
        listed = set(os.listdir(context.cwd))  # noqa: PTH208 - names are all that is wanted
    except OSError:
        return
    loaded = sys.stdlib_module_names & sys.modules.keys()
    names = sorted(f"{name}.py" for name in (*loaded, *_OURS) if f"{name}.py" in listed)
    names += sorted(
        name for name in _OURS & listed if Path(context.cwd, name, "__init__.py").exists()
    )
    if names:
        verb = (
            "stand in the places of libraries" if len(names) > 1 else "stands in a library's place"
        )
        place = context.frontend.this_folder
        words = f"{some(names)} {place} {verb}: a new process would import that. Rename it."
        yield Finding.warn("shadows-standard-library", words)


def _present(sizes: Mapping[str, int]) -> frozenset[str]:
    """Return the files that are where they should be, with the size they had when staged."""
    found = []
    for path, size in sizes.items():
        with contextlib.suppress(OSError):
            if os.lstat(path).st_size == size:
                found.append(path)
    return frozenset(found)


def _asked_afresh(
    arrivals: tuple[Arrival, ...], context: Context
) -> tuple[Mapping[str, tuple[str, ...]] | None, str]:
    """Return what a new process says about the modules, or None and its last words."""
    modules = tuple(dict.fromkeys(module for arrival in arrivals for module in arrival.modules))
    if not modules:
        return {}, ""
    cookie = secrets.token_hex(16)
    command = fresh_command(context.environment, modules, cookie, context.cwd)
    answered = context.run(command, timeout=_FRESH_SECONDS)
    return read_fresh(answered.stdout, cookie), answered.stderr.strip()


def _second_kernel(context: Context) -> str | None:
    # few installs touch the kernel, and it brings jupyter_client
    from safeinstall.kernels import trial_starts

    context.progress("starting a second kernel to see whether it answers")
    cookie = secrets.token_hex(16)
    command = trial_starts.answer_command(context.environment, cookie, context.cwd)
    answered = context.run(command, timeout=trial_starts.SECONDS)
    return trial_starts.read_answer(answered.stdout, cookie)


def _lost(missing: list[str], context: Context) -> Finding:
    named = some(shown(path, context.environment.home) for path in missing)
    what = f"After the install {named} is not what was unpacked"
    return Finding.refuse("not-landed", f"{what}: another program changed it meanwhile.")


def _no_process(noise: str) -> Finding:
    words = "A new process of this kernel's Python did not start after the install."
    return Finding.refuse("not-fresh", words, context=noise.splitlines()[-1] if noise else "")


def _imported_elsewhere(
    arrivals: tuple[Arrival, ...],
    verdicts: tuple[Verdict, ...],
    fresh: Mapping[str, tuple[str, ...]],
    context: Context,
) -> Finding:
    names = {verdict.name for verdict in verdicts if verdict.fresh is False}
    failed = [arrival for arrival in arrivals if arrival.name in names]
    for finding in shadow_findings(failed, fresh, context.environment.home):
        return finding
    modules = ", ".join(
        f"{module} ({arrival.name} {arrival.version})"
        for arrival in failed
        for module in arrival.modules
        if not fresh.get(module)
    )
    words = f"A new process of this kernel's Python cannot import {modules}."
    return Finding.refuse("not-fresh", words)


def _no_kernel(changed: tuple[str, ...], why: str, context: Context) -> Finding:
    way = Suggestion(context.frontend.opening("env"), "what this kernel runs on")
    lost = f"With {', '.join(changed[:_NAMED])} changed, a second kernel did not start"
    return Finding.refuse("kernel-stack", f"{lost} and answer 1 + 1.", way, context=why)


def _arrivals(staged: Staged, plan: Plan, environment: Environment) -> tuple[Arrival, ...]:
    """Return the requested distributions of the staging area as they will stand in place."""
    requested = {canonicalize_name(change.name) for change in plan.changes.requested}
    return tuple(
        Arrival(
            name=distribution.name,
            version=distribution.version,
            modules=distribution.info.importable,
            files=frozenset(
                os.path.join(environment.prefix, file)
                for file in distribution.files
                if not file.endswith(".pyc")
            ),
            path_files=tuple(os.path.join(environment.prefix, file) for file in distribution.pth),
            source=distribution.info.editable_source,
        )
        for distribution in staged.distributions
        if canonicalize_name(distribution.name) in requested
    )


def _changed_files(staged: Staged, environment: Environment) -> frozenset[str]:
    """Return the absolute paths of installed files whose content goes or becomes another.

    A file whose RECORD hash is the same before and after is unchanged: a module loaded from it
    is not stale.
    """
    after = {
        os.path.join(environment.prefix, name): row.digest
        for distribution in staged.distributions
        for name, row in distribution.files.items()
    }
    return frozenset(
        path
        for dist_info, lines in staged.departing.items()
        for path, digest in placed_rows(lines, os.path.dirname(dist_info)).items()
        if not digest or after.get(path) != digest
    )
