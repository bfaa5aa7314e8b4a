"""The MIME bundle of an outcome: text, HTML and JSON that say the same."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final

from safeinstall.outcome import Outcome
from safeinstall.render.html import as_html
from safeinstall.render.outcome import outcome_message
from safeinstall.render.text import as_text

__all__ = ["MIME", "DisplayedOutcome", "bundle", "displayed", "error_text"]

MIME: Final = "application/vnd.safeinstall.outcome+json"


def bundle(outcome: Outcome, *, verbose: bool = False, quiet: bool = False) -> dict[str, Any]:
    """Return `text/plain`, `text/html` and our JSON for the outcome."""
    message = outcome_message(outcome, quiet=quiet)
    if outcome.ok and not verbose:
        message = replace(message, details="")  # an installer's log is for failures and for -v
    return {
        "text/plain": as_text(message, verbose=verbose),
        "text/html": as_html(message),
        MIME: outcome.to_dict(),
    }


def error_text(outcome: Outcome, *, verbose: bool = False) -> str:
    """Return the text of an outcome that stopped."""
    return as_text(outcome_message(outcome), verbose=verbose)


@dataclass(frozen=True, kw_only=True, slots=True)
class DisplayedOutcome(Outcome):
    """An outcome that shows itself in a notebook or a terminal."""

    verbose: bool = False
    quiet: bool = False

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Return every form of the outcome (IPython asks for it)."""
        return bundle(self, verbose=self.verbose, quiet=self.quiet)

    def __str__(self) -> str:
        return str(bundle(self, verbose=self.verbose, quiet=self.quiet)["text/plain"])

    __repr__ = __str__


def displayed(outcome: Outcome, *, verbose: bool = False, quiet: bool = False) -> DisplayedOutcome:
    """Return the outcome as one that shows itself."""
    values = {field.name: getattr(outcome, field.name) for field in fields(Outcome)}
    return DisplayedOutcome(**values, verbose=verbose, quiet=quiet)
