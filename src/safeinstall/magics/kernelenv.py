"""What `%kernelenv` does with its line."""

from __future__ import annotations

from typing import Any

from safeinstall import operations, render
from safeinstall.magics.display import Shown

__all__ = ["run"]


def run(line: str) -> Any:
    """Return what is to be shown."""
    return Shown(render.environment_message(operations.this_environment()))
