"""Values to text, HTML and JSON: the only place that lays out what a person sees."""

from __future__ import annotations

from safeinstall.render.bundle import MIME, DisplayedOutcome, bundle, displayed, error_text
from safeinstall.render.environment import environment_message, short_environment_message
from safeinstall.render.history import history_message
from safeinstall.render.html import as_html
from safeinstall.render.message import Message
from safeinstall.render.outcome import outcome_message
from safeinstall.render.survey import survey_message, where_message
from safeinstall.render.text import as_text, clean

__all__ = [
    "MIME",
    "DisplayedOutcome",
    "Message",
    "as_html",
    "as_text",
    "bundle",
    "clean",
    "displayed",
    "environment_message",
    "error_text",
    "history_message",
    "outcome_message",
    "short_environment_message",
    "survey_message",
    "where_message",
]
