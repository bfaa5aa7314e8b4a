"""Progress in a notebook: one line that updates while work goes on."""

from __future__ import annotations

import time
from html import escape
from typing import Any

from IPython.display import display

from safeinstall.render import clean

__all__ = ["Progress"]


class Progress:
    """One line that updates while work goes on; nothing for work that is quick."""

    patience = 0.7
    """Seconds without a word: most installs from a warm cache are over by then."""
    interval = 0.15
    """Seconds between updates: a front end redraws the output for each."""

    def __init__(self) -> None:
        self._clock = time.monotonic
        self._start = self._last = self._clock()
        self._handle: Any = None
        self._words = ""

    def __call__(self, words: str) -> None:
        """Take note of where the work is; show it when it has taken long enough."""
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
        data = {"text/plain": text, "text/html": f'<div aria-live="polite">{escape(text)}</div>'}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)
