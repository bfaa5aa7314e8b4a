"""Whose is it? What conda, apt or another environment installed is theirs to change."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from safeinstall.environment import shown
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.guards.surroundings import Owner, Surroundings
from safeinstall.guards.ways import new_environment
from safeinstall.plan import Plan

__all__ = ["foreign_owner", "unlisted"]


def foreign_owner(plan: Plan, around: Surroundings) -> Finding | None:
    """Refuse to replace or remove what another program installed; offer that program's command."""
    hit = [
        (change, around.owners[key])
        for change in plan.changes.leaving
        if (key := canonicalize_name(change.name)) in around.owners
    ]
    if not hit:
        return None
    intent = plan.intent
    change, owner = hit[0]
    home = intent.environment.home
    who = {
        "conda": "was installed by conda",
        "apt": "belongs to Debian's apt",
        "outside": f"lies outside {intent.environment.label}",
    }.get(owner.who, f"was installed by {owner.who}")
    deed = f"replaced by {change.after}" if change.after else "removed"
    others = [each.name for each, _ in hit[1:]]
    also = f" The same holds for {', '.join(others)}." if others else ""
    return Finding(
        code="foreign-owner",
        severity=Severity.REFUSE,
        message=f"{change.name} {change.before} {who} and would be {deed}.{also}",
        context=f"Known from {shown(owner.where, home)}." if owner.where else "",
        hint=_command(plan, owner, [owner.package or change.name, *others]),
    )


def unlisted(plan: Plan, around: Surroundings) -> Finding | None:
    """Refuse to replace or remove an egg: it has no list of its files (PEP 376)."""
    installed = plan.installed.by_key()
    for change in plan.changes.leaving:
        found = installed.get(canonicalize_name(change.name))
        if found is None or found.key in around.owners or found.metadata.endswith(".dist-info"):
            continue
        home = plan.intent.environment.home
        return Finding(
            code="no-record",
            severity=Severity.REFUSE,
            message=f"{change.name} {change.before} was installed without a list of its files, as "
            "`setup.py install` did: nobody knows what to take away.",
            context=f"Known from {shown(found.metadata, home)}.",
            hint=(new_environment(plan.intent),),
        )
    return None


def _command(plan: Plan, owner: Owner, names: list[str]) -> tuple[Suggestion, ...]:
    intent = plan.intent
    bang = intent.frontend.in_notebook
    if owner.who == "conda":
        known = [canonicalize_name(change.name) for change in plan.changes.leaving]
        if canonicalize_name(names[0]) in known:
            line = intent.line(installer="conda", dry_run=False)
        else:  # conda has another name for it
            magic = "%conda install" if bang else "conda install"
            asked = {item.name: item.requirement for item in intent.request.items}
            wanted = asked.get(known[0]) if len(known) == 1 else None
            version = str(wanted.specifier) if wanted is not None else ""
            specs = f'"{names[0]}{version}"' if version else " ".join(names)
            line = f'{magic} --yes --prefix "{intent.environment.prefix}" {specs}'
        return (Suggestion(command=line, note="lets conda change what is conda's"),)
    if owner.who == "apt":
        packages = " ".join(f"python3-{canonicalize_name(name)}" for name in names)
        return (Suggestion(command=f"sudo apt install {packages}", note="Debian's version"),)
    return (new_environment(intent),)
