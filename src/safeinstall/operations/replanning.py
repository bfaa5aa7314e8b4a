"""Planning again: what an install or a removal was judged by may change while it waits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from safeinstall.errors import SafeInstallError
from safeinstall.operations.world import World
from safeinstall.outcome import Outcome

__all__ = ["EnvironmentBusy", "replanned"]

_REPLANS: Final = 20
"""Each install that we wait for may change what was planned."""


class EnvironmentBusy(SafeInstallError):  # noqa: N818
    """Other programs change the environment faster than anything can be planned in it."""

    code = "environment-busy"


def replanned(attempt: Callable[[], Outcome | None], world: World) -> Outcome:
    """Return what an attempt came to; one that returns None met another environment than planned.

    Raises `EnvironmentBusy` when that does not end.
    """
    for _ in range(_REPLANS):
        done = attempt()
        if done is not None:
            return done
        world.progress("the environment was changed by another program: planning again")
    raise EnvironmentBusy("Another program keeps changing this environment.")
