"""Load the extension with every kernel of one environment, by IPython's own configuration of it.

IPython reads `<prefix>/etc/ipython/ipython_config.py` (`IPython.paths.ENV_CONFIG_DIRS`), so that
kernels of other environments, which have no safeinstall, see nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from safeinstall.distributions import InstalledIndex
from safeinstall.environment import Environment, shown
from safeinstall.errors import SafeInstallError, TransactionError
from safeinstall.frontend import TERMINAL
from safeinstall.guards.request import owners_line
from safeinstall.operations.context import Context, recovered_first
from safeinstall.request import AutoloadRequest
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.undo import NewFile, repair

_BEGIN: Final = "# safeinstall: begin (`safeinstall autoload --off` takes it away)\n"
_LINES: Final = 'get_config().InteractiveShellApp.extensions.append("safeinstall")\n'
_END: Final = "# safeinstall: end\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class Autoload:
    """Whether kernels of an environment load the extension by themselves."""

    path: str
    """The configuration file."""
    on: bool
    changed: bool
    environment: Environment
    transaction: str | None = None
    exit_status: int = 0

    @property
    def sentence(self) -> str:
        """What holds now."""
        here, state = self.environment.label, "loads" if self.on else "does not load"
        already = "" if self.changed else " already"
        place = shown(self.path, self.environment.home)
        return f"Every new kernel of {here} {state} safeinstall by itself{already} ({place})."

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        plain = ("path", "on", "changed", "transaction")
        return {"schema": 1, **{name: getattr(self, name) for name in plain}}


def autoload(request: AutoloadRequest, context: Context) -> Autoload:
    """Write, or take away, the lines that load the extension; undo brings back what was there.

    Raises `SafeInstallError` where safeinstall is not installed, or may not write.
    """
    environment = context.environment
    path = Path(environment.prefix, "etc", "ipython", "ipython_config.py")
    recovered_first(context)
    old = _text(path)
    rest = _without_ours(old)
    new = rest if request.off else f"{rest}{_BEGIN}{_LINES}{_END}"
    found = Autoload(path=str(path), on=not request.off, changed=False, environment=environment)
    if new == old:
        return found
    _check(request, environment, context)
    store = Store.open(environment.prefix)
    with store.lock(command="safeinstall autoload"):
        files = {str(path): NewFile(new.encode())} if new else {}
        aside = [] if files or not path.exists() else [str(path)]
        done = repair(store, aside, files, "safeinstall autoload")
    return replace(found, changed=True, transaction=done.id)


def _check(request: AutoloadRequest, environment: Environment, context: Context) -> None:
    if (locked := environment.locked) is not None:
        words = f"You may not write into {environment.label}: {locked.detail}."
        instead = "`%load_ext safeinstall` in a notebook loads it for that one."
        line = TERMINAL.line("autoload", *(["--off"] if request.off else []))
        line = owners_line(line, environment)
        raise SafeInstallError(f"{words} {instead}", hint=line, code="not-writable")
    if not request.off and InstalledIndex(environment.sys_path).find("safeinstall") is None:
        words = f"safeinstall is not installed in {environment.label}, so nothing could load it."
        line = context.frontend.line("install", "safeinstall")
        raise SafeInstallError(words, hint=line, code="not-installed")


def _text(path: Path) -> str:
    """Return what stands in the configuration file; raises when it cannot be read as text."""
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        words = f"{path} cannot be read as a configuration file of IPython: {error}."
        raise TransactionError(words, code="not-writable") from error


def _without_ours(text: str) -> str:
    before, begin, rest = text.partition(_BEGIN)
    return before + rest.partition(_END)[2] if begin else text
