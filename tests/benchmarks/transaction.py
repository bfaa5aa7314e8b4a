"""The numpy + pandas upgrade: how long the environment is neither old nor new, overhead, undo.

`python -m benchmarks.transaction [ROUNDS] [FOLDER]`: in memory, or below a folder of a real disk.

The window is seen from outside: a reader that does nothing but look compares which of the two
packages' files are there, some thousand times a second, and notes when it first and last saw
something that is neither the old state nor the new one.
"""

# ruff: noqa: T201 (a measurement prints its table)

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from uv import find_uv_bin

from benchmarks.workbench import CACHE
from support.killing import memory
from support.places import Place, tree

OLD = ("numpy==2.1.3", "pandas==2.2.3")
NEW = ("numpy==2.3.3", "pandas==2.3.3")
ALONG = ("python-dateutil<3", "pytz", "tzdata", "six")
WHEELS = CACHE / "upgrade"
ROUNDS = 5
MARKS = (
    "numpy/version.py", "numpy/__init__.py", "numpy/core/__init__.py", "numpy/typing/__init__.py",
    "pandas/__init__.py", "pandas/_version_meson.py", "pandas/util/__init__.py",
    "numpy-2.1.3.dist-info/RECORD", "numpy-2.3.3.dist-info/RECORD",
    "pandas-2.2.3.dist-info/RECORD", "pandas-2.3.3.dist-info/RECORD",
)  # fmt: skip
"""Files that tell the state: of each package the first and the last of its folders."""


def fetch() -> None:
    """Put the wheels of both versions into one folder, once."""
    if (WHEELS / "ready").exists():
        return
    download = [sys.executable, "-m", "pip", "download", "-qq", "--only-binary", ":all:"]
    for each in (*OLD, *NEW, *ALONG):
        subprocess.run([*download, "--no-deps", "-d", str(WHEELS), each], check=True)
    (WHEELS / "ready").touch()


class Bench(Place):
    """A place whose wheels are the real ones."""

    @property
    def wheels(self) -> Path:
        """The folder of downloaded wheels."""
        return WHEELS

    def direct(self, tool: str, requirements: Sequence[str]) -> list[str]:
        """Return the command line of an installer by itself."""
        python = str(self.python)
        if tool == "pip":
            head = [sys.executable, "-m", "pip", "--python", python, "install", "-q"]
        else:
            head = [find_uv_bin(), "pip", "install", "-q", "--python", python]
            head += ["--no-index", "--find-links", str(self.wheels)]
        return [*head, *requirements]

    def through(self, tool: str) -> list[str]:
        """Return the command line that upgrades."""
        if tool in ("uv", "pip"):
            return self.direct(tool, NEW)
        return self.line("install", "--json", "--installer", tool.split()[-1], *NEW)


def timed(place: Bench, command: Sequence[str]) -> tuple[float, str]:
    """Run a command; return seconds and standard output."""
    began = time.perf_counter()
    done = place.run(command)
    return time.perf_counter() - began, done.stdout


def window(place: Bench, command: Sequence[str]) -> tuple[float, str]:
    """Upgrade while looking; return the seconds between leaving the old state and the new one."""
    site = os.fspath(place.site)
    paths = [f"{site}/{name}" for name in MARKS]

    def look() -> tuple[tuple[int, int] | None, ...]:
        found: list[tuple[int, int] | None] = []
        for path in paths:
            try:
                status = os.stat(path)  # noqa: PTH116 (some thousand times a second)
                found.append((status.st_size, status.st_ino))
            except OSError:
                found.append(None)
        return tuple(found)

    old = look()
    seen = [(time.perf_counter(), old)]
    last = seen[0]
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            list(command), env=place.settings, cwd=place.folder, stdout=output,
            stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        while process.poll() is None:
            for _ in range(50):
                now = look()
                if now != last[1]:
                    seen.append((time.perf_counter(), now))
                last = (time.perf_counter(), now)
        assert process.returncode == 0, command
        output.seek(0)
        said = output.read().decode()
    new = look()
    left = next((when for when, state in seen if state != old), last[0])
    arrived = next((when for when, state in reversed(seen) if state == new), last[0])
    return max(0.0, arrived - left), said


def main() -> None:
    """Measure in turns, after one round that only warms the caches; print the tables."""
    fetch()
    windows: dict[str, list[float]] = {}
    spent: dict[str, list[float]] = {}
    inside: list[float] = []
    place_of_work = sys.argv[2] if sys.argv[2:] else memory()
    with tempfile.TemporaryDirectory(dir=place_of_work) as folder:
        place = Bench(Path(folder))
        place.make()
        place.run(place.direct("uv", [*OLD, *ALONG]))
        place.run([place.python, "-c", "import numpy, pandas"])
        start = place.folder / "start"
        shutil.copytree(place.prefix, start, symlinks=True, copy_function=os.link)
        old = tree(place.prefix)

        def restore() -> None:
            shutil.rmtree(place.prefix)
            shutil.copytree(start, place.prefix, symlinks=True, copy_function=os.link)

        tools = ("uv", "safeinstall, uv", "pip", "safeinstall, pip")
        for tool in tools[:2]:
            place.run(place.through(tool))
            restore()
        rounds = int(sys.argv[1]) if sys.argv[1:] else ROUNDS
        for number in range(rounds):
            for tool in tools if number < 2 else tools[:2]:
                windows.setdefault(tool, []).append(window(place, place.through(tool))[0])
                restore()
                seconds, said = timed(place, place.through(tool))
                spent.setdefault(tool, []).append(seconds)
                if tool == "safeinstall, uv":
                    parts = json.loads(said)["seconds"]
                    inside.append(parts["total"] - parts["verify"])
                    undone, answer = timed(place, place.line("undo", "--json"))
                    spent.setdefault("safeinstall undo", []).append(undone)
                    own = json.loads(answer)["seconds"]["total"]
                    spent.setdefault("  of which the undo itself", []).append(own)
                    assert tree(place.prefix) == old
                if tool == "uv":
                    seconds, _ = timed(place, place.direct("uv", OLD))
                    spent.setdefault("uv: old versions again", []).append(seconds)
                restore()
    show("numpy 2.1.3 -> 2.3.3, pandas 2.2.3 -> 2.3.3: neither old nor new for", windows)
    show("the whole command, from a terminal, warm caches", spent)
    start_up = statistics.median(spent["safeinstall, uv"]) - statistics.median(inside)
    print(
        f"  safeinstall's own start and proof (a new process imports it): {start_up * 1e3:.0f} ms"
    )


def show(title: str, figures: dict[str, list[float]]) -> None:
    """Print median, least and most."""
    print(f"\n{title}\n  {'':34}{'median':>11}{'min':>11}{'max':>11}")
    for name, values in figures.items():
        row = (statistics.median(values), min(values), max(values))
        print(f"  {name:34}" + "".join(f"{value * 1e3:>9.2f}ms" for value in row))


if __name__ == "__main__":
    main()
