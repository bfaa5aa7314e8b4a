"""A new environment with a kernel of its own, as a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from safeinstall.agent.install import in_words, parsed, world_of
from safeinstall.agent.jobs import Job, start
from safeinstall.operations.new_environment import new_environment as make
from safeinstall.render.outcome_words import new_environment_message

__all__ = ["new_environment"]


def new_environment(params: Mapping[str, Any]) -> dict[str, Any]:
    """Make the environment `path` (default: `.venv` beside the notebook) with what `line` lists.

    The result names the kernel, to which the panel switches the notebook.
    """
    request = replace(
        parsed(str(params.get("line", "")), confirmed=True),
        # beside the notebook, as the panel says: a bare name alone would be a place of ours
        new_env=str(Path.cwd() / Path(str(params.get("path") or ".venv")).expanduser()),
        overlay=bool(params.get("overlay")),
    )

    def work(job: Job) -> dict[str, Any]:
        world = world_of(job)
        made = make(request, world)
        words = in_words(made.outcome)
        if made.kernel is not None:
            message = new_environment_message(made, world.environ)
            words["message"] |= {"headline": message.headline, "lines": list(message.lines)}
        return words | {"kernel": made.kernel.to_dict() if made.kernel else None}

    return start("new-environment", f"new environment {request.new_env}", work)
