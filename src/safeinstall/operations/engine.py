"""The engine: ask the chosen installer for its plan, let it fill the staging area."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from packaging.utils import canonicalize_name

from safeinstall import inspection
from safeinstall.command import Command
from safeinstall.errors import InstallerError
from safeinstall.installers import DryRun
from safeinstall.installers.failures import explain
from safeinstall.metadata.installed_state import InstalledState
from safeinstall.operations import destinations
from safeinstall.operations.context import Context
from safeinstall.operations.nearest import nearest
from safeinstall.operations.other_python import with_other_python
from safeinstall.plan import InstallerChoice, Intent, Plan
from safeinstall.request import InstallRequest
from safeinstall.runner import Completed
from safeinstall.transaction import staging

__all__ = ["make_plan", "stage"]


def make_plan(
    intent: Intent,
    chosen: InstallerChoice,
    context: Context,
    fingerprint: InstalledState,
    *,
    from_cache: bool = False,
) -> Plan:
    """Ask the installer what the request would change; nothing is touched.

    `from_cache`: uv answers from what it has downloaded before, without the network.
    Raises `InstallerError` with the reason when the request cannot be met.
    """
    environment, request = intent.environment, intent.request
    installed = inspection.snapshot_of(fingerprint.distributions)
    context.progress("looking up what is needed")
    command = chosen.installer.plan_command(
        request, environment, intent.sources, from_cache=from_cache, config=_config_is_safe(context)
    )

    def waiting(seconds: float) -> None:
        # uv waits without a word: for an index, and for another uv in the same environment.
        about = " (waiting for the index, or for another install here)" if seconds > 3 else ""
        context.progress(f"looking up what is needed{about}")

    answer = context.run(command, on_line=_reporter(context, chosen), on_wait=waiting)
    if not answer.ok:
        raise _explained(intent, chosen, answer, command, context)
    resolved = chosen.installer.read_plan(answer.stdout, answer.stderr)
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
    intent = plan.intent
    commands = plan.chosen.installer.stage_commands(
        directory,
        intent.request,
        intent.environment,
        intent.sources,
        plan.changes,
        plan.resolved,
        config=_config_is_safe(context),
    )
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
        staging.clear(directory)
    raise AssertionError("unreachable: there is always at least one command")


def _requested(request: InstallRequest, resolved: DryRun) -> frozenset[str]:
    """Return the canonical names the user asked for; folders and URLs get theirs from the plan."""
    named = {str(item.name) for item in request.items if item.name}
    if any(item.name is None for item in request.items):
        named |= {canonicalize_name(found.name) for found in resolved.arriving if found.url}
    return frozenset(named)


def _explained(
    intent: Intent, chosen: InstallerChoice, answer: Completed, command: Command, context: Context
) -> InstallerError:
    name, asked = chosen.installer.name, (intent.request, intent.environment, intent.sources)
    error = explain(name, answer.output, *asked)
    louder = chosen.installer.louder(command)
    if error.code == "not-found" and louder is not None:
        wider = explain(name, context.run(louder).output, *asked)
        return wider if wider.code.startswith(("index-", "wrong-platform")) else error
    if error.code == "no-such-version":
        return nearest(error, intent, chosen, context)
    if error.code == "python-too-old":
        return with_other_python(error, intent.request, context, chosen.installer)
    return error


def _reporter(context: Context, chosen: InstallerChoice) -> Callable[[str], None]:
    read = chosen.installer.progress

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
