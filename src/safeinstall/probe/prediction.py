"""What is said about one install command before it runs."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["OUTCOMES", "Prediction"]

OUTCOMES = (
    "env-site",
    "user-site",
    "target-dir",
    "prefix",
    "root-dir",
    "wrong-interpreter",
    "refused-externally-managed",
    "refused-require-virtualenv",
    "refused-permission",
    "refused-option-conflict",
    "refused-user-site-unavailable",
    "refused-cannot-uninstall",
    "no-installer",
    "command-not-found",
    "already-satisfied",
    "no-change",
    "fails",
    "unknown",
)
"""Every word that ``Prediction.outcome`` can be."""


class Prediction(NamedTuple):
    """Where one install command would put its files, or why it would put none."""

    outcome: str
    """One of ``OUTCOMES``."""
    path: str | None
    """The folder that receives the modules; None whenever nothing will be written."""
    interpreter: str | None
    """The interpreter that decides: the one reached, not always the kernel's."""
    importable_now: bool | None
    """Whether the running kernel can import the result; None where it cannot be known."""
    importable_after_restart: bool | None
    """The same for a new kernel of the same kind."""
    reason: str
    """One sentence: the rule that decided."""
    command: str = ""
    """The text of the command as it stands in the cell."""
    tool: str = ""
    """``pip``, ``uv`` or ``conda``."""
    requirements: tuple[str, ...] = ()
    """What is asked for, as typed."""
    options: tuple[str, ...] = ()
    """The other options of the install command, as typed."""
    line: int = 1
    """The line of the cell on which the command starts, counted from 1."""
    interpreter_prefix: str | None = None
    """The environment that ``interpreter`` belongs to."""
    installer_version: str | None = None
    """The version of the installer, where it can be read from files."""
    notes: tuple[str, ...] = ()
    """Further sentences worth a warning: a redirection, a shadowed copy, a deciding variable."""
