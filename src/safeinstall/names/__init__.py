"""Names: which distribution an import name belongs to, and which name was probably meant.

The table and the list are our own, written for this project and under its licence (BSD-3-Clause).
A slip of the pen is a name that is one or two letters away from a very popular one.
"""

from __future__ import annotations

from packaging.utils import canonicalize_name

from safeinstall.names.table import distribution_of, known, modules_of, neighbours, popular, table

__all__ = ["distance", "distribution_of", "modules_of", "popular", "slip_of", "table"]

_ONE_LETTER = 5
"""From this length on, one wrong letter is a slip; shorter names are too close to each other."""
_TWO_LETTERS = 9
"""From this length on, two are."""


def slip_of(name: str) -> str | None:
    """Return the very popular name that `name` probably meant, or None.

    A name that is itself popular, a known neighbour of one, or in the table as a distribution is
    never a slip. Of two names of one family (`pytest-cov`, `pytest-env`) only what differs counts.
    """
    key = canonicalize_name(name)
    names = popular()
    if key in names or key in known() or key in neighbours():
        return None
    best: tuple[int, str] | None = None
    for other in names:
        if abs(len(other) - len(key)) > 2 or _is_variant(key, other):
            continue
        one, wanted = _without_family(key, other)
        longest = max(len(one), len(wanted))
        if longest < _ONE_LETTER:
            continue
        allowed = 2 if longest >= _TWO_LETTERS else 1
        steps = distance(one, wanted, allowed)
        if steps <= allowed and (best is None or (steps, other) < best):
            best = steps, other
    return best[1] if best else None


def _without_family(one: str, other: str) -> tuple[str, str]:
    """Return both names without the leading words they share."""
    left, right = one.split("-"), other.split("-")
    while len(left) > 1 and len(right) > 1 and left[0] == right[0]:
        left, right = left[1:], right[1:]
    return "-".join(left), "-".join(right)


def _is_variant(key: str, other: str) -> bool:
    """Tell a family name from a slip: `types-x`, `pandas2`, `py-x` are made on purpose."""
    if key.rstrip("0123456789") == other.rstrip("0123456789"):
        return True
    return any(key in (f"{start}{other}", other.removeprefix(start)) for start in ("py", "py-"))


def distance(one: str, other: str, limit: int) -> int:
    """Return how many letters were left out, added, changed or swapped; above `limit` any number.

    The optimal string alignment distance: a swap of neighbours counts once.
    """
    if one == other:
        return 0
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, start=1):
        two_before, before, row = before, row, [i]
        for j, wanted in enumerate(other, start=1):
            cost = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, two_before[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
