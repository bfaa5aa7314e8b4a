"""A runner that starts nothing: it answers as uv and a new process would, and keeps what was asked.

Stories run in milliseconds with it; what real programs answer is held by `tests/integration`.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safeinstall.operations import Context
from safeinstall.runner import Command, Completed
from support.reports import environment

PLAN, STAGE, PROOF = "plan", "stage", "proof"


@dataclass
class Recorder:
    """Answers a plan, unpacks its wheels, and finds what was asked for where it lies."""

    site: Path
    wheels: Sequence[Path]
    """What the plan brings."""
    commands: list[tuple[str, Command]] = field(default_factory=list)
    before: Callable[[str], None] = lambda kind: None
    """Called with the kind of each command before it is answered."""
    failure: str = ""
    """What uv says instead of a plan."""
    importable: bool = True

    def __call__(self, command: Command, **options: Any) -> Completed:
        kind = (
            PLAN if "--dry-run" in command.argv else STAGE if "--prefix" in command.argv else PROOF
        )
        self.commands.append((kind, command))
        self.before(kind)
        return {PLAN: self._plan, STAGE: self._stage, PROOF: self._proof}[kind](command)

    @property
    def kinds(self) -> list[str]:
        """What was started, in order."""
        return [kind for kind, _ in self.commands]

    def _plan(self, command: Command) -> Completed:
        if self.failure:
            return Completed(returncode=1, stdout="", stderr=self.failure)
        changes = []
        for wheel in self.wheels:
            name, version = wheel.name.split("-")[:2]
            old = [*self.site.glob(f"{name}-*.dist-info")]
            changes += [_change(name, path.name.split("-")[1][:-5], "uninstalled") for path in old]
            changes += [_change(name, version, "installed")]
        return Completed(returncode=0, stdout=json.dumps({"changes": changes}), stderr="")

    def _stage(self, command: Command) -> Completed:
        stage = Path(command.argv[command.argv.index("--prefix") + 1])
        target = stage / "lib" / "python3.12" / "site-packages"
        target.mkdir(parents=True, exist_ok=True)
        for wheel in self.wheels:
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(target)
        return Completed(returncode=0, stdout="", stderr="Resolved 1 package in 1ms")

    def _proof(self, command: Command) -> Completed:
        at = command.argv.index("-c")
        cookie, *modules = command.argv[at + 2 :]
        found = {
            module: [str(self.site / f"{module}.py")] if self.importable else []
            for module in modules
        }
        return Completed(
            returncode=0, stdout=f"{cookie}{json.dumps(found)}{cookie[::-1]}", stderr=""
        )


def _change(name: str, version: str, action: str) -> dict[str, str]:
    return {"name": name.replace("_", "-"), "version": version, "action": action}


def context_with(recorder: Recorder, prefix: Path, **rest: Any) -> Context:
    """Return the context of an environment at `prefix` whose programs are the recorder's."""
    recorder.site.mkdir(parents=True, exist_ok=True)
    here = environment(str(prefix))
    return Context(environment=here, live=False, environ={}, cwd=str(prefix), run=recorder, **rest)
