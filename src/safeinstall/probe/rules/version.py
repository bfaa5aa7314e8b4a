"""Just enough of PEP 440 to tell whether an installed version satisfies a requirement.

``packaging`` is not in the standard library; where this module is not sure it says None.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Tuple

    Key = Tuple[Tuple[int, ...], Tuple[int, int], int]

__all__ = ["Wanted", "is_prerelease", "parse_requirement", "satisfies", "sort_key"]

_VERSION = re.compile(
    r"^v?(?:\d+!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d*))?"
    r"(?:[-_.]?(post|rev|r)[-_.]?(\d*)|-(\d+))?(?:[-_.]?(dev)[-_.]?(\d*))?(?:\+[a-z0-9._-]+)?$",
    re.I,
)
_REQUIREMENT = re.compile(
    r"^\s*([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[([^\]]*)\])?\s*"
    r"(\(?[^;@]*\)?)\s*(?:@\s*(.*?))?\s*(?:;\s*(.*))?$",
    re.S,
)
_CLAUSE = re.compile(r"^(===|==|~=|!=|<=|>=|<|>)\s*([^\s,]+)$")
_PHASES = {"a": 0, "alpha": 0, "b": 1, "beta": 1, "c": 2, "rc": 2, "pre": 2, "preview": 2}


class Wanted:
    """One requirement, taken apart."""

    __slots__ = ("clauses", "marker", "name", "url")

    def __init__(
        self, name: str, clauses: tuple[tuple[str, str], ...], url: str, marker: str
    ) -> None:
        """Keep the parts; *clauses* are pairs such as ``(">=", "2.0")``."""
        self.name = name
        self.clauses = clauses
        self.url = url
        self.marker = marker


def parse_requirement(text: str) -> Wanted | None:
    """Take a PEP 508 requirement apart; None where *text* is not one (a path, a URL)."""
    match = _REQUIREMENT.match(text[:2000])
    if match is None:
        return None
    name, _, specifiers, url, marker = match.groups()
    clauses = []
    for part in specifiers.strip().strip("()").split(","):
        if not part.strip():
            continue
        clause = _CLAUSE.match(part.strip())
        if clause is None:
            return None
        clauses.append((clause.group(1), clause.group(2)))
    return Wanted(name, tuple(clauses), url or "", marker or "")


def sort_key(text: str) -> Key | None:
    """Return a key that orders versions, or None for what PEP 440 does not know."""
    match = _VERSION.match(text.strip())
    if match is None:
        return None
    release = tuple(int(part) for part in match.group(1).split("."))
    while len(release) > 1 and release[-1] == 0:
        release = release[:-1]
    pre = (3, 0)
    if match.group(2):
        pre = (_PHASES[match.group(2).lower()], int(match.group(3) or 0))
    elif match.group(7) and not match.group(4):
        pre = (-1, int(match.group(8) or 0))
    post = -1
    if match.group(4) or match.group(6):
        post = int(match.group(5) or match.group(6) or 0)
    return release, pre, post


def is_prerelease(text: str) -> bool:
    """Tell whether *text* is a pre-release or a development release."""
    match = _VERSION.match(text.strip())
    return bool(match and (match.group(2) or match.group(7)))


def _padded(one: tuple[int, ...], length: int) -> tuple[int, ...]:
    return one + (0,) * (length - len(one))


def _starts_with(version: str, start: str) -> bool | None:
    match, wanted = _VERSION.match(version.strip()), re.match(r"^\d+(\.\d+)*$", start)
    if match is None or wanted is None:
        return None
    parts = [int(part) for part in start.split(".")]
    have = _padded(tuple(int(part) for part in match.group(1).split(".")), len(parts))
    return list(have[: len(parts)]) == parts


def _holds(version: str, operator: str, bound: str) -> bool | None:
    if operator == "===":
        return version.strip().lower() == bound.lower()
    if operator in ("==", "!=") and bound.endswith(".*"):
        starts = _starts_with(version, bound[:-2])
        return None if starts is None else starts == (operator == "==")
    have, limit = sort_key(version), sort_key(bound)
    if have is None or limit is None:
        return None
    if operator == "==":
        return have == limit
    if operator == "!=":
        return have != limit
    if operator == "~=":
        starts = _starts_with(version, bound.rsplit(".", 1)[0])
        return None if starts is None else starts and have >= limit
    if operator == "<=":
        return have <= limit
    if operator == ">=":
        return have >= limit
    if operator == "<":
        return have < limit and not (is_prerelease(version) and have[0] == limit[0])
    return (have > limit and have[0] != limit[0]) or (have > limit and limit[2] >= 0)


def satisfies(version: str, wanted: Wanted) -> bool | None:
    """Tell whether *version* meets every clause of *wanted*; None where that is not clear."""
    sure: bool | None = True
    for operator, bound in wanted.clauses:
        answer = _holds(version, operator, bound)
        if answer is False:
            return False
        sure = sure if answer else None
    return sure
