"""Requests: what was typed, read by us and never by a shell, into one frozen value a command.

`parse` reads a `%safeinstall` line or a `%%safeinstall` cell, `parse_command` the words of any
command. Whatever is wrong is one `RequestError` with the line to type instead.
"""

from __future__ import annotations

from safeinstall.frontend import join, quote
from safeinstall.request.commands import (
    AutoloadRequest,
    Demand,
    DoctorRequest,
    HistoryRequest,
    InstallerName,
    InstallRequest,
    ItemKind,
    KernelsRequest,
    RecoverRequest,
    Request,
    RequestItem,
    SurveyRequest,
    UndoRequest,
    UninstallRequest,
    WhereRequest,
)
from safeinstall.request.line import tokenize
from safeinstall.request.options import OPTIONS, Option
from safeinstall.request.reader import parse, parse_uninstall

__all__ = [
    "OPTIONS",
    "AutoloadRequest",
    "Demand",
    "DoctorRequest",
    "HistoryRequest",
    "InstallRequest",
    "InstallerName",
    "ItemKind",
    "KernelsRequest",
    "Option",
    "RecoverRequest",
    "Request",
    "RequestItem",
    "SurveyRequest",
    "UndoRequest",
    "UninstallRequest",
    "WhereRequest",
    "join",
    "parse",
    "parse_uninstall",
    "quote",
    "tokenize",
]
