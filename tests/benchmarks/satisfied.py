"""A request that already holds: what asking again costs in a kernel."""

from __future__ import annotations

from benchmarks.workbench import table, workbench
from support.wheels import make_wheel

CELLS = {
    "pass": "pass",
    "%safeinstall": "%safeinstall tinypkg",
    "%uv pip install": "%uv pip install -q tinypkg",
    "%pip install": "%pip install -q tinypkg",
}


def main() -> None:
    """Run each cell nine times, in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in CELLS}
    with workbench() as bench, bench.environment() as environment:
        wheels = bench.shop.folder / "wheels"
        make_wheel(wheels, "tinypkg")
        with bench.kernel(environment, wheels) as kernel:
            for cell in ("%load_ext safeinstall", "%safeinstall tinypkg", *CELLS.values()):
                result = kernel.run(cell)
                assert result.ok, result.everything
            for _ in range(9):
                for name, cell in CELLS.items():
                    seconds[name].append(kernel.run(cell).seconds)
    table("already satisfied, from request to idle", seconds, "pass")


if __name__ == "__main__":
    main()
