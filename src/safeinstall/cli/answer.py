"""How the command line answers: text for people, one JSON object for programs."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from safeinstall import operations, render
from safeinstall.errors import SafeInstallError
from safeinstall.operations import World
from safeinstall.outcome import finding_of

__all__ = ["answer", "answer_error", "world"]


def world(python: str, prefix: str = "safeinstall install") -> World:
    """Return the world a command works in: another interpreter's, or this one's."""
    found = operations.there(python, _progress) if python else operations.here(_progress)
    return replace(found, live=False, prefix=prefix)


def answer(text: str, data: Mapping[str, Any] | None, *, failed: bool = False) -> None:
    """Print the text, and `data` (when given) as the one JSON object on standard output.

    What a terminal cannot show is spelled out, and a reader who has gone (`| head`) is no failure:
    what was to be done has been done.
    """
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    out = sys.stderr if data is not None or failed else sys.stdout
    try:
        if data is not None:
            print(json.dumps(data))
        encoding = out.encoding or "ascii"
        print(text.encode(encoding, "backslashreplace").decode(encoding), file=out)
        sys.stdout.flush()
    except BrokenPipeError:
        # the interpreter flushes once more at its end (docs.python.org, "Note on SIGPIPE")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def answer_error(error: SafeInstallError, *, as_json: bool) -> int:
    """Say what an error says, and return its exit status."""
    finding = finding_of(error)
    message = render.Message(
        mark="✗",
        headline=f"Nothing changed. {error.message}",
        lines=tuple(error.context.splitlines()),
        ways=finding.hint,
    )
    data = {"schema": 1, "status": "failed", "findings": [finding.to_dict()]} if as_json else None
    answer(render.as_text(message), data, failed=True)
    return error.exit_status


def _progress(words: str) -> None:
    """Show progress where somebody is looking; a log keeps no moving line."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K… {render.clean(words)[:90]}", end="", file=sys.stderr, flush=True)
