"""Which installed packages have a newer version that fits, asked of the index on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from safeinstall import operations
from safeinstall.agent.install import parsed, world_of
from safeinstall.agent.jobs import Job, start
from safeinstall.outcome import Outcome
from safeinstall.request import join

__all__ = ["upgrades"]

_SINGLY: Final = 60
"""So many packages are asked for one by one when no answer for all together can be had."""


def upgrades(params: Mapping[str, Any]) -> dict[str, Any]:
    """Find newer versions of the packages `names`; the result is `{name: version}`."""
    names = [str(name) for name in params.get("names", ())]

    def work(job: Job) -> dict[str, Any]:
        together = _planned(names, job)
        if together.ok:
            return {"upgrades": _newer(together, names)}
        found: dict[str, str] = {}
        for position, name in enumerate(names[:_SINGLY], start=1):
            job.progress(f"{name}: {position} of {min(len(names), _SINGLY)}")
            found |= _newer(_planned([name], job), [name])
        return {"upgrades": found}

    return start("upgrades", "looking for upgrades", work)


def _planned(names: Sequence[str], job: Job) -> Outcome:
    request = replace(parsed(join(names), confirmed=True), upgrade=True, dry_run=True)
    return operations.install(request, world_of(job))


def _newer(outcome: Outcome, names: Sequence[str]) -> dict[str, str]:
    return {
        change.name: change.after
        for change in outcome.changes
        if change.requested and change.before and change.after and change.name in names
    }
