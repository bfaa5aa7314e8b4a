"""Jobs: work that outlives the request that started it, in a thread, told by comm messages.

The kernel goes on running cells. What outlives one question is kept in a private entry of
`sys.modules`, so that a page that was reloaded finds it again. A thread of ours prints nothing:
what a thread prints lands in whichever cell runs at the time.
"""

from __future__ import annotations

import atexit
import contextlib
import itertools
import os
import re
import signal
import sys
import threading
import time
import types
from collections.abc import Callable, Mapping
from typing import Any, Final

from safeinstall.errors import SafeInstallError
from safeinstall.runner import Command, Completed, run

STATE: Final = "_safeinstall_panel"
"""The entry, which the loader makes (`safeinstall.agent.loader`)."""


def jobs_here() -> dict[str, Job]:
    """Return the jobs of this kernel by id, the newest last."""
    jobs: dict[str, Job] = _kept("jobs", {})
    return jobs


def remarks_made() -> set[str]:
    """Return the remarks the panel has made about this kernel: each is made once."""
    told: set[str] = _kept("told", set())
    return told


def _kept(name: str, first: Any) -> Any:
    state: Any = sys.modules.get(STATE)
    if state is None:
        state = types.ModuleType(STATE)
        state.digest = ""
        sys.modules[STATE] = state
    return state.__dict__.setdefault(name, first)


def known_jobs() -> list[Job]:
    """Return the jobs of this kernel, the newest last; look-ups are nobody's concern later."""
    return [job for job in jobs_here().values() if not job.aside]


TARGET: Final = "safeinstall"
_KEPT: Final = 8
_INTERVAL: Final = 0.1
_PART = re.compile(r"(\d+) of (\d+)")
_numbers = itertools.count(1)


class Job:
    """One piece of work: where it is, and what came of it."""

    def __init__(self, kind: str, title: str, *, aside: bool = False) -> None:
        self.aside = aside
        """True for a look-up, which stands in nobody's way."""
        self.id = f"{os.getpid()}-{next(_numbers)}"
        self.kind = kind
        self.title = title
        self.words = ""
        self.state = "running"
        self.result: Any = None
        self.started = time.time()
        self.cancelled = threading.Event()
        self._processes: set[int] = set()
        self._told = 0.0
        self._comm: Any = None

    def snapshot(self) -> dict[str, Any]:
        """Return the whole job as JSON: a page that comes late needs no earlier message."""
        part = _PART.search(self.words)
        return {
            "id": self.id,
            "kind": self.kind,
            "title": self.title,
            "state": self.state,
            "words": self.words,
            "fraction": int(part[1]) / max(1, int(part[2])) if part else None,
            "cancelling": self.cancelled.is_set(),
            "seconds": time.time() - self.started,
            "result": self.result,
        }

    def progress(self, words: str) -> None:
        """Take note of where the work is, and tell the panel now and then."""
        self.words = words[:200]
        now = time.monotonic()
        if now - self._told >= _INTERVAL:
            self._told = now
            self.tell()

    def run(self, command: Command, **options: Any) -> Completed:
        """Run a command as the runner does, but so that `cancel` ends it."""
        on_start = options.pop("on_start", None)
        own: list[int] = []

        def started(pid: int) -> None:
            self._processes.add(pid)
            own.append(pid)
            if on_start:
                on_start(pid)

        self.stop_if_cancelled()
        try:
            return run(command, on_start=started, **options)
        finally:
            self._processes.difference_update(own)
            self.stop_if_cancelled()

    def stop_if_cancelled(self) -> None:
        """Leave the work as an interrupt would, when the user has cancelled it."""
        if self.cancelled.is_set():
            raise KeyboardInterrupt

    def cancel(self) -> None:
        """Ask the work to stop; whatever it did so far is put back by the operation itself."""
        self.cancelled.set()
        self.end_process()
        self.tell()

    def end_process(self) -> None:
        """End the installers: they have sessions of their own and would outlive the kernel."""
        for process in tuple(self._processes) if os.name == "posix" else ():
            with contextlib.suppress(OSError):
                os.killpg(process, signal.SIGTERM)

    def tell(self) -> None:
        """Send the job to whoever listens. A front end that is gone must not stop the work."""
        with contextlib.suppress(Exception):
            if self._comm is None:
                try:
                    from comm import create_comm
                except ImportError:  # an old ipykernel has its own
                    from ipykernel import comm

                    create_comm = comm.Comm
                # Never opened: an open comm makes Lab create a subshell for it, and that makes a
                # busy kernel look idle. The panel listens to the messages.
                self._comm = create_comm(target_name=TARGET, primary=False)
            self._comm.send({"safeinstall": self.snapshot()})

    def work(self, function: Callable[[Job], Any]) -> None:
        """Do the work and keep what came of it."""
        atexit.register(self.end_process)
        try:
            self.result = function(self)
            self.state = "ended"
        except SafeInstallError as error:
            self._failed(error.code, error.message, error.hint)
        except KeyboardInterrupt:
            self._failed("interrupted", "Cancelled; nothing changed.", "")
        except Exception as error:
            self._failed("internal", f"{type(error).__name__}: {error}", "")
        finally:
            atexit.unregister(self.end_process)
        self.tell()

    def _failed(self, code: str, message: str, hint: str) -> None:
        self.state = "failed"
        self.result = {"error": {"code": code, "message": message, "hint": hint}}


def start(
    kind: str, title: str, function: Callable[[Job], Any], *, aside: bool = False
) -> dict[str, Any]:
    """Start a thread for the work and return the job at once.

    Work is done one at a time, but for look-ups (`aside`): each takes the place of the one before,
    and none is worth going on with once real work begins. Raises `SafeInstallError` while there is
    other work.
    """
    jobs = jobs_here()
    running = [job for job in jobs.values() if job.state == "running"]
    busy = next((job for job in running if not job.aside), None)
    if busy is not None and not aside:
        raise SafeInstallError(f"Still at work: {busy.title}.", code="busy")
    for job in running:
        if job.aside:
            job.cancel()
    job = Job(kind, title, aside=aside)
    jobs[job.id] = job
    for old in list(jobs)[:-_KEPT]:
        del jobs[old]
    threading.Thread(target=job.work, args=(function,), name="safeinstall", daemon=True).start()
    return job.snapshot()


def status(params: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return one job by its id, or None."""
    job = jobs_here().get(str(params.get("id")))
    return job.snapshot() if job else None


def cancel(params: Mapping[str, Any]) -> dict[str, Any] | None:
    """Cancel one job by its id."""
    job = jobs_here().get(str(params.get("id")))
    if job is not None and job.state == "running":
        job.cancel()
    return job.snapshot() if job else None
