"""Values to text, HTML and JSON: the only place that lays out what a person sees.

What is said of a look at something (`render.report_words`) is imported where it is needed: it would
bring the doctor and the kernels into every install.
"""

from __future__ import annotations

from safeinstall.render.layout import Message, as_html, as_text, clean
from safeinstall.render.outcome_words import (
    MIME,
    DisplayedOutcome,
    bundle,
    displayed,
    error_text,
    outcome_message,
)

__all__ = [
    "MIME",
    "DisplayedOutcome",
    "Message",
    "as_html",
    "as_text",
    "bundle",
    "clean",
    "displayed",
    "error_text",
    "outcome_message",
]
