"""Taking back the numpy + pandas upgrade: `%safeundo` beside uv with the old versions."""

from __future__ import annotations

import subprocess
import time

from benchmarks.transaction import ALONG, NEW, OLD, WHEELS, fetch
from benchmarks.workbench import table, workbench

ROUNDS = 5


def main() -> None:
    """Upgrade and take it back in turns, on a real disk, from warm caches."""
    fetch()
    ways = ("uv with an index", "uv with a folder of wheels", "%uv, the folder", "%safeundo")
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    old, new = " ".join(OLD), " ".join(NEW)
    with workbench() as bench, bench.environment() as environment:
        settings = bench.settings(WHEELS)
        links = ("--no-index", "--find-links", str(WHEELS))
        python = ("--python", str(environment.python))
        asking = [str(bench.shop.uv), "pip", "install", "-q", *python]
        direct = [*asking, *links]

        def timed(command: list[str], known: dict[str, str]) -> float:
            begun = time.perf_counter()
            subprocess.run(command, env=known, check=True)
            return time.perf_counter() - begun

        timed([*direct, *OLD, *ALONG], settings)
        through_uv = " ".join(("%uv pip install -q", *links))
        with bench.kernel(environment, WHEELS) as kernel:
            kernel.run("%load_ext safeinstall")
            for turn in range(ROUNDS + 1):
                timed([*direct, *NEW], settings)
                spent = [timed([*asking, *OLD], bench.index_settings())]
                timed([*direct, *NEW], settings)
                spent.append(timed([*direct, *OLD], settings))
                for cell in (
                    f"{through_uv} {new}", f"{through_uv} {old}",
                    f"%safeinstall {new}", "%safeundo",
                ):  # fmt: skip
                    result = kernel.run(cell)
                    assert result.ok, result.everything
                    if new not in cell:
                        spent.append(result.seconds)
                if turn:
                    for way, figure in zip(ways, spent, strict=True):
                        seconds[way].append(figure)
    table("numpy and pandas back to their old versions (goal: a quarter)", seconds, ways[0])


if __name__ == "__main__":
    main()
