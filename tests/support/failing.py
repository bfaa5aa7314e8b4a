"""A command line of ours in a fork, of which one file call fails, or where Ctrl-C comes.

Python tells its audit hooks of each file call before it is made (PEP 578); a hook that raises is
the failure of that call, whoever makes it, ours or a library. `fsync` has no event and is counted
by a wrapper. Calls below the given folders count, and no others.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeinstall import cli

EVENTS = frozenset(
    {"open", "os.listdir", "os.scandir", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}
    | {"os.link", "os.symlink", "os.chmod", "os.chown", "os.truncate", "os.utime"}
)
"""https://docs.python.org/3/library/audit_events.html"""
KILL = -1
INTERRUPT = 0
"""In the place of an error: a SIGINT to the process, as Ctrl-C or a kernel's interrupt is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """What came of a command."""

    status: int
    said: str
    """Both outputs."""
    calls: tuple[str, ...]
    """The file calls that were counted, with their path."""


def attempt(
    words: Sequence[str | Path],
    settings: dict[str, str],
    roots: Sequence[Path],
    cwd: Path,
    scratch: Path,
    *,
    at: int = 0,
    error: int = INTERRUPT,
) -> Attempt:
    """Run a command line of ours; call `at` (from 1) fails with `error`, an errno."""
    scratch.mkdir(exist_ok=True)
    output, listing = scratch / "output", scratch / "calls"
    sys.stdout.flush()
    sys.stderr.flush()
    if not (child := os.fork()):
        status = 70
        try:
            os.dup2(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
            os.dup2(1, 2)
            sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
            os.environ.clear()
            os.environ.update(settings)
            os.chdir(cwd)
            signal.signal(signal.SIGINT, signal.default_int_handler)
            with listing.open("w", encoding="utf-8") as file:
                _install(tuple(map(str, roots)), at, error, file.write)
                status = _main(list(map(str, words)))
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(status)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    calls = tuple(listing.read_text("utf-8").splitlines())
    return Attempt(status=ended, said=output.read_text("utf-8"), calls=calls)


def _main(words: list[str]) -> int:
    try:
        return cli.main(words)
    except BaseException:  # as the interpreter shows it
        sys.excepthook(*sys.exc_info())
        return 71


def _install(roots: tuple[str, ...], at: int, error: int, write: Callable[[str], Any]) -> None:
    count, busy = 0, False

    def tell(event: str, words: tuple[object, ...]) -> None:
        nonlocal count, busy
        if busy or event not in EVENTS or not words:
            return
        path = words[0]
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, (str, os.PathLike)) or not str(path).startswith(roots):
            return
        busy = True  # what is written here is no call of theirs
        count += 1
        write(f"{event} {path}\n")
        busy = False
        if count == at:
            if error == KILL:
                os._exit(9)
            if error == INTERRUPT:
                signal.raise_signal(signal.SIGINT)
            else:
                raise OSError(error, os.strerror(error), str(path))

    real = os.fsync

    def fsync(descriptor: Any) -> None:
        tell("open", (roots[0] + "/fsync",))
        real(descriptor)

    os.fsync = fsync  # type: ignore[assignment]
    sys.addaudithook(tell)
