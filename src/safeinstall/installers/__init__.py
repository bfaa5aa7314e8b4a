"""What an installer is to everybody else: commands it is started with, answers it gives.

An `Installer` is a value that builds commands and reads answers; nothing is run here. What one of
them cannot do, its properties say: nobody outside this room asks which one it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final, Protocol
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from safeinstall.distributions import Change, Changes
from safeinstall.environment import Environment
from safeinstall.errors import InstallerError
from safeinstall.installers.sources import REDIRECTING_VARIABLES, Sources
from safeinstall.request import InstallRequest, RequestItem
from safeinstall.request.lock_file import lock_of
from safeinstall.runner import LOCK_FILE, Command

_OF_VENV: Final = [
    "UV_VENV_SEED",
    "UV_VENV_CLEAR",
    "UV_VENV_RELOCATABLE",
    "UV_PROJECT",
    "UV_WORKING_DIRECTORY",
    "RUST_LOG",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class Resolved:
    """One distribution the installer chose."""

    name: str
    version: str
    url: str | None = None
    """Where it comes from when that is not an index: a direct reference (PEP 610)."""
    yanked: str | None = None
    """Why its makers took it back (PEP 592; perhaps empty), or None."""

    @property
    def pin(self) -> str:
        """The exact requirement that gets this distribution again."""
        return f"{self.name} @ {self.url}" if self.url else f"{self.name}=={self.version}"


@dataclass(frozen=True, kw_only=True, slots=True)
class DryRun:
    """The parsed answer of a dry run."""

    arriving: tuple[Resolved, ...]
    leaving: tuple[Resolved, ...] = ()
    downloads: bool = False
    """The installer said that not all of it lies in its cache."""

    def changes(self, installed: dict[str, str], requested: frozenset[str]) -> Changes:
        """Return the changes against `installed` (canonical name -> version).

        `requested` holds the canonical names the user typed.
        """
        gone = {canonicalize_name(item.name): item.version for item in self.leaving}
        coming = {canonicalize_name(item.name): item for item in self.arriving}
        return Changes.of(
            Change(
                name=coming[key].name if key in coming else key,
                before=gone.get(key) or (installed.get(key) if key in coming else None),
                after=coming[key].version if key in coming else None,
                requested=key in requested,
            )
            for key in gone.keys() | coming.keys()
        )


PLAIN: Final = {"NO_COLOR": "1", "COLUMNS": "10000"}
"""Variables for output that is read: no colours, and no sentence broken where a terminal ends."""


class Installer(Protocol):
    """A program that resolves requirements and unpacks wheels; what it can do beyond, it says."""

    plans_from_cache: ClassVar[bool] = False
    """It can answer from what it has downloaded before, without the network."""
    links_its_cache: ClassVar[bool] = False
    """Environments share files with its cache: damage in one is damage in both."""
    picks_versions: ClassVar[bool] = False
    """`version_command` finds one version; the others list them all in a failure."""
    takes_overrides: ClassVar[bool] = False
    """`overriding` takes packages out of what it looks for."""
    asks_before_places: ClassVar[bool] = False
    """Where builds are forbidden it stops at a place whose name only its code tells; else that code
    runs (pip: `--only-binary` is about what indexes have)."""
    counts_python_path: ClassVar[bool] = False
    """It takes for installed what PYTHONPATH shows."""

    @property
    def name(self) -> str:
        """What people call it."""
        ...

    def plan_command(
        self,
        request: InstallRequest,
        environment: Environment,
        sources: Sources,
        *,
        from_cache: bool = False,
        config: bool = True,
    ) -> Command:
        """Return the dry run that answers what the request would change.

        `from_cache`: as far as its cache knows. `config` False keeps it from reading its
        configuration files (they hold a redirection). Raises `InstallerError` for what it does
        not understand.
        """
        raise InstallerError(f"{self.name} plans nothing.")

    def read_plan(self, stdout: str, stderr: str = "") -> DryRun:
        """Parse a successful dry run. Raises `InstallerError` when the report is none we know."""
        raise InstallerError(f"{self.name} plans nothing.")

    def stage_commands(
        self,
        stage: str,
        request: InstallRequest,
        environment: Environment,
        sources: Sources,
        changes: Changes,
        plan: DryRun,
        *,
        config: bool = True,
    ) -> tuple[Command, ...]:
        """Return what unpacks exactly the plan into `stage`, a private prefix.

        The commands are tried in order until one succeeds: the quickest stands first.
        """
        raise InstallerError(f"{self.name} changes environments itself and stages nothing.")

    def progress(self, line: str) -> str | None:
        """Return what one line of its output says about its progress, or None."""
        return None

    def has_read_caches(self, line: str) -> bool:
        """Tell whether this line says that it has read what it knows of the packages."""
        return False

    def louder(self, command: Command, level: int = 2) -> Command | None:
        """Return the dry run with more words, or None when it has said all it can say."""
        return None

    def version_command(
        self,
        request: InstallRequest,
        environment: Environment,
        sources: Sources,
        *,
        lowest: bool = False,
    ) -> Command:
        """Return the dry run that takes the highest (or lowest) version there is."""
        return self.plan_command(request, environment, sources)

    def overriding(self, command: Command, file: str) -> Command:
        """Return the dry run with the requirements in `file` in place of those of packages."""
        return command

    def pythons_command(self) -> Command | None:
        """Return what lists the interpreters it has installed, None when it installs none."""
        return None

    def read_pythons(self, stdout: str) -> tuple[tuple[str, str], ...]:
        """Return path and version of each interpreter in that list."""
        return ()

    def environment_command(
        self, python: str, folder: str, *, prompt: str, system_site: bool = False
    ) -> Command:
        """Return what makes an empty environment of the interpreter `python` at `folder`.

        No pip is put in: packages come through safeinstall, and Debian's `venv` without pip needs
        no `python3-venv` (`Lib/venv/__main__.py`).
        """
        argv = [python, "-m", "venv", "--without-pip", "--prompt", prompt]
        argv += ["--system-site-packages"] if system_site else []
        return Command(argv=(*argv, folder), overrides=venv_overrides())

    def serving(self, environment: Environment) -> Environment:
        """Return an environment that it has made as one that it will be found for."""
        return environment


def venv_overrides() -> Mapping[str, str | None]:
    """Return the variables for making an environment: nothing ambient decides what it is."""
    overrides: dict[str, str | None] = dict.fromkeys((*REDIRECTING_VARIABLES, *_OF_VENV))
    return overrides | {"UV_PYTHON_DOWNLOADS": "never", **PLAIN}


def entry(data: Any, *keys: str) -> Any:
    """Return `data[keys[0]][keys[1]]...`; raises `InstallerError` naming the missing key."""
    for depth, key in enumerate(keys):
        if not isinstance(data, dict) or key not in data:
            path = ".".join(keys[: depth + 1])
            words = f"The installer's report has no {path!r}: it speaks a version we do not know."
            raise InstallerError(words, code="unknown-report")
        data = data[key]
    return data


def hashed(request: InstallRequest) -> str:
    """Return the requirements as the text of a requirements file when hashes are asked for.

    Hashes cannot stand on a command line (pip: `req_file.py`, per-requirement options); an empty
    text means that arguments are enough.
    """
    if not any(item.hashes for item in request.items):
        return ""
    return "".join(
        " ".join((*_arguments([item]), *(f"--hash={value}" for value in item.hashes))) + "\n"
        for item in request.items
    )


def lacking(request: InstallRequest, changes: Changes) -> InstallRequest:
    """Return the request without what is there: a list with hashes is staged as it is written."""
    coming = {canonicalize_name(change.name) for change in changes.arriving}
    items = tuple(item for item in request.items if item.name is None or item.name in coming)
    return replace(request, items=items) if request.locked or hashed(request) else request


def files_of(request: InstallRequest) -> dict[str, Any]:
    """Return the fields of a `Command` for what stands in a file: a lock, or lines with hashes."""
    return {"lock": lock_of(request.items)} if request.locked else {"stdin": hashed(request)}


def items_of(request: InstallRequest, stdin: str) -> list[str]:
    """Return the request's requirements as arguments; `stdin` names standard input as a file."""
    if request.locked:
        return ["--requirement", LOCK_FILE]
    return ["--requirement", stdin] if hashed(request) else _arguments(request.items)


def staging_arguments(
    request: InstallRequest, changes: Changes, plan: DryRun, stdin: str
) -> list[str]:
    """Return the plan as exact arguments: pins for index packages, the direct line otherwise."""
    if request.locked or hashed(request):
        return items_of(request, stdin)
    direct = [item for item in request.items if item.kind != "named"]
    named = {item.name for item in direct if item.name}
    unnamed = {place_of(item.text) for item in direct if not item.name}
    found = {canonicalize_name(resolved.name): resolved for resolved in plan.arriving}
    arguments = _arguments(direct)
    for change in changes.arriving:
        key = canonicalize_name(change.name)
        resolved = found[key]
        if key not in named and not (resolved.url and place_of(resolved.url) in unnamed):
            arguments.append(resolved.pin)
    return arguments


def _arguments(items: Iterable[RequestItem]) -> list[str]:
    arguments: list[str] = []
    for item in items:
        arguments += ["--editable", item.text] if item.kind == "editable" else [item.text]
    return arguments


_READER: Final = re.compile(r"//[^/@]*(?:@[^/@]*)*@")
CHECKOUTS: Final = "src"
"""Where below the prefix a repository is checked out whose files stay in use (pip's `--src`)."""


def place_of(reference: str) -> str:
    """Reduce a path, URL or repository to what all its spellings share.

    Left out are extras, fragment, a repository's revision, who reads it, and the scheme of a local
    file.
    """
    plain = _READER.sub("//", reference.partition("#")[0])
    if plain.startswith("file:"):
        plain = unquote(urlsplit(plain).path)
    plain = plain.partition("[")[0].rstrip("/")
    head, slash, last = plain.rpartition("/")
    return f"{head}{slash}{last.partition('@')[0]}" if "+" in plain.partition(":")[0] else plain
