"""The story of an examination: an environment is looked at from where one stands."""

from __future__ import annotations

from safeinstall import doctor
from safeinstall.doctor.diagnosis import Examination, Lines, Target
from safeinstall.operations.context import Context

__all__ = ["examine"]


def examine(target: Target, context: Context, lines: Lines, *, deep: bool = False) -> Examination:
    """Say what is wrong with `target`; nothing is changed. `deep` reads every listed file."""
    return doctor.examine(
        target,
        context.environment,
        environ=context.environ,
        cwd=context.cwd,
        lines=lines,
        deep=deep,
    )
