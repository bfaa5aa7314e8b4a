"""Eight installs at once, fifty times: `python -m torture.races [TIMES]`."""

# ruff: noqa: T201 (a measurement prints its figures)

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from support.racing import PROCESSES, Race

ROUNDS = 50


def main() -> None:
    """Race; fail at the first install that is lost or broken."""
    rounds = max(1, round(ROUNDS * float(sys.argv[1]))) if sys.argv[1:] else ROUNDS
    with tempfile.TemporaryDirectory() as folder:
        race = Race(Path(folder))
        race.prepare()
        for number in range(rounds):
            race.round(number)
    print(f"{rounds} rounds of {PROCESSES} installs at once: all arrived, 0 damaged")


if __name__ == "__main__":
    main()
