"""IPython's door: parse the line, call the operation, return the outcome.

`%load_ext` pays for this module only; everything else is imported when a magic is first used.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, ClassVar

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

if TYPE_CHECKING:
    from safeinstall.outcome import Outcome
    from safeinstall.request import Request

__all__ = ["SafeInstallMagics", "SafeInstallStopped", "load", "unload"]

_NAMES = {"line": ("safeinstall", "kernelenv"), "cell": ("safeinstall",)}


class SafeInstallStopped(Exception):  # noqa: N818 - what a notebook shows: a stop, not a crash
    """A refusal or failure: the cell fails, so that "run all" stops; the message is complete."""

    def __init__(self, text: str, outcome: Outcome | None = None) -> None:
        super().__init__(text)
        self.outcome = outcome

    def _render_traceback_(self) -> list[str]:
        """Return the message alone: where in our code it was raised helps nobody."""
        return [str(self)]


@magics_class
class SafeInstallMagics(Magics):  # type: ignore[misc]
    """`%safeinstall` and `%kernelenv`."""

    told: ClassVar[set[str]] = set()
    """Remarks this kernel has already made: each is made once."""

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
        -y/--yes, -v, -q. The line is read by safeinstall, never by a shell: `numpy>=2` is safe.
        """
        from safeinstall import operations, render
        from safeinstall.errors import SafeInstallError
        from safeinstall.request import parse, usage

        progress = _Progress()
        try:
            if cell is None and not line.strip():
                return _Shown(render.short_environment_message(operations.this_environment()))
            request = parse(line, cell, cwd=os.getcwd())  # noqa: PTH109 - a string is wanted
            if request.help:
                print(usage())  # noqa: T201 - what `--help` does everywhere
                return None
            world = operations.here(progress)
            outcome = operations.install(request, world)
        except SafeInstallError as error:
            raise SafeInstallStopped(_error_text(error)) from None
        finally:
            progress.close()
        return _result(self._once(outcome), request)

    @no_var_expand  # type: ignore[untyped-decorator]
    @line_magic  # type: ignore[untyped-decorator]
    def kernelenv(self, line: str) -> Any:
        """Show the interpreter that runs this notebook, its environment, and where installs go."""
        from safeinstall import operations, render

        return _Shown(render.environment_message(operations.this_environment()))

    def _once(self, outcome: Outcome) -> Outcome:
        """Return the outcome without the remarks this kernel has already made."""
        from dataclasses import replace

        from safeinstall.findings import Severity

        new = tuple(
            finding
            for finding in outcome.findings
            if finding.severity is not Severity.INFO or finding.message not in self.told
        )
        self.told.update(f.message for f in new if f.severity is Severity.INFO)
        return replace(outcome, findings=new) if len(new) != len(outcome.findings) else outcome


class _Shown:
    """A message that shows itself."""

    def __init__(self, message: Any) -> None:
        self.message = message

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        from safeinstall import render

        return {
            "text/plain": render.as_text(self.message),
            "text/html": render.as_html(self.message),
        }

    def __repr__(self) -> str:
        return str(self._repr_mimebundle_()["text/plain"])


class _Progress:
    """One line that updates while work goes on; nothing for work that is quick."""

    patience = 0.7
    """Seconds without a word: most installs from a warm cache are over by then."""
    interval = 0.15
    """Seconds between updates: a front end redraws the output for each."""

    def __init__(self) -> None:
        import time

        self._clock = time.monotonic
        self._start = self._last = self._clock()
        self._handle: Any = None
        self._words = ""

    def __call__(self, words: str) -> None:
        from safeinstall.render import clean

        self._words = clean(words)[:90]
        now = self._clock()
        if now - self._start < self.patience or now - self._last < self.interval:
            return
        self._last = now
        self._show(f"… {self._words}")

    def close(self) -> None:
        """Leave a last line that says how long it took, where a line was shown at all."""
        if self._handle is not None:
            self._show(f"… done after {self._clock() - self._start:.1f} s")

    def _show(self, text: str) -> None:
        from html import escape

        from IPython.display import display

        data = {"text/plain": text, "text/html": f'<div aria-live="polite">{escape(text)}</div>'}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)


def load(shell: Any) -> None:
    """Register the magics with `shell`; doing so again changes nothing."""
    shell.register_magics(SafeInstallMagics)


def unload(shell: Any) -> None:
    """Take the magics away again."""
    for kind, names in _NAMES.items():
        for name in names:
            shell.magics_manager.magics[kind].pop(name, None)
    shell.magics_manager.registry.pop(SafeInstallMagics.__name__, None)
    SafeInstallMagics.told.clear()


def _result(outcome: Outcome, request: Request) -> Any:
    """Return the outcome to be shown, or raise what makes the cell fail."""
    from safeinstall import render

    if not outcome.ok:
        raise SafeInstallStopped(render.error_text(outcome, verbose=request.verbose), outcome)
    return render.displayed(outcome, verbose=request.verbose, quiet=request.quiet)


def _error_text(error: Any) -> str:
    """Return a usage error as text: what, where, and the line to type instead."""
    from safeinstall import render
    from safeinstall.findings import Suggestion

    return render.as_text(
        render.Message(
            mark="✗",
            headline=f"Nothing changed. {error.message}",
            lines=tuple(error.context.splitlines()),
            ways=(Suggestion(command=error.hint),) if error.hint else (),
        )
    )
