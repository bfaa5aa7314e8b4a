"""IPython's door: every magic is one line that calls `magics.door`; and what a user may configure.

Options stand as `c.SafeInstall...` in a config file, or are set by `%config SafeInstall...`.

`%load_ext` pays for this file only; everything else is imported when a magic is first used.
"""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import Any, Final

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from traitlets import Bool, Dict, Enum, Float, Int, TraitError, Unicode, validate
from traitlets.config import Configurable

from safeinstall.errors import SafeInstallStopped
from safeinstall.probe.facts.lost import lost_environment

__all__ = ["SafeInstall", "SafeInstallMagics", "SafeInstallStopped", "load", "unload"]
_ATTRIBUTE: Final = "_safeinstall_options"
_SEVERITIES: Final = ("off", "info", "warning", "confirm", "refuse")
_NAMES: Final = {
    "line": ("safeinstall", "safeuninstall", "safeundo", "kernelenv"),
    "cell": ("safeinstall",),
}


@magics_class
class SafeInstallMagics(Magics):  # type: ignore[misc]
    """`%safeinstall` and its siblings."""

    @no_var_expand  # type: ignore[untyped-decorator]
    @line_cell_magic  # type: ignore[untyped-decorator]
    def safeinstall(self, line: str, cell: str | None = None) -> Any:
        """Install into this kernel's own environment, or change nothing and say why.

        ::

            %safeinstall pandas "polars>=1"
            %safeinstall -U numpy>=2
            %safeinstall -r requirements.txt --dry-run

            %%safeinstall
            pandas>=2
            ./my-project

        Options: -r FILE, -c FILE, -e FOLDER, -U/--upgrade, --pre, --no-deps, --index-url URL,
        --extra-index-url URL, --find-links PLACE, --no-index, --installer uv|pip, --dry-run,
        --prove-import, -y/--yes, -v, -q. The line is read by safeinstall, never by a shell:
        `numpy>=2` is safe.
        """
        return _door().install(options_of(self.shell), line, cell)

    @no_var_expand  # type: ignore[untyped-decorator]
    @line_magic  # type: ignore[untyped-decorator]
    def kernelenv(self, line: str) -> Any:
        """Show the interpreter that runs this notebook, its environment, and where installs go."""
        return _door().kernelenv(options_of(self.shell), line)

    @no_var_expand  # type: ignore[untyped-decorator]
    @line_magic  # type: ignore[untyped-decorator]
    def safeuninstall(self, line: str) -> Any:
        """Remove distributions from this kernel's environment; `%safeundo` brings them back.

        ::

            %safeuninstall pandas
            %safeuninstall --allow-conflicts numpy
        """
        return _door().uninstall(options_of(self.shell), line)

    @no_var_expand  # type: ignore[untyped-decorator]
    @line_magic  # type: ignore[untyped-decorator]
    def safeundo(self, line: str) -> Any:
        """Put back exactly what the last install, uninstall or undo changed.

        ::

            %safeundo
            %safeundo 0003-a05f
            %safeundo --list
        """
        return _door().undo(options_of(self.shell), line)


def _door() -> Any:
    """Return what does the work; `%load_ext` does not pay for it.

    Raises `SafeInstallStopped` where the environment is not the one any more that this kernel was
    started in: what is not loaded cannot be imported then.
    """
    if lost := lost_environment():
        # `!` needs a package that may not be loaded; `!!` is the standard library's
        line = f"\n  → !!{lost[1]}\n    then restart the kernel" if lost[1] else ""
        raise SafeInstallStopped(f"✗ Nothing changed. {lost[0]}{line}")
    if (door := sys.modules.get("safeinstall.magics.door")) is not None:
        return door
    try:
        from safeinstall.probe.facts.search_path import WithoutFolder  # `%load_ext` does not pay

        with WithoutFolder():
            from safeinstall.magics import door
    except Exception as error:  # a file in a library's place may raise anything
        # the doctor names it
        words = f"✗ Nothing changed. safeinstall cannot start: {type(error).__name__}: {error}"
        doctor = f"\n  → !{sys.executable} -m safeinstall doctor"
        raise SafeInstallStopped(words + doctor) from None
    return door


def load(shell: Any) -> None:
    """Register the magics with `shell`; doing so again changes nothing."""
    shell.register_magics(SafeInstallMagics)
    if _with_body not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(_with_body)
    if _after_cell not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", _after_cell)
    if _unfinished(sys.prefix):
        _door().recover()


def _after_cell(result: Any) -> None:
    """Say a line after a cell that failed on an import; never disturb a cell."""
    error = getattr(result, "error_in_exec", None) or getattr(result, "error_before_exec", None)
    if isinstance(error, ImportError):
        with contextlib.suppress(Exception):  # a remark is not worth a second traceback
            _door().remark(error)


def _unfinished(prefix: str) -> bool:
    """Tell whether a transaction of this environment has not reached its end: a few stats.

    The state of a transaction is the name of a file in its folder (`transaction/journal`). What
    somebody else began, an admin of a shared environment perhaps, is not ours to recover.
    """
    try:
        folder = Path(prefix, ".safeinstall", "transactions")
        if folder.stat().st_uid != getattr(os, "geteuid", lambda: 0)():
            return False
        places = [(e / "state.committed", e / "stage", e.suffix) for e in folder.iterdir()]
        return not all(
            suffix == ".aside" or (suffix != ".gone" and done.exists() and not stage.exists())
            for done, stage, suffix in places
        )
    except OSError:
        return False


def _with_body(lines: list[str]) -> list[str]:
    """Give a bare `%%safeinstall` an empty line: IPython calls no cell magic without a body."""
    bare = len(lines) == 1 and lines[0].split(maxsplit=1)[:1] == ["%%safeinstall"]
    return [*lines, "\n"] if bare else lines


def unload(shell: Any) -> None:
    """Take the magics away again, and forget what this kernel was told."""
    for kind, names in _NAMES.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
    shell.magics_manager.registry.pop(SafeInstallMagics.__name__, None)
    if _after_cell in shell.events.callbacks["post_run_cell"]:
        shell.events.unregister("post_run_cell", _after_cell)
    if _with_body in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.remove(_with_body)
    if (used := sys.modules.get("safeinstall.magics.door")) is not None:
        used.told.clear()
        used.failed.clear()


class SafeInstall(Configurable):  # type: ignore[misc]
    """The options of the extension."""

    shell_installs = Enum(
        ("warn", "redirect", "block", "off"),
        default_value="warn",
        help="What to do before a cell runs a `%pip`, `!pip`, `!uv` or `!conda` install that would "
        "not go right: say so (warn), run it as %safeinstall instead (redirect), stop the cell "
        "(block), or nothing (off).",
    ).tag(config=True)

    guards = Dict(
        key_trait=Unicode(),
        value_trait=Enum(_SEVERITIES),
        help="How much a finding weighs, by its code: off, info, warning, confirm or refuse; for "
        'example {"name-trap": "warning"}. Codes that are not named keep their own weight.',
    ).tag(config=True)

    undo_transactions = Int(
        10, min=1, help="How many transactions are kept for undo; older ones are forgotten."
    ).tag(config=True)

    undo_gigabytes = Float(
        2.0, min=0, help="How much disk space they may take; the last one is always kept."
    ).tag(config=True)

    prove_import = Bool(
        False,
        help="Import what was installed in a new process before it counts, and put all back if "
        "that fails: as --prove-import does for one line.",
    ).tag(config=True)

    import_seconds = Int(60, min=1, help="How long that import may take.").tag(config=True)

    time_limit = Float(
        0.0,
        min=0,
        help="Minutes an installer may work at once, as --time-limit says for one line; 0: 60, and "
        "20 where something may be built.",
    ).tag(config=True)

    @property
    def proving(self) -> tuple[bool, float]:
        """Whether what is installed is imported before it counts, and how long that may take."""
        return self.prove_import, float(self.import_seconds)

    @property
    def keeping(self) -> tuple[int, int]:
        """How many transactions are kept for undo, and how many bytes of them."""
        return self.undo_transactions, int(self.undo_gigabytes * 2**30)

    @validate("guards")  # type: ignore[untyped-decorator]
    def _known_codes(self, proposal: Any) -> dict[str, str]:
        # Loading the extension is paid by every kernel, configuring guards by few.
        from safeinstall.findings.codes import CODES, closest_code

        guards: dict[str, str] = proposal["value"]
        for code in guards:
            if code not in CODES:
                near = closest_code(code)
                raise TraitError(f"There is no finding {code}; the nearest code is {near}.")
        return guards


def load_options(shell: Any) -> SafeInstall:
    """Give `shell` the options, once; `%config SafeInstall` then knows them."""
    found: SafeInstall | None = getattr(shell, _ATTRIBUTE, None)
    if found is None:
        found = SafeInstall(parent=shell)
        setattr(shell, _ATTRIBUTE, found)
        shell.configurables.append(found)
    return found


def options_of(shell: Any) -> SafeInstall:
    """Return the options of a shell; the defaults when the extension is not loaded there."""
    found: SafeInstall | None = getattr(shell, _ATTRIBUTE, None)
    return found or SafeInstall()


def unload_options(shell: Any) -> None:
    """Take the options away again."""
    if (found := getattr(shell, _ATTRIBUTE, None)) is not None:
        shell.configurables.remove(found)
        delattr(shell, _ATTRIBUTE)
