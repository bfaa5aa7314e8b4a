"""The panel's door in the kernel: a handful of JSON methods, no policy.

Each method is one function of the module of its name: a dictionary in, a JSON-able value out. This
file imports on Python 3.8 with the standard library alone; kernels older than 3.10 get the facts
and no more, and are told so.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from typing import Any

from safeinstall.probe.facts.lost import CODE, lost_environment
from safeinstall.probe.facts.search_path import WithoutFolder

_ROOMS = {
    "facts": ("facts",),
    "jobs": ("cancel", "status"),
    "operate": (
        *("install", "uninstall", "undo", "new_environment", "history"),
        *("examine", "repair", "repair_kernel", "outcome"),
    ),
    "packages": ("packages", "upgrades", "versions"),
    "attention": ("make_importable",),
    "cells": ("cells", "rewrite"),
    "script_block": ("record",),
}
METHODS = {method: f"{__name__}.{room}" for room, methods in _ROOMS.items() for method in methods}
"""Method and the module whose function of the same name answers it."""

OLDEST = (3, 10)
"""The oldest Python that can do more than say what it is."""


def answer(method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one question: `{"value": ...}`, or `{"error": {"code", "message", "hint"}}`."""
    try:
        lost = None if method in ("status", "cancel") else lost_environment()
        if lost and method != "facts":
            return _error(CODE, *lost)
        if lost or sys.version_info < OLDEST:
            home = f"{__name__}.older" if method == "facts" else ""
        else:
            home = METHODS.get(method, "")
        if not home:
            return _error("no-method", f"This kernel cannot answer {method!r}.", "")
        with WithoutFolder():
            room = importlib.import_module(home)
        return {"value": getattr(room, method)(params)}
    except Exception as error:
        code, hint = getattr(error, "code", "internal"), getattr(error, "hint", "")
        words = getattr(error, "message", "") or f"{type(error).__name__}: {error}"
        code = code if isinstance(code, str) else "internal"
        return _error(code, words, hint if isinstance(hint, str) else "")


def _error(code: str, message: str, hint: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "hint": hint}}
