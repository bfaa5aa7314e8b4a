"""An environment and a folder of wheels, worked on from outside as a terminal does."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from uv import find_uv_bin

__all__ = ["Place", "Tree", "differences", "tree"]

Tree = dict[str, tuple[str, int, str]]


def tree(prefix: Path) -> Tree:
    """Return kind, mode and content of everything by its path; our area and bytecode aside.

    So is the empty `.lock` that uv puts into the root of any environment it looks at.
    """
    found: Tree = {}
    for folder, subfolders, files in os.walk(prefix):
        if folder == str(prefix):
            subfolders[:] = [name for name in subfolders if name != ".safeinstall"]
        subfolders[:] = [name for name in subfolders if name != "__pycache__"]
        for name in [*subfolders, *files]:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            mode = stat.S_IMODE(status.st_mode)
            inside = os.path.relpath(path, prefix)
            if inside == ".lock" and status.st_size == 0:
                continue
            if stat.S_ISLNK(status.st_mode):
                found[inside] = ("link", 0, os.readlink(path))  # noqa: PTH115
            elif stat.S_ISDIR(status.st_mode):
                found[inside] = ("folder", mode, "")
            else:
                content = hashlib.sha256(Path(path).read_bytes()).hexdigest()
                found[inside] = ("file", mode, content)
    return found


def differences(one: Tree, other: Tree) -> list[str]:
    """List the paths that differ, for a message."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


@dataclass(slots=True)
class Place:
    """The environment, the wheels, and the settings of every process that works on them."""

    folder: Path

    @property
    def prefix(self) -> Path:
        """The environment."""
        return self.folder / "env"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.prefix / "bin" / "python"

    @property
    def site(self) -> Path:
        """Where its packages lie."""
        return next(self.prefix.glob("lib/python3*")) / "site-packages"

    @property
    def settings(self) -> dict[str, str]:
        """Variables of every process: nothing but the wheels can be reached."""
        return {
            "PATH": os.defpath,
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "UV_CACHE_DIR": str(self.folder / "uv-cache"),
            "UV_NO_CONFIG": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    @property
    def wheels(self) -> Path:
        """The only place that packages come from."""
        return self.folder / "wheels"

    def make(self) -> None:
        """Make the environment: an interpreter and nothing else."""
        self.wheels.mkdir(parents=True, exist_ok=True)
        self.run([find_uv_bin(), "venv", "-q", "--python", sys.executable, self.prefix])

    def safeinstall(
        self, command: str, *arguments: str | Path, **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of ours on the environment, to its end."""
        return self.attempt(self.line(command, *arguments), **settings)

    def line(self, command: str, *arguments: str | Path) -> list[str]:
        """Return the command line of ours that works on the environment."""
        python = ["--python", str(self.python)]
        return [sys.executable, "-m", "safeinstall", command, *python, *map(str, arguments)]

    def installed(self, *arguments: str | Path) -> dict[str, Any]:
        """Install; it must succeed. Return the outcome."""
        done = self.safeinstall("install", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        outcome: dict[str, Any] = json.loads(done.stdout)
        return outcome

    def imports(self, code: str) -> str:
        """Run code in a fresh interpreter of the environment; return what it printed, or why not.

        No bytecode is written: the environment stays as it is.
        """
        done = self.attempt([self.python, "-B", "-c", code])
        return (done.stdout or done.stderr).strip()

    def run(self, command: Sequence[str | Path]) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; it must succeed."""
        done = self.attempt(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done

    def attempt(
        self, command: Sequence[str | Path], **settings: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, with further settings."""
        return subprocess.run(
            list(map(str, command)),
            env={**self.settings, **settings},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            start_new_session=True,
        )
