"""The first question: which interpreter is this, and would an install go right?

It is asked for every kernel that comes to the front, so it imports only what it needs: the guards
and what they stand on would cost ten times as much. They speak when something is installed.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any

from safeinstall.agent import attention
from safeinstall.agent.jobs import known_jobs
from safeinstall.agent.older import environment_name, verdict
from safeinstall.environment import Environment, shown
from safeinstall.probe.facts.interpreter import facts as probe_facts

_log = logging.getLogger("safeinstall")
_MODES = ("warn", "redirect", "block", "off")


def make_magics_available(shell_installs: object) -> None:
    """Register the magics (design, section 8), and set how cells with installs are watched.

    Nothing happens outside IPython, and nothing twice.
    """
    shell = ipython()
    if shell is None:
        return
    from safeinstall import load_ipython_extension

    if "SafeInstallMagics" not in shell.magics_manager.registry:
        try:
            load_ipython_extension(shell)  # type: ignore[no-untyped-call]
        except Exception:  # an IPython too old for the magics can still be asked for its facts
            _log.debug("the magics could not be registered", exc_info=True)
    watch = getattr(shell, "_safeinstall_watch", None)
    if watch is not None and shell_installs in _MODES:
        watch.options.shell_installs = shell_installs


def ipython() -> Any:
    """Return the shell, None outside IPython."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    return get_ipython()  # type: ignore[no-untyped-call,unused-ignore]


_ABILITIES = ("install", "uninstall", "undo", "new_environment")
"""What the panel may offer in this kernel; in older ones (`agent.older`) it is nothing."""


def facts(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the panel shows first; `shell_installs` sets how the magics watch cells."""
    make_magics_available(params.get("shell_installs"))
    environment = Environment.from_report(probe_facts())
    home = environment.home
    return {
        "executable": environment.executable,
        "version": environment.version,
        "name": environment_name(environment.prefix, environment.kind),
        "kind": environment.kind,
        "kind_words": environment.kind_words,
        "prefix": environment.prefix,
        "label": environment.label,
        "packages": environment.paths.purelib,
        "shown_packages": shown(environment.paths.purelib, home),
        "verdict": _verdict(environment),
        "findings": attention.findings(environment),
        "wrong": _wrong(params),
        "abilities": list(_ABILITIES),
        "jobs": [job.snapshot() for job in known_jobs()],
        "outcomes": _outcomes(),
    }


def _outcomes() -> list[str]:
    """Return the ids of what the magics of this process have shown, if they have shown anything."""
    words = sys.modules.get("safeinstall.render.outcome_words")
    return list(words.made_here) if words else []


def _wrong(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the installs in the `cells` that would go wrong; most notebooks have none to ask."""
    if not params.get("cells"):
        return []
    from safeinstall.agent.cells import wrong_installs

    return wrong_installs(params["cells"])


def _verdict(environment: Environment) -> dict[str, Any]:
    """Say in words what the first refusal of an install would be, or that it goes right."""
    marker, locked = environment.externally_managed, environment.locked
    if environment.kind == "pyodide":
        return verdict("no", "no-processes", "This kernel runs in the browser", "Use %pip there.")
    if marker is not None:
        owner = "apt" if environment.kind == "debian-system" else "another program"
        sentence = f"Not here: this Python's packages belong to {owner}"
        reason = marker.message.split("\n\n")[0]
        return verdict("no", "externally-managed", sentence, reason, new=True)
    if locked is not None:
        sentence = f"You may not write into {environment.label}"
        reason = shown(locked.detail, environment.home)
        return verdict("no", "not-writable", sentence, reason, new=True)
    if not environment.importable_destination():
        sentence = "This kernel does not import from where its packages go"
        return verdict("no", "not-importable", sentence, environment.paths.purelib)
    if environment.ephemeral:
        sentence = "Installs go here, until this container ends"
        reason = "The environment lies in the container's own layer, which is not kept."
        return verdict("care", "ephemeral-prefix", sentence, reason)
    return verdict("yes", "", "Installs go here", "")
