"""Names: which distribution an import name belongs to, and which name was probably meant.

`names.txt` is our own, written for this project from common knowledge and under its licence
(BSD-3-Clause); a spelling aid, no judgement about any package. In `[modules]` one pair per word,
`module:distribution`, or one name for both; the distribution is the one most people mean. A slip of
the pen is a name that is one or two letters away from a very popular one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

from packaging.utils import canonicalize_name


@cache
def words(section: str) -> tuple[str, ...]:
    """Return the words of a section of `names.txt`: `modules`, `popular`, `debian` and so on."""
    text = Path(__file__).with_name("names.txt").read_text("utf-8")
    return tuple(text.partition(f"[{section}]")[2].partition("[")[0].split())


@cache
def table() -> Mapping[str, str]:
    """Return the whole table, import name -> distribution name."""
    return dict(map(_pair, words("modules")))


def _pair(word: str) -> tuple[str, str]:
    """Return module and distribution of one word of the table; a module has no `-` in its name."""
    module, colon, distribution = word.partition(":")
    return (module, distribution) if colon else (word.replace("-", "_"), word)


@cache
def debian() -> Mapping[str, str]:
    """Return Debian's package of each canonical name that was found in the lists of Debian 12."""
    pairs = (word.partition(":") for word in words("debian"))
    return {name: f"python3-{own or name}" for name, _, own in pairs}


@cache
def known() -> frozenset[str]:
    """Return the canonical names of the distributions in the table."""
    return frozenset(canonicalize_name(name) for name in table().values())


def distribution_of(module: str) -> str | None:
    """Return the distribution an import of `module` probably wants, or None when nobody knows.

    The longest known beginning of a dotted name decides.
    """
    parts = module.split(".")
    for length in range(len(parts), 0, -1):
        found = table().get(".".join(parts[:length]))
        if found:
            return found
    return None


def modules_of(distribution: str) -> tuple[str, ...]:
    """Return the import names the table knows for a distribution."""
    key = canonicalize_name(distribution)
    return tuple(name for name, owner in table().items() if canonicalize_name(owner) == key)


@cache
def popular() -> frozenset[str]:
    """Return the canonical names that very many people install."""
    return frozenset(words("popular"))


@cache
def neighbours() -> frozenset[str]:
    """Return the canonical names of distributions that lie next to a popular one by chance."""
    return frozenset(words("neighbours"))


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
    if key in popular() | known() | neighbours():
        return None
    best: tuple[int, str] | None = None
    for other in popular():
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
