"""The first question: which interpreter is this, and would an install go right?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from safeinstall import guards, operations
from safeinstall.agent import shell
from safeinstall.agent.jobs import known_jobs
from safeinstall.agent.names import environment_name
from safeinstall.environment import Environment, shown
from safeinstall.findings import Finding
from safeinstall.request import Request

__all__ = ["facts"]

_ABILITIES = ("install", "uninstall", "undo", "new_environment")
"""What the panel may offer in this kernel; in older ones (`agent.older`) it is nothing."""


def facts(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the panel shows first; `shell_installs` sets how the magics watch cells."""
    shell.make_magics_available(params.get("shell_installs"))
    environment = operations.this_environment()
    intent = operations.intend(Request(), environment, dict(os.environ))
    findings = guards.examine(intent)
    home = environment.home
    return {
        "executable": environment.executable,
        "shown_executable": shown(environment.executable, home),
        "version": environment.version,
        "name": environment_name(environment.prefix, environment.kind),
        "kind": environment.kind,
        "kind_words": environment.kind_words,
        "prefix": environment.prefix,
        "label": environment.label,
        "packages": environment.paths.purelib,
        "shown_packages": shown(environment.paths.purelib, home),
        "verdict": _verdict(environment, findings),
        "findings": [finding.to_dict() for finding in findings if not finding.stops],
        "abilities": list(_ABILITIES),
        "jobs": [job.snapshot() for job in known_jobs()],
    }


def _verdict(environment: Environment, findings: tuple[Finding, ...]) -> dict[str, Any]:
    stopping = next((finding for finding in findings if finding.stops), None)
    if stopping is not None:
        home = environment.home.rstrip("/\\")
        reason = stopping.context.strip().split("\n\n")[0]
        message = stopping.message
        if len(home) > 1:
            reason, message = reason.replace(home, "~"), message.replace(home, "~")
        return {
            "state": "no",
            "code": stopping.code,
            "sentence": message,
            "reason": reason,
            "suggestions": [way.to_dict() for way in stopping.hint],
        }
    if environment.ephemeral:
        return {
            "state": "care",
            "code": "ephemeral-prefix",
            "sentence": "Installs go here, until this container ends",
            "reason": "The environment lies in the container's own layer, which is not kept.",
        }
    return {"state": "yes", "code": "", "sentence": "Installs go here", "reason": ""}
