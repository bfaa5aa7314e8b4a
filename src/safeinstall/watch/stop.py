"""What a blocked install line runs instead."""

from __future__ import annotations

from typing import NoReturn

from safeinstall.errors import SafeInstallStopped

__all__ = ["stop"]


def stop(instead: str) -> NoReturn:
    """Fail the cell: the install above was blocked."""
    raise SafeInstallStopped(f"✗ Nothing changed. This install was blocked.\n  → {instead}")
