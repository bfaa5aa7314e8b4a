"""What is known of a request in its environment: where it would go, and what it would bring."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Collection, Sequence
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name

from safeinstall.environment import Environment, shown
from safeinstall.findings import Finding, Suggestion, some
from safeinstall.frontend import TERMINAL, redact
from safeinstall.guards.environment_state import EnvironmentState, Owner
from safeinstall.installers.sources import ResolvedRequest
from safeinstall.metadata.distribution import DistInfo
from safeinstall.plan import Plan
from safeinstall.request import InstallRequest, RequestItem, names
from safeinstall.request.cutoff import NO_CUTOFF
from safeinstall.requirements import applies, version_of

_FRAGMENT = re.compile(r"#(?:.*&)?(?:sha256|sha384|sha512)=")
"""A hash behind the URL of a file, which pip takes for one (`Link.hash`)."""


def browser(intent: ResolvedRequest) -> Finding | None:
    """Refuse where no process can be started (Pyodide): its own `%pip` is the way."""
    if intent.environment.kind != "pyodide":
        return None
    names = " ".join(item.name or item.text for item in intent.request.items)
    message = "This kernel runs in the browser, where installers cannot be started."
    own = Suggestion(f"%pip install {names}", "the browser's own way")
    return Finding.refuse("no-processes", message, own)


def unreadable_settings(intent: ResolvedRequest) -> Finding | None:
    """Refuse to guess what a broken file of pip's settings says: a private index, perhaps.

    pip does nothing either (`ConfigurationFileCouldNotBeLoadedError`).
    """
    if intent.sources.unreadable is None:
        return None
    path, line = intent.sources.unreadable
    message = f"Line {line} of {path} cannot be read, and pip's settings are in there."
    context = "A line of it is a [section], or name = value, each only once."
    return Finding.refuse("settings-unreadable", message, context=context)


def unreadable_cutoff(intent: ResolvedRequest) -> Finding | None:
    """Refuse a cut-off that says no moment: what it should hold back would come."""
    cutoff = intent.sources.cutoff
    if cutoff is None or cutoff.moment is not None:
        return None
    message = f"{cutoff.source} says {cutoff.text}, which is neither a date nor a duration."
    hint = Suggestion(intent.line(uploaded_prior_to=NO_CUTOFF), "takes whatever there is")
    return Finding.refuse("cut-off-unreadable", message, hint)


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
    ways = [new_environment(intent)]
    asked = [names.debian().get(item.name or "", "") for item in intent.request.items]
    if debian and asked and all(asked):  # a name that apt does not know is not offered
        ways += [Suggestion(_apt_line(asked), "Debian's version, machine-wide")]
    return Finding.refuse("externally-managed", message, *ways, context=marker.message)


def not_writable(intent: ResolvedRequest) -> Finding | None:
    """Refuse an environment you may not write; never fall back to the user site."""
    access = intent.environment.locked
    if access is None:
        return None
    why = access.detail.strip()
    why += "." if why and not why.endswith(".") else ""
    message = f"You may not write into {intent.environment.label}, this kernel's environment."
    ways = [new_environment(intent, overlay=True), new_environment(intent)]
    # what is for oneself, or for a look, is not what an owner types
    asked = intent.request.line(TERMINAL, user=False, dry_run=False)
    if line := owners_line(asked, intent.environment):
        ways += [Suggestion(line)]  # what it is, it says itself; a refusal is ten lines at most
    return Finding.refuse("not-writable", message, *ways, context=why)


def owners_line(line: str, environment: Environment) -> str:
    """Return a terminal's `line` as the owner of what is locked types it, empty if you are."""
    access = environment.locked
    if access is None or access.reason != "not-owner" or not access.owner:
        return ""
    become = "sudo" if access.owner == "root" else f"sudo -u {access.owner}"
    return f"{become} {shlex.quote(environment.executable)} -m {line}"


def not_importable(intent: ResolvedRequest) -> Finding | None:
    """Refuse a destination that is not on this interpreter's import path."""
    environment = intent.environment
    if environment.importable_destination():
        return None
    place, why = environment.paths.purelib, "Its import path does not hold that folder"
    message = f"This kernel does not import from {place}, where its packages are installed."
    way, why = new_environment(intent), f"{why} (-S or PYTHONHOME?)."
    return Finding.refuse("not-importable", message, way, context=why)


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
    every = f"Every Python {intent.environment.python} of yours that looks at the user site"
    leaks = "now sees this, other projects' too, and imports it in front of its own packages."
    return Finding.warn("user-site-leaks", f"{every} {leaks}")


def system_changed(intent: ResolvedRequest) -> Finding | None:
    """Say what `--break-system-packages` does, when it was typed."""
    if not intent.request.break_system_packages or intent.request.user:
        return None
    python, place = intent.environment.executable, intent.environment.paths.purelib
    message = f"Programs of the operating system that use {python} see what is now in {place}."
    return Finding.warn("system-changed", message)


def _is_user_site(intent: ResolvedRequest) -> bool:
    environment = intent.environment
    place = environment.user_site.path
    return bool(environment.user_site.enabled) and environment.paths.purelib == place


def ambient_redirect(intent: ResolvedRequest) -> Finding | None:
    """Name the settings that would have moved a plain install, and that are not obeyed."""
    environment = intent.environment
    moved = [item for item in intent.redirections if not environment.is_named_by(item.value)]
    if not moved:
        return None
    named = ", ".join(f"{item.name}={shown(item.value, environment.home)}" for item in moved)
    message = f"Not obeyed, because it would install elsewhere: {named}."
    return Finding.remark("ambient-redirect", message)


def _apt_line(packages: Collection[str]) -> str:
    return f"sudo apt install {' '.join(packages)}"


def ephemeral_prefix(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Say when the environment lies in a container's layer while the home folder is kept."""
    environment = plan.intent.environment
    home = environment.home.rstrip("/")
    at_home = bool(home) and environment.prefix.startswith(home + "/")
    if not (environment.ephemeral and around.home_is_kept) or at_home:
        return None
    goes = f"{environment.label} is part of this container and is forgotten when it ends"
    stays = "your home folder is kept. Keep this line in the notebook, to be run again."
    return Finding.remark("ephemeral-prefix", f"{goes}; {stays}")


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
    keyed = ((change, canonicalize_name(change.name)) for change in plan.changes.leaving)
    hit = [(change, around.owners[key]) for change, key in keyed if key in around.owners]
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
    message = f"{change.name} {change.before} {who} and would be {deed}.{also}"
    way = _command(plan, [(each.name, own) for each, own in hit])
    known = f"Known from {shown(owner.where, plan.intent.environment.home)}." if owner.where else ""
    return Finding.refuse("foreign-owner", message, way, context=known)


def unlisted(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Refuse to replace or remove an egg: it has no list of its files (PEP 376)."""
    installed = plan.installed.by_key()
    for change in plan.changes.leaving:
        found = installed.get(canonicalize_name(change.name))
        if found is None or found.key in around.owners or not DistInfo(found.metadata).is_egg:
            continue
        came = f"{change.name} {change.before} was installed without a list of its files"
        message = f"{came}, as `setup.py install` did: nobody knows what to take away."
        known = f"Known from {shown(found.metadata, plan.intent.environment.home)}."
        return Finding.refuse("no-record", message, new_environment(plan.intent), context=known)
    return None


def _command(plan: Plan, owned: Sequence[tuple[str, Owner]]) -> Suggestion:
    """Return the owner's own command for distributions and who owns them, the first foremost."""
    intent, owner = plan.intent, owned[0][1]
    if owner.who == "conda":
        wanted = [owner.package or owned[0][0], *(name for name, _ in owned[1:])]
        known = [canonicalize_name(change.name) for change in plan.changes.leaving]
        if canonicalize_name(wanted[0]) in known:
            line = intent.line(installer="conda", dry_run=False)
        else:  # conda has another name for it
            magic = "%conda install" if intent.frontend.in_notebook else "conda install"
            asked = {item.name: item.requirement for item in intent.request.items}
            typed = asked.get(known[0]) if len(known) == 1 else None
            version = str(typed.specifier) if typed is not None else ""
            specs = f'"{wanted[0]}{version}"' if version else " ".join(wanted)
            line = f'{magic} --yes --prefix "{intent.environment.prefix}" {specs}'
        return Suggestion(line, "lets conda change what is conda's")
    packages = [own.package or names.debian().get(canonicalize_name(n), "") for n, own in owned]
    if owner.who == "apt" and all(packages):
        return Suggestion(_apt_line(packages), "Debian's version")
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
    asked = [item.name or "it" for item in request.items] or ["it"]
    packages = " and ".join(asked) if len(asked) < 3 else some(asked)
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


def name_trap(intent: ResolvedRequest, installed: Collection[str]) -> Finding | None:
    """Ask before a name that somebody may be waiting behind; `installed`: canonical names.

    A name that is already installed here is no news, and one that the table knows as a
    distribution is meant.
    """
    named = (item for item in intent.request.items if item.kind == "named" and item.name)
    strange = [item for item in named if item.name not in installed]
    traps = [(item, *meant) for item in strange if (meant := _meant(item, intent)) is not None]
    if not traps:
        return None
    item, _, why = traps[0]
    message = why + "".join(f" {reason}" for _, _, reason in traps[1:])
    right = _right(intent, {id(trap[0]): trap[1] for trap in traps})
    line = intent.line(yes=True, dry_run=False)
    anyway = Suggestion(line, f"really the package called {item.name}")
    return Finding.ask("name-trap", message, *right, anyway)


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
    owner = names.distribution_of(name) if "." in name else None
    if owner and canonicalize_name(owner) != item.name and item.name not in names.known():
        return owner, f"{name} is a module of {owner}, not a package."
    if (other := names.slip_of(name)) is not None:
        return other, f"{name} is not installed here and looks like {other}."
    return None


def _right(intent: ResolvedRequest, right: dict[int, str | None]) -> tuple[Suggestion, ...]:
    texts = []
    for item in intent.request.items:
        if id(item) not in right:
            texts.append(item.text)
            continue
        if (name := right[id(item)]) is not None:
            extras = item.requirement and sorted(item.requirement.extras)
            specifier = str(item.requirement.specifier) if item.requirement else ""
            texts.append(f"{name}{f'[{chr(44).join(extras)}]' if extras else ''}{specifier}")
    if not texts or any(not item.typed for item in intent.request.items):
        return ()
    return (Suggestion(intent.line(requirements=tuple(texts), dry_run=False), "probably meant"),)


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
    message = f"{found[0].origin} asks for {texts[0]}{more}: a place that was not typed here."
    way = Suggestion(line, "accept the places this file names")
    also = "\n".join(f"{item.origin}: {text}" for item, text in others)
    return Finding.ask("from-file-only", message, way, context=also)


_PLACES = ("index_url", "extra_index_urls", "find_links", "no_index", "trusted_hosts", "installer")
_CONSENTS = ("yes", "allow", "allow_builds")


def not_typed(intent: ResolvedRequest) -> Finding | None:
    """Ask what a line that nobody typed would decide: where packages come from, what is agreed to.

    It stands in a cell that was not run, or in the metadata of a package, and whoever wrote that is
    not who clicks. Operations know no such line; a button of the panel may hold one.
    """
    asked = intent.request
    fields = {name: getattr(asked, name) for name in (*_PLACES, "cwd", "secrets")}
    direct = tuple(item for item in asked.items if item.typed and item.kind != "named")
    files = asked.requirement_files if asked.locked else ()  # a lock names its files by address
    places = InstallRequest(**fields, items=direct, requirement_files=files).display()
    agreed = InstallRequest(**{name: getattr(asked, name) for name in _CONSENTS}).display()
    says = {"says where packages come from": places, "agrees to what would be asked": agreed}
    if not (told := [f"it {does}: {words}" for does, words in says.items() if words]):
        return None
    message = f"This line was not typed here, and {', and '.join(told)}"
    return Finding.ask("not-typed", message, context=intent.line())


def unheeded(intent: ResolvedRequest) -> Finding | None:
    """Say which settings of uv in a file are not obeyed; ask where they name another place."""
    found = intent.request.unheeded
    if not found:
        return None
    names = f"{some(found, 3)}: set for uv's own commands, and not obeyed here."
    if any(each.startswith("sources.") for each in found):
        return Finding.ask("unheeded-settings", names, context="Packages may come from elsewhere.")
    return Finding.warn("unheeded-settings", names)


def extra_index(intent: ResolvedRequest) -> Finding | None:
    """Say when packages come from more than one index: the best version of all of them wins."""
    extra = intent.sources.extra_index_urls
    if not extra or intent.sources.no_index or intent.request.locked:
        return None
    # a host name holds no secret, and the rest of the address is not shown
    hosts = list(dict.fromkeys(urlsplit(redact(url)).hostname or redact(url) for url in extra))
    why = "whichever index has the higher version of a name wins"
    message = f"Packages may also come from {', '.join(hosts[:3])}: {why}."
    return Finding.remark("extra-index", message)


def partly_hashed(intent: ResolvedRequest) -> Finding | None:
    """Refuse requirements without a hash beside others that have one (or must: --require-hashes).

    pip: one hash switches hash-checking on for all (`req_command.py`, `get_requirements`); uv alone
    would let the others pass.
    """
    request, markers = intent.request, intent.environment.markers
    setting = intent.sources.hashes_required
    if not (request.checks_hashes or setting) or request.locked:
        return None
    for item in request.items:
        unneeded = item.requirement is not None and not applies(item.requirement, markers)
        if not (item.hashes or unneeded or _FRAGMENT.search(item.text)):
            place = "" if item.typed else f"{item.origin}: "
            why = "all need one as soon as one has."
            if setting and not request.checks_hashes:
                why = f"{setting} asks for one of each."
            message = f"{place}{item.text} has no hash: {why}"
            return Finding.refuse("hash-missing", message)
    return None


def index_not_asked(intent: ResolvedRequest) -> Finding | None:
    """Say that an index, or a place, that was typed was not asked: what is installed will do."""
    typed = {
        "--index-url": intent.request.index_url,
        "--extra-index-url": intent.request.extra_index_urls,
        "--find-links": intent.request.find_links,
    }
    named = " and ".join(option for option, value in typed.items() if value)
    if not named:
        return None
    newest = Suggestion(intent.line(upgrade=True), "takes the newest there is")
    message = f"{named} was not asked: what is installed meets the request."
    return Finding.remark("index-not-asked", message, newest)


def builds_from_source(intent: ResolvedRequest, needed: Collection[str]) -> Finding | None:
    """Ask before packages without a wheel run their own code; `needed`: canonical names, or places.

    An installer was asked for a plan without builds first, and named these.
    """
    asked = set(intent.request.allow_builds)
    if not (missing := [name for name in sorted(needed) if name not in asked]):
        return None
    named = some(missing, 4)
    verb, them = ("has", "it") if len(missing) == 1 else ("have", "them")
    line = intent.line(allow_builds=frozenset(asked | set(missing)), dry_run=False)
    lacks = f"{named} {verb} no ready-made wheel for this Python"
    message = f"{lacks}: building {them} would run code of the package now."
    return Finding.ask("builds-from-source", message, Suggestion(line, f"let {named} run it"))


def is_explicit(item: RequestItem) -> bool:
    """Tell whether an item was typed as a place on this machine: building it is what is asked."""
    if not item.typed:
        return False
    here = "://" not in item.text.replace("file://", "") and not item.is_repository
    return item.kind == "folder" or (item.kind in ("editable", "archive") and here)


def explicit_build(intent: ResolvedRequest) -> Finding | None:
    """Note that a typed local folder, archive or editable install runs its own build code."""
    if not (texts := [item.text for item in intent.request.items if is_explicit(item)]):
        return None
    places = (text.partition("#")[0].rstrip("/") for text in texts)
    named = some(place.rpartition("/")[2] or place for place in places)
    one = "is built here, with the code of its own folder"
    many = "are built here, with the code of their own folders"
    message = f"{named} {one if len(texts) == 1 else many}."
    return Finding.remark("builds-from-source", message)


def local_build_replaced(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Ask before a special build (`2.4.0+cu124`) gives way to a plain one."""
    replaced = (change for change in plan.changes.leaving if change.after is not None)
    special = [each for each in replaced if version_of(each.before).local]
    if not (lost := [each for each in special if not version_of(each.after).local]):
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
    labels = ", ".join(dict.fromkeys(f"+{version_of(change.before).local}" for change in lost))
    made = f"the installed build was made for this machine ({labels})"
    message = f"{words}: {made}, the new one is the plain one."
    return Finding.ask("local-build-replaced", message, *ways)


def prerelease(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Say when a pre-release comes that nobody asked for by `--pre` or by its version."""
    if plan.intent.sources.pre:
        return None
    asked = set()
    for item in plan.intent.request.items:
        bounds = item.requirement.specifier if item.requirement else ()
        if item.kind != "named" or any(version_of(b.version).is_prerelease for b in bounds):
            asked.add(item.name)
    new = (change for change in plan.changes.arriving if change.after != change.before)
    early = (change for change in new if version_of(change.after).is_prerelease)
    found = [change for change in early if canonicalize_name(change.name) not in asked]
    if not found:
        return None
    words = ", ".join(f"{change.name} {change.after}" for change in found)
    verb = "is a pre-release" if len(found) == 1 else "are pre-releases"
    return Finding.warn("prerelease", f"{words} {verb}; no other fits.")


def yanked(plan: Plan, around: EnvironmentState) -> Finding | None:
    """Pass on that a version was taken back by its makers, with their reason."""
    found = [resolved for resolved in plan.resolved.arriving if resolved.yanked is not None]
    if not found:
        return None
    why = ((each, f": {each.yanked}" if each.yanked else "") for each in found)
    told = (f"{each.name} {each.version} was yanked by its makers{words}" for each, words in why)
    return Finding.warn("yanked", f"{'; '.join(told)}.")
