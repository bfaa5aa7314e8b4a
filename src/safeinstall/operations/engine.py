"""The engine: ask the chosen installer for its plan, let it fill the staging area."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from safeinstall import inspection
from safeinstall.command import Command
from safeinstall.environment import Environment
from safeinstall.errors import InstallerError
from safeinstall.installers import pip, uv
from safeinstall.installers.reasons import explain
from safeinstall.installers.report import DryRun
from safeinstall.operations import destinations
from safeinstall.operations.context import Context
from safeinstall.operations.nearest import nearest
from safeinstall.operations.other_python import with_other_python
from safeinstall.plan import Chosen, Intent, Plan
from safeinstall.request import InstallRequest
from safeinstall.runner import Completed

__all__ = ["make_plan", "stage"]


def make_plan(
    intent: Intent, chosen: Chosen, context: Context, fingerprint: str, *, from_cache: bool = False
) -> Plan:
    """Ask the installer what the request would change; nothing is touched.

    `from_cache`: uv answers from what it has downloaded before, without the network.
    Raises `InstallerError` with the reason when the request cannot be met.
    """
    environment, request = intent.environment, intent.request
    installed = inspection.snapshot(environment.paths.site_packages)
    context.progress("looking up what is needed")
    if chosen.name == uv.name:
        command = uv.plan_command(
            chosen.launcher[0],
            request,
            environment,
            intent.sources,
            offline=from_cache,
            config=_config_is_safe(context),
        )
    else:
        command = _apart(
            pip.plan_command(chosen.launcher, request, environment, intent.sources), environment
        )

    def waiting(seconds: float) -> None:
        # uv waits without a word: for an index, and for another uv in the same environment.
        about = " (waiting for the index, or for another install here)" if seconds > 3 else ""
        context.progress(f"looking up what is needed{about}")

    answer = context.run(command, on_line=_reporter(context, chosen), on_wait=waiting)
    if not answer.ok:
        raise _explained(intent, chosen, answer, command, context)
    resolved = (
        uv.read_plan(answer.stdout, answer.stderr)
        if chosen.name == uv.name
        else pip.read_plan(answer.stdout, answer.stderr)
    )
    changes = resolved.changes(dict(installed.versions()), _requested(request, resolved))
    return destinations.as_planned(
        Plan(
            intent=intent,
            chosen=chosen,
            changes=changes,
            resolved=resolved,
            installed=installed,
            fingerprint=fingerprint,
        )
    )


def stage(
    plan: Plan,
    directory: str,
    context: Context,
    *,
    on_start: Callable[[int], None],
    pass_fds: Sequence[int],
    from_cache: bool = False,
) -> Completed:
    """Let the installer unpack the plan into `directory`, a private prefix.

    With uv the cache is tried first (the plan is exact, so a resolve is not needed again), then
    the network, unless `from_cache`; `--force-reinstall` begins with the network. Raises
    `InstallerError` with the reason.
    """
    context.progress(f"unpacking {len(plan.changes.arriving)} into the staging area")
    commands = list(_stage_commands(plan, directory, context))
    commands = commands[:1] if from_cache else commands
    for attempt, command in enumerate(commands, start=1):
        answer = context.run(
            command,
            on_line=_reporter(context, plan.chosen),
            on_start=on_start,
            pass_fds=pass_fds,
        )
        if answer.ok:
            destinations.relayout(directory, plan.intent.environment)
            return answer
        if attempt == len(commands):
            raise _explained(plan.intent, plan.chosen, answer, command, context)
        _emptied(directory)
    raise AssertionError("unreachable: there is always at least one command")


def _emptied(directory: str) -> None:
    """Take away what a failed attempt left: the next one would believe its metadata."""
    for entry in Path(directory).iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _stage_commands(plan: Plan, directory: str, context: Context) -> tuple[Command, ...]:
    intent = plan.intent
    if plan.chosen.name == pip.name:
        return (
            _apart(
                pip.stage_command(
                    plan.chosen.launcher,
                    directory,
                    intent.request,
                    intent.sources,
                    plan.changes,
                    plan.resolved,
                ),
                intent.environment,
            ),
        )
    # uv links files from its cache: what was edited in an environment is edited in the cache
    anew = ((False, False),) if intent.request.force_reinstall else ()
    return tuple(
        uv.stage_command(
            plan.chosen.launcher[0],
            directory,
            intent.request,
            intent.environment,
            intent.sources,
            plan.changes,
            plan.resolved,
            offline=offline,
            cached=cached,
            config=_config_is_safe(context),
        )
        for offline, cached in (*anew, (True, True), (False, True))
    )


def _apart(command: Command, environment: Environment) -> Command:
    """Run `python -m pip` away from the notebook: a `pip` in its folder would be imported."""
    return replace(command, cwd=environment.prefix)


def _requested(request: InstallRequest, resolved: DryRun) -> frozenset[str]:
    """Return the canonical names the user asked for; folders and URLs get theirs from the plan."""
    named = {str(item.name) for item in request.items if item.name}
    if any(item.name is None for item in request.items):
        named |= {canonicalize_name(found.name) for found in resolved.arriving if found.url}
    return frozenset(named)


def _explained(
    intent: Intent, chosen: Chosen, answer: Completed, command: Command, context: Context
) -> InstallerError:
    error = explain(chosen.name, answer.output, intent.request, intent.environment, intent.sources)
    if error.code == "not-found" and chosen.name == pip.name:
        spoken = context.run(pip.verbose(command)).output
        asked = (intent.request, intent.environment, intent.sources)
        wider = explain(chosen.name, spoken, *asked)
        return wider if wider.code.startswith(("index-", "wrong-platform")) else error
    if error.code == "no-such-version":
        return nearest(error, intent, chosen, context)
    if error.code == "python-too-old":
        own = chosen.launcher[0] if chosen.name == uv.name else ""
        return with_other_python(error, intent.request, context, own)
    return error


def _reporter(context: Context, chosen: Chosen) -> Callable[[str], None]:
    read = uv.progress if chosen.name == uv.name else pip.progress

    def report(line: str) -> None:
        words = read(line)
        if words:
            context.progress(words)

    return report


def _config_is_safe(context: Context) -> bool:
    """Tell whether uv may read its configuration files: not when one could move the destination.

    Measured: `target` in a `uv.toml` beats `--prefix` on the command line.
    """
    candidates = [folder / "uv.toml" for folder in (Path(context.cwd), *Path(context.cwd).parents)]
    candidates += [path.with_name("pyproject.toml") for path in candidates]
    config_home = context.environ.get("XDG_CONFIG_HOME") or str(Path("~/.config").expanduser())
    candidates += [Path(config_home, "uv", "uv.toml"), Path("/etc/uv/uv.toml")]
    own = context.environ.get("UV_CONFIG_FILE")
    candidates += [Path(own)] if own else []
    return not any(_may_redirect(path) for path in candidates)


def _may_redirect(path: Path) -> bool:
    try:
        text = path.read_text("utf-8", errors="replace")
    except OSError:
        return False
    if path.name == "pyproject.toml" and "tool.uv" not in text:
        return False
    keys = ("target", "prefix", "python", "system", "user", "break-system-packages")
    return any(line.split("=")[0].strip() in keys for line in text.splitlines() if "=" in line)
