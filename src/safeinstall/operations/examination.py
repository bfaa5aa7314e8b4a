"""The story of an examination: an environment is looked at from where one stands."""

from __future__ import annotations

from safeinstall import doctor
from safeinstall.doctor.diagnosis import Examination, Lines, Target
from safeinstall.operations.world import World

__all__ = ["examine"]


def examine(target: Target, world: World, lines: Lines, *, deep: bool = False) -> Examination:
    """Say what is wrong with `target`; nothing is changed. `deep` reads every listed file."""
    return doctor.examine(
        target,
        world.environment,
        environ=world.environ,
        cwd=world.cwd,
        lines=lines,
        deep=deep,
    )
