"""One line below the traceback of a missing import. Imported with the extension: keep it light."""

from __future__ import annotations

from typing import Any

failed: set[str] = set()
"""Canonical names whose install has failed in this kernel: not offered again."""


def register(shell: Any) -> None:
    """Watch the cells of `shell`; doing so again changes nothing."""
    unregister(shell)
    shell.events.register("post_run_cell", _after)


def unregister(shell: Any) -> None:
    """Stop watching, and forget what failed."""
    for callback in list(shell.events.callbacks.get("post_run_cell", ())):
        if getattr(callback, "__module__", "") == __name__:
            shell.events.unregister("post_run_cell", callback)
    failed.clear()


def note(request: Any, outcome: Any) -> None:
    """Remember the names of an install that failed because there is no such package."""
    if any(finding.code in ("not-found", "no-such-version") for finding in outcome.findings):
        failed.update(item.name for item in request.items if item.name)


def _after(result: Any) -> None:
    """Say the line after a cell that failed on an import; never disturb a cell."""
    error = getattr(result, "error_in_exec", None) or getattr(result, "error_before_exec", None)
    if not isinstance(error, ImportError):
        return
    try:
        from safeinstall.magics import door  # no cell that works pays for it

        door.remark(error, failed)
    except Exception:  # a remark is not worth a second traceback
        return
