"""Each damage of the fault table: what pip does, what uv does, what we do, all from one run.

`pytest -s` prints the table. Every row says whether the installer reported success and whether the
environment was harmed.
"""

# ruff: noqa: T201 (it prints its table)

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from safeinstall.operations import install, there
from safeinstall.request import parse
from support.environments import Workshop, changes, snapshot
from support.wheels import make_sdist, make_wheel

pytestmark = pytest.mark.integration

Harm = Callable[["Victim"], bool]


@dataclass(frozen=True, kw_only=True, slots=True)
class Victim:
    """A small environment in which something is installed already."""

    prefix: Path
    wheels: Path

    @property
    def python(self) -> Path:
        return self.prefix / "bin" / "python"

    @property
    def site(self) -> Path:
        return next(self.prefix.glob("lib/python3*")) / "site-packages"

    def runs(self, code: str) -> bool:
        try:
            done = subprocess.run([self.python, "-c", code], capture_output=True, timeout=30)
        except OSError:
            return False
        return done.returncode == 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Fault:
    """Something that goes wrong, what was asked for, and how harm is recognised."""

    name: str
    asked: str
    make: Callable[[Path], object]
    harmed: Harm


def without_record(wheels: Path) -> None:
    whole = make_wheel(wheels, "there", "2.0")
    with zipfile.ZipFile(whole) as old:
        members = {name: old.read(name) for name in old.namelist() if not name.endswith("RECORD")}
    with zipfile.ZipFile(whole, "w") as new:
        for name, content in members.items():
            new.writestr(name, content)


def damaged_second(wheels: Path) -> None:
    make_wheel(wheels, "there", "2.0")
    second = make_wheel(wheels, "second", "1.0", files={"second_data.txt": "x" * 5000})
    second.write_bytes(second.read_bytes()[:-600])


def half_there(victim: Victim, name: str) -> bool:
    """Metadata without the code, or code without the metadata."""
    return bool(list(victim.site.glob(f"{name}-*.dist-info"))) != victim.runs(f"import {name}")


def half(victim: Victim) -> bool:
    """Two metadata folders for one distribution, or code and metadata that disagree."""
    infos = list(victim.site.glob("there-*.dist-info"))
    return len(infos) != 1 or not victim.runs(
        "import there; from importlib.metadata import version as v;"
        "assert v('there') == there.__version__"
    )


FAULTS = (
    Fault(
        name="breaks what is installed",
        asked="base==2.0",
        make=lambda wheels: make_wheel(wheels, "base", "2.0"),
        harmed=lambda v: v.runs("import base; assert base.__version__ == '2.0'"),
    ),
    Fault(
        name="RECORD with a wrong hash",
        asked="there==2.0",
        make=lambda wheels: make_wheel(wheels, "there", "2.0", lies_about="there.py"),
        harmed=lambda v: v.runs("import there; assert there.__version__ == '2.0'"),
    ),
    Fault(
        name="wheel without RECORD",
        asked="there==2.0",
        make=without_record,
        harmed=half,
    ),
    Fault(
        name="member outside (../)",
        asked="escape",
        make=lambda wheels: make_wheel(wheels, "escape", files={"../../outside.txt": "x"}),
        harmed=lambda v: bool(list(v.prefix.rglob("outside*"))) or half_there(v, "escape"),
    ),
    Fault(
        name="overwrites another's file",
        asked="thief",
        make=lambda wheels: make_wheel(wheels, "thief", modules={"there.py": "stolen = True\n"}),
        harmed=lambda v: v.runs("import there; there.stolen"),
    ),
    Fault(
        name="start-up code (.pth)",
        asked="starter",
        make=lambda wheels: make_wheel(wheels, "starter", files={"z.pth": "import this\n"}),
        harmed=lambda v: (v.site / "z.pth").exists(),
    ),
    Fault(
        name="script called python",
        asked="usurper",
        make=lambda wheels: make_wheel(wheels, "usurper", scripts={"python": "usurper:main"}),
        harmed=lambda v: not v.runs("pass"),
    ),
    Fault(
        name="source archive runs its code",
        asked="source",
        make=lambda wheels: make_sdist(wheels, "source", started=str(wheels / "started")),
        harmed=lambda v: (v.wheels / "started").exists(),
    ),
    Fault(
        name="second of two is truncated",
        asked="there==2.0 second",
        make=damaged_second,
        harmed=lambda v: half(v) or v.runs("import there; assert there.__version__ == '2.0'"),
    ),
)


def victim(workshop: Workshop, folder: Path, fault: Fault) -> Victim:
    wheels = folder / "wheels"
    make_wheel(wheels, "there", "1.0")
    make_wheel(wheels, "base", "1.0")
    make_wheel(wheels, "needs-base", requires=["base<2"])
    made = Victim(prefix=folder / "env", wheels=wheels)
    workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, made.prefix)
    links = ("--no-index", "--find-links", wheels, "--python", made.python)
    workshop.run(workshop.uv, "pip", "install", "-q", *links, "there", "needs-base")
    fault.make(wheels)
    return made


def by_installer(workshop: Workshop, made: Victim, command: list[str], fault: Fault) -> str:
    links = ["--no-index", "--find-links", str(made.wheels)]
    done = subprocess.run(
        [*command, *links, *fault.asked.split()],
        capture_output=True,
        env=workshop.settings,
        timeout=120,
    )
    harm = "harmed" if fault.harmed(made) else "unharmed"
    return f"{'success' if done.returncode == 0 else 'failure'}, {harm}"


def by_us(made: Victim, fault: Fault) -> tuple[str, bool]:
    before = snapshot(made.prefix)
    request = parse(f"--no-index --find-links {made.wheels} {fault.asked}", cwd="/")
    outcome = install(request, there(str(made.python)))
    code = outcome.stopping.code if outcome.stopping else ""
    words = {"refused": "prevented", "needs-confirmation": "asks first", "failed": "prevented"}
    untouched = changes(before, snapshot(made.prefix)) == []
    harmless = (untouched or outcome.status == "done") and not fault.harmed(made)
    return f"{words.get(outcome.status, outcome.status)} ({code})", harmless


def test_the_damage_of_the_table_is_prevented(workshop: Workshop, tmp_path: Path) -> None:
    rows, failures = [], []
    for number, fault in enumerate(FAULTS):
        cells = []
        for tool in ("pip", "uv"):
            made = victim(workshop, tmp_path / f"{number}-{tool}", fault)
            command = {
                "pip": [sys.executable, "-m", "pip", "--python", str(made.python), "install", "-q"],
                "uv": [str(workshop.uv), "pip", "install", "-q", "--python", str(made.python)],
            }[tool]
            cells.append(by_installer(workshop, made, command, fault))
        ours, harmless = by_us(victim(workshop, tmp_path / f"{number}-ours", fault), fault)
        rows.append((fault.name, *cells, ours))
        failures += [] if harmless else [f"{fault.name}: {ours}"]
    print()
    for row in (("fault", "pip", "uv", "%safeinstall"), *rows):
        print("  {:30} {:18} {:18} {}".format(*row))
    assert failures == []
    assert any("success, harmed" in cell for row in rows for cell in row[1:3])
