"""Rules: where pip, uv and conda would install, each as it decides itself.

What they have in common is here: the verdict, before it is compared with the running kernel.
"""

from __future__ import annotations

from typing import NamedTuple

from ..facts.interpreter import Interpreter

SITE = "site"
"""The outcome of an install into an environment, whosever it is."""
DEFAULTS_TO_USER = "%s, so pip defaults to the user site"
SCRIPTS_MISSING = "the modules would be left behind without their scripts"


class Verdict(NamedTuple):
    """A decision with its reason."""

    outcome: str
    """A word of ``prediction.OUTCOMES``, or ``SITE``."""
    reason: str
    path: str | None = None
    """Where the modules would go; for ``already-satisfied`` where they are, and for a refusal the
    place where a failed attempt would leave them."""
    interpreter: Interpreter | None = None
    """The interpreter that decided, when it is not the one that was started."""
    version: str | None = None
    """The installer's version."""
    names: tuple[str, ...] = ()
    """The distributions asked for."""
    removed: tuple[str, ...] = ()
    """Folders from which an older copy would be taken away."""
    kept_old: bool = False
    """Whether an old module would stay although the new metadata is written."""
    notes: tuple[str, ...] = ()
