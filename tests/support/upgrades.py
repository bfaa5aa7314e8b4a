"""An upgrade worth killing: several distributions of every shape, and a judge of what is left.

`alpha` has some hundred modules, a command and data files; `ns-one` and `ns-two` share a namespace
package with `ns-stay`, which stays; `beta` is one module with a command; `mine` is an editable
install that a wheel replaces.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from uv import find_uv_bin

from .places import Place, Tree, tree
from .wheels import make_project, make_wheel

__all__ = ["NEW", "OLD", "Judgement", "Upgrade", "bytecode_is_fresh", "upgrade"]

OLD = ("alpha==1.0", "beta==1.0", "ns-one==1.0", "ns-two==1.0", "ns-stay==1.0")
NEW = ("alpha==2.0", "beta==2.0", "ns-one==2.0", "ns-two==2.0", "mine==5.0")
PARTS, MODULES = 12, 25
USE = """
import alpha, beta, nsp.one, nsp.two, nsp.stay, mine
assert alpha.total() == 300 and beta.both() and nsp.one.deep.ok and nsp.two.deep.ok
"""
"""What a user's program does with it; any missing module makes it fail."""


def bytecode_is_fresh(prefix: Path) -> bool:
    """Tell whether no bytecode would be believed for a source that it was not made from."""
    for cache in prefix.rglob("__pycache__"):
        for compiled in cache.iterdir():
            source = cache.parent / (compiled.name.partition(".")[0] + ".py")
            if not source.exists():
                return False  # litter: nothing is left that it belongs to
            head = compiled.read_bytes()[:16]
            status = source.stat()
            made_from = (int.from_bytes(head[8:12], "little"), int.from_bytes(head[12:], "little"))
            if made_from == (int(status.st_mtime) & 0xFFFFFFFF, status.st_size):
                text = compiled.read_bytes()
                version = _version_in(source.read_text("utf-8"))
                if version and version.encode() not in text:
                    return False
    return True


def _version_in(text: str) -> str:
    return next(
        (line.split('"')[1] for line in text.splitlines() if line.startswith("VERSION = ")), ""
    )


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is left of an environment."""

    usable: bool
    defects: tuple[str, ...]
    """Missing or wrong files, metadata without its files, two versions of one name."""
    same_as: str
    """`old`, `new`, or neither: `mixed` (whole distributions of both) or `litter`."""

    @property
    def damaged(self) -> bool:
        """Whether somebody has to repair it."""
        return not self.usable or bool(self.defects)


@dataclass(slots=True)
class Upgrade(Place):
    """A place with the commands that lead from old to new."""

    old: Tree = field(default_factory=dict)
    new: dict[str, Tree] = field(default_factory=dict)
    """The tree after an upgrade by each installer (they name themselves in INSTALLER)."""

    def prepare(self) -> None:
        """Make the wheels and the environment, and learn what old and new look like."""
        make_wheels(self.wheels)
        project = make_project(self.folder / "project", "mine", "0.1")
        self.make()
        install = [*self.command("uv", OLD), "-e", str(project)]
        self.run(install)
        self.run([self.python, "-m", "compileall", "-q", self.site])  # what a used one looks like
        self.old = tree(self.prefix)
        shutil.copytree(self.prefix, self.folder / "start", symlinks=True, copy_function=os.link)

    def restore(self) -> None:
        """Make the environment old again."""
        shutil.rmtree(self.prefix, ignore_errors=True)
        shutil.copytree(self.folder / "start", self.prefix, symlinks=True, copy_function=os.link)

    def learn(self, tool: str) -> float:
        """Upgrade twice, undisturbed, and keep the tree it ends in; return the seconds it takes."""
        for _ in range(2):
            self.restore()
            began = time.perf_counter()
            self.run(self.command(tool))
            seconds = time.perf_counter() - began
        assert self.uses(), "the upgrade itself does not work"
        assert bytecode_is_fresh(self.prefix) or not tool.startswith("safeinstall")
        self.new[tool] = tree(self.prefix)
        self.restore()
        return seconds

    def command(self, tool: str, requirements: Sequence[str] = NEW) -> list[str]:
        """Return the command line of `uv`, `pip`, `safeinstall (uv)` or `safeinstall (pip)`."""
        python = str(self.python)
        if tool == "uv":
            head = [find_uv_bin(), "pip", "install", "-q", "--python", python]
            head += ["--no-index", "--find-links", str(self.wheels)]
        elif tool == "pip":
            head = [sys.executable, "-m", "pip", "--python", python, "install", "-q"]
        else:
            head = [sys.executable, "-m", "safeinstall", "install", "--python", python, "--yes"]
            head += ["--installer", tool.rpartition("(")[2].rstrip(")")]
        return [*head, *requirements]

    def uses(self) -> bool:
        """Tell whether a fresh interpreter can work with all of it."""
        return self.attempt([self.python, "-B", "-c", USE]).returncode == 0

    def judge(self, tool: str) -> Judgement:
        """Look at what is left after `tool` was killed."""
        now = tree(self.prefix)
        if now == self.old:
            same_as = "old"
        elif now == self.new[tool]:
            same_as = "new"
        else:
            whole = {path for path in now if now[path] not in (self.old.get(path),)}
            known = all(now[path] == self.new[tool].get(path) for path in whole)
            same_as = "mixed" if known else "litter"
        return Judgement(self.uses(), tuple(_defects(self.site)), same_as)


def make_wheels(folder: Path) -> None:
    """Write the wheels; what exists in one version only shows a mixture."""
    for version in ("1.0", "2.0"):
        line = f'VERSION = "{version}"\n'
        modules = {"alpha/__init__.py": line + _alpha_text()}
        for part in range(PARTS):
            names = [f"m{number}" for number in range(MODULES)]
            imports = f"from alpha.part{part} import {', '.join(names)}\n"
            value = f"value = {' + '.join(f'{name}.one' for name in names)}\n"
            modules[f"alpha/part{part}/__init__.py"] = line + imports + value
            for name in names:
                modules[f"alpha/part{part}/{name}.py"] = f"{line}one = 1\n# {name}\n" + "#\n" * 40
        modules[f"alpha/only_{version[0]}.py"] = line
        data = {"share/alpha/data.txt": line, f"etc/alpha-{version}.conf": line}
        make_wheel(
            folder, "alpha", version, modules=modules, data=data, scripts={"alpha": "alpha:main"}
        )
        beta = line + "import alpha\n\n\ndef both():\n    return alpha.VERSION\n"
        make_wheel(
            folder, "beta", version, modules={"beta.py": beta}, requires=["alpha"],
            scripts={"beta": "beta:both", f"beta-{version}": "beta:both"},
        )  # fmt: skip
        for name in ("one", "two"):
            inside = {f"nsp/{name}/__init__.py": f"{line}from nsp.{name} import deep\n"}
            inside |= {f"nsp/{name}/deep.py": line + "ok = True\n", f"nsp/flat_{name}.py": line}
            make_wheel(folder, f"ns-{name}", version, modules=inside)
    make_wheel(folder, "ns-stay", "1.0", modules={"nsp/stay/__init__.py": 'VERSION = "1.0"\n'})
    make_wheel(folder, "mine", "5.0", modules={"mine.py": '__version__ = "5.0"\n'})


def _alpha_text() -> str:
    names = [f"part{part}" for part in range(PARTS)]
    total = " + ".join(f"{name}.value" for name in names)
    return (
        f"from alpha import {', '.join(names)}\n\n\ndef total():\n    return {total}\n\n\n"
        "def main():\n    print(total())\n"
    )


def _defects(site: Path) -> Iterator[str]:
    """Compare every RECORD with the disk."""
    seen: set[str] = set()
    for dist_info in sorted(site.glob("*.dist-info")):
        name = dist_info.name.partition("-")[0]
        if name in seen:
            yield f"two versions of {name}"
        seen.add(name)
        record = dist_info / "RECORD"
        for needed in ("METADATA", "RECORD"):
            if not (dist_info / needed).is_file():
                yield f"{dist_info.name} has no {needed}"
        if not record.is_file():
            continue
        with record.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        if not rows:
            yield f"{dist_info.name} has an empty RECORD"
        for path, promise, *_ in rows:
            place = site / path
            if not place.is_file():
                if not path.endswith(".pyc"):
                    yield f"{path} is missing"
            elif promise and _digest(place) != promise.partition("=")[2]:
                yield f"{path} is not what RECORD says"
    for name in ("alpha", "beta", "ns_one", "ns_two", "ns_stay", "mine"):
        if name not in seen:
            yield f"{name} is gone"


def _digest(path: Path) -> str:
    digest = hashlib.sha256(path.read_bytes()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@contextmanager
def upgrade(folder: Path) -> Iterator[Upgrade]:
    """Prepare everything below `folder`, and remove it at the end."""
    folder.mkdir(parents=True)
    made = Upgrade(folder)
    made.prepare()
    yield made
    shutil.rmtree(folder)
