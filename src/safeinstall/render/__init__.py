"""Values to text, HTML and JSON: the only place that lays out what a person sees."""

from __future__ import annotations

import os
import sys
from typing import Any

from safeinstall.errors import SafeInstallError
from safeinstall.frontend import Frontend
from safeinstall.operations import Context
from safeinstall.outcome import Outcome, finding_of
from safeinstall.render.layout import Message, as_html, as_text, clean
from safeinstall.render.outcome_words import MIME, Displayed, outcome_message

__all__ = [
    "MIME",
    "Displayed",
    "Message",
    "as_html",
    "as_text",
    "clean",
    "data_of",
    "error_message",
    "is_watched",
    "message_of",
    "outcome_message",
]


def is_watched() -> bool:
    """Tell whether somebody looks on: nbclient, papermill and a CI run say that nobody can answer.

    The kernel is told with each cell (Jupyter messaging, `execute_request`: `allow_stdin`); a
    command that a cell starts has the kernel's parent in its variables (jupyter_client,
    `KernelManager`: JPY_PARENT_PID), and what it prints is saved.
    """
    if "CI" in os.environ:
        return False
    ipython = sys.modules.get("IPython.core.getipython")
    if shell := ipython and ipython.get_ipython():
        return bool(getattr(getattr(shell, "kernel", None), "_allow_stdin", True))
    return "JPY_PARENT_PID" not in os.environ


def message_of(result: Any, context: Context, *, quiet: bool = False) -> Message:
    """Return the words for what a story came to."""
    if isinstance(result, Outcome):
        return outcome_message(result, quiet=quiet)
    # these words would bring the doctor and the kernels into every install
    from safeinstall.render.report_words import report_message

    return report_message(result, context)


def data_of(result: Any, context: Context) -> dict[str, Any]:
    """Return the JSON form of what a story came to."""
    data: dict[str, Any] = result.to_dict()
    if getattr(result, "redacted", False):
        from safeinstall.render.report_words import report_data  # as in `message_of`

        return report_data(result, context.environment.home)
    return data


def error_message(error: SafeInstallError, frontend: Frontend) -> Message:
    """Return the words for what could not be begun: the reason, and the line to type instead."""
    told = (
        error.code in ("half-changed", "interrupted") or "nothing changed" in error.message.lower()
    )
    return Message(
        mark="✗",
        headline=error.message if told else f"Nothing changed. {error.message}",
        lines=tuple(error.context.splitlines()),
        suggestions=finding_of(error, frontend).hint,
    )
