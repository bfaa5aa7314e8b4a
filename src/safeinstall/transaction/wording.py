"""How findings about staged files are put into words."""

from __future__ import annotations

from collections.abc import Sequence

from safeinstall.findings import Finding, Severity

__all__ = ["finding", "some"]


def some(names: Sequence[str], verb: str = "is") -> str:
    """Name the first and count the rest; `verb` follows in its right form."""
    if len(names) == 1:
        return f"{names[0]} {verb}".strip()
    rest = f" and {len(names) - 1} more file{'s' if len(names) > 2 else ''}"
    return f"{names[0]}{rest} {'are' if verb else ''}".strip()


def finding(code: str, severity: Severity, message: str, context: str = "") -> Finding:
    """Return a finding without a hint: what to do is said by whoever knows the request."""
    return Finding(code=code, severity=severity, message=message, context=context)
