"""Which other kernels are alive in an environment, as far as the system lets us see them."""

from __future__ import annotations

import os

__all__ = ["others"]


def others(prefix: str, *, proc: str = "/proc", own: int | None = None) -> tuple[int, ...]:
    """Return the process ids of other ipykernels whose interpreter lies below `prefix`.

    Where processes cannot be listed (no /proc) nothing is said.
    """
    own = os.getpid() if own is None else own
    found = []
    try:
        entries = [entry for entry in os.listdir(proc) if entry.isdigit()]
    except OSError:
        return ()
    for entry in entries:
        try:
            with open(f"{proc}/{entry}/cmdline", "rb") as file:
                words = os.fsdecode(file.read(4096)).split("\0")
        except OSError:
            continue
        if int(entry) != own and _is_kernel(words) and _below(words[0], prefix):
            found.append(int(entry))
    return tuple(sorted(found))


def _is_kernel(words: list[str]) -> bool:
    return any(
        word in ("ipykernel_launcher", "ipykernel") or word.endswith("ipykernel_launcher.py")
        for word in words[1:6]
    )


def _below(program: str, prefix: str) -> bool:
    return program.startswith(prefix.rstrip("/\\") + os.sep)
