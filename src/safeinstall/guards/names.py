"""Names that are probably not what was meant: import names, modules of Python, slips of the pen."""

from __future__ import annotations

import sys
from collections.abc import Collection

from packaging.utils import canonicalize_name

from safeinstall import names
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.plan import Intent
from safeinstall.request import RequestItem

__all__ = ["name_trap"]


def name_trap(intent: Intent, installed: Collection[str]) -> Finding | None:
    """Ask before a name that somebody may be waiting behind; `installed`: canonical names.

    A name that is already installed here is no news, and one that the table knows as a
    distribution is meant.
    """
    traps = []
    for item in intent.request.items:
        if item.kind != "named" or not item.name or item.name in installed:
            continue
        meant = _meant(item, intent)
        if meant is not None:
            traps.append((item, *meant))
    if not traps:
        return None
    item, _, why = traps[0]
    others = "".join(f" {reason}" for _, _, reason in traps[1:])
    return Finding(
        code="name-trap",
        severity=Severity.CONFIRM,
        message=why + others,
        hint=(*_right(intent, {id(t[0]): t[1] for t in traps}), _anyway(intent, item)),
    )


def _meant(item: RequestItem, intent: Intent) -> tuple[str | None, str] | None:
    """Return the distribution that was probably meant (None: nothing to install) and the words."""
    name = item.requirement.name if item.requirement else str(item.name)
    module = name.replace("-", "_")
    stdlib = {known.lower(): known for known in sys.stdlib_module_names}
    if module.lower() in stdlib and not intent.request.allows("allow-stdlib-name"):
        known = stdlib[module.lower()]
        return None, f"{known} is part of Python itself; a package {name} would be another thing."
    for spelling in dict.fromkeys((name, module, module.lower())):
        owner = names.table().get(spelling)
        if owner is None or canonicalize_name(owner) == item.name:
            continue
        if item.name in _distributions():
            return None
        return owner, f"{spelling} is the import name of {owner}; a package {name} is another one."
    other = names.slip_of(name)
    if other is not None:
        return other, f"{name} is not installed here and looks like {other}."
    return None


def _distributions() -> frozenset[str]:
    return frozenset(canonicalize_name(owner) for owner in names.table().values())


def _right(intent: Intent, right: dict[int, str | None]) -> tuple[Suggestion, ...]:
    texts = []
    for item in intent.request.items:
        if id(item) not in right:
            texts.append(item.text)
            continue
        name = right[id(item)]
        if name is not None:
            extras = item.requirement and sorted(item.requirement.extras)
            specifier = str(item.requirement.specifier) if item.requirement else ""
            texts.append(f"{name}{f'[{chr(44).join(extras)}]' if extras else ''}{specifier}")
    if not texts or any(not item.typed for item in intent.request.items):
        return ()
    return (
        Suggestion(
            command=intent.line(requirements=tuple(texts), dry_run=False), note="probably meant"
        ),
    )


def _anyway(intent: Intent, item: RequestItem) -> Suggestion:
    return Suggestion(
        command=intent.line(yes=True, dry_run=False), note=f"really the package called {item.name}"
    )
