"""Google Colab draws its own restart button when it is handed its own MIME type."""

from __future__ import annotations

from typing import Final

from IPython.display import display

from safeinstall.outcome import Outcome

__all__ = ["MIME", "offer_restart"]

MIME: Final = "application/vnd.colab-display-data+json"


def offer_restart(outcome: Outcome) -> None:
    """Show Colab's restart button for the stale modules (google/colab/_pip.py reads this shape)."""
    packages = sorted({name.split(".")[0] for name in outcome.stale_modules})
    display({MIME: {"pip_warning": {"packages": packages}}}, raw=True)
