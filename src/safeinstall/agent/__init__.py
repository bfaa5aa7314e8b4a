"""The panel's door in the kernel: a handful of JSON methods, no policy.

Each method is one function of the module of its name: a dictionary in, a JSON-able value out. This
file imports on Python 3.8 with the standard library alone; kernels older than 3.10 get the facts
and no more, and are told so.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


METHODS = {
    "facts": "safeinstall.agent.facts",
    "install": "safeinstall.agent.operate",
    "uninstall": "safeinstall.agent.operate",
    "undo": "safeinstall.agent.operate",
    "new_environment": "safeinstall.agent.operate",
    "cancel": "safeinstall.agent.jobs",
    "status": "safeinstall.agent.jobs",
    "packages": "safeinstall.agent.packages",
    "upgrades": "safeinstall.agent.packages",
    "versions": "safeinstall.agent.packages",
    "examine": "safeinstall.agent.operate",
    "repair": "safeinstall.agent.operate",
    "repair_kernel": "safeinstall.agent.operate",
    "make_importable": "safeinstall.agent.attention",
    "cells": "safeinstall.agent.cells",
    "rewrite": "safeinstall.agent.cells",
    "record": "safeinstall.agent.script_block",
    "history": "safeinstall.agent.operate",
}
"""Method and the module whose function of the same name answers it."""

OLDEST = (3, 10)
"""The oldest Python that can do more than say what it is."""


def answer(method: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Answer one question: `{"value": ...}`, or `{"error": {"code", "message", "hint"}}`."""
    import importlib

    try:
        if sys.version_info < OLDEST:
            home = "safeinstall.agent.older" if method == "facts" else ""
        else:
            home = METHODS.get(method, "")
        if not home:
            return _error("no-method", f"This kernel cannot answer {method!r}.", "")
        value = getattr(importlib.import_module(home), method)(params)
        return {"value": value}
    except Exception as error:
        code = getattr(error, "code", "internal")
        words = getattr(error, "message", "") or f"{type(error).__name__}: {error}"
        return _error(code if isinstance(code, str) else "internal", words, _hint(error))


def _hint(error: Exception) -> str:
    hint = getattr(error, "hint", "")
    return hint if isinstance(hint, str) else ""


def _error(code: str, message: str, hint: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "hint": hint}}
