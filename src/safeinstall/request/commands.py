"""What was asked for, as frozen values: one request type per command, and its items."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from packaging.requirements import Requirement

from safeinstall.errors import RequestError
from safeinstall.frontend import NOTEBOOK, Frontend, join, redact
from safeinstall.request.options import OPTIONS, Option, attached

if TYPE_CHECKING:
    from typing_extensions import Self


ItemKind = Literal["named", "url", "vcs", "wheel", "archive", "folder", "editable"]
InstallerName = Literal["auto", "uv", "pip", "conda"]

TYPED = "typed"
"""The origin of what stands on the line or in the cell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestItem:
    """One thing to install; its text is safe to stand as one argument of an installer."""

    text: str
    """What goes to an installer; local paths are absolute. For an editable: without `-e`."""
    name: str | None = None
    """The canonical name, or None while nobody knows it (a folder, a repository)."""
    kind: ItemKind = "named"
    """What it is; `editable` may be a folder or a repository."""
    requirement: Requirement | None = None
    """The parsed requirement, or None for a bare path or URL."""
    origin: str = TYPED
    """`typed`, or `FILE:LINE` for what a requirements file lists."""
    hashes: tuple[str, ...] = ()
    """`algorithm:hex` of the files that may be used, or empty for any."""
    locked: str = field(default="", repr=False)
    """Its entry in a lock (PEP 751), as TOML; empty for what is looked for."""
    has_source: bool = False
    """True when that entry lists a source archive."""

    def __post_init__(self) -> None:
        """Keep the promise of the class: never an option, never more than one line."""
        if not self.text or self.text.startswith("-") or not self.text.isprintable():
            raise RequestError(f"{self.text!r} cannot be handed to an installer.")

    @property
    def is_repository(self) -> bool:
        """True for what a version control system fetches, editable or not."""
        return self.kind == "vcs" or (
            self.kind == "editable" and "+" in self.text.partition("://")[0]
        )

    @property
    def typed(self) -> bool:
        """True when it stands on the line or in the cell."""
        return self.origin == TYPED

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True, slots=True)
class Demand:
    """What a file says of the Python that it, or one of its packages, is for."""

    origin: str
    python: str = ""
    """Versions (PEP 440), empty for any."""
    marker: str = ""
    """Where it counts; empty: everywhere."""
    environments: str = ""
    """A marker that has to hold; empty: none has."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """Whatever can be asked for: what every command knows. `operations.carry_out` does it."""

    command: ClassVar[str]
    """The command's name: `install`, `undo` ..."""

    python: str = ""
    """Another interpreter to work on, or the Python of a new environment."""
    json: bool = False
    help: bool = False
    verbose: bool = False
    quiet: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _ListingRequest(Request):
    """A request that lists requirements, and can be written as the line that was typed."""

    cwd: str = ""
    """The folder relative paths were read against; lines are written relative to it."""
    items: tuple[RequestItem, ...] = ()
    """What is listed: as typed, then editables, then what the files list."""
    dry_run: bool = False
    yes: bool = False
    no_wait: bool = False
    allow: frozenset[str] = frozenset()
    """Flags without dashes: `allow-conflicts`, `allow-kernel-change`, `allow-direct` ..."""
    secrets: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """What is hidden wherever we show things: what is secret in URLs, and the values of variables
    that a file was filled with."""

    @property
    def empty(self) -> bool:
        """True when nothing is asked for but, perhaps, options."""
        return not self.items

    def allows(self, flag: str) -> bool:
        """Return whether `flag` (with or without its two dashes) was typed."""
        return flag.removeprefix("--") in self.allow

    def allowing(self, *flags: str) -> Self:
        """Return the same request with more flags, their dashes written or not."""
        return replace(self, allow=self.allow | {flag.removeprefix("--") for flag in flags})

    def words(self) -> tuple[str, ...]:
        """Return the words a person would type for this request, secrets included."""
        return (*self._option_words(), *self._item_words())

    def line(self, frontend: Frontend, **changes: Any) -> str:
        """Return the line to type for this request with `changes`; secrets are hidden.

        Changes are fields, or `requirements=("numpy>=2",)` for other things to install.
        """
        return self._changed(changes)._written(frontend, hidden=True)

    def line_to_run(self, frontend: Frontend, **changes: Any) -> str:
        """Return that line with its secrets: to run in the place of what was typed, not to show."""
        return self._changed(changes)._written(frontend)

    def display(self) -> str:
        """Return the request as typed, fit to be shown and saved: secrets are hidden."""
        return join(self._words(hidden=True))

    def __str__(self) -> str:
        return join(self.words())

    def _changed(self, changes: dict[str, Any]) -> Self:
        if "requirements" in changes:
            items = tuple(RequestItem(text=text) for text in changes.pop("requirements"))
            changes = {**changes, "items": items}
        return replace(self, **changes)

    def _words(self, hidden: bool) -> tuple[str, ...]:
        words = self.words()  # cleared one by one: quotes would cut a secret in pieces
        return tuple(redact(word, self.secrets) for word in words) if hidden else words

    def _written(self, frontend: Frontend, *, hidden: bool = False) -> str:
        words = self._words(hidden)
        return frontend.line(self.command, *attached(words) if frontend.door == "python" else words)

    def _option_words(self) -> Iterator[str]:
        return chain.from_iterable(_words_of(option, self) for option in OPTIONS)

    def _item_words(self) -> Iterator[str]:
        for item in self.items:
            if item.typed:
                if item.kind == "editable":
                    yield "--editable"
                yield near(item.text, self.cwd)
                for value in item.hashes:
                    yield f"--hash={value}"


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallRequest(_ListingRequest):
    """Install these requirements, here or (`new_env`) into an environment made for them."""

    command: ClassVar[str] = "install"

    requirement_files: tuple[str, ...] = ()
    """Absolute paths of the `-r` files typed; their lines are in `items`."""
    constraint_files: tuple[str, ...] = ()
    """Absolute paths of the `-c` files, those named by `-r` files too."""
    constraints: tuple[RequestItem, ...] = ()
    """What the constraint files list."""
    groups: tuple[str, ...] = ()
    """Dependency groups (PEP 735) as typed, `NAME` or `PATH:NAME`; their lines are in `items`."""
    extras: tuple[str, ...] = ()
    """Extras of the pyproject.toml and the lock among the files."""
    demands: tuple[Demand, ...] = ()
    """What the files say of the Python they are for."""
    cutoffs: tuple[tuple[str, str], ...] = ()
    """Cut-offs of uploads that files set (uv's `exclude-newer`), and where they stand."""
    unheeded: tuple[str, ...] = ()
    """Settings in the files that are not obeyed: `resolution in script.py`."""
    require_hashes: bool = False
    upgrade: bool = False
    """Newest versions of what is named; dependencies move only as far as needed."""
    pre: bool = False
    no_deps: bool = False
    force_reinstall: bool = False
    index_url: str = ""
    """Address instead of the configured index, or empty."""
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    """URLs or absolute paths."""
    no_index: bool = False
    uploaded_prior_to: str = ""
    """Date or duration, as pip takes it; empty: what the settings say."""
    trusted_hosts: tuple[str, ...] = ()
    strict: bool = False
    installer: InstallerName = "auto"
    prove_import: bool = False
    """Import what is named in a new process, and put all back if that fails."""
    import_seconds: str = ""
    time_limit: str = ""
    """Minutes an installer may work at once."""
    """How long that may take, a whole number; empty: as configured."""
    user: bool = False
    break_system_packages: bool = False
    new_env: str = ""
    """Absolute path or bare name of an environment to be made for this; empty: none."""
    overlay: bool = False
    """The new environment sees the packages of the present one."""
    allow_builds: frozenset[str] = frozenset()
    """Canonical names that may run code to build themselves."""

    @property
    def checks_hashes(self) -> bool:
        """True when every file needs a hash: it was said so, or one is given (as in pip)."""
        return self.require_hashes or any(item.hashes for item in self.items)

    @property
    def empty(self) -> bool:
        """True when nothing is asked for but, perhaps, options."""
        return not self.items and not self.requirement_files and not self.groups

    @property
    def locked(self) -> bool:
        """True when the items are those of a lock, which names files and leaves nothing to find."""
        return any(item.locked for item in self.items)

    @property
    def starts_with_path(self) -> bool:
        """True when the first thing named is a path, which `--new-env` would take for its own."""
        return bool(self.items) and self.items[0].kind in ("wheel", "archive", "folder", "editable")

    def _changed(self, changes: dict[str, Any]) -> InstallRequest:
        files = ("requirement_files", "groups", "extras") if "requirements" in changes else ()
        return super(InstallRequest, self)._changed({**changes, **dict.fromkeys(files, ())})

    def _written(self, frontend: Frontend, *, hidden: bool = False) -> str:
        """Write a new environment for a terminal as the command that makes one."""
        if not self.new_env or frontend.door != "terminal":
            return super(InstallRequest, self)._written(frontend, hidden=hidden)
        place = near(self.new_env, self.cwd).removeprefix(f".{os.sep}")
        named = not PurePath(self.new_env).is_absolute()
        rest = replace(self, new_env="")
        words = rest._words(hidden)
        return frontend.line("new-env", *(("--name", place) if named else (place,)), *words)


@dataclass(frozen=True, kw_only=True, slots=True)
class UninstallRequest(_ListingRequest):
    """Remove the named distributions."""

    command: ClassVar[str] = "uninstall"

    user: bool = False
    """True for what went to the user site."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UndoRequest(Request):
    """Put back what a transaction changed."""

    command: ClassVar[str] = "undo"

    id: str = ""
    """The transaction; empty: the last one in force."""
    force: bool = False
    user: bool = False
    """True for what went to the user site."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HistoryRequest(Request):
    """List the transactions that are kept; forget old ones first."""

    command: ClassVar[str] = "history"

    prune: bool = False
    keep: int | None = None
    user: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class RecoverRequest(Request):
    """Finish or take back what died; `python` need not start."""

    command: ClassVar[str] = "recover"


@dataclass(frozen=True, kw_only=True, slots=True)
class AutoloadRequest(Request):
    """Let every kernel of the environment load the extension by itself."""

    command: ClassVar[str] = "autoload"

    off: bool = False
    """No more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SurveyRequest(Request):
    """Show the environment and where each way to install would lead."""

    command: ClassVar[str] = "env"


@dataclass(frozen=True, kw_only=True, slots=True)
class WhereRequest(Request):
    """Say where the installs of a cell would go."""

    command: ClassVar[str] = "where"

    cell: str = ""
    deep: bool = False
    """Ask pip itself where the rules are not sure."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DoctorRequest(Request):
    """Say what is wrong with an environment; `python` need not start."""

    command: ClassVar[str] = "doctor"

    fix: bool = False
    """Put right what is safe."""
    only: frozenset[str] = frozenset()
    """Ids of the findings to put right; empty: all of them."""
    deep: bool = False
    """Read and hash every file."""
    redact: bool = False
    """Answer with a text for a bug report."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelsRequest(Request):
    """Show what the kernelspecs start."""

    command: ClassVar[str] = "kernels"

    names: tuple[str, ...] = ()
    """Those to be repaired, however they are."""
    repair: bool = False
    start: bool = False
    """Start each once."""


def _words_of(option: Option, request: _ListingRequest) -> Iterator[str]:
    """Yield the words that set `option` to what the request holds; nothing for a default."""
    name = option.names[0]
    if option.kind == "allow":
        if name.removeprefix("--") in request.allow:
            yield name
        return
    value = getattr(request, option.field, None)  # editables and hashes stand with their items
    if option.kind == "switch" and value:
        yield name
    elif option.kind == "value" and value and value != "auto":
        yield from (name, value)
    elif option.kind == "place" and value:
        place = near(value, request.cwd)
        usual = place == f".{os.sep}.venv" and not getattr(request, "starts_with_path", False)
        yield name if usual else f"{name}={place}"
    elif option.kind == "values" and value:
        for each in sorted(value) if isinstance(value, frozenset) else value:
            yield from (name, near(each, request.cwd))


def near(path: str, cwd: str) -> str:
    """Return an absolute path as seen from `cwd`, anything else as it is."""
    if not cwd or not PurePath(path).is_absolute():
        return path
    if path == cwd:
        return "."
    inside = path.removeprefix(cwd.rstrip(os.sep) + os.sep)
    return path if inside == path or not inside else f".{os.sep}{inside}"


@dataclass(frozen=True, slots=True)
class TypedAt:
    """The command that is being read, and the door it was typed at."""

    frontend: Frontend = NOTEBOOK
    command: str = "install"

    @property
    def opening(self) -> str:
        """How the line began."""
        return self.frontend.opening(self.command)

    def line(self, *words: str) -> str:
        """Return the line to type instead."""
        given = attached(words) if self.frontend.door == "python" else words
        return self.frontend.line(self.command, *given)
