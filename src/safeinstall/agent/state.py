"""What outlives one question in this kernel: a private entry of `sys.modules`, nothing else."""

from __future__ import annotations

import sys
import types
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from safeinstall.agent.jobs import Job

__all__ = ["STATE", "jobs_here", "known_jobs", "remarks_made"]

STATE: Final = "_safeinstall_panel"
"""The entry, which the loader makes (`safeinstall.agent.loader`)."""


def jobs_here() -> dict[str, Job]:
    """Return the jobs of this kernel by id, the newest last."""
    jobs: dict[str, Job] = _kept("jobs", {})
    return jobs


def remarks_made() -> set[str]:
    """Return the remarks the panel has made about this kernel: each is made once."""
    told: set[str] = _kept("told", set())
    return told


def _kept(name: str, first: Any) -> Any:
    state: Any = sys.modules.get(STATE)
    if state is None:
        state = types.ModuleType(STATE)
        state.digest = ""
        sys.modules[STATE] = state
    return state.__dict__.setdefault(name, first)


def known_jobs() -> list[Job]:
    """Return the jobs of this kernel, the newest last; look-ups are nobody's concern later."""
    return [job for job in jobs_here().values() if not job.aside]
