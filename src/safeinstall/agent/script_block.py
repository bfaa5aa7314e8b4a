"""Where a requirement is written down in a notebook, as text: the panel puts it into the cell.

A script block (PEP 723) keeps all but its list of dependencies: comments, quotes, other tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from packaging.utils import canonicalize_name

from safeinstall.errors import RequestError
from safeinstall.request import join, parse
from safeinstall.request.toml_files import block_in
from safeinstall.requirements import parsed

_HEADER: Final = re.compile(r"(?m)^[ \t]*\[")
_KEY: Final = re.compile(
    r"""(?m)^[ \t]*(?:dependencies|"dependencies"|'dependencies')[ \t]*=[ \t]*"""
)
_BASIC: Final = r'"(?:[^"\\\n]|\\.)*"'
_PIECE: Final = re.compile(
    rf"(?P<text>{_BASIC}|'[^'\n]*')|(?P<comma>,)|(?P<end>\])|#[^\n]*|[ \t\r\n]+"
)
_UNREADABLE: Final = (
    "The list of dependencies in this notebook's script block cannot be read as TOML."
)


@dataclass(frozen=True, slots=True)
class _Item:
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _List:
    items: tuple[_Item, ...]
    open: bool
    """Whether a comma is missing behind the last item."""
    end: int
    """Where the closing bracket stands."""


def with_requirements(body: str, requirements: Sequence[str]) -> str:
    """Return the TOML of a script block that lists the requirements as well.

    One of the same name is replaced where it stands; comments and everything else stay as they are.
    Raises `RequestError` where the list cannot be read.
    """
    key = _key_of(body)
    if key is None:
        table = _HEADER.search(body)
        at = table.start() if table else len(body)
        body = f"{body[:at]}dependencies = [\n]\n{body[at:]}"
    for requirement in requirements:
        body = _with_one(body, requirement)
    return body


def _key_of(body: str) -> re.Match[str] | None:
    """Return where the key stands, which a table further down may have as well."""
    found, table = _KEY.search(body), _HEADER.search(body)
    return found if found and not (table and table.start() < found.start()) else None


def _with_one(body: str, requirement: str) -> str:
    key = _key_of(body)
    if key is None or body[key.end() : key.end() + 1] != "[":
        raise RequestError(_UNREADABLE)
    found = _read(body, key.end() + 1)
    written = json.dumps(requirement, ensure_ascii=False)
    same = [item for item in found.items if name_of(item.text) == name_of(requirement)]
    if same:
        item = next((one for one in same if _marker(one.text) == _marker(requirement)), same[0])
        return body[: item.start] + written + body[item.end :]
    line = body.rfind("\n", 0, found.end) + 1
    if line > key.start() and not body[line : found.end].strip():
        body = f"{body[:line]}  {written},\n{body[line:]}"
    else:
        space = " " if found.items else ""
        body = f"{body[: found.end].rstrip()}{space}{written}{body[found.end :]}"
    if found.open:
        last = found.items[-1].end
        body = f"{body[:last]},{body[last:]}"
    return body


def _read(body: str, position: int) -> _List:
    """Read an array of strings that begins at `position` (TOML 1.0, "Array")."""
    items: list[_Item] = []
    is_open = False
    while piece := _PIECE.match(body, position):
        position = piece.end()
        if piece["end"]:
            return _List(tuple(items), is_open, piece.start())
        if piece["text"]:
            if is_open:
                break  # two strings and no comma
            items.append(_Item(piece.start(), piece.end(), _text(piece["text"])))
            is_open = True
        elif piece["comma"]:
            if not is_open:
                break
            is_open = False
    raise RequestError(_UNREADABLE)


def _text(written: str) -> str:
    if written.startswith("'"):
        return written[1:-1]
    try:
        return str(json.loads(written))
    except ValueError:
        raise RequestError(_UNREADABLE) from None


def name_of(text: str) -> str:
    """Return the one spelling of the name in a requirement; anything else is returned as it is."""
    requirement = parsed(text)
    return canonicalize_name(requirement.name) if requirement else text


def _marker(text: str) -> str:
    requirement = parsed(text)
    return str(requirement.marker or "") if requirement else ""


_MAGIC: Final = "%safeinstall"


def record(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the first cell with `requirements` written down, and whether it is a new cell.

    `where` is `magic` (a `%safeinstall` line) or `pep723` (a script metadata block); `source` is
    the first code cell as it is now.
    """
    requirements = [str(text) for text in params.get("requirements", ())]
    source = str(params.get("source", ""))
    if params.get("where") == "pep723":
        return _in_block(source, requirements)
    return _in_magic(source, requirements)


def _in_magic(source: str, requirements: list[str]) -> dict[str, Any]:
    first, newline, rest = source.partition("\n")
    words = first.split()
    fresh = {"source": f"{_MAGIC} {join(_merged([], requirements))}", "new": True}
    if words[:1] != [_MAGIC] or "-r" in words:
        return fresh
    try:
        request = parse(first.strip()[len(_MAGIC) :], cwd="/")
    except RequestError:
        return fresh
    named = [item.text for item in request.items]
    options = replace(request, items=(), requirement_files=()).display()
    parts = (_MAGIC, options.strip(), join(_merged(named, requirements)))
    line = " ".join(filter(None, parts))
    return {"source": line + newline + rest, "new": False}


def _in_block(source: str, requirements: list[str]) -> dict[str, Any]:
    found = block_in(source, "The first cell")
    if found is None:
        return {"source": _written("dependencies = [\n]\n", requirements), "new": True}
    block = _written(found.body, requirements)
    return {"source": source[: found.start] + block + source[found.end :], "new": False}


def _written(body: str, requirements: list[str]) -> str:
    rows = with_requirements(body, _merged([], requirements)).splitlines()
    return "\n".join(["# /// script", *(f"# {row}".rstrip() for row in rows), "# ///"])


def _merged(old: list[str], new: list[str]) -> list[str]:
    """Return the requirements with the new ones in the place of older ones of the same name."""
    return list({name_of(text): text for text in (*old, *new)}.values())
