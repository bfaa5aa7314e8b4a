"""Requests: what was typed, read by us and never by a shell, into one frozen value.

`parse` reads a `%safeinstall` line or a `%%safeinstall` cell, `parse_arguments` a command line.
Whatever is wrong is one `RequestError` with the line to type instead.
"""

from __future__ import annotations

from safeinstall.frontend import join, quote
from safeinstall.request.commands import Installer, ItemKind, Request, RequestItem
from safeinstall.request.line import tokenize
from safeinstall.request.option_parser import is_name
from safeinstall.request.options import OPTIONS, Option, usage
from safeinstall.request.reader import parse, parse_arguments

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
