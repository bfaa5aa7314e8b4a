"""Where a requirement is written down in a notebook, as text: the panel puts it into the cell."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from safeinstall.agent.script_block import name_of, with_requirements
from safeinstall.errors import RequestError
from safeinstall.request import join, parse

__all__ = ["record"]

_MAGIC: Final = "%safeinstall"
_BLOCK = re.compile(r"(?m)^# /// script$\n(?P<body>(?:^#(?: .*)?$\n)*?)^# ///$")


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
    own = words[:1] == [_MAGIC] and "-r" not in words
    if not own:
        return {"source": f"{_MAGIC} {join(_merged([], requirements))}", "new": True}
    try:
        request = parse(first.strip()[len(_MAGIC) :], cwd="/")
    except RequestError:
        return {"source": f"{_MAGIC} {join(_merged([], requirements))}", "new": True}
    named = [item.text for item in request.items]
    options = request.line("", requirements=())
    line = " ".join(
        part for part in (_MAGIC, options.strip(), join(_merged(named, requirements))) if part
    )
    return {"source": line + newline + rest, "new": False}


def _in_block(source: str, requirements: list[str]) -> dict[str, Any]:
    found = _BLOCK.search(source)
    if found is None:
        return {"source": _written("dependencies = [\n]\n", requirements), "new": True}
    body = "".join(f"{line[2:]}\n" for line in found["body"].splitlines())
    block = _written(body, requirements)
    return {"source": source[: found.start()] + block + source[found.end() :], "new": False}


def _written(body: str, requirements: list[str]) -> str:
    rows = with_requirements(body, _merged([], requirements)).splitlines()
    return "\n".join(["# /// script", *(f"# {row}".rstrip() for row in rows), "# ///"])


def _merged(old: list[str], new: list[str]) -> list[str]:
    """Return the requirements with the new ones in the place of older ones of the same name."""
    by_name = {name_of(text): text for text in old}
    by_name.update({name_of(text): text for text in new})
    return list(by_name.values())
