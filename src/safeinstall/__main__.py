"""The command line: `python -m safeinstall`."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from safeinstall import __version__, operations, render
from safeinstall.errors import RequestError, SafeInstallError
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.operations import World
from safeinstall.request import parse_arguments, usage

__all__ = ["main"]

_USAGE: Final = """\
usage: safeinstall COMMAND ...

  env                 show the environment installs go into
  install REQ ...     install into it, or change nothing and say why

--python PATH works on that interpreter's environment instead of one's own.
--json prints one JSON object on standard output; text goes to standard error.
Exit status: 0 done or nothing to do, 1 failed or refused (environment as before),
2 wrong usage, 3 needs confirmation (environment as before).
`safeinstall install --help` lists the options of an install."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        print(_USAGE)
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        print(f"safeinstall {__version__}")
        return 0
    as_json = "--json" in words
    name, *rest = _command_first(words)
    command = _COMMANDS.get(name)
    try:
        if command is None:
            raise RequestError(
                f"There is no command {name!r}.", hint="safeinstall " + " | ".join(_COMMANDS)
            )
        return command(rest)
    except SafeInstallError as error:
        return _failed(error, as_json)
    except KeyboardInterrupt:
        print("Interrupted; nothing changed.", file=sys.stderr)
        return 1


def _command_first(words: Sequence[str]) -> list[str]:
    """Return the words with the command in front: options may stand before it."""
    position = 0
    while position < len(words) and words[position].startswith("-"):
        position += 2 if words[position] == "--python" else 1
    if position >= len(words):
        return list(words)
    return [words[position], *words[:position], *words[position + 1 :]]


def _install(words: Sequence[str]) -> int:
    request = parse_arguments(words)
    if request.help:
        print(usage())
        return 0
    world = _world(request.python)
    outcome = operations.install(request, world)
    text = render.as_text(
        render.outcome_message(outcome, quiet=request.quiet), verbose=request.verbose
    )
    _answer(text, outcome.to_dict() if request.json else None, failed=not outcome.ok)
    return outcome.exit_status


def _env(words: Sequence[str]) -> int:
    python, as_json = "", False
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word == "--json":
            as_json = True
        elif word == "--python" and rest:
            python = rest.pop(0)
        elif word.startswith("--python="):
            python = word.partition("=")[2]
        else:
            raise RequestError(
                f"`env` does not know {word!r}.", hint="safeinstall env [--python PATH] [--json]"
            )
    environment = _world(python).environment
    text = render.as_text(render.environment_message(environment))
    data = {"schema": 1, **environment.to_dict(), "report": dict(environment.report)}
    _answer(text, data if as_json else None)
    return 0


def _world(python: str) -> World:
    from dataclasses import replace

    world = operations.there(python, _progress) if python else operations.here(_progress)
    return replace(world, live=False, prefix="safeinstall install")


def _progress(words: str) -> None:
    """Show progress where somebody is looking; a log keeps no moving line."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K… {render.clean(words)[:90]}", end="", file=sys.stderr, flush=True)


def _answer(text: str, data: Mapping[str, Any] | None, *, failed: bool = False) -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    if data is not None:
        print(json.dumps(data, ensure_ascii=False))
    print(text, file=sys.stderr if data is not None or failed else sys.stdout)


def _failed(error: SafeInstallError, as_json: bool) -> int:
    hint = (Suggestion(command=error.hint),) if error.hint else ()
    finding = Finding(
        code=error.code,
        severity=Severity.REFUSE,
        message=error.message,
        context=error.context,
        hint=hint,
    )
    message = render.Message(
        mark="✗",
        headline=f"Nothing changed. {error.message}",
        lines=tuple(error.context.splitlines()),
        ways=hint,
    )
    data = {"schema": 1, "status": "failed", "findings": [finding.to_dict()]} if as_json else None
    _answer(render.as_text(message), data, failed=True)
    return error.exit_status


_COMMANDS: Final[Mapping[str, Callable[[Sequence[str]], int]]] = {
    "env": _env,
    "install": _install,
}

if __name__ == "__main__":
    sys.exit(main())
