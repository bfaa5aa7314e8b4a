"""Each damage of the fault table: what pip does, what uv does, what we do, all from one run.

`pytest -s` prints the table. Every row says whether the installer reported success and whether the
environment was harmed.
"""

# ruff: noqa: T201 (it prints its table)

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from support.environments import Workshop, changes, snapshot
from support.faults import FAULTS, Fault, Victim, without_override
from support.wheels import make_wheel

pytestmark = pytest.mark.integration

WORDS = {"refused": "prevented", "needs-confirmation": "asks first", "failed": "prevented"}
TOOLS = ("pip", "uv", "ours")


@pytest.fixture
def template(workshop: Workshop, tmp_path: Path) -> Path:
    """An environment whose copies the faults are let loose on."""
    wheels, prefix = tmp_path / "wheels", tmp_path / "template"
    make_wheel(wheels, "there", "1.0")
    make_wheel(wheels, "base", "1.0")
    make_wheel(wheels, "needs-base", requires=["base<2"])
    workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, prefix)
    links = ("--no-index", "--find-links", wheels, "--python", prefix / "bin" / "python")
    workshop.run(workshop.uv, "pip", "install", "-q", *links, "there", "needs-base")
    return prefix


def command(tool: str, workshop: Workshop, victim: Victim, verb: str, *words: str) -> list[str]:
    python = str(victim.python)
    if tool == "pip":
        return [sys.executable, "-m", "pip", "--python", python, verb, "-q", *words]
    if tool == "uv":
        return [str(workshop.uv), "pip", verb, "-q", "--python", python, *words]
    return [sys.executable, "-m", "safeinstall", verb, "--json", "--python", python, *words]


def taken_back(tool: str, name: str) -> tuple[str, ...]:
    return {"pip": ("uninstall", "-y", name), "uv": ("uninstall", name), "ours": ("undo",)}[tool]


def settings(workshop: Workshop, victim: Victim, cache: Path) -> dict[str, str]:
    own = {"HOME": str(victim.home), "UV_CACHE_DIR": str(cache), "NO_PROXY": "127.0.0.1"}
    never = dict.fromkeys(("PIP_RETRIES", "PIP_RESUME_RETRIES", "UV_HTTP_RETRIES"), "0")
    kept = {
        k: v for k, v in workshop.settings.items() if k not in ("PIP_NO_INDEX", "PIP_FIND_LINKS")
    }
    return {**kept, **own, **never}


def attempted(
    tool: str, workshop: Workshop, victim: Victim, fault: Fault, where: list[str]
) -> list[subprocess.CompletedProcess[str]]:
    """Let the tool do what was asked, once or twice at once."""
    asked = command(tool, workshop, victim, "install", *where, *fault.asked.split())
    environ = settings(workshop, victim, victim.home.parent / "cache")
    running = [
        subprocess.Popen(
            asked, env=environ, cwd=victim.home, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=fault.hamper,
        )
        for _ in range(2 if fault.twice else 1)
    ]  # fmt: skip
    said = [process.communicate(timeout=120) for process in running]
    victim.said = "".join(text for pair in said for text in pair)
    if fault.taken_back:
        words = taken_back(tool, fault.taken_back)
        back = command(tool, workshop, victim, *words)
        subprocess.run(back, env=environ, cwd=victim.home, capture_output=True, check=True)
    return [
        subprocess.CompletedProcess(asked, process.returncode, *pair)
        for process, pair in zip(running, said, strict=True)
    ]


def protected(prefix: Path, mode: int) -> None:
    for folder in [prefix, *(path for path in prefix.rglob("*") if path.is_dir())]:
        if not folder.is_symlink():
            folder.chmod(mode)


def row(workshop: Workshop, template: Path, folder: Path, fault: Fault) -> tuple[list[str], bool]:
    """Let each tool meet the fault: what is to be printed, and whether we did no harm."""
    cells, wheels = [], folder / "wheels"
    shutil.copytree(template.parent / "wheels", wheels)
    fault.make(wheels)
    for tool in TOOLS:
        victim = Victim(prefix=folder / tool / "env", wheels=wheels, home=folder / tool / "home")
        shutil.copytree(template, victim.prefix, symlinks=True)
        victim.home.mkdir()
        (wheels / "started").unlink(missing_ok=True)
        served = fault.index(wheels, folder / tool / "index") if fault.index else nullcontext("")
        closed = fault.hamper is without_override
        if closed:
            protected(victim.prefix, 0o555)
        before = snapshot(victim.prefix)
        with served as address:
            links = ["--no-index", "--find-links", str(wheels)]
            where = ["--index-url", address] if address else links
            done = attempted(tool, workshop, victim, fault, where)
        untouched = changes(before, snapshot(victim.prefix)) == []
        if closed:
            protected(victim.prefix, 0o755)
        harmed = fault.harmed(victim)
        if tool != "ours":
            ends = "+".join("failure" if each.returncode else "success" for each in done)
            cells.append(f"{ends}, {'harmed' if harmed else 'unharmed'}")
    statuses, codes = [], []
    for each in done:
        outcome = json.loads(each.stdout)
        statuses.append(outcome["status"])
        codes += [f["code"] for f in outcome["findings"] if f["severity"] in ("refuse", "confirm")]
    ours = "+".join(WORDS.get(status, status) for status in statuses)
    cells.append(f"{ours} ({', '.join(codes)})" if codes else ours)
    harmless = untouched or all(status in ("done", "satisfied") for status in statuses)
    return cells, harmless and not harmed


def test_the_damage_of_the_table_is_prevented(
    workshop: Workshop, template: Path, tmp_path: Path
) -> None:
    rows: list[tuple[str, ...]] = []
    failures = []
    for number, fault in enumerate(FAULTS):
        cells, harmless = row(workshop, template, tmp_path / str(number), fault)
        rows.append((fault.name, *cells))
        failures += [] if harmless else [f"{fault.name}: {cells[-1]}"]
        shutil.rmtree(tmp_path / str(number))
    print()
    for line in (("fault", "pip", "uv", "%safeinstall"), *rows):
        print("  {:30} {:26} {:26} {}".format(*line))
    assert failures == []
    assert any("success, harmed" in cell for line in rows for cell in line[1:3])
