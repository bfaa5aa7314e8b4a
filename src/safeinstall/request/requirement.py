"""Read one requirement: a name with versions (PEP 508), a URL, a path."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from .location import absolute, find_place, is_url, looks_local, place_of_url, refuse_scp
from .misreading import explain
from .mistake import Mistake, pointed
from .values import TYPED, ItemKind, RequestItem

__all__ = ["canonical", "read_editable", "read_hash", "read_requirement"]

_HASH: Final = re.compile(r"(?:sha256|sha384|sha512):[0-9a-f]{64,128}")
_VERSION: Final = re.compile(r"v?\d+(?:\.\d+)+(?:\.?(?:a|b|rc|post|dev)\d*)*")


def read_requirement(
    text: str,
    *,
    cwd: str,
    origin: str = TYPED,
    hashes: tuple[str, ...] = (),
    stdlib_names: bool = False,
) -> RequestItem:
    """Return the item that `text` asks for; raise `Mistake` if it asks for nothing sensible.

    A name of Python's own library is refused where it was typed, unless `stdlib_names`: files
    list such names for older Pythons.
    """
    text = text.strip()
    _check_characters(text)
    refuse_scp(text)
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError) as error:
        return _place(text, cwd, origin, hashes, error)
    if requirement.url is not None:
        return _direct(text, requirement, cwd, origin, hashes)
    if text == requirement.name and looks_local(text):  # x-1.0-py3-none-any.whl is a valid name
        return _place(text, cwd, origin, hashes, None)
    _check_name(text, requirement, typed=origin == TYPED, stdlib_names=stdlib_names)
    return RequestItem(
        text=canonical(requirement),
        name=canonicalize_name(requirement.name),
        requirement=requirement,
        origin=origin,
        hashes=hashes,
    )


def read_editable(text: str, *, cwd: str, origin: str = TYPED) -> RequestItem:
    """Return the item for what follows `-e`: a project folder, or a repository."""
    written = text
    if not {"/", "\\"} & set(text) and Path(cwd, text).is_dir():
        written = f"./{text}"  # only a folder can follow -e, so a bare name of one is meant as one
    item = read_requirement(written, cwd=cwd, origin=origin, stdlib_names=True)
    if item.kind not in ("folder", "vcs"):
        raise Mistake(
            f"--editable takes a project folder or a repository, not `{text}`.", instead=(text,)
        )
    return RequestItem(
        text=item.text,
        name=item.name,
        kind="editable",
        requirement=item.requirement,
        origin=origin,
    )


def canonical(requirement: Requirement) -> str:
    """Return the requirement as we write it; `str` of it differs between releases of packaging."""
    extras = ",".join(sorted(requirement.extras))
    name = f"{requirement.name}[{extras}]" if extras else requirement.name
    marker = f"; {requirement.marker}" if requirement.marker else ""
    if requirement.url is None:
        return f"{name}{requirement.specifier}{marker}"
    return f"{name} @ {requirement.url}{' ' if marker else ''}{marker}"


def read_hash(text: str) -> str:
    """Return a hash as installers take it, or raise `Mistake`."""
    value = text.lower()
    if not _HASH.fullmatch(value):
        raise Mistake(f"`{text}` is no hash: write sha256: and 64 hexadecimal digits.")
    return value


def _place(
    text: str, cwd: str, origin: str, hashes: tuple[str, ...], error: Exception | None
) -> RequestItem:
    """Return the item for a bare path or URL."""
    try:
        place = None if text.startswith("-") else find_place(text, cwd)
    except Mistake:
        if is_url(text):
            raise
        explain(text, error, only_shell=True)
        raise
    if place is None:
        explain(text, error)
        raise Mistake(f"`{text}` is not a requirement.", context=pointed(text, 0))
    found, kind, name = place
    return RequestItem(text=found, name=name, kind=kind, origin=origin, hashes=hashes)


def _direct(
    text: str, requirement: Requirement, cwd: str, origin: str, hashes: tuple[str, ...]
) -> RequestItem:
    """Return the item for `name @ URL`; a relative path becomes a `file:` URL."""
    url, name = requirement.url or "", canonicalize_name(requirement.name)
    kind: ItemKind
    if is_url(url):
        _, kind, _ = place_of_url(url, name)
    elif _VERSION.fullmatch(url):
        raise Mistake(
            f"`{text}`: a version follows ==, not @.", instead=(f"{requirement.name}=={url}",)
        )
    elif looks_local(url):
        place = find_place(url, cwd)
        kind = place[1] if place else "folder"
        requirement = Requirement(canonical(requirement))  # a copy: the caller's stays as it was
        requirement.url = Path(absolute(url, cwd)).as_uri()
    else:
        raise Mistake(f"`{text}`: a URL follows @.", context=pointed(text, text.find("@") + 1))
    return RequestItem(
        text=canonical(requirement),
        name=name,
        kind=kind,
        requirement=requirement,
        origin=origin,
        hashes=hashes,
    )


def _check_characters(text: str) -> None:
    """Refuse what no eye can see: control characters, zero-width blanks."""
    for column, character in enumerate(text):
        if not character.isprintable() and not character.isspace():
            raise Mistake(
                f"There is an invisible character (U+{ord(character):04X}) in it.",
                instead=("".join(each for each in text if each.isprintable()),),
                context=pointed(repr(text)[1:-1], column),
            )
        if character.isspace() and character not in " \t":
            raise Mistake(
                f"`{' '.join(text.split())}` is written with a line break or an odd blank.",
                instead=text.split(),
            )


def _check_name(text: str, requirement: Requirement, *, typed: bool, stdlib_names: bool) -> None:
    """Refuse valid names that cannot be what was meant."""
    name = requirement.name
    if _VERSION.fullmatch(name):
        raise Mistake(f"{name} is a version; a name goes before it: NAME=={name}.")
    if name.lower() == "pyproject.toml":
        raise Mistake("pyproject.toml is a file; its folder is what installs.", instead=(".",))
    if name.lower().endswith(".txt"):
        raise Mistake(f"{name} is a file: -r goes before it.", instead=("-r", text))
    module = name.lower().replace("-", "_")
    if typed and not stdlib_names and requirement.marker is None:
        for known in sys.stdlib_module_names:
            if known.lower() == module:
                line = f"import {known}"
                raise Mistake(
                    f"{known} is part of Python itself; there is nothing to install: {line}",
                    alone=line,
                )
