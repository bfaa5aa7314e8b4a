"""The commands as argparse knows them: the help of each, and the words of those without lists.

Magics and the command line share these: `%safeundo --force` and `safeinstall undo --force` are one.
What lists requirements is read by `request.reader`; its help is made of the same table of options.
"""

from __future__ import annotations

import argparse
import difflib
import os
import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NoReturn

from safeinstall.errors import RequestError
from safeinstall.frontend import TERMINAL, Frontend, quote
from safeinstall.request.commands import (
    AutoloadRequest,
    DoctorRequest,
    HistoryRequest,
    InstallRequest,
    KernelsRequest,
    RecoverRequest,
    Request,
    SurveyRequest,
    UndoRequest,
    WhereRequest,
)
from safeinstall.request.option_parser import is_name
from safeinstall.request.options import OPTION_NAMES, OPTIONS, serves
from safeinstall.request.reader import parse, parse_uninstall

COMMANDS: Final = {
    "env": "show the environment installs go into, and where each command would lead",
    "where": "say where the installs of a cell would go",
    "install": "install into it, or change nothing and say why",
    "uninstall": "remove distributions, undoable",
    "undo": "put back exactly what the last transaction (or ID) changed",
    "history": "list the transactions that can be undone (--prune forgets old ones)",
    "recover": "finish or take back what a killed install left half-done",
    "doctor": "say what is wrong with an environment (--fix, --redact for a bug report)",
    "kernels": "show what every kernelspec really starts (--start, --repair)",
    "autoload": "load the extension with every kernel of this environment (--off: no more)",
    "new-env": "make a new environment with a kernel of its own (PATH, or --name NAME)",
}
"""Command -> what it does."""
_PLAIN: Final[tuple[type[Any], ...]] = (
    *(SurveyRequest, WhereRequest, UndoRequest, HistoryRequest),
    *(RecoverRequest, DoctorRequest, KernelsRequest, AutoloadRequest),
)
_LISTING: Final = ("install", "uninstall", "new-env")
_TYPES: Final[dict[str, type[Any]]] = {each.command: each for each in _PLAIN}
_EPILOG: Final = """\
--python PATH works on that interpreter's environment instead of one's own.
--json prints one JSON object on standard output; text goes to standard error.
Exit status: 0 done or nothing to do, 1 failed or refused, 2 wrong usage,
3 needs confirmation; after 1 to 3 the environment is as before.
`safeinstall COMMAND --help` lists the options of a command."""
_MORE_LOOKS: Final = "--where TEXT, --doctor and --kernels look at more; each has its own --help."


def parse_command(
    command: str, words: Sequence[str], *, cwd: str, frontend: Frontend = TERMINAL
) -> Request:
    """Return the request of `command` followed by `words`. Raises `RequestError`."""
    if command == "install":
        return parse(tuple(words), cwd=cwd, frontend=frontend)
    if command == "uninstall":
        return parse_uninstall(tuple(words), cwd=cwd, frontend=frontend)
    if command == "new-env":
        return _new_environment(words, cwd, frontend)
    if command not in _TYPES:
        close = difflib.get_close_matches(command, COMMANDS, 1)
        line = frontend.line(close[0], *words) if close else "safeinstall --help"
        raise RequestError(f"There is no command {command!r}.", hint=line)
    found = vars(_parser(command, frontend).parse_args(list(words)))
    if command == "where" and not found["cell"] and not found["help"]:
        option = "" if frontend.in_notebook else "--cell "
        hint = f"{frontend.opening(command)} {option}{quote('!pip install pandas')}"
        raise RequestError("`where` needs the text of a cell.", hint=hint)
    if command == "kernels":
        found["names"] = tuple(found["names"])
        if found["names"] and not found["repair"]:
            hint = frontend.line(command, "--repair", *found["names"])
            raise RequestError(f"{found['names'][0]} is not understood here.", hint=hint)
    request: Request = _TYPES[command](**found)
    return request


def command_help(command: str, frontend: Frontend) -> str:
    """Return the help of a command: every option it knows."""
    return _parser(command, frontend).format_help().rstrip()


def top_level_help() -> str:
    """Return the help of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="safeinstall",
        description="Install into the environment of a Python, or change nothing and say why.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="store_true", help="print the version")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands")
    for name, words in COMMANDS.items():
        commands.add_parser(name, help=words)
    return parser.format_help().rstrip()


class _Parser(argparse.ArgumentParser):
    """argparse, but what is wrong is a `RequestError` in our words."""

    opening = ""

    def error(self, message: str) -> NoReturn:
        """Raise the sentence for what argparse found."""
        if found := re.match(r"unrecognized arguments: (\S+)", message):
            sentence = f"{found[1]!r} is not understood here."
        elif found := re.match(r"argument (?:-\w/)?(\S+?): expected", message):
            sentence = f"{found[1]} needs a value."
        elif found := re.match(r"argument (\S+): invalid int value: (.*)", message):
            sentence = f"{found[1]} takes a whole number, not {found[2]}."
        else:
            sentence = f"{message[:1].upper()}{message[1:]}."
        raise RequestError(sentence, hint=f"{self.opening} --help")


def _parser(command: str, frontend: Frontend) -> _Parser:
    parser = _Parser(
        prog=frontend.opening(command),
        description=f"{COMMANDS[command][:1].upper()}{COMMANDS[command][1:]}.",
        epilog=_MORE_LOOKS if command == "env" and frontend.in_notebook else None,
        add_help=False,
        allow_abbrev=False,
    )
    parser.opening = frontend.opening(command)
    switch: Any = {"action": "store_true"}
    if command in _LISTING:
        _add_listing(parser, command, frontend)
        return parser
    if command == "undo":
        parser.add_argument("id", metavar="ID", nargs="?", default="", help="the transaction")
        parser.add_argument("--force", **switch, help="edited files leave too, others may break")
    if command in ("undo", "history"):
        parser.add_argument("--user", **switch, help="what went to the user site")
    if command == "autoload":
        parser.add_argument("--off", **switch, help="take the lines away again")
    if command == "history":
        parser.add_argument("--prune", **switch, help="forget old transactions first")
        parser.add_argument("--keep", type=int, metavar="10", help="how many --prune leaves")
    if command == "where":
        named = ("cell",) if frontend.in_notebook else ("--cell",)
        optional: Any = {"nargs": "?"} if frontend.in_notebook else {}
        parser.add_argument(*named, metavar="TEXT", default="", help="the cell", **optional)
        parser.add_argument("--deep", **switch, help="ask pip itself where the rules are unsure")
    if command == "doctor":
        parser.add_argument("--fix", **switch, help="put right what is safe, undoable")
        parser.add_argument("--deep", **switch, help="read and hash every file")
        parser.add_argument("--redact", **switch, help="a text for a bug report")
    if command == "kernels":
        parser.add_argument("names", metavar="NAME", nargs="*", help="those to repair")
        parser.add_argument("--start", **switch, help="start each once")
        parser.add_argument("--repair", **switch, help="write the broken ones anew")
    if not frontend.in_notebook or command == "kernels":
        parser.add_argument("--python", metavar="PATH", default="", help="another interpreter")
    if not frontend.in_notebook:
        parser.add_argument("--json", **switch, help="print one JSON object at the end")
    parser.add_argument("-h", "--help", **switch, help="show these lines")
    return parser


def _add_listing(parser: _Parser, command: str, frontend: Frontend) -> None:
    """Add what `request.reader` understands, for the help alone."""
    if command == "new-env":
        parser.add_argument("place", metavar="PATH", nargs="?", help="where it is made")
        parser.add_argument("--name", metavar="NAME", help="a name for a place of your own")
    metavar = "NAME" if command == "uninstall" else "REQUIREMENT"
    parser.add_argument("items", metavar=metavar, nargs="*", help="what is meant")
    for option in OPTIONS:
        hidden = frontend.in_notebook and option.command_only
        if hidden or not serves(option, command):
            continue
        extra: dict[str, Any] = {"action": "store_true"}
        if option.takes_value:
            extra = {"metavar": option.example}
        elif option.kind == "place":
            extra = {"metavar": "PLACE", "nargs": "?"}
        parser.add_argument(*option.names, dest=option.names[0], help=option.help, **extra)


def _new_environment(words: Sequence[str], cwd: str, frontend: Frontend) -> InstallRequest:
    """Return the request for `new-env PATH ...`: the first word that is no option is the path."""
    if {"-h", "--help"} & set(words):
        return InstallRequest(help=True, new_env=os.curdir)
    place, rest = _place(words)
    named = quote(place) if os.sep in place else f"--name {place}"
    within = replace(frontend, install=f"safeinstall new-env {named}")
    request = parse(tuple(rest), cwd=cwd, frontend=within)
    asked = parse((f"--new-env={place}", "--"), cwd=cwd, frontend=within)
    return replace(request, new_env=asked.new_env)


def _place(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the place and the other words; raise `RequestError` when there is none."""
    rest = list(words)
    for position, word in enumerate(rest):
        option, equals, value = word.partition("=")
        if option == "--name":
            end = position + (1 if equals else 2)
            name = value if equals else "".join(rest[position + 1 : end])
            return _checked(name), rest[:position] + rest[end:]
    takes_value = False
    for position, word in enumerate(rest):
        if not takes_value and not word.startswith("-"):
            path = rest.pop(position)
            return path if os.sep in path else f".{os.sep}{path}", rest
        known = OPTION_NAMES.get(word)
        takes_value = known is not None and known.takes_value
    hint = "safeinstall new-env .venv pandas"
    raise RequestError("A path for the new environment is needed.", hint=hint)


def _checked(name: str) -> str:
    """Return a name for an environment; raise `RequestError` for what is none."""
    if not is_name(name):
        near = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")
        words = (
            f"`{name}` is no name for an environment: letters, digits, `.`, `_` and `-` make one."
        )
        raise RequestError(words, hint=f"safeinstall new-env --name {near or 'notebooks'}")
    return name
