"""A stretch of work that a signal may not cut in two: signals wait until it is over.

Imports on Python 3.8 with the standard library alone: recovery may run in another interpreter.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

__all__ = ["undisturbed"]

HELD_BACK = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Hold signals back for the length of a `with` block and deliver them after it.

    Masking alone would not do: a signal sent to the process may be taken by any thread, and
    Python then runs its handler in the main thread. So the handlers are exchanged as well. Another
    thread than the main one is never interrupted by a handler and needs neither.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def remember(number: int, _frame: FrameType | None) -> None:
        if number not in arrived:
            arrived.append(number)

    former = {number: signal.getsignal(number) for number in HELD_BACK}
    # None = installed outside Python: it cannot be put back, so it is left alone.
    held = [n for n, handler in former.items() if handler not in (None, signal.SIG_IGN)]
    try:
        for number in held:
            signal.signal(number, remember)
        yield
    finally:
        for number in held:
            signal.signal(number, former[number])
        for number in arrived:
            signal.raise_signal(number)
