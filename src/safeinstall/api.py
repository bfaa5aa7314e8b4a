"""Python's door: `safeinstall.install(...)` does what `%safeinstall` does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from safeinstall import render
from safeinstall.environment import Environment, this_environment
from safeinstall.errors import RequestError, SafeInstallError, SafeInstallStopped
from safeinstall.frontend import PYTHON
from safeinstall.operations import carry_out, context_for, folder
from safeinstall.request import HistoryRequest, Request, UndoRequest, parse, parse_uninstall


def environment() -> Environment:
    """Return the environment of the running interpreter."""
    return this_environment()


def install(*requirements: str, check: bool = True, **options: Any) -> render.Displayed:
    """Install into the environment of the running interpreter and return the outcome.

    `requirements` are written as on the command line (`"pandas>=2"`, `"./folder"`); options are
    the command line's, with underscores: `upgrade=True`, `index_url=...`, `requirement="r.txt"`,
    `group="dev"`, `find_links=[...]`, `dry_run=True`, `python="/other/python"`, `new_env=".venv"`.
    Raises `RequestError` for what cannot be understood, `EnvironmentReportError` when `python` is
    no interpreter, and `SafeInstallStopped` (with `.outcome`) when the request does not hold
    afterwards; with `check=False` the outcome says so instead (`outcome.ok`).
    """
    with _in_words():
        words = [*_words(options), *_typed(requirements, "install")]
        return _carried_out(parse(words, cwd=folder(), frontend=PYTHON), check)


def uninstall(*names: str, check: bool = True, **options: Any) -> render.Displayed:
    """Remove distributions and return the outcome; options and errors as for `install`."""
    with _in_words():
        words = [*_words(options), *_typed(names, "uninstall")]
        return _carried_out(parse_uninstall(words, cwd=folder(), frontend=PYTHON), check)


def undo(
    id: str = "", *, force: bool = False, user: bool = False, python: str = "", check: bool = True
) -> render.Displayed:
    """Put back what a transaction changed (default: the last one) and return the outcome.

    Raises `SafeInstallStopped` when it cannot be undone; with `check=False` the outcome says so.
    """
    with _in_words():
        request = UndoRequest(id=id, force=force, user=user, python=python)
        return _carried_out(request, check)


def history(*, user: bool = False, python: str = "") -> render.Displayed:
    """Return the transactions that are kept, the last first, with what an undo of each would do."""
    with _in_words():
        return _carried_out(HistoryRequest(user=user, python=python), check=False)


@contextmanager
def _in_words() -> Iterator[None]:
    """Give an error that goes through all its words, and the line to type."""
    try:
        yield
    except SafeInstallError as error:
        error.shown = render.as_text(render.error_message(error, PYTHON))
        raise


def _carried_out(request: Request, check: bool) -> render.Displayed:
    context = replace(context_for(request), frontend=replace(PYTHON, python=request.python))
    result: Any = carry_out(request, context)
    message = render.message_of(result, context, quiet=request.quiet)
    if not render.is_watched():
        message = replace(message, seconds=None)
    if check and not result.ok:
        text = render.as_text(message, verbose=request.verbose)
        raise SafeInstallStopped(text, getattr(result, "outcome", result))
    return render.Displayed(result, message, verbose=request.verbose)


def _typed(words: Sequence[object], command: str) -> list[str]:
    """Return the arguments; raise `RequestError` for a list of them or whatever is no text."""
    if wrong := [each for each in words if not isinstance(each, str)]:
        kind = type(wrong[0]).__name__
        parts = [e if isinstance(e, list | tuple | set) else [e] for e in words]
        texts = [text for part in parts for text in part if isinstance(text, str)]
        hint = PYTHON.line(command, *texts) if texts else PYTHON.help(command)
        raise RequestError(f"Each argument is one text, not of type {kind}.", hint=hint)
    return [str(each) for each in words]


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
            words += [f"{option}={value}"] if name == "new_env" else [option, str(value)]
    return words
