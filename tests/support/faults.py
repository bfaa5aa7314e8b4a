"""What goes wrong with installs: each fault with what was asked for and how harm is recognised."""

from __future__ import annotations

import csv
import ctypes
import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import indexes
from .bad_wheels import crowd, damaged_second, phantom, unlisted, without_record
from .wheels import make_sdist, make_wheel

__all__ = ["FAULTS", "SECRET", "Fault", "Victim"]

SECRET = "s3cr3t-of-the-index"
BOMB = 200 * 2**20
QUOTA = 2**20


@dataclass(kw_only=True, slots=True)
class Victim:
    """A small environment in which something is installed already."""

    prefix: Path
    wheels: Path
    home: Path
    said: str = ""
    """Everything the installer printed."""

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.prefix / "bin" / "python"

    @property
    def site(self) -> Path:
        """Where its packages lie."""
        return next(self.prefix.glob("lib/python3*")) / "site-packages"

    def runs(self, code: str) -> bool:
        """Tell whether its interpreter still starts and gets through `code`."""
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
    harmed: Callable[[Victim], bool]
    index: Callable[[Path, Path], AbstractContextManager[str]] | None = None
    """Serves the wheels, where a folder of them is not enough; the value is its address."""
    hamper: Callable[[], None] | None = None
    """Done in the installer's process before it starts."""
    twice: bool = False
    """Two processes do the same at once."""
    taken_back: str = ""
    """Name of what is uninstalled (by us: undone) before harm is looked for."""


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


def lost(victim: Victim) -> bool:
    """A file that some RECORD names is not there, or one was left aside (`~here`)."""
    for record in victim.site.glob("*.dist-info/RECORD"):
        with record.open(newline="") as lines:
            if not all((victim.site / row[0]).exists() for row in csv.reader(lines)):
                return True
    return any(victim.site.glob("~*"))


def new(victim: Victim) -> bool:
    """The version that could not be installed whole is there all the same."""
    return victim.runs("import there; assert there.__version__ == '2.0'")


def quota() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (QUOTA, QUOTA))


def without_override() -> None:
    """Make modes hold for root too: take CAP_DAC_OVERRIDE from the bounding set."""
    ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)


@contextmanager
def password(wheels: Path, folder: Path) -> Iterator[str]:
    """Serve nothing, to nobody, under an address with a password in it."""
    with indexes.locked() as port:
        yield f"http://somebody:{SECRET}@127.0.0.1:{port}/simple/"


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
        harmed=new,
    ),
    Fault(
        name="RECORD lacks a file",
        asked="odd",
        make=unlisted,
        harmed=lambda v: (v.site / "odd_data.txt").exists(),
        taken_back="odd",
    ),
    Fault(name="RECORD lists a phantom", asked="odd", make=phantom, harmed=lost),
    Fault(name="wheel without RECORD", asked="there==2.0", make=without_record, harmed=half),
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
        name=f"zip bomb ({BOMB >> 20} MB)",
        asked="bomb",
        make=lambda wheels: make_wheel(wheels, "bomb", files={"bomb.bin": bytes(BOMB)}),
        harmed=lambda v: (v.site / "bomb.bin").exists(),
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
        harmed=lambda v: half(v) or new(v),
    ),
    Fault(
        name="disk full (quota of 1 MB)",
        asked="there==2.0",
        make=lambda wheels: make_wheel(
            wheels, "there", "2.0", files={"there.txt": "x" * 3 * QUOTA}
        ),
        harmed=lambda v: half(v) or new(v) or lost(v),
        hamper=quota,
    ),
    Fault(
        name="network cut in mid download",
        asked="there==2.0",
        make=lambda wheels: make_wheel(wheels, "there", "2.0", files={"there.txt": "x" * QUOTA}),
        harmed=lambda v: half(v) or new(v),
        index=indexes.breaking_off,
    ),
    Fault(
        name="two installs at once",
        asked="there==2.0 base==1.5",
        make=crowd,
        harmed=lambda v: half(v) or lost(v) or not new(v),
        twice=True,
    ),
    Fault(
        name="environment not writable",
        asked="there==2.0",
        make=lambda wheels: make_wheel(wheels, "there", "2.0"),
        harmed=lambda v: half(v) or (v.home / ".local").exists(),
        hamper=without_override,
    ),
    Fault(
        name="password of the index",
        asked="there==2.0",
        make=lambda wheels: None,
        harmed=lambda v: SECRET in v.said,
        index=password,
    ),
)
