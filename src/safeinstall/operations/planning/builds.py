"""What the build of a package has no business with: the environment that it is built for.

Builds are run by the installer, in an environment of their own (PEP 517); nothing keeps them from
writing elsewhere as the same user. What they wrote among the packages and scripts is found by
looking before and after, and what is new is taken out again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safeinstall.environment import Environment, shown
from safeinstall.errors import InstallerError, SafeInstallError
from safeinstall.findings import Finding, Suggestion, some
from safeinstall.metadata.distribution import is_metadata
from safeinstall.operations.context import Context
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.undo import repair

Traces = Mapping[str, tuple[int, ...]]
"""Files and links, each with what tells that it is the same still."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a build did to the environment."""

    added: tuple[str, ...]
    """New files and folders; of a new folder that alone."""
    changed: tuple[str, ...]
    """Files that are another's, changed or gone."""


class BuildWroteError(InstallerError):
    """A build wrote into the environment; nothing that it made is installed."""

    code = "build-wrote"

    def __init__(self, written: Written) -> None:
        super().__init__("A build wrote into the environment.")
        self.written = written


@contextmanager
def watched(environment: Environment, *, builds: bool) -> Iterator[None]:
    """Raise `BuildWroteError` when what is run meanwhile writes among packages or scripts.

    Where metadata came, another installer is at work: it is not for us to say who wrote what.
    """
    before = traces(environment) if builds else {}
    yield
    if not builds:
        return
    after = traces(environment)
    new = after.keys() - before.keys()
    if any(is_metadata(part) for path in new for part in Path(path).parts):
        return
    parents = {os.path.dirname(path) for path in before}
    changed = tuple(sorted(path for path in before if after.get(path) != before[path]))
    added = tuple(sorted({_topmost(path, parents) for path in new}))
    if added or changed:
        raise BuildWroteError(Written(added, changed))


def traces(environment: Environment) -> Traces:
    """Return what lies in the folders of packages and scripts; bytecode is anybody's to write."""
    found: dict[str, tuple[int, ...]] = {}
    folders = {*environment.paths.site_packages, environment.paths.scripts}
    for folder in sorted(map(os.path.realpath, folders)):
        for above, inner, files in os.walk(folder):
            inner[:] = [name for name in inner if name != "__pycache__"]
            for name in files:
                path = os.path.join(above, name)
                if not name.endswith(".pyc"):
                    found[path] = _identity(path)
    return found


def _identity(path: str) -> tuple[int, ...]:
    try:
        status = os.lstat(path)
    except OSError:
        return ()
    return (status.st_ino, status.st_size, status.st_mtime_ns)


def _topmost(path: str, parents: set[str]) -> str:
    """Return the highest folder that came with a file, or the file."""
    while (above := os.path.dirname(path)) and not any(
        parent == above or parent.startswith(f"{above}{os.sep}") for parent in parents
    ):
        path = above
    return path


def taken_out(error: BuildWroteError, context: Context) -> Finding:
    """Take out what a build brought, as a transaction, and return what is to be said."""
    environment, written = context.environment, error.written
    told = [shown(path, environment.home) for path in (*written.added, *written.changed)]
    message = f"A build wrote into {environment.label}: {some(told)}."
    try:
        if written.added:
            store = Store.open(environment.prefix)
            with store.lock(command=error.code):
                repair(store, written.added, {}, "what a build wrote, taken out")
            out = "is" if len(written.added) == 1 else "are"
            message += f" What is new {out} taken out again."
    except (SafeInstallError, OSError) as failed:
        message += f" It could not be taken out: {failed}."
    doctor = Suggestion(context.frontend.line("doctor"), "shows what is damaged, and mends it")
    return Finding.refuse("build-wrote", message, *([doctor] if written.changed else []))
