"""Source distributions: the package's own code runs when it is installed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from packaging.utils import canonicalize_name

from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.plan import Intent
from safeinstall.request import RequestItem

__all__ = ["builds_from_source", "explicit_build", "is_explicit"]

_NAMED = 4


def builds_from_source(intent: Intent, needed: Collection[str]) -> Finding | None:
    """Ask before packages without a wheel run their own code; `needed`: canonical names.

    An installer was asked for a plan without builds first, and named these.
    """
    asked = {canonicalize_name(name) for name in intent.request.allow_builds}
    names = sorted(canonicalize_name(name) for name in needed)
    missing = [name for name in names if name not in asked]
    if not missing:
        return None
    named = ", ".join(missing[:_NAMED])
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    verb, them = ("has", "it") if len(missing) == 1 else ("have", "them")
    line = intent.line(allow_builds=frozenset(asked | set(missing)), dry_run=False)
    return Finding(
        code="builds-from-source",
        severity=Severity.CONFIRM,
        message=f"{named}{more} {verb} no ready-made wheel for this Python: building {them} "
        "would run code of the package now.",
        hint=(Suggestion(command=line, note=f"let {named}{more} run it"),),
    )


def is_explicit(item: RequestItem) -> bool:
    """Tell whether an item was typed as a place on this machine: building it is what is asked."""
    if not item.typed:
        return False
    return item.kind == "folder" or (
        item.kind in ("editable", "archive") and "://" not in item.text.replace("file://", "")
    )


def explicit_build(intent: Intent) -> Finding | None:
    """Note that a typed local folder, archive or editable install runs its own build code."""
    texts: Sequence[str] = [item.text for item in intent.request.items if is_explicit(item)]
    if not texts:
        return None
    named = ", ".join(text.rstrip("/").rpartition("/")[2] or text for text in texts[:_NAMED])
    return Finding(
        code="builds-from-source",
        severity=Severity.INFO,
        message=f"{named} is built here, with the code of its own folder.",
    )
