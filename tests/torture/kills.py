"""Hundreds of SIGKILLs at random instants: `python -m torture.kills [TIMES]`."""

# ruff: noqa: T201 (a measurement prints its table)

from __future__ import annotations

import random
import sys

from support import killing

KILLS = {"uv": 60, "pip": 24, "safeinstall (uv)": 420, "safeinstall (pip)": 80}


def main() -> None:
    """Kill, recover and compare; print the table."""
    share = float(sys.argv[1]) if sys.argv[1:] else 1.0
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    with killing.workshop() as work:
        tallies = [
            killing.kills(work, tool, max(1, round(number * share)), chance)
            for tool, number in KILLS.items()
        ]
    print(killing.table(tallies, f"Five distributions, 400 files (seed {seed})"))


if __name__ == "__main__":
    main()
