"""What would come: its name, the place it comes from, whether it is built here, its version."""

from __future__ import annotations

import sys
from collections.abc import Collection
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from safeinstall.errors import redact
from safeinstall.findings import Finding, Suggestion, some
from safeinstall.guards.environment_state import EnvironmentState
from safeinstall.plan import Plan, ResolvedRequest
from safeinstall.request import RequestItem, names


def name_trap(intent: ResolvedRequest, installed: Collection[str]) -> Finding | None:
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
    message = why + "".join(f" {reason}" for _, _, reason in traps[1:])
    anyway = intent.line(yes=True, dry_run=False)
    return Finding.ask(
        "name-trap",
        message,
        *_right(intent, {id(trap[0]): trap[1] for trap in traps}),
        Suggestion(anyway, f"really the package called {item.name}"),
    )


def _meant(item: RequestItem, intent: ResolvedRequest) -> tuple[str | None, str] | None:
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
        if item.name in names.known():
            return None
        return owner, f"{spelling} is the import name of {owner}; a package {name} is another one."
    other = names.slip_of(name)
    if other is not None:
        return other, f"{name} is not installed here and looks like {other}."
    return None


def _right(intent: ResolvedRequest, right: dict[int, str | None]) -> tuple[Suggestion, ...]:
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
    line = intent.line(requirements=tuple(texts), dry_run=False)
    return (Suggestion(line, "probably meant"),)


def from_file_only(intent: ResolvedRequest) -> Finding | None:
    """Ask before a URL, repository, folder or editable line of a file is installed.

    Such a line fetches and often runs code from a place that nobody typed (reliability.md 1.5).
    """
    found = [item for item in intent.request.items if not item.typed and item.kind != "named"]
    if not found or intent.request.allows("allow-direct"):
        return None
    texts = [redact(item.text, intent.request.secrets) for item in found]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    line = intent.line(allow=intent.request.allow | {"allow-direct"}, dry_run=False)
    others = zip(found[1:], texts[1:], strict=True)
    return Finding.ask(
        "from-file-only",
        f"{found[0].origin} asks for {texts[0]}{more}: a place that was not typed here.",
        Suggestion(line, "accept the places this file names"),
        context="\n".join(f"{item.origin}: {text}" for item, text in others),
    )


def extra_index(intent: ResolvedRequest) -> Finding | None:
    """Say when packages come from more than one index: the best version of all of them wins."""
    extra = intent.sources.extra_index_urls
    if not extra or intent.sources.no_index:
        return None
    # a host name holds no secret, and the rest of the address is not shown
    hosts = list(dict.fromkeys(urlsplit(redact(url)).hostname or redact(url) for url in extra))
    why = "whichever index has the higher version of a name wins"
    message = f"Packages may also come from {', '.join(hosts[:3])}: {why}."
    return Finding.remark("extra-index", message)


def builds_from_source(intent: ResolvedRequest, needed: Collection[str]) -> Finding | None:
    """Ask before packages without a wheel run their own code; `needed`: canonical names.

    An installer was asked for a plan without builds first, and named these.
    """
    asked = {canonicalize_name(name) for name in intent.request.allow_builds}
    names = sorted(canonicalize_name(name) for name in needed)
    missing = [name for name in names if name not in asked]
    if not missing:
        return None
    named = some(missing, 4)
    verb, them = ("has", "it") if len(missing) == 1 else ("have", "them")
    line = intent.line(allow_builds=frozenset(asked | set(missing)), dry_run=False)
    return Finding.ask(
        "builds-from-source",
        f"{named} {verb} no ready-made wheel for this Python: building {them} would run code of "
        "the package now.",
        Suggestion(line, f"let {named} run it"),
    )


def is_explicit(item: RequestItem) -> bool:
    """Tell whether an item was typed as a place on this machine: building it is what is asked."""
    if not item.typed:
        return False
    return item.kind == "folder" or (
        item.kind in ("editable", "archive") and "://" not in item.text.replace("file://", "")
    )


def explicit_build(intent: ResolvedRequest) -> Finding | None:
    """Note that a typed local folder, archive or editable install runs its own build code."""
    texts = [item.text for item in intent.request.items if is_explicit(item)]
    if not texts:
        return None
    named = ", ".join(text.rstrip("/").rpartition("/")[2] or text for text in texts[:4])
    message = f"{named} is built here, with the code of its own folder."
    return Finding.remark("builds-from-source", message)


def local_build_replaced(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Ask before a special build (`2.4.0+cu124`) gives way to a plain one."""
    replaced = (change for change in plan.changes.leaving if change.after is not None)
    lost = [each for each in replaced if _local(each.before) and not _local(each.after)]
    if not lost:
        return None
    intent = plan.intent
    words = ", ".join(f"{change.name} {change.before} → {change.after}" for change in lost)
    named = {canonicalize_name(change.name): change for change in lost}
    others = [item.text for item in intent.request.items if item.name not in named]
    keep = [f"{change.name}=={change.before}" for change in lost]
    ways = [Suggestion(intent.line(yes=True, dry_run=False), "take the plain build")]
    if others and all(item.typed for item in intent.request.items):
        line = intent.line(requirements=(*others, *keep), dry_run=False)
        ways.insert(0, Suggestion(line, "keeps the build"))
    labels = ", ".join(dict.fromkeys(f"+{_local(change.before)}" for change in lost))
    return Finding.ask(
        "local-build-replaced",
        f"{words}: the installed build was made for this machine ({labels}), the new one is the "
        "plain one.",
        *ways,
    )


def _local(version: str | None) -> str:
    try:
        return Version(version or "").local or ""
    except InvalidVersion:
        return ""


def prerelease(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Say when a pre-release comes that nobody asked for by `--pre` or by its version."""
    if plan.intent.sources.pre:
        return None
    asked = {
        item.name
        for item in plan.intent.request.items
        if item.kind != "named"
        or (item.requirement and any(_is_pre(s.version) for s in item.requirement.specifier))
    }
    found = [
        change
        for change in plan.changes.arriving
        if _is_pre(change.after)
        and canonicalize_name(change.name) not in asked
        and change.after != change.before
    ]
    if not found:
        return None
    words = ", ".join(f"{change.name} {change.after}" for change in found)
    verb = "is a pre-release" if len(found) == 1 else "are pre-releases"
    return Finding.warn("prerelease", f"{words} {verb}; no other fits.")


def _is_pre(version: str | None) -> bool:
    try:
        return Version(version or "0").is_prerelease
    except InvalidVersion:
        return False


def yanked(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Pass on that a version was taken back by its makers, with their reason."""
    found = [resolved for resolved in plan.resolved.arriving if resolved.yanked is not None]
    if not found:
        return None
    words = "; ".join(
        f"{each.name} {each.version} was yanked by its makers"
        + (f": {each.yanked}" if each.yanked else "")
        for each in found
    )
    return Finding.warn("yanked", f"{words}.")
