"""What the watch remembers of one shell: what was said, and what to look at after the cell."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from IPython.display import publish_display_data

from safeinstall import operations, probe, render
from safeinstall.environment import Environment
from safeinstall.importing import FileIdentity, outdated_words, replaced_since
from safeinstall.magics import SafeInstall
from safeinstall.metadata.distribution import metadata_in, split_name
from safeinstall.probe.prediction import Prediction
from safeinstall.watch import advice


class Session:
    """One shell's warnings."""

    def __init__(self, options: SafeInstall) -> None:
        self.options = options
        self._said: set[tuple[str, str, str]] = set()
        self._pending: list[tuple[Prediction, set[str]]] = []
        self._environment: Environment | None = None
        self._outdated: set[str] = set()
        self._looked_at = False

    @property
    def environment(self) -> Environment:
        """This kernel's environment; its facts are constant for a process, so asked once."""
        if self._environment is None:
            self._environment = operations.this_environment()
        return self._environment

    def before(self, info: Any) -> None:
        """Show a warning for each command of the cell that would go wrong, once per command."""
        self.forget_cell()
        self._looked_at = "%safe" not in info.raw_cell  # which says it itself
        wrong = self._wrong(info.raw_cell)
        mode = self.options.shell_installs
        new = advice.replaceable(info.raw_cell, wrong, self._run) if mode == "redirect" else {}
        for prediction in wrong:
            done = mode if mode == "block" or prediction.line - 1 in new else "warn"
            if prediction.path and done == "warn" and not prediction.removes:
                self._pending.append((prediction, {*metadata_in(prediction.path)}))
            key = (prediction.command, prediction.outcome, prediction.path or "")
            if key not in self._said:
                self._said.add(key)
                about = prediction, self.environment, str(Path.cwd())
                _show(advice.warning_message(*about, done=done))

    def after(self, loaded: Callable[[], Mapping[str, FileIdentity]]) -> None:
        """Say what has landed elsewhere after all, and what code in use is another on disk now.

        `loaded` tells which file each module was loaded from.
        """
        pending, self._pending = self._pending, []
        for prediction, before in pending:
            new = sorted({*metadata_in(prediction.path or "")} - before)
            if new and prediction.importable_now is not True:
                arrived = tuple(" ".join(split_name(name)).strip() for name in new)
                _show(advice.landed_message(prediction, self.environment, arrived, str(Path.cwd())))
        if not self._looked_at:
            return
        self._looked_at = False
        outdated = {module.name for module in replaced_since(loaded())}
        if new_ones := sorted(outdated - self._outdated):
            _show(render.Message(mark="!", headline=outdated_words(new_ones)))
        self._outdated |= outdated

    def forget_cell(self) -> None:
        """Forget what the last cell was to be looked at for."""
        self._pending, self._looked_at = [], False

    def rewritten(self, lines: list[str]) -> list[str] | None:
        """Return the cell's lines with the wrong installs redirected or blocked, None if none."""
        cell = "".join(lines)
        wrong = self._wrong(cell)
        if self.options.shell_installs == "block":
            return advice.blocked(cell, wrong, self._offered)
        new = advice.replaceable(cell, wrong, self._run)
        return advice.replaced(lines, new) if new else None

    def _wrong(self, cell: str) -> list[Prediction]:
        return [prediction for prediction in probe.predict(cell) if advice.goes_wrong(prediction)]

    def _run(self, prediction: Prediction) -> str | None:
        return advice.line_to_run(prediction, str(Path.cwd()))

    def _offered(self, prediction: Prediction) -> str:
        return advice.better_line(prediction, self.environment, str(Path.cwd()))


def _show(message: render.Message) -> None:
    shown = {"text/plain": render.as_text(message), "text/html": render.as_html(message)}
    publish_display_data(shown)
    sys.stdout.flush()  # the command writes to the same terminal or file past Python's buffer
