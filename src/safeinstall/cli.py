"""The terminal's door: words become a request, `carry_out` does it, the answer is printed.

Exit status: 0 done or nothing to do, 1 failed or refused (environment as before), 2 wrong usage,
3 needs confirmation (environment as before). With `--json`, one JSON object goes to standard
output and the text to standard error.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from safeinstall import __version__, render
from safeinstall.errors import SafeInstallError
from safeinstall.frontend import TERMINAL, Frontend
from safeinstall.operations import carry_out, context_for, folder
from safeinstall.outcome import finding_of
from safeinstall.request.arguments import command_help, parse_command, top_level_help


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        _answer(top_level_help(), None)
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        _answer(f"safeinstall {__version__}", None)
        return 0
    try:
        return _run(*_command_first(words))
    except SafeInstallError as error:
        return _answer_error(error, _frontend(words), as_json="--json" in words)
    except KeyboardInterrupt:  # before anything was begun, or when the answer was being told
        print("Interrupted.", file=sys.stderr)
        return 1


def _run(command: str, words: Sequence[str]) -> int:
    request = parse_command(command, words, cwd=folder())
    if request.help:
        _answer(command_help(command, TERMINAL), None)
        return 0
    frontend = replace(TERMINAL, python=request.python)
    context = replace(context_for(request, _progress), live=False, frontend=frontend)
    result = carry_out(request, context)
    message = render.message_of(result, context, quiet=request.quiet)
    if not render.is_watched():
        message = replace(message, seconds=None)
    text = render.as_text(message, verbose=request.verbose)
    data = render.data_of(result, context) if request.json else None
    _answer(text, data, failed=not getattr(result, "ok", True))
    return result.exit_status


def _command_first(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the command and the other words: options may stand before it."""
    position = 0
    while position < len(words) and words[position].startswith("-"):
        position += 2 if words[position] == "--python" else 1
    if position >= len(words):
        return words[0], list(words[1:])
    return words[position], [*words[:position], *words[position + 1 :]]


def _answer(text: str, data: Mapping[str, Any] | None, *, failed: bool = False) -> None:
    """Print the text, and `data` (when given) as the one JSON object on standard output.

    What a terminal cannot show is spelled out, and a reader who has gone (`| head`) is no failure:
    what was to be done has been done.
    """
    if _is_watched():
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


def _frontend(words: Sequence[str]) -> Frontend:
    """Return the terminal, with the interpreter that the words name: lines are about it as well."""
    pairs = zip(words, [*words[1:], ""], strict=True)
    named = (after if word == "--python" else word.partition("=")[2] for word, after in pairs
             if word.partition("=")[0] == "--python")  # fmt: skip
    return replace(TERMINAL, python=next(named, ""))


def _answer_error(error: SafeInstallError, frontend: Frontend, *, as_json: bool) -> int:
    """Say what an error says, and return its exit status."""
    data = {"schema": 1, "status": "failed", "findings": [finding_of(error, frontend).to_dict()]}
    text = render.as_text(render.error_message(error, frontend))
    _answer(text, data if as_json else None, failed=True)
    return error.exit_status


def _is_watched() -> bool:
    return sys.stderr.isatty() and render.is_watched()


def _progress(words: str) -> None:
    """Show progress where somebody is looking; a log keeps no moving line."""
    if _is_watched():
        print(f"\r\x1b[K… {render.clean(words)[:90]}", end="", file=sys.stderr, flush=True)
