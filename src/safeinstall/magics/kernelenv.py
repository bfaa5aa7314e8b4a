"""What `%kernelenv` does with its line."""

from __future__ import annotations

from typing import Any

from safeinstall import operations
from safeinstall.errors import RequestError, SafeInstallError
from safeinstall.magics.display import Shown, usage_stop
from safeinstall.render.report_words import survey_message, where_message
from safeinstall.request import tokenize

__all__ = ["run"]

_WHERE = '%kernelenv --where "!pip install pandas"'


def run(line: str) -> Any:
    """Return what is to be shown; raises `SafeInstallStopped` for a line it does not know."""
    try:
        words = list(tokenize(line))
        if not words:
            found = operations.survey(operations.here())
            return Shown(survey_message(found), found.to_dict())
        if "--where" in words:
            return _where(words)
        if "--doctor" in words:
            from safeinstall.magics import doctor

            return doctor.run(words)
        if "--kernels" in words:
            from safeinstall.magics import kernels

            return kernels.run(words)
        raise RequestError(f"%kernelenv does not know {words[0]!r}.", hint="%kernelenv")
    except SafeInstallError as error:
        raise usage_stop(error) from None


def _where(words: list[str]) -> Shown:
    deep = "--deep" in words
    cell = [word for word in words if word not in ("--where", "--deep")]
    if len(cell) != 1:
        raise RequestError("--where needs one command, in quotes.", hint=_WHERE)
    here = operations.here()
    found = operations.where(cell[0], here, ask=deep)
    message = where_message(found.cell, found.predictions, here.environment)
    return Shown(message, found.to_dict())
