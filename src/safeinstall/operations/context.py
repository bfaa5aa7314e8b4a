"""What an operation works in: the environment, the effects it may use, who asks, how far it goes.

Made once for each operation, by whoever stands at the door; not made again on the way.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Final, Protocol

from packaging.utils import canonicalize_name

from safeinstall import importing
from safeinstall.distributions import Changes
from safeinstall.environment import Access, Destination, Environment, Paths, shown, this_environment
from safeinstall.errors import SafeInstallError, UnsafeStore
from safeinstall.findings import Finding, Severity, Suggestion, some
from safeinstall.frontend import NOTEBOOK, Frontend
from safeinstall.guards import Policy, examine
from safeinstall.importing import FileIdentity
from safeinstall.installers.sources import ResolvedRequest, Sources, redirections
from safeinstall.installers.uv_settings import read_uv_settings
from safeinstall.interpreter import environment_of
from safeinstall.plan import Plan
from safeinstall.probe.facts.lost import CODE, lost_environment
from safeinstall.probe.facts.writability import describe_access
from safeinstall.probe.rules.pip_settings import (
    effective_settings,
    read_pip_settings,
    unreadable_settings,
)
from safeinstall.request import DoctorRequest, InstallRequest, RecoverRequest, Request
from safeinstall.runner import Command, Completed, run
from safeinstall.transaction import in_progress
from safeinstall.transaction.moves.commit import Committed
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.store.journal import FOLDER, GONE, is_pending, latest, transaction_ids
from safeinstall.transaction.transaction import lay_out_as

Progress = Callable[[str], None]
"""Gets a few words each time the work has moved on."""


class Run(Protocol):
    """What starts a process (`runner.run`, or a recorder in tests)."""

    def __call__(
        self,
        command: Command,
        *,
        on_line: Callable[[str], None] | None = None,
        on_start: Callable[[int], None] | None = None,
        on_wait: Callable[[float], None] | None = None,
        pass_fds: Sequence[int] = (),
        timeout: float | None = None,
        stop: Event | None = None,
    ) -> Completed:
        """Run the command to its end."""
        ...


def silent(words: str) -> None:
    """Say nothing about progress."""


def agreed(plan: Plan) -> bool:
    """Agree to any plan: what was typed is what is wanted."""
    return True


KEEP = 10
"""Transactions kept for undo."""
KEEP_BYTES = 2 * 2**30
"""Disk space they may take, in bytes."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How much is kept for undo when one more transaction has been made; the newest always is."""

    transactions: int = KEEP
    bytes: int = KEEP_BYTES


@dataclass(frozen=True, slots=True)
class Proving:
    """Whether what is asked for is imported before it counts, and how long that may take."""

    imports: bool = False
    seconds: float = 60.0


BUILD_MINUTES: Final = 20.0
INSTALL_MINUTES: Final = 60.0
"""A large download over a slow line is none that has got stuck."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """Everything an operation needs and may touch."""

    environment: Environment
    live: bool
    """True when the environment's interpreter is this very process."""
    environ: Mapping[str, str]
    cwd: str
    frontend: Frontend = NOTEBOOK
    settings_prefix: str = ""
    """Prefix whose pip configuration counts, where that is not the environment's own: a new
    environment gets its packages from where the present one does."""
    run: Run = run
    progress: Progress = silent
    agreed: Callable[[Plan], bool] = agreed
    """Asked before a plan is carried out; one that is not agreed to is only shown."""
    keeping: Keeping = Keeping()
    proving: Proving = Proving()
    """What holds where the request itself says nothing."""
    minutes: float = 0.0
    """How long an installer may work at once; 0: as long as is usual."""
    loaded: Callable[[], Mapping[str, FileIdentity]] = dict
    """Tells which file each module of this process was loaded from, where that was noted."""
    policy: Policy = field(default_factory=dict)
    """Severity of findings by code, where it is not their own; None switches a guard off."""

    def meet(self, request: InstallRequest) -> ResolvedRequest:
        """Return the request as it meets the environment: sources merged, redirections named."""
        place = self.settings_prefix or self.environment.prefix
        read = read_pip_settings(self.environ, place, self.environment.home or None)
        settings = tuple(effective_settings(read).values())
        uv = read_uv_settings(self.environ, self.cwd)
        sources = Sources.merged(settings, request, self.environ, uv)
        wrong = unreadable_settings(self.environ, place, self.environment.home or None)
        return ResolvedRequest(
            environment=self.environment,
            request=request,
            sources=replace(sources, unreadable=wrong) if wrong else sources,
            redirections=redirections(self.environ, settings),
            destination=Destination.of(self.environment),
            frontend=self.frontend,
        )

    def import_seconds(self, request: InstallRequest) -> float:
        """Return how long the import that proves the request may take; 0 where none is wanted."""
        own = float(request.import_seconds or 0)
        wanted = own or request.prove_import or self.proving.imports
        return (own or self.proving.seconds) if wanted else 0.0

    def installer_minutes(self, request: InstallRequest, *, builds: bool) -> float:
        """Return how long an installer may work at once on what is asked for."""
        usual = BUILD_MINUTES if builds else INSTALL_MINUTES
        return float(request.time_limit or self.minutes or usual)

    def loaded_files(self) -> dict[str, FileIdentity]:
        """Return which file of the environment each module of this process was loaded from.

        Where that was not noted in time, it is the file that lies there now.
        """
        if not self.live:
            return {}
        found = importing.loaded_files(self.environment.prefix)
        noted = self.loaded()
        return {name: noted.get(name, now) for name, now in found.items()}

    def outdated(self) -> Iterator[Finding]:
        """Yield that code which this process has loaded is not what is on disk any more."""
        if names := [module.name for module in importing.replaced_since(self.loaded())]:
            yield Finding.warn("outdated-modules", importing.outdated_words(names))

    def first_line(self, intent: ResolvedRequest) -> Suggestion:
        """Return the line that installs the request here; where it would be refused, what works."""
        for finding in examine(intent, (), self.policy):
            if finding.severity is Severity.REFUSE and finding.hint:
                return finding.hint[0]
        return Suggestion(intent.line())


def folder() -> str:
    """Return the folder this process works in. Raises `SafeInstallError` when it was deleted."""
    try:
        return str(Path.cwd())
    except OSError as error:
        raise SafeInstallError(
            "The folder that this was started in is gone: start from another one.", code="no-folder"
        ) from error


def here(progress: Progress = silent) -> Context:
    """Return the context of this process: its interpreter, variables and folder.

    Raises `SafeInstallError` where its environment is not the one any more it was started in.
    """
    if lost := lost_environment():
        raise SafeInstallError(lost[0], hint=lost[1], code=CODE)
    return _with_our_variables(this_environment(), progress, live=True)


def there(python: str, progress: Progress = silent) -> Context:
    """Return the context of another interpreter.

    Raises `EnvironmentReportError` when `python` is no interpreter that answers.
    """
    return _with_our_variables(environment_of(python), progress, live=False)


def _with_our_variables(environment: Environment, progress: Progress, *, live: bool) -> Context:
    environ, cwd = dict(os.environ), folder()
    return Context(environment=environment, live=live, environ=environ, cwd=cwd, progress=progress)


def context_for(request: Request, progress: Progress = silent) -> Context:
    """Return the context a request is about: this process, or the interpreter it names.

    For a new environment `python` is the Python it is made of, unless it names, with `overlay`, the
    interpreter whose packages are to be seen. The doctor and recovery look at a place that need
    not start: they are given its name and this process.
    Raises `EnvironmentReportError` when the interpreter does not answer.
    """
    python = request.python
    if isinstance(request, DoctorRequest | RecoverRequest):
        python = ""
    if isinstance(request, InstallRequest) and request.new_env:
        python = python if request.overlay and os.sep in python else ""
    return there(python, progress) if python else here(progress)


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
    return _in(environment, context)


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
    return _in(environment, context)


def _in(environment: Environment, context: Context) -> Context:
    same = environment is context.environment
    return context if same else replace(context, environment=environment)


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
        replace(change, before=before)
        for change in plan.changes.arriving
        if (before := here.get(canonicalize_name(change.name))) != change.after
        or plan.intent.request.force_reinstall
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


def recovered_first(context: Context) -> tuple[Finding, ...]:
    """Make the environment whole before anything in it is believed; say so when it was not.

    An area that is not ours is left to whoever needs it later. Raises `TransactionError`.
    """
    prefix = context.environment.prefix
    try:
        found = recover_store(Store.open(prefix)) if is_pending(prefix) else None
    except (UnsafeStore, PermissionError):
        return ()
    if found is None or found.direction == "litter":
        return ()
    if found.direction == "refused":
        way = Suggestion(context.frontend.line("doctor", "--fix"), "sets it aside")
        return (Finding.warn("journal-unreadable", found.message, way, context=found.context),)
    return (Finding.remark("recovered", found.message),)


def forget_oldest(area: Store, context: Context) -> None:
    """Keep no more than is wanted for undo, now that a transaction has been made under the lock.

    What stops this stops nothing else: what was to be done has been done.
    """
    with contextlib.suppress(SafeInstallError, OSError, KeyboardInterrupt):
        area.prune(keep=context.keeping.transactions, max_bytes=context.keeping.bytes)


@contextlib.contextmanager
def interruptible(prefix: str) -> Iterator[None]:
    """Say in one sentence what an interrupt in the `with` block has left of a change to `prefix`.

    Raises `SafeInstallError` in the place of KeyboardInterrupt.
    """

    def look() -> tuple[str, frozenset[str]]:
        with contextlib.suppress(OSError):
            ids = transaction_ids(os.path.join(prefix, FOLDER))
            return latest(prefix), frozenset(id for id in ids if not id.endswith(GONE))
        return "", frozenset()

    before = look()
    try:
        yield
    except KeyboardInterrupt:
        now, words = look(), "Interrupted; nothing changed."
        command: tuple[str, ...] = ()
        if now[0] != before[0]:
            words = "Interrupted when it was done already: undo takes it back."
            command = ("undo", now[0])
        elif before[1] - now[1]:
            words = "Interrupted when what a killed install had left was put right, and no more."
        raise SafeInstallError(words, command=command, code="interrupted") from None


def left_files(committed: Committed, context: Context) -> tuple[Finding, ...]:
    """Say which files were left though a RECORD lists them: a line alone makes no file its own."""
    home, prefix = context.environment.home, context.environment.prefix
    names = [shown(os.path.join(prefix, name), home) for name in sorted(committed.only_named)]
    if not names:
        return ()
    listed = f"The package lists of what left name {some(names)}"
    words = f"{listed}, which is not as they say; it was left."
    if len(names) > 1:
        words = f"{listed}, which are not as they say; they were left."
    return (Finding.warn("files-left", words),)
