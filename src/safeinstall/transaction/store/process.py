"""Other processes, known by number and start time: is it still there, and end it if it is ours.

Imports on Python 3.8 with the standard library alone: recovery may run in another interpreter.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time

__all__ = ["end", "host", "is_alive", "start_time"]


def host() -> str:
    """Name where process numbers mean what they mean here: machine, boot and pid namespace."""
    parts = [socket.gethostname()]
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            parts.append(file.read().strip()[:8])
        parts.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        pass  # no /proc: the machine's name alone
    return "/".join(parts)


def start_time(pid: int) -> str:
    """Return when the process began, in the system's own unit; empty when it cannot be known."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return "" if fields[0] in ("Z", "X") else fields[19]
    except (OSError, IndexError):
        return ""


def is_alive(pid: int, started: str) -> bool:
    """Tell whether that very process runs; without a start time, whether any has its number."""
    if pid <= 0:
        return False
    if os.path.isdir("/proc/self"):
        now = start_time(pid)
        return now != "" and (not started or now == started)
    if os.name == "nt":
        return True  # os.kill(pid, 0) would end it there; the lock alone decides
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def end(pid: int, started: str, patience: float = 2.0) -> bool:
    """End that process and its group; False when it is not surely the one meant, or stays."""
    if not started or not is_alive(pid, started):
        return False
    # An installer leads its own session: its group holds what it has started, too.
    leads = _leads_group(pid)
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        try:
            if leads:
                os.killpg(pid, number)
            else:
                os.kill(pid, number)
        except OSError:
            return not is_alive(pid, started)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline:
            if not is_alive(pid, started):
                _end_group(leads, pid)
                return True
            time.sleep(0.01)
    return False


def _leads_group(pid: int) -> bool:
    try:
        return hasattr(os, "getpgid") and os.getpgid(pid) == pid != os.getpgrp()
    except OSError:
        return False


def _end_group(leads: bool, pid: int) -> None:
    # What it had started and does not listen, a build perhaps, would go on writing.
    if leads:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
