"""What `%safeinstall` does with its line and cell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from IPython.core.getipython import get_ipython

from safeinstall import operations
from safeinstall.config import keeping, options_of
from safeinstall.errors import SafeInstallError
from safeinstall.findings import Severity
from safeinstall.magics import missing
from safeinstall.magics.display import Shown, result, usage_stop
from safeinstall.magics.progress import Progress
from safeinstall.render.report_words import short_environment_message
from safeinstall.request import parse, usage

__all__ = ["run", "told"]

told: set[str] = set()
"""Remarks this kernel has already made: each is made once."""


def run(line: str, cell: str | None) -> Any:
    """Carry out the magic; return what is to be shown, raise `SafeInstallStopped` otherwise."""
    if cell is None and not line.strip():
        return Shown(short_environment_message(operations.this_environment()))
    progress = Progress()
    try:
        request = parse(line, cell, cwd=operations.folder())
        if request.help:
            print(usage())  # noqa: T201 - what `--help` does everywhere
            return None
        if request.new_env:
            from safeinstall.magics import new_environment

            return new_environment.run(request, progress)
        here = replace(
            operations.here(progress),
            policy=_policy(),
            keeping=operations.Keeping(*keeping(get_ipython())),
        )
        outcome = operations.install(request, here)
        missing.note(request, outcome)
    except SafeInstallError as error:
        raise usage_stop(error) from None
    finally:
        progress.close()
    return result(outcome.without_repeats(told), verbose=request.verbose, quiet=request.quiet)


def _policy() -> dict[str, Severity | None]:
    """Return what the user has configured about guards: severity by code, None for off."""
    options = options_of(get_ipython())
    chosen = options.guards if options is not None else {}
    return {code: None if word == "off" else Severity(word) for code, word in chosen.items()}
