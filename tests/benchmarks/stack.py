"""Five scientific packages into a fresh environment, warm caches, through a real kernel."""

# ruff: noqa: T201 (a measurement prints its table)

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from benchmarks.workbench import CACHE, Bench, table, workbench
from support.environments import Environment
from support.kernels import OUTCOME, Result

STACK = ("numpy", "pandas", "matplotlib", "scikit-learn", "seaborn")
WHEELS = CACHE / "stack"
CHECK = "import numpy, pandas, matplotlib, sklearn, seaborn"
ROUNDS = 5
SLOW_ROUNDS = 2


def through_uv(bench: Bench, environment: Environment, wheels: Path | None) -> float:
    """Time uv itself."""
    settings = bench.settings(wheels) if wheels else bench.index_settings()
    links = ("--no-index", "--find-links", wheels) if wheels else ()
    command = (bench.shop.uv, "pip", "install", "-q", "--python", environment.python)
    begun = time.perf_counter()
    subprocess.run([*command, *links, *STACK], env=settings, check=True)
    return time.perf_counter() - begun


def through_cell(bench: Bench, environment: Environment, magic: str, wheels: Path | None) -> Result:
    """Run a cell, and check that the packages can be found afterwards."""
    with bench.kernel(environment, wheels) as kernel:
        kernel.run("%load_ext safeinstall")
        result = kernel.run(f"{magic} {' '.join(STACK)}", timeout=600)
        assert result.ok, result.everything
        found = kernel.run(CHECK, timeout=300)
        assert found.ok, found.everything
    return result


def measure(bench: Bench, wheels: Path | None) -> None:
    """Run each way in turns, after one round that only warms the caches."""
    seconds: dict[str, list[float]] = {"uv pip install": [], "%safeinstall": [], "%pip install": []}
    parts: dict[str, list[float]] = {}
    for turn in range(ROUNDS + 1):
        with bench.environment() as environment:
            direct = through_uv(bench, environment, wheels)
        with bench.environment() as environment:
            result = through_cell(bench, environment, "%safeinstall", wheels)
        if turn == 0:
            continue
        seconds["uv pip install"].append(direct)
        seconds["%safeinstall"].append(result.seconds)
        for part, spent in result.data.get(OUTCOME, {}).get("seconds", {}).items():
            parts.setdefault(part, []).append(spent)
        if turn <= SLOW_ROUNDS:
            with bench.environment() as environment:
                slow = through_cell(bench, environment, "%pip install", wheels)
                seconds["%pip install"].append(slow.seconds)
    where = "a folder of wheels" if wheels else "this machine's index"
    table(f"{' '.join(STACK)} from {where}, warm caches", seconds, "uv pip install")
    table("  of which %safeinstall spent", parts, "total")


def main() -> None:
    """Measure with the index that this machine is set up for, and with a folder of wheels."""
    with workbench() as bench:
        for wheels in (None, WHEELS):
            measure(bench, wheels)
    print("\n  goal with an index: 1.3 x uv, 1/5 of %pip")


if __name__ == "__main__":
    main()
