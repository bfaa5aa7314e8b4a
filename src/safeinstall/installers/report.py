"""What an installer's dry run answers, in the words both installers share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from safeinstall.changes import Change, Changes
from safeinstall.errors import InstallerError
from safeinstall.request import InstallRequest, RequestItem

__all__ = ["DryRun", "Resolved", "entry", "hashed", "items_of", "staging_arguments"]


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


def entry(data: Any, *keys: str) -> Any:
    """Return `data[keys[0]][keys[1]]...`; raises `InstallerError` naming the missing key."""
    for depth, key in enumerate(keys):
        if not isinstance(data, dict) or key not in data:
            path = ".".join(keys[: depth + 1])
            raise InstallerError(
                f"The installer's report has no {path!r}: it speaks a version we do not know.",
                code="unknown-report",
            )
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
        " ".join((_file_line(item), *(f"--hash={value}" for value in item.hashes))) + "\n"
        for item in request.items
    )


def items_of(request: InstallRequest, stdin: str) -> list[str]:
    """Return the request's requirements as arguments; `stdin` names standard input as a file."""
    return ["--requirement", stdin] if hashed(request) else _arguments(request.items)


def staging_arguments(
    request: InstallRequest, changes: Changes, plan: DryRun, stdin: str
) -> list[str]:
    """Return the plan as exact arguments: pins for index packages, the direct line otherwise."""
    if hashed(request):
        return ["--requirement", stdin]
    direct = [item for item in request.items if item.kind != "named"]
    named = {item.name for item in direct if item.name}
    unnamed = {_bare(item.text) for item in direct if not item.name}
    found = {canonicalize_name(resolved.name): resolved for resolved in plan.arriving}
    arguments = _arguments(direct)
    for change in changes.arriving:
        key = canonicalize_name(change.name)
        resolved = found[key]
        if key not in named and not (resolved.url and _bare(resolved.url) in unnamed):
            arguments.append(resolved.pin)
    return arguments


def _arguments(items: Iterable[RequestItem]) -> list[str]:
    arguments: list[str] = []
    for item in items:
        arguments += ["--editable", item.text] if item.kind == "editable" else [item.text]
    return arguments


def _file_line(item: RequestItem) -> str:
    return f"--editable {item.text}" if item.kind == "editable" else item.text


def _bare(reference: str) -> str:
    """Reduce a path or file URL to the path, so that both spellings of one source compare equal."""
    parts = urlsplit(reference)
    path = unquote(parts.path) if parts.scheme in ("file", "") else reference
    return path.split("[", 1)[0].rstrip("/")
