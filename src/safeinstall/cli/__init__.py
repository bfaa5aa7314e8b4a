"""The command line: one module a command, one table that names them.

Exit status: 0 done or nothing to do, 1 failed or refused (environment as before), 2 wrong usage,
3 needs confirmation (environment as before). With `--json`, one JSON object goes to standard
output and the text to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from safeinstall import __version__
from safeinstall.cli.answer import answer_error
from safeinstall.errors import RequestError, SafeInstallError
from safeinstall.operations import folder

__all__ = ["COMMANDS", "main"]

COMMANDS: Final = {
    "env": "show the environment installs go into, and where each command would lead",
    "where": "say where the installs of a cell would go (--cell TEXT, --deep)",
    "install": "install into it, or change nothing and say why",
    "uninstall": "remove distributions, undoable",
    "undo": "put back exactly what the last transaction (or ID) changed",
    "history": "list the transactions that can be undone (--prune forgets old ones)",
    "recover": "finish or take back what a killed install left half-done",
    "doctor": "say what is wrong with an environment (--fix, --redact for a bug report)",
    "kernels": "show what every kernelspec really starts (--start, --repair)",
    "new-env": "make a new environment with a kernel of its own (PATH, or --name NAME)",
}
"""Command -> what it does; the module of a command has its name and a function `run(words)`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        print(_usage())
        return 0 if words else 2
    if words[0] in ("-V", "--version"):
        print(f"safeinstall {__version__}")
        return 0
    as_json = "--json" in words
    name, *rest = _command_first(words)
    try:
        folder()
        if name not in COMMANDS:
            raise RequestError(
                f"There is no command {name!r}.", hint="safeinstall " + " | ".join(COMMANDS)
            )
        module = import_module(f"safeinstall.cli.{name.replace('-', '_')}")
        status: int = module.run(rest)
        return status
    except SafeInstallError as error:
        return answer_error(error, as_json=as_json)
    except KeyboardInterrupt:
        print("Interrupted; nothing changed.", file=sys.stderr)
        return 1


def _usage() -> str:
    width = max(map(len, COMMANDS)) + 3
    rows = [f"  {name:<{width}}{words}" for name, words in COMMANDS.items()]
    return "\n".join(
        [
            "usage: safeinstall COMMAND ...",
            "",
            *rows,
            "",
            "--python PATH works on that interpreter's environment instead of one's own.",
            "--json prints one JSON object on standard output; text goes to standard error.",
            "Exit status: 0 done or nothing to do, 1 failed or refused, 2 wrong usage,",
            "3 needs confirmation; after 1 to 3 the environment is as before.",
            "`safeinstall install --help` lists the options of an install.",
        ]
    )


def _command_first(words: Sequence[str]) -> list[str]:
    """Return the words with the command in front: options may stand before it."""
    position = 0
    while position < len(words) and words[position].startswith("-"):
        position += 2 if words[position] == "--python" else 1
    if position >= len(words):
        return list(words)
    return [words[position], *words[:position], *words[position + 1 :]]
