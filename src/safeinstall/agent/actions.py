"""What a finding's button does: the method of this door, its parameters, and the words on it.

The panel shows what it is given here; which way on is offered for what is decided nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["action", "finding", "install_actions"]

_OWN_LINE = re.compile(r"%safeinstall\s+(?!-r\b|.*--new-env\b)(?P<line>\S.*)")


def action(label: str, method: str, /, title: str = "", **params: Any) -> dict[str, Any]:
    """Return one button; `title` says what it does to people who hear it without its finding."""
    return {"label": label, "method": method, "params": params, "title": title or label}


def finding(
    code: str,
    message: str,
    *actions: Mapping[str, Any],
    severity: str = "warning",
    context: str = "",
    suggestions: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Return a finding as the panel shows it, with its buttons and the lines to type."""
    return {
        "code": code,
        "severity": severity,
        "message": message,
        "context": context,
        "suggestions": list(suggestions),
        "actions": list(actions),
    }


def install_actions(label: str, commands: Iterable[str], **params: Any) -> list[dict[str, Any]]:
    """Return a button for each `%safeinstall` line that installs into this environment."""
    found = (_OWN_LINE.fullmatch(command) for command in commands)
    return [
        action(label, "install", title=f"{label}: {one['line']}", line=one["line"], **params)
        for one in found
        if one
    ]
