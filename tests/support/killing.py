"""SIGKILL at random instants, calibrated to the measured cycle, and a table of what is left.

The model is ostree's destructive test: interrupt, recover (interrupting that as well), and demand
that the state is exactly old or new. A third of the kills is aimed: it falls shortly after the
first change that can be seen in the environment.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from safeinstall.transaction.store.lock import is_alive, start_time

from .places import differences, tree
from .upgrades import Upgrade, bytecode_is_fresh, upgrade

__all__ = [
    "Tally",
    "children",
    "end_all",
    "kills",
    "litter",
    "memory",
    "running_in",
    "table",
    "workshop",
]

AIMED_WITHIN = {"safeinstall": 0.0015, "uv": 0.05, "pip": 0.5}
"""Seconds after the first change in which an aimed kill falls."""
DEADLINE = 60.0


@dataclass(slots=True)
class Tally:
    """What became of the environments of one tool."""

    tool: str
    killed: int = 0
    aimed: int = 0
    unusable: int = 0
    damaged: int = 0
    """Unusable ones too."""
    mixed: int = 0
    """Importable, but whole distributions of both states, or litter."""
    recovery_killed: int = 0
    orphans: int = 0
    """Installers that were left running and had to be ended."""
    after: dict[str, int] = field(default_factory=dict)
    """State after recovery, or after the same command again: old, new, litter, damaged."""
    refused: int = 0
    """How often the same command again did not succeed."""

    def count(self, state: str) -> None:
        """Count an end state."""
        self.after[state] = self.after.get(state, 0) + 1


def kills(work: Upgrade, tool: str, number: int, chance: random.Random) -> Tally:
    """Kill `number` upgrades by `tool`, and bring each environment back as its user would.

    Fails at the first environment of ours that is not exactly old or new.
    """
    cycle = work.learn(tool)
    tally = Tally(tool)
    for attempt in range(3 * number):
        if tally.killed == number:
            break
        work.restore()
        aim = attempt % 3 == 2
        if not _killed(work, tool, cycle, aim, chance, tally):
            continue
        tally.killed += 1
        tally.aimed += aim
        left = work.judge(tool)
        tally.unusable += not left.usable
        tally.damaged += left.damaged
        tally.mixed += not left.damaged and left.same_as not in ("old", "new")
        if tool.startswith("safeinstall"):
            _recover(work, tool, chance, tally)
        else:
            again = work.attempt(work.command(tool))
            tally.refused += again.returncode != 0
            now = work.judge(tool)
            tally.count("damaged" if now.damaged else now.same_as)
    assert tally.killed == number, f"only {tally.killed} of {number} were still running when killed"
    work.restore()
    return tally


def _killed(
    work: Upgrade, tool: str, cycle: float, aim: bool, chance: random.Random, tally: Tally
) -> bool:
    """Start the upgrade and kill it; False when it had ended before."""
    process = _started(work, work.command(tool))
    if aim:
        seen = _wait_until(_change_begins(work, tool), process)
        _pause(chance.uniform(0, AIMED_WITHIN[tool.partition(" ")[0]]))
        if not seen:
            process.wait()
            return False
    else:
        _pause(chance.uniform(0.0, 1.05 * cycle))
    # Half of the times everything dies at once, as with a container; else the installer outlives
    # the one that started it, as with a kernel.
    everything = chance.random() < 0.5 or not tool.startswith("safeinstall")
    orphans = end_all(process, everything)
    killed = process.wait() == -signal.SIGKILL
    if killed and orphans:
        tally.orphans += len(orphans)
    return killed


def _recover(work: Upgrade, tool: str, chance: random.Random, tally: Tally) -> None:
    """Recover, killing that at random too, and demand that nothing is left but old or new."""
    kinds: tuple[list[str], ...] = (
        ["-m", "safeinstall", "recover", "--python", str(work.python)],
        ["-I", "-S", "-c", _RECOVER, str(work.prefix)],
    )
    for _ in range(chance.randrange(3)):
        process = _started(work, [sys.executable, *chance.choice(kinds)])
        if chance.random() < 0.5:
            _wait_until(lambda: _has_state(work, "re"), process)  # retracting, restoring
            _pause(chance.uniform(0, 0.003))
        else:
            _pause(chance.uniform(0, 0.4))
        end_all(process, True)
        tally.recovery_killed += process.wait() == -signal.SIGKILL
    done = work.attempt([sys.executable, *chance.choice(kinds)])
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip().splitlines()) == 1, done.stdout
    state = work.judge(tool)
    now = tree(work.prefix)
    assert state.same_as in ("old", "new"), (
        f"neither old nor new: {differences(work.old, now)[:6]} {state.defects[:6]}"
    )
    assert state.usable, "it cannot be imported"
    assert not state.defects
    assert bytecode_is_fresh(work.prefix), "bytecode of other sources is left"
    assert litter(work.prefix) == []
    assert running_in(work.prefix) == []
    tally.count(state.same_as)


_RECOVER = f"""
import sys
sys.path[:0] = [{str(Path(__file__).parents[2] / "src")!r}]
from safeinstall.transaction.recover import main
sys.exit(main(sys.argv[1:]))
"""
"""Recovery by an interpreter that sees the standard library and our files, and nothing else."""


def litter(prefix: Path) -> list[str]:
    """List what a recovered area should not have any more."""
    found = []
    for one in sorted(prefix.glob(".safeinstall/transactions/*")):
        names = {path.name.partition(".")[0] for path in one.iterdir()}
        if names - {"journal", "files", "state", "replaced", "piecewise"}:
            found.append(f"{one.name}: {sorted(names)}")
        if not (one / "state.committed").exists():
            found.append(f"{one.name} is not committed")
    return found


def running_in(prefix: Path) -> list[str]:
    """List the processes that mention the environment in their command line; settled in 2 s."""
    needle = os.fsencode(prefix)
    for _ in range(40):
        found = []
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                line = entry.read_bytes()
                if needle in line and int(entry.parent.name) != os.getpid():
                    found.append(line.replace(b"\0", b" ").decode("utf-8", "replace"))
        if not found:
            return []
        time.sleep(0.05)
    return found


def _change_begins(work: Upgrade, tool: str) -> Callable[[], bool]:
    if tool.startswith("safeinstall"):
        return lambda: _has_state(work, "leaving") or _has_state(work, "arriving")
    before = _names(work.site)
    return lambda: _names(work.site) != before


def _has_state(work: Upgrade, beginning: str) -> bool:
    transactions = work.prefix / ".safeinstall" / "transactions"
    with contextlib.suppress(OSError):
        for one in _names(transactions):
            for name in _names(transactions / one):
                if name.startswith("state." + beginning):
                    return True
    return False


def _names(folder: Path) -> set[str]:
    return {entry.name for entry in os.scandir(folder)}


def _started(work: Upgrade, command: Sequence[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        list(command),
        env=work.settings,
        cwd=work.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _pause(seconds: float) -> None:
    """Wait as exactly as this machine can."""
    end = time.perf_counter() + seconds
    if seconds > 0.01:
        time.sleep(seconds - 0.005)
    while time.perf_counter() < end:
        pass


def _wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> bool:
    end = time.monotonic() + DEADLINE
    while time.monotonic() < end:
        if condition():
            return True
        if process.poll() is not None:
            return False
    raise TimeoutError("it neither ended nor came to that point")


def children(pid: int) -> list[int]:
    """List the processes that `pid` has started, and theirs."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [child, *children(child)]
    return found


def end_all(process: subprocess.Popen[bytes], everything: bool) -> list[tuple[int, str]]:
    """Kill the process group; with `everything`, all it has started too. Return who is left."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGSTOP)  # so that nobody is born meanwhile
    below = [(pid, start_time(pid)) for pid in children(process.pid)]
    for pid, _ in below if everything else []:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return [] if everything else [one for one in below if is_alive(*one)]


def memory() -> str | None:
    """Return a folder in memory where there is one: other work on the disk is not measured."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None


@contextlib.contextmanager
def workshop() -> Iterator[Upgrade]:
    """Prepare the upgrade, in memory where there is such a folder: it is written many times."""
    with tempfile.TemporaryDirectory(dir=memory()) as folder, upgrade(Path(folder, "work")) as work:
        yield work


def table(tallies: Sequence[Tally], title: str) -> str:
    """Lay out the figures: what a kill left, and what was left after recovery."""
    lines = [
        title,
        f"  {'SIGKILL during an upgrade by':30}{'kills':>6}{'unusable':>14}{'damaged':>14}"
        f"{'half-upgraded':>15}   afterwards",
    ]
    for one in tallies:
        shares = "".join(
            f"{count:>8} ({count / one.killed:>3.0%})" for count in (one.unusable, one.damaged)
        )
        states = ", ".join(f"{count} {state}" for state, count in sorted(one.after.items()))
        if one.tool.startswith("safeinstall"):
            states = f"recover ({one.recovery_killed} times killed itself): {states}, "
            states += f"{one.after.get('damaged', 0)} damaged"
        else:
            states = f"same command again: {states}; {one.refused} failed"
        lines.append(f"  {one.tool:30}{one.killed:>6}{shares}{one.mixed:>15}   {states}")
    return "\n".join(lines)
