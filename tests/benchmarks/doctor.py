"""The doctor on two hundred distributions: goal, one second."""

# ruff: noqa: T201 (a measurement prints its figures)

from __future__ import annotations

import json
import statistics
import subprocess
import time

from benchmarks.workbench import workbench
from support.wheels import make_wheel

DISTRIBUTIONS = 200
MODULES = 60
ROUNDS = 7


def main() -> None:
    """Make the environment once, look at it several times."""
    with workbench() as bench, bench.environment() as environment:
        wheels = bench.shop.folder / "many"
        names = [f"made-up-{number}" for number in range(DISTRIBUTIONS)]
        for name in names:
            package = name.replace("-", "_")
            modules = {f"{package}/m{count}.py": f"A = {count}\n" for count in range(MODULES)}
            make_wheel(wheels, name, modules=modules, requires=[names[0]])
        links = ("--no-index", "--find-links", wheels)
        bench.shop.run(
            bench.shop.uv, "pip", "install", "-q", "--python", environment.python, *links, *names
        )
        whole, looking = [], []
        command = [str(environment.python), "-m", "safeinstall", "doctor", "--json"]
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            done = subprocess.run(
                command, env=bench.settings(wheels), capture_output=True, text=True,
                cwd=bench.shop.folder,
            )  # fmt: skip
            whole.append(time.perf_counter() - begun)
            found = json.loads(done.stdout)
            looking.append(found["seconds"])
    count = found["distributions"]
    print(f"\n{count} distributions, {count * MODULES} files or so (goal: under 1 s)")
    for words, seconds in (("looking", looking), ("the whole command", whole)):
        print(f"  {words:20}{statistics.median(seconds):8.2f} s   min {min(seconds):.2f} s")


if __name__ == "__main__":
    main()
