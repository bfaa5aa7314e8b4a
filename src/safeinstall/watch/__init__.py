"""Before a cell runs an install that would go wrong: say so, redirect it, or stop it.

This file is what `%load_ext` pays for, and its gate is what every cell pays for; everything else is
imported when a cell first holds a word such as `install`. A fault of ours never fails a cell.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn

from safeinstall import magics
from safeinstall.errors import SafeInstallStopped
from safeinstall.probe.facts.lost import lost_environment

if TYPE_CHECKING:
    from safeinstall.importing import FileIdentity

_VERBS: Final = (
    "install",
    "add",
    "sync",
    "-r",
    "develop",
    "remove",
    "purge",
    "pacman",
    " update",
    " upgrade",
)
_ATTRIBUTE: Final = "_safeinstall_watch"
_log = logging.getLogger("safeinstall")
_LIBRARY: Final = os.path.dirname(os.__file__) + os.sep
_PACKAGES: Final = _LIBRARY + "site-packages"


class Watch:
    """The hooks of one shell."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.options = magics.load_options(shell)
        self._session: Any = None
        self._said_lost = False
        self._modules: dict[str, tuple[Any, FileIdentity | None]] = {}

    def before(self, info: Any) -> None:
        """Warn above the output of a cell (IPython's `pre_run_cell`)."""
        self._guarded("warn", "block", "redirect", act=lambda session: session.before(info))

    def after(self, result: Any) -> None:
        """Say where an install that ran anyway has landed (IPython's `post_run_cell`)."""
        if self._session is not None:
            self._guarded("warn", "redirect", act=lambda session: session.after(self.loaded))
        self._note_modules()

    def _note_modules(self) -> None:
        """Take note of the modules that came with the last cell: a stat for each."""
        if len(sys.modules) != len(self._modules):
            for name in sys.modules.keys() ^ self._modules.keys():
                self._modules.pop(name, None)
                if (module := sys.modules.get(name)) is not None:
                    self._modules[name] = getattr(module, "__spec__", None), _identity(module)

    def loaded(self) -> dict[str, FileIdentity]:
        """Return which file each module in use was loaded from, Python's own library aside."""
        found: dict[str, FileIdentity] = {}
        for name, (spec, identity) in self._modules.items():
            if identity and getattr(sys.modules.get(name), "__spec__", None) is spec:
                found[name] = identity
        return found

    def rewrite(self, lines: list[str]) -> list[str]:
        """Redirect or block an install line (IPython's `input_transformers_cleanup`)."""
        if self.options.shell_installs not in ("redirect", "block") or not _worth("".join(lines)):
            return lines
        changed = self._guarded("redirect", "block", act=lambda session: session.rewritten(lines))
        return lines if changed is None else changed

    rewrite.has_side_effects = False  # type: ignore[attr-defined]

    def _guarded(self, *modes: str, act: Callable[[Any], Any]) -> Any:
        """Do something for a cell, unless the mode says no; a fault of ours is logged, no more."""
        if self.options.shell_installs not in modes:
            return None
        try:
            return act(self.session)
        except Exception:
            _log.debug("the watch failed", exc_info=True)
            return None

    @property
    def session(self) -> Any:
        """What is remembered about the shell: made when first needed."""
        if self._session is None:
            from safeinstall.watch.session import Session

            self._session = Session(self.options)
        return self._session

    def pre_run_cell(self, info: Any) -> None:
        """Let the cell pass at once when it cannot hold an install command."""
        cell = getattr(info, "raw_cell", None) or ""
        if _may_install(cell) and (lost := lost_environment()):
            if not self._said_lost:
                print(f"! {lost[0]}")  # noqa: T201 - nothing else can be imported now
            self._said_lost = True
        elif _worth(cell):
            self.before(info)
        elif self._session is not None:
            self._session.forget_cell()


def _identity(module: Any) -> FileIdentity | None:
    """As `importing` would say it, which no cell that installs nothing is to pay for."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or (file.startswith(_LIBRARY) and not file.startswith(_PACKAGES)):
        return None
    try:
        status = os.stat(file)  # noqa: PTH116 - a thousand after the first cell
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _worth(cell: str) -> bool:
    """Tell whether the cell may hold an install or a removal: two looks, a few microseconds."""
    if not _may_install(cell) or lost_environment():
        return False
    from safeinstall.probe.cell import mentions_installer  # most notebooks never need it

    return mentions_installer(cell)


def _may_install(cell: str) -> bool:
    ours = cell.startswith("%safe") and "\n" not in cell.rstrip()
    return not ours and any(verb in cell for verb in _VERBS)


def load(shell: Any) -> None:
    """Start watching the cells of `shell`; doing so again changes nothing."""
    if getattr(shell, _ATTRIBUTE, None) is not None:
        return
    watch = Watch(shell)
    setattr(shell, _ATTRIBUTE, watch)
    shell.events.register("pre_run_cell", watch.pre_run_cell)
    shell.events.register("post_run_cell", watch.after)
    shell.input_transformers_cleanup.append(watch.rewrite)


def unload(shell: Any) -> None:
    """Stop watching and remove every trace."""
    if (watch := getattr(shell, _ATTRIBUTE, None)) is None:
        return
    shell.events.unregister("pre_run_cell", watch.pre_run_cell)
    shell.events.unregister("post_run_cell", watch.after)
    shell.input_transformers_cleanup.remove(watch.rewrite)
    magics.unload_options(shell)
    delattr(shell, _ATTRIBUTE)


def stop(instead: str) -> NoReturn:
    """Fail the cell (what a blocked install line runs instead): the install above was blocked."""
    way = f"\n  → {instead}" if instead else ""
    raise SafeInstallStopped(f"✗ Nothing changed. This command was blocked.{way}")
