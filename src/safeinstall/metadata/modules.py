"""Which modules a distribution brings to import, told from the files it lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_CODE = (".py", ".so", ".pyd")
_SHARED = frozenset(
    {"test", "tests", "testing", "doc", "docs", "example", "examples", "benchmark", "benchmarks"}
    | {"scripts", "samples", "tools", "conftest", "setup"}
)
"""Names at the top level that no distribution owns alone."""


def top_level(paths: Iterable[str], *, with_code: bool = True) -> tuple[str, ...]:
    """Return the import names that `paths` (below a folder of packages) give, in their order.

    `with_code` false: a folder counts whatever is in it (a namespace package, say).
    """
    found: dict[str, None] = {}
    for path in paths:
        first, slash, rest = path.partition("/")
        if not slash:
            if not first.endswith(_CODE):
                continue
            first = first.partition(".")[0]
        elif with_code and not rest.endswith(_CODE):
            continue
        if first.isidentifier() and first != "__pycache__":
            found[first] = None
    return tuple(found)


def meant(modules: Sequence[str]) -> tuple[str, ...]:
    """Return those whose import proves something: not `tests`, which many share, unless alone."""
    return tuple(name for name in modules if name.lower() not in _SHARED) or tuple(modules)


def public(modules: Sequence[str]) -> tuple[str, ...]:
    """Return those for people; where there are none, those that are not Python's own business."""
    return tuple(name for name in modules if name[:1] != "_") or tuple(
        name for name in modules if name[:2] != "__"
    )
