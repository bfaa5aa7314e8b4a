"""A new environment with its kernel, warm cache: by one line, by hand with uv, by hand with pip."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.workbench import CACHE, Bench, table, workbench
from support.wheels import make_wheel

ROUNDS = 5
SLOW_ROUNDS = 2


class Way:
    """One way to get there, and what it leaves to be cleaned."""

    def __init__(self, bench: Bench, wheels: Path) -> None:
        self.bench = bench
        self.settings = bench.settings(wheels)
        self.settings["PIP_FIND_LINKS"] = f"{wheels} {bench.shop.wheels}"
        self.folder = bench.shop.folder / "made"
        self.links = ("--no-index", "--find-links", wheels, "--find-links", bench.shop.wheels)
        self.kernel = 0.0

    def run(self, *command: str | Path) -> str:
        """Run a command that must succeed."""
        done = subprocess.run(
            list(map(str, command)), env=self.settings, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def by_hand_with_uv(self) -> None:
        """Three commands of somebody who knows them."""
        uv, python = self.bench.shop.uv, self.folder / "bin" / "python"
        self.run(uv, "venv", "-q", "--python", self.bench.shop.base, self.folder)
        self.run(
            uv, "pip", "install", "-q", "--python", python, *self.links, "ipykernel", "tinypkg"
        )
        self.run(python, "-m", "ipykernel", "install", "--user", "--name", "made")

    def by_hand_with_pip(self) -> None:
        """What most instructions say."""
        python = self.folder / "bin" / "python"
        self.run(self.bench.shop.base, "-m", "venv", self.folder)
        self.run(python, "-m", "pip", "install", "-q", *self.links, "ipykernel", "tinypkg")
        self.run(python, "-m", "ipykernel", "install", "--user", "--name", "made")

    def by_one_line(self) -> None:
        """`safeinstall new-env`; the time its kernel took to start is kept apart."""
        python = self.bench.shop.template.python
        out = self.run(python, "-m", "safeinstall", "new-env", self.folder, "tinypkg", "--json")
        self.kernel = json.loads(out)["seconds"]["kernel"]

    def timed(self, way: Callable[[], None]) -> float:
        """Return how long a way takes, from nothing."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(Path(self.settings["HOME"], ".local"), ignore_errors=True)
        begun = time.perf_counter()
        way()
        return time.perf_counter() - begun


def main() -> None:
    """Run the ways in turns, after one round that only warms the caches."""
    with workbench() as bench:
        wheels = CACHE / "bench" / "wheels"
        make_wheel(wheels, "tinypkg")
        way = Way(bench, wheels)
        names = "uv venv + uv pip + ipykernel", "new-env, kernel start aside", "new-env, all of it"
        seconds: dict[str, list[float]] = {name: [] for name in (*names, "venv + pip + ipykernel")}
        way.timed(way.by_one_line)
        way.timed(way.by_hand_with_uv)
        for turn in range(ROUNDS):
            seconds[names[0]].append(way.timed(way.by_hand_with_uv))
            whole = way.timed(way.by_one_line)
            seconds[names[1]].append(whole - way.kernel)
            seconds[names[2]].append(whole)
            if turn < SLOW_ROUNDS:
                seconds["venv + pip + ipykernel"].append(way.timed(way.by_hand_with_pip))
    table(
        "a new environment, a kernel and one package (goal: 1.3 x uv, 1/4 of pip)",
        seconds,
        names[0],
    )


if __name__ == "__main__":
    main()
