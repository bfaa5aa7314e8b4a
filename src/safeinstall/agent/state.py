"""What outlives one question in this kernel: a private entry of `sys.modules`, nothing else."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from safeinstall.agent.jobs import Job

__all__ = ["STATE", "jobs_here", "known_jobs"]

STATE: Final = "_safeinstall_panel"
"""The entry, which the loader makes (`safeinstall.agent.loader`)."""


def jobs_here() -> dict[str, Job]:
    """Return the jobs of this kernel by id, the newest last."""
    state: Any = sys.modules.get(STATE)
    if state is None:
        state = types.ModuleType(STATE)
        state.digest = ""
        sys.modules[STATE] = state
    jobs: dict[str, Job] = state.__dict__.setdefault("jobs", {})
    return jobs


def known_jobs() -> list[Job]:
    """Return the jobs of this kernel, the newest last; look-ups are nobody's concern later."""
    return [job for job in jobs_here().values() if not job.aside]
