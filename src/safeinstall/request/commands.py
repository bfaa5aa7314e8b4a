"""What was asked for, as frozen values: one request type per command, and its items."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any, Literal

from packaging.requirements import Requirement

from safeinstall.errors import RequestError
from safeinstall.frontend import join
from safeinstall.redaction import redact
from safeinstall.request.options import OPTIONS, Option

__all__ = ["TYPED", "Installer", "ItemKind", "Request", "RequestItem", "near"]


ItemKind = Literal["named", "url", "vcs", "wheel", "archive", "folder", "editable"]
Installer = Literal["auto", "uv", "pip", "conda"]

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

    def __post_init__(self) -> None:
        """Keep the promise of the class: never an option, never more than one line."""
        if not self.text or self.text.startswith("-") or not self.text.isprintable():
            raise RequestError(f"{self.text!r} cannot be handed to an installer.")

    @property
    def typed(self) -> bool:
        """True when it stands on the line or in the cell."""
        return self.origin == TYPED

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What the user asked for: requirements and options."""

    cwd: str = ""
    """The folder relative paths were read against; lines are written relative to it."""
    items: tuple[RequestItem, ...] = ()
    """What to install: as typed, then editables, then what the files list."""
    requirement_files: tuple[str, ...] = ()
    """Absolute paths of the `-r` files typed; their lines are in `items`."""
    constraint_files: tuple[str, ...] = ()
    """Absolute paths of the `-c` files, those named by `-r` files too."""
    constraints: tuple[RequestItem, ...] = ()
    """What the constraint files list."""
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
    trusted_hosts: tuple[str, ...] = ()
    dry_run: bool = False
    yes: bool = False
    strict: bool = False
    verbose: bool = False
    quiet: bool = False
    installer: Installer = "auto"
    no_wait: bool = False
    user: bool = False
    break_system_packages: bool = False
    new_env: str = ""
    """Absolute path or bare name of an environment to be made for this; empty: none."""
    overlay: bool = False
    """The new environment sees the packages of the present one."""
    allow: frozenset[str] = frozenset()
    """Flags without dashes: `allow-conflicts`, `allow-kernel-change`, `allow-direct` ..."""
    allow_builds: frozenset[str] = frozenset()
    """Canonical names that may run code to build themselves."""
    python: str = ""
    """Another interpreter to work on (command line only), or the Python of a new environment."""
    json: bool = False
    help: bool = False
    secrets: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """Values of environment variables a file was filled with: hidden wherever we show things."""

    @property
    def empty(self) -> bool:
        """True when nothing is asked for but, perhaps, options."""
        return not self.items and not self.requirement_files

    @property
    def starts_with_path(self) -> bool:
        """True when the first thing named is a path, which `--new-env` would take for its own."""
        return bool(self.items) and self.items[0].kind in ("wheel", "archive", "folder", "editable")

    def allows(self, flag: str) -> bool:
        """Return whether `flag` (with or without its two dashes) was typed."""
        return flag.removeprefix("--") in self.allow

    def allowing(self, *flags: str) -> Request:
        """Return the same request with more flags, their dashes written or not."""
        return replace(self, allow=self.allow | {flag.removeprefix("--") for flag in flags})

    def words(self) -> tuple[str, ...]:
        """Return the words a person would type for this request, secrets included."""
        return (*self._option_words(), *self._item_words())

    def line(self, prefix: str = "%safeinstall", **changes: Any) -> str:
        """Return the line to type for this request with `changes`; secrets are hidden.

        Changes are fields, or `requirements=("numpy>=2",)` for other things to install.
        """
        if "requirements" in changes:
            items = tuple(RequestItem(text=text) for text in changes.pop("requirements"))
            changes |= {"items": items, "requirement_files": ()}
        changed = replace(self, **changes)
        return redact(f"{prefix} {changed}".strip(), self.secrets)

    def display(self) -> str:
        """Return the request as typed, fit to be shown and saved: secrets are hidden."""
        return self.line("")

    def __str__(self) -> str:
        return join(self.words())

    def _option_words(self) -> Iterator[str]:
        for option in OPTIONS:
            yield from _words_of(option, self)

    def _item_words(self) -> Iterator[str]:
        for item in self.items:
            if item.typed:
                if item.kind == "editable":
                    yield "--editable"
                yield near(item.text, self.cwd)
                for value in item.hashes:
                    yield f"--hash={value}"


def _words_of(option: Option, request: Request) -> Iterator[str]:
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
        yield (
            name
            if place == f".{os.sep}.venv" and not request.starts_with_path
            else (f"{name}={place}")
        )
    elif option.kind == "values" and value:
        values = sorted(value) if isinstance(value, frozenset) else value
        for each in values:
            yield from (name, near(each, request.cwd))


def near(path: str, cwd: str) -> str:
    """Return an absolute path as seen from `cwd`, anything else as it is."""
    if not cwd or not PurePath(path).is_absolute():
        return path
    if path == cwd:
        return "."
    inside = path.removeprefix(cwd.rstrip(os.sep) + os.sep)
    return path if inside == path or not inside else f".{os.sep}{inside}"
