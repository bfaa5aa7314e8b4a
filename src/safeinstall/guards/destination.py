"""Where the install would go, what it would replace there, and whether an import would find it."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePath
from typing import Any

from packaging.utils import canonicalize_name

from safeinstall.environment import shown
from safeinstall.findings import Finding, Suggestion
from safeinstall.guards.environment_state import EnvironmentState, Owner
from safeinstall.metadata.distribution import DistInfo
from safeinstall.plan import Plan, ResolvedRequest


def browser(intent: ResolvedRequest) -> Finding | None:
    """Refuse where no process can be started (Pyodide): its own `%pip` is the way."""
    if intent.environment.kind != "pyodide":
        return None
    names = " ".join(item.name or item.text for item in intent.request.items)
    message = "This kernel runs in the browser, where installers cannot be started."
    own = Suggestion(f"%pip install {names}", "the browser's own way")
    return Finding.refuse("no-processes", message, own)


def externally_managed(intent: ResolvedRequest) -> Finding | None:
    """Refuse an environment whose owner forbids installs (PEP 668)."""
    environment = intent.environment
    marker = environment.externally_managed
    if marker is None:
        return None
    debian = environment.kind == "debian-system"
    owner = "its packages belong to apt" if debian else "its packages have another owner"
    own = "Debian's own Python" if debian else environment.kind_words
    message = f"This kernel runs {own} ({environment.executable}); {owner}."
    ways = (new_environment(intent), *_apt(intent, debian))
    return Finding.refuse("externally-managed", message, *ways, context=marker.message)


def not_writable(intent: ResolvedRequest) -> Finding | None:
    """Refuse an environment you may not write; never fall back to the user site."""
    access = intent.environment.locked
    if access is None:
        return None
    why = access.detail.strip()
    why += "." if why and not why.endswith(".") else ""
    message = f"You may not write into {intent.environment.label}, this kernel's environment."
    ways = new_environment(intent, overlay=True), new_environment(intent)
    return Finding.refuse("not-writable", message, *ways, context=why)


def not_importable(intent: ResolvedRequest) -> Finding | None:
    """Refuse a destination that is not on this interpreter's import path."""
    environment = intent.environment
    if environment.importable_destination():
        return None
    return Finding.refuse(
        "not-importable",
        f"This kernel does not import from {environment.paths.purelib}, where its packages are "
        "installed.",
        new_environment(intent),
        context="Its import path does not hold that folder (-S or PYTHONHOME?).",
    )


def virtualenv_required(intent: ResolvedRequest) -> Finding | None:
    """Obey pip's `require-virtualenv`: it says what this person wants, not where to install."""
    source = intent.sources.require_virtualenv
    if source is None or intent.environment.is_virtual:
        return None
    message = f"{source} asks for a virtual environment, and {intent.environment.label} is none."
    return Finding.refuse("virtualenv-required", message, new_environment(intent))


def other_destination(intent: ResolvedRequest) -> Finding | None:
    """Refuse `--user` where this interpreter would not import what goes there.

    pip < 25.3 installs there all the same (facts P33, V34). The destination is the user site
    already when the interpreter looks at it.
    """
    if not intent.request.user or _is_user_site(intent):
        return None
    environment = intent.environment
    why = (
        f"{environment.label} is a virtual environment, which does not look at it"
        if environment.is_virtual
        else "it is switched off for this kernel (PYTHONNOUSERSITE, -s or -I)"
    )
    place = shown(environment.user_site.path or "the user site", environment.home)
    message = f"--user would install where this kernel does not look: into {place}."
    way = Suggestion(intent.line(user=False), "into the environment")
    return Finding.refuse("other-destination", message, way, context=f"About the user site: {why}.")


def user_site_leaks(intent: ResolvedRequest) -> Finding | None:
    """Say what the user site is, when it was asked for and is the destination."""
    if not intent.request.user or not _is_user_site(intent):
        return None
    return Finding.warn(
        "user-site-leaks",
        f"Every Python {intent.environment.python} of yours that looks at the user site now sees "
        "this, other projects' too, and imports it in front of its own packages.",
    )


def system_changed(intent: ResolvedRequest) -> Finding | None:
    """Say what `--break-system-packages` does, when it was typed."""
    if not intent.request.break_system_packages or intent.request.user:
        return None
    return Finding.warn(
        "system-changed",
        f"Programs of the operating system that use {intent.environment.executable} see "
        f"what is now in {intent.environment.paths.purelib}.",
    )


def _is_user_site(intent: ResolvedRequest) -> bool:
    environment = intent.environment
    return bool(environment.user_site.enabled) and (
        environment.paths.purelib == environment.user_site.path
    )


def ambient_redirect(intent: ResolvedRequest) -> Finding | None:
    """Name the settings that would have moved a plain install, and that are not obeyed."""
    environment = intent.environment
    moved = [item for item in intent.redirections if not environment.is_named_by(item.value)]
    if not moved:
        return None
    named = ", ".join(f"{item.name}={shown(item.value, environment.home)}" for item in moved)
    message = f"Not obeyed, because it would install elsewhere: {named}."
    return Finding.remark("ambient-redirect", message)


def _apt(intent: ResolvedRequest, debian: bool) -> tuple[Suggestion, ...]:
    names = [item.name for item in intent.request.items if item.name]
    if not debian or not names:
        return ()
    packages = " ".join(f"python3-{name}" for name in names)
    return (Suggestion(f"sudo apt install {packages}", "Debian's version, machine-wide"),)


def ephemeral_prefix(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Say when the environment lies in a container's layer while the home folder is kept."""
    environment = plan.intent.environment
    home = environment.home.rstrip("/")
    if not (environment.ephemeral and around.home_is_kept):
        return None
    if home and environment.prefix.startswith(home + "/"):
        return None
    return Finding.remark(
        "ephemeral-prefix",
        f"{environment.label} is part of this container and is forgotten when it ends; "
        "your home folder is kept. Keep this line in the notebook, to be run again.",
    )


def shadowed(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Warn when an earlier entry of the import path holds another copy of what is installed."""
    if not around.shadows:
        return None
    module, place = next(iter(around.shadows.items()))
    first = f"import {module} finds {shown(place, plan.intent.environment.home)} first"
    more = f" (and {len(around.shadows) - 1} more)" if len(around.shadows) > 1 else ""
    path = PurePath(place)
    aside = f'!mv "{path}" "{path.with_name(f"my_{path.name}")}"'
    way = Suggestion(aside, "another name for your own file")
    return Finding.warn("shadowed", f"{first}{more}, whatever is installed.", way)


def foreign_owner(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Refuse to replace or remove what another program installed; offer that program's command."""
    hit = [
        (change, around.owners[key])
        for change in plan.changes.leaving
        if (key := canonicalize_name(change.name)) in around.owners
    ]
    if not hit:
        return None
    change, owner = hit[0]
    who = {
        "conda": "was installed by conda",
        "apt": "belongs to Debian's apt",
        "outside": f"lies outside {plan.intent.environment.label}",
    }.get(owner.who, f"was installed by {owner.who}")
    deed = f"replaced by {change.after}" if change.after else "removed"
    others = [each.name for each, _ in hit[1:]]
    also = f" The same holds for {', '.join(others)}." if others else ""
    place = shown(owner.where, plan.intent.environment.home)
    return Finding.refuse(
        "foreign-owner",
        f"{change.name} {change.before} {who} and would be {deed}.{also}",
        _command(plan, owner, [owner.package or change.name, *others]),
        context=f"Known from {place}." if owner.where else "",
    )


def unlisted(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Refuse to replace or remove an egg: it has no list of its files (PEP 376)."""
    installed = plan.installed.by_key()
    for change in plan.changes.leaving:
        found = installed.get(canonicalize_name(change.name))
        if found is None or found.key in around.owners or not DistInfo(found.metadata).is_egg:
            continue
        return Finding.refuse(
            "no-record",
            f"{change.name} {change.before} was installed without a list of its files, as "
            "`setup.py install` did: nobody knows what to take away.",
            new_environment(plan.intent),
            context=f"Known from {shown(found.metadata, plan.intent.environment.home)}.",
        )
    return None


def _command(plan: Plan, owner: Owner, names: list[str]) -> Suggestion:
    intent = plan.intent
    if owner.who == "conda":
        known = [canonicalize_name(change.name) for change in plan.changes.leaving]
        if canonicalize_name(names[0]) in known:
            line = intent.line(installer="conda", dry_run=False)
        else:  # conda has another name for it
            magic = "%conda install" if intent.frontend.in_notebook else "conda install"
            asked = {item.name: item.requirement for item in intent.request.items}
            wanted = asked.get(known[0]) if len(known) == 1 else None
            version = str(wanted.specifier) if wanted is not None else ""
            specs = f'"{names[0]}{version}"' if version else " ".join(names)
            line = f'{magic} --yes --prefix "{intent.environment.prefix}" {specs}'
        return Suggestion(line, "lets conda change what is conda's")
    if owner.who == "apt":
        packages = " ".join(f"python3-{canonicalize_name(name)}" for name in names)
        return Suggestion(f"sudo apt install {packages}", "Debian's version")
    return new_environment(intent)


def new_environment(intent: ResolvedRequest, *, overlay: bool = False) -> Suggestion:
    """Return the line that installs the request into a new environment with its own kernel.

    The place is `.venv` beside the notebook or, where that is taken, the next free name; where the
    folder cannot be written, a name, which stands for a place the user has elsewhere.
    """
    request = intent.request
    place = _place(request.cwd or os.curdir)
    without = ("user", "break_system_packages", "dry_run", "yes", "json")
    changes: dict[str, Any] = dict.fromkeys(without, False)
    changes |= {"new_env": place, "overlay": overlay}
    if intent.frontend.in_notebook:
        # An overlay is put over the interpreter that was named, a plain one is made from it.
        changes["python"] = ""
    command = request.line(intent.frontend, **changes)
    if overlay:
        return Suggestion(command, "a kernel of its own that also sees what is installed here")
    packages = " ".join(item.name or "it" for item in request.items[:3]) or "it"
    where = f"the environment {place}"
    if Path(place).is_absolute():
        where = f"{os.path.basename(place)} {intent.frontend.this_folder}"
    return Suggestion(command, f"makes {where}, with {packages}, as a kernel of its own")


def _place(cwd: str) -> str:
    """Return the absolute path of a free `.venv` in the folder, or a name."""
    folder = Path(cwd).absolute()
    if folder.is_dir() and not os.access(folder, os.W_OK | os.X_OK):
        return re.sub(r"[^A-Za-z0-9]+", "-", folder.name).strip("-") or "notebooks"
    names = (".venv", *(f".venv-{count}" for count in range(2, 1000)))
    return str(next(folder / name for name in names if not os.path.lexists(folder / name)))
