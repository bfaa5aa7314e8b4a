"""`safeinstall new-env`: make an environment with a kernel of its own."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from safeinstall import render
from safeinstall.cli.answer import answer, world
from safeinstall.errors import RequestError
from safeinstall.operations.new_environment import new_environment
from safeinstall.render.outcome_words import new_environment_message
from safeinstall.request import is_name, parse_arguments, quote, usage

__all__ = ["run"]

_USAGE = "safeinstall new-env PATH [--python 3.12] [--overlay] [REQUIREMENT...]"


def run(words: Sequence[str]) -> int:
    """Carry out the command and return its exit status.

    The first word that is no option is the path; `--name NAME` stands for a place per user.
    `--python` names the Python of the new environment, or the interpreter an overlay is put over.
    """
    if {"-h", "--help"} & set(words):
        print(f"{_USAGE}\n\n{usage('safeinstall new-env PATH')}")
        return 0
    place, rest = _place(words)
    try:
        request = parse_arguments([f"--new-env={place}", *rest], prefix="safeinstall new-env")
    except RequestError as error:
        named = quote(place) if os.sep in place else f"--name {place}"
        error.hint = error.hint.replace(quote(f"--new-env={place}"), named)
        raise
    over = request.python if request.overlay and os.sep in request.python else ""
    here = world(over, prefix="safeinstall new-env")
    made = new_environment(request, here)
    text = render.as_text(new_environment_message(made, here.environ), verbose=request.verbose)
    answer(text, made.to_dict() if request.json else None, failed=not made.outcome.ok)
    return made.outcome.exit_status


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
        takes_value = _needs_value(word)
    raise RequestError("A path for the new environment is needed.", hint=_USAGE)


def _checked(name: str) -> str:
    """Return a name for an environment; raise `RequestError` for what is none."""
    if not is_name(name):
        near = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")
        raise RequestError(
            f"`{name}` is no name for an environment: letters, digits, `.`, `_` and `-` make one.",
            hint=f"safeinstall new-env --name {near or 'NAME'}",
        )
    return name


def _needs_value(word: str) -> bool:
    from safeinstall.request.options import OPTION_NAMES

    option = OPTION_NAMES.get(word)
    return option is not None and option.takes_value
