"""Five scientific packages into a fresh environment, warm caches, through a real kernel."""

from __future__ import annotations

import subprocess
import time

from benchmarks.workbench import CACHE, Bench, table, workbench
from support.environments import Environment
from support.kernels import OUTCOME, Result

STACK = ("numpy", "pandas", "matplotlib", "scikit-learn", "seaborn")
WHEELS = CACHE / "stack"
CHECK = "import numpy, pandas, matplotlib, sklearn, seaborn"
ROUNDS = 3


def through_uv(bench: Bench, environment: Environment) -> float:
    """Time uv itself."""
    offline = ("--no-index", "--find-links", WHEELS)
    command = (bench.shop.uv, "pip", "install", "-q", "--python", environment.python)
    begun = time.perf_counter()
    subprocess.run([*command, *offline, *STACK], env=bench.settings(WHEELS), check=True)
    return time.perf_counter() - begun


def through_cell(bench: Bench, environment: Environment, magic: str) -> Result:
    """Run a cell, and check that the packages can be found afterwards."""
    with bench.kernel(environment, WHEELS) as kernel:
        kernel.run("%load_ext safeinstall")
        result = kernel.run(f"{magic} {' '.join(STACK)}", timeout=600)
        assert result.ok, result.everything
        found = kernel.run(CHECK, timeout=300)
        assert found.ok, found.everything
    return result


def main() -> None:
    """Run each way in turns, after one round that only warms the caches."""
    seconds: dict[str, list[float]] = {"uv pip install": [], "%safeinstall": [], "%pip install": []}
    parts: dict[str, list[float]] = {}
    with workbench() as bench:
        with bench.environment() as environment:
            through_uv(bench, environment)
        for _ in range(ROUNDS):
            with bench.environment() as environment:
                seconds["uv pip install"].append(through_uv(bench, environment))
            for magic in ("%safeinstall", "%pip install"):
                with bench.environment() as environment:
                    result = through_cell(bench, environment, magic)
                    seconds[magic].append(result.seconds)
                for part, spent in result.data.get(OUTCOME, {}).get("seconds", {}).items():
                    parts.setdefault(part, []).append(spent)
    title = "numpy pandas matplotlib scikit-learn seaborn, warm (goal: 1.3 x uv, 1/5 of %pip)"
    table(title, seconds, "uv pip install")
    table("  of which %safeinstall spent", parts, "total")


if __name__ == "__main__":
    main()
