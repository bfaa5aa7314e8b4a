"""The Python door: `safeinstall.install(...)` does what `%safeinstall` does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeinstall import operations
from safeinstall.environment import Environment
from safeinstall.render import DisplayedOutcome, displayed
from safeinstall.request import parse_arguments

__all__ = ["environment", "install"]


def environment() -> Environment:
    """Return the environment of the running interpreter."""
    return operations.this_environment()


def install(*requirements: str, **options: Any) -> DisplayedOutcome:
    """Install into the environment of the running interpreter and return the outcome.

    `requirements` are written as on the command line (`"pandas>=2"`, `"./folder"`); options are
    the command line's, with underscores: `upgrade=True`, `index_url=...`, `requirement="r.txt"`,
    `find_links=[...]`, `dry_run=True`, `python="/other/python"`.
    Raises `RequestError` for what cannot be understood and `EnvironmentReportError` when `python`
    is no interpreter; whatever goes wrong later is in the outcome (`outcome.ok`).
    """
    request = parse_arguments([*_words(options), *requirements])
    world = operations.there(request.python) if request.python else operations.here()
    return displayed(operations.install(request, world))


def _words(options: Mapping[str, Any]) -> list[str]:
    """Return keyword options as command line words."""
    words: list[str] = []
    for name, value in options.items():
        option = "--" + name.replace("_", "-")
        if value is True:
            words.append(option)
        elif isinstance(value, list | tuple):
            words += [word for each in value for word in (option, str(each))]
        elif value not in (False, None):
            words += [option, str(value)]
    return words
