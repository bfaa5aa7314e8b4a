"""The runner is the one door to processes, so these few tests start some."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from safeinstall.errors import SafeInstallError
from safeinstall.runner import Command, CommandNotFoundError, run


def python(code: str, **rest: object) -> Command:
    return Command(argv=(sys.executable, "-c", code), **rest)  # type: ignore[arg-type]


def test_output_and_status_come_back() -> None:
    done = run(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"))
    assert (done.returncode, done.stdout, done.stderr) == (3, "out\n", "err\n")
    assert not done.ok


def test_lines_arrive_while_the_child_still_runs() -> None:
    code = "import sys,time; print('a', file=sys.stderr, flush=True); time.sleep(0.6)"
    arrived: list[tuple[str, float]] = []
    start = time.monotonic()
    run(python(code), on_line=lambda line: arrived.append((line, time.monotonic() - start)))
    total = time.monotonic() - start
    assert [line for line, _ in arrived] == ["a"]
    assert arrived[0][1] < total - 0.3


def test_a_child_that_says_nothing_for_long_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("safeinstall.runner._LONG_SECONDS", 0.2)
    silences: list[float] = []
    run(python("import time; time.sleep(1.2)"), on_wait=silences.append)
    assert 2 <= len(silences) <= 3  # the longer it takes, the seldomer
    assert silences == sorted(silences)


def test_standard_input_is_closed_or_fed_once() -> None:
    code = "import sys; print(repr(sys.stdin.read()))"
    assert run(python(code)).stdout == "''\n"
    assert run(python(code, stdin="six\n")).stdout == "'six\\n'\n"


def test_much_output_on_both_streams_does_not_block() -> None:
    code = "import sys\nfor i in range(20000):\n print('x' * 50)\n print('y' * 50, file=sys.stderr)"
    done = run(python(code))
    assert done.stdout.count("\n") == 20000


def test_of_what_is_said_without_end_the_last_is_kept_and_every_line_was_handed_out() -> None:
    code = "import sys\nfor i in range(20000):\n print(i, file=sys.stderr)\n"
    heard: list[str] = []
    done = run(python(code), on_line=heard.append)
    assert done.stderr.count("\n") == 5000
    assert done.stderr.endswith("19999\n")
    assert heard[-1] == "19999"


def test_a_child_has_its_own_session() -> None:
    assert int(run(python("import os; print(os.getsid(0))")).stdout) != os.getsid(0)


def test_a_program_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandNotFoundError, match="/no/such/program"):
        run(Command(argv=("/no/such/program",)))


def test_an_interrupt_ends_the_child_and_what_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code = (
        "import os,subprocess,sys,time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"open({str(pids)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "time.sleep(60)"
    )

    def interrupt_when_started() -> None:
        while not (pids.exists() and len(pids.read_text().split()) == 2):
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt_when_started, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        run(python(code))
    for pid in map(int, pids.read_text().split()):
        assert _gone(pid), f"process {pid} outlived the interrupt"


def test_a_silent_child_is_given_up_after_the_timeout() -> None:
    with pytest.raises(SafeInstallError, match="no answer"):
        run(python("import time; time.sleep(60)"), timeout=0.5)


def test_a_chatty_child_is_given_up_after_the_timeout_too() -> None:
    with pytest.raises(SafeInstallError, match="no answer"):
        run(python("while True: print('still here', flush=True)"), timeout=0.5)


def test_of_a_contained_child_the_last_words_are_kept_and_nothing_it_started_lives(
    tmp_path: Path,
) -> None:
    pids = tmp_path / "pids"
    code = (
        "import subprocess, sys\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        "near, far = subprocess.Popen(sleep), subprocess.Popen(sleep, start_new_session=True)\n"
        f"open({str(pids)!r}, 'w').write(f'{{near.pid}} {{far.pid}}')\n"
        "print('x' * 10**7)\n"
        "print('y' * 10**7 + 'last', end='', file=sys.stderr)"
    )
    began = time.monotonic()
    done = run(python(code, contained=True), timeout=30)
    assert (done.returncode, done.stdout, done.stderr[-5:]) == (0, "", "ylast")
    assert len(done.stderr) < 10**6
    assert time.monotonic() - began < 10
    for pid in map(int, pids.read_text().split()):
        assert _gone(pid), f"process {pid} outlived the child"


def _gone(pid: int) -> bool:
    for _ in range(100):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_a_stop_from_another_thread_ends_the_child() -> None:
    stop = threading.Event()
    started: list[int] = []

    def begun(pid: int) -> None:
        started.append(pid)
        stop.set()

    sleeping = Command(argv=(sys.executable, "-c", "import time; time.sleep(60)"))
    with pytest.raises(KeyboardInterrupt):
        run(sleeping, on_start=begun, stop=stop)
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)
