"""Requests: what was typed, read by us and never by a shell, into one frozen value.

`parse` reads a `%safeinstall` line or a `%%safeinstall` cell, `parse_arguments` a command line.
Whatever is wrong is one `RequestError` with the line to type instead.
"""

from __future__ import annotations

from .arguments import parse, parse_arguments
from .line import tokenize
from .option_values import is_name
from .options import OPTIONS, Option, usage
from .quoting import join, quote
from .values import Installer, ItemKind, Request, RequestItem

__all__ = [
    "OPTIONS",
    "Installer",
    "ItemKind",
    "Option",
    "Request",
    "RequestItem",
    "is_name",
    "join",
    "parse",
    "parse_arguments",
    "quote",
    "tokenize",
    "usage",
]
