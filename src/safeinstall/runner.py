"""Commands, and the only module that starts processes.

A command is argv and environment overrides, never a shell string. Every child gets its own session
(a kernel's interrupt goes to the whole process group and must not cut an installer in half), its
standard input is closed or fed once, and its output arrives line by line.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from safeinstall.errors import SafeInstallError
from safeinstall.frontend import redact

LOCK_FILE: Final = "pylock.toml"
"""Stands for the path of the command's lock, which installers know by its name."""
_GRACE_SECONDS: Final = 3.0
_LONGEST_LINE: Final = 4000
_LAST_LINES: Final = 200
_MOST_LINES: Final = 5_000
_MOST_ANSWER: Final = 256 * 2**20
"""Characters of standard output that are kept: the plan of a thousand packages takes 5 millions."""
_MARK: Final = "SAFEINSTALL_CONTAINED"
_LONG_SECONDS: Final = 1.0


LIBRARY_ONLY: Final = """
import encodings, sys
path, library = sys.path[:], encodings.__file__.rpartition("encodings")[0]
sys.path[:] = [each for each in path if (each + library[-1:]).startswith(library)]
"""
"""How a script for `python -c` begins that works where a `json.py` lies in the folder: what it
imports comes from the standard library by place, until it says `sys.path[:] = path`."""


class CommandNotFoundError(SafeInstallError):
    """The program of a command cannot be started."""

    code = "command-not-found"


@dataclass(frozen=True, slots=True)
class Completed:
    """A process that has ended."""

    returncode: int
    stdout: str
    stderr: str

    @property
    def ok(self) -> bool:
        """True for exit status 0."""
        return self.returncode == 0

    @property
    def output(self) -> str:
        """Standard error, then standard output: where reasons are looked for."""
        return f"{self.stderr}\n{self.stdout}"


def run(
    command: Command,
    *,
    on_line: Callable[[str], None] | None = None,
    on_start: Callable[[int], None] | None = None,
    on_wait: Callable[[float], None] | None = None,
    pass_fds: Sequence[int] = (),
    timeout: float | None = None,
    stop: threading.Event | None = None,
) -> Completed:
    """Run the command to its end and return what it said.

    `on_line` gets each line of standard error as it comes, in this thread; `on_start` the process
    id; `on_wait` the seconds in which nothing was said: after one, two, four and so on. `pass_fds`
    stay open in the child (a lock it then holds as long as it lives).
    An interrupt (or `timeout` seconds gone by, or `stop` being set) ends the whole process group
    first; so does the end of a command that is `contained` or `builds`.

    Raises `CommandNotFoundError`; KeyboardInterrupt passes through once the child is gone, and is
    what `stop` raises; a timeout raises `SafeInstallError`.
    """
    mark = secrets.token_hex(16) if command.contained or command.builds else ""
    with _with_files(command) as (argv, variables):
        try:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE if command.stdin else subprocess.DEVNULL,
                stdout=subprocess.DEVNULL if command.contained else subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=command.environment() | variables | ({_MARK: mark} if mark else {}),
                cwd=command.cwd,
                start_new_session=True,
                pass_fds=tuple(pass_fds) if os.name == "posix" else (),
                text=True,
                encoding="utf-8",
                errors="replace",
            )
        except OSError as error:
            reason = error.strerror or error
            raise CommandNotFoundError(f"{command.argv[0]} cannot be started: {reason}.") from error
        try:
            if on_start:
                on_start(process.pid)
            return _followed(process, command, mark, on_line, on_wait, timeout, stop)
        except BaseException:
            _end_group(process, mark)
            raise
        finally:
            for stream in (process.stdin, process.stdout, process.stderr):
                if stream:
                    with contextlib.suppress(OSError):
                        stream.close()


@contextlib.contextmanager
def _with_files(command: Command) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Yield the words to start, and variables, with lock and netrc in files that go afterwards.

    The folder is private (`mkdtemp`: mode 0700), and so are the files in it.
    """
    if not command.lock and not command.netrc:
        yield command.argv, {}
        return
    with tempfile.TemporaryDirectory(prefix="safeinstall-") as folder:
        lock, own = Path(folder, LOCK_FILE), Path(folder, "netrc")
        for path, text in ((lock, command.lock), (own, command.netrc)):
            path.touch(mode=0o600)
            path.write_text(text, "utf-8")
        argv = tuple(str(lock) if word == LOCK_FILE else word for word in command.argv)
        yield argv, {"NETRC": str(own)} if command.netrc else {}


def start(command: Command, output: IO[Any], environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the command and leave it running: a kernel, whose end is the caller's business.

    What it says goes into the file `output`; `environ` is what the command's overrides apply to.
    Raises OSError when it cannot be started.
    """
    return subprocess.Popen(
        command.argv,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=command.environment(environ),
        cwd=command.cwd,
        start_new_session=True,
    )


def _followed(
    process: subprocess.Popen[str],
    command: Command,
    mark: str,
    on_line: Callable[[str], None] | None,
    on_wait: Callable[[float], None] | None,
    timeout: float | None,
    stop: threading.Event | None,
) -> Completed:
    """Feed, read and wait; lines are handed out in the calling thread, where output belongs."""
    out, err = _Answer(), _Lines(_LAST_LINES if command.contained else _MOST_LINES)
    news = threading.Event()
    given = ((process.stdout, out, news), (process.stderr, err, news))
    readers = [threading.Thread(target=_read, args=each, daemon=True) for each in given]
    for reader in readers:
        reader.start()
    if process.stdin:
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(command.stdin)
        process.stdin.close()
    waited, long = 0.0, _LONG_SECONDS
    late = time.monotonic() + timeout if timeout is not None else None
    while any(reader.is_alive() for reader in readers):
        if stop is not None and stop.is_set():
            raise KeyboardInterrupt
        if late is not None and time.monotonic() > late:
            message = f"{command.argv[0]} gave no answer in {timeout:.0f} s."
            raise SafeInstallError(message, code="timeout")
        if mark and process.poll() is not None:
            _end_group(process, mark)  # what it started may hold its output open
            break
        # a short, interruptible wait: Event.wait returns at once when a line has come
        if not news.wait(0.05):
            waited += 0.05
            if on_wait and waited >= long:
                on_wait(waited)
                long *= 2
        news.clear()
        _hand_out(err, on_line)
    for reader in readers:
        reader.join(_GRACE_SECONDS if mark else None)
    _hand_out(err, on_line)
    return Completed(process.wait(), "".join(out.parts), "".join(err.lines))


class _Answer:
    """Standard output, as far as there is room for it."""

    longest = 2**20
    """Characters read at once."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._size = 0

    def add(self, part: str) -> None:
        self._size += len(part)
        if self._size <= _MOST_ANSWER:
            self.parts.append(part)


class _Lines:
    """The last lines of standard error."""

    longest = _LONGEST_LINE

    def __init__(self, most: int) -> None:
        self.lines: deque[str] = deque(maxlen=most)
        self._new: deque[str] = deque(maxlen=most)

    def add(self, part: str) -> None:
        self.lines.append(part)
        self._new.append(part)

    def new(self) -> Iterator[str]:
        """Yield what has come since it was asked last."""
        with contextlib.suppress(IndexError):
            while True:
                yield self._new.popleft()


def _hand_out(lines: _Lines, on_line: Callable[[str], None] | None) -> None:
    """Give the new lines to `on_line`."""
    if on_line is not None:
        for line in lines.new():
            on_line(line.rstrip("\n"))


def _read(stream: IO[str] | None, kept: _Answer | _Lines, news: threading.Event) -> None:
    if stream is not None:
        with contextlib.suppress(ValueError, OSError):  # closed under us: the process is gone
            while part := stream.readline(kept.longest):
                kept.add(part)
                news.set()
    news.set()


def _end_group(process: subprocess.Popen[str], mark: str = "") -> None:
    """End the child and everything it started: politely, then for good.

    What bears the `mark` in its variables may have left the group (`/proc`: Linux alone).
    """
    wanted = f"{_MARK}={mark}".encode()
    for variables in Path("/proc").glob("[0-9]*/environ") if mark else ():
        with contextlib.suppress(OSError):
            if int(variables.parent.name) != process.pid and wanted in variables.read_bytes():
                os.kill(int(variables.parent.name), signal.SIGKILL)
    if process.poll() is not None and os.name != "posix":
        return
    for ending in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.name == "posix":
                os.killpg(process.pid, ending)
            else:
                process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_SECONDS)
            if ending is signal.SIGTERM:
                continue  # the leader is gone, grandchildren may not be
            return


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What to start and with which environment; starting it is the runner's."""

    argv: tuple[str, ...]
    overrides: Mapping[str, str | None] = field(default_factory=dict)
    """Environment variables to set, or to drop where the value is None."""
    cwd: str | None = None
    stdin: str = ""
    """Text to hand over on standard input; empty: standard input is closed."""
    contained: bool = False
    """True for what runs the code of packages: standard output is thrown away, only the last lines
    of standard error are kept, and whatever it started ends with it."""
    builds: bool = False
    """True for an installer that may run the code of packages: what that has started ends with it,
    whether or not it stayed in the group."""
    lock: str = ""
    """Text of a lock (PEP 751): while the command runs, LOCK_FILE in its words is such a file."""
    netrc: str = ""
    """Text of a netrc file: while the command runs, NETRC names it."""

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return `base` (default: this process's environment) with the overrides applied."""
        result = dict(os.environ if base is None else base)
        for name, value in self.overrides.items():
            if value is None:
                result.pop(name, None)
            else:
                result[name] = value
        return result

    def __str__(self) -> str:
        return redact(shlex.join(self.argv))
