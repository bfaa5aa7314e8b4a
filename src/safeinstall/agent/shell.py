"""The IPython shell of this kernel, as far as the panel touches it."""

from __future__ import annotations

import logging
from typing import Any

__all__ = ["ipython", "make_magics_available"]

_log = logging.getLogger("safeinstall")
_MODES = ("warn", "redirect", "block", "off")


def make_magics_available(shell_installs: object) -> None:
    """Register the magics (design, section 8), and set how cells with installs are watched.

    Nothing happens outside IPython, and nothing twice.
    """
    shell = ipython()
    if shell is None:
        return
    from safeinstall import load_ipython_extension

    if "SafeInstallMagics" not in shell.magics_manager.registry:
        try:
            load_ipython_extension(shell)  # type: ignore[no-untyped-call]
        except Exception:  # an IPython too old for the magics can still be asked for its facts
            _log.debug("the magics could not be registered", exc_info=True)
    watch = getattr(shell, "_safeinstall_watch", None)
    if watch is not None and shell_installs in _MODES:
        watch.options.shell_installs = shell_installs


def ipython() -> Any:
    """Return the shell, None outside IPython."""
    try:
        from IPython.core.getipython import get_ipython
    except ImportError:
        return None
    return get_ipython()  # type: ignore[no-untyped-call,unused-ignore]
