"""Eight installs of one environment at the same time: shared requirements and each its own."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

from .killing import litter
from .places import Place
from .wheels import make_wheel

__all__ = ["PROCESSES", "Race"]

PROCESSES = 8


@dataclass(slots=True)
class Race(Place):
    """A place where everybody installs at once."""

    def prepare(self) -> None:
        """Make the environment and the wheels: eight projects, and one that all of them need."""
        self.make()
        for version in ("1.0", "2.0"):
            make_wheel(
                self.wheels, "common", version, modules={"nsp/common.py": version_of(version)}
            )
            for number in range(PROCESSES):
                modules = {f"nsp/p{number}/__init__.py": version_of(version)}
                make_wheel(
                    self.wheels, f"p{number}", version, modules=modules,
                    requires=[f"common=={version}"], scripts={f"run-{number}": "nsp.common:main"},
                )  # fmt: skip

    def round(self, number: int) -> None:
        """Let everybody install the other version at once; all must arrive, and be whole."""
        version = f"{number % 2 + 1}.0"
        running = [
            subprocess.Popen(
                self.line("install", "--allow-conflicts", f"p{who}=={version}"),
                env=self.settings, cwd=self.folder, text=True, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )
            for who in range(PROCESSES)
        ]  # fmt: skip
        said = [process.communicate(timeout=300) for process in running]
        failed = [words for words, process in zip(said, running, strict=True) if process.returncode]
        assert not failed, failed
        names = ", ".join(f"nsp.p{who}" for who in range(PROCESSES))
        versions = " ".join([version] * (PROCESSES + 1))
        code = f"import nsp.common, {names}; print(nsp.common.VERSION, *({versions_of(names)}))"
        assert self.imports(code) == versions
        assert len(list(self.site.glob("*.dist-info"))) == PROCESSES + 1
        assert litter(self.prefix) == []


def version_of(version: str) -> str:
    """Return the text of a module that knows its version."""
    return f'VERSION = "{version}"\n\n\ndef main():\n    print(VERSION)\n'


def versions_of(names: str) -> str:
    """Return the expression that lists the version of each module."""
    return ", ".join(f"{name}.VERSION" for name in names.split(", "))
