"""CPU time of `%load_ext safeinstall` in a live kernel."""

# ruff: noqa: T201 (a measurement prints its table)

from __future__ import annotations

import json

from benchmarks.workbench import CACHE, table, workbench

CELL = """
import json, sys, time
before, begun = set(sys.modules), time.process_time()
get_ipython().run_line_magic("load_ext", "safeinstall")
print(json.dumps([time.process_time() - begun, sorted(set(sys.modules) - before)]))
"""


def main() -> None:
    """Load it in seven fresh kernels."""
    seconds: list[float] = []
    with workbench() as bench, bench.environment() as environment:
        for _ in range(7):
            with bench.kernel(environment, CACHE / "wheelhouse") as kernel:
                spent, modules = json.loads(kernel.run(CELL).stdout)
                seconds.append(spent)
    table("%load_ext safeinstall, CPU time (goal: 5 ms)", {"load": seconds}, "load")
    print("  imported:", ", ".join(modules))


if __name__ == "__main__":
    main()
