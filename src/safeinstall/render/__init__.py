"""Values to text, HTML and JSON: the only place that lays out what a person sees."""

from __future__ import annotations

from safeinstall.render.layout import Message, as_html, as_text, clean
from safeinstall.render.outcome_words import (
    MIME,
    Displayed,
    data_of,
    error_message,
    message_of,
    outcome_message,
)

__all__ = [
    "MIME",
    "Displayed",
    "Message",
    "as_html",
    "as_text",
    "clean",
    "data_of",
    "error_message",
    "message_of",
    "outcome_message",
]
