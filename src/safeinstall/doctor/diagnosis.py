"""The values of an examination: who is looked at, the evidence, and what comes of it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, Final

from packaging.utils import canonicalize_name
from packaging.version import Version

from safeinstall.environment import Environment
from safeinstall.errors import JournalError, SafeInstallError
from safeinstall.findings import Finding, Suggestion, some
from safeinstall.frontend import Frontend
from safeinstall.guards.environment_state import CondaPackage
from safeinstall.metadata.distribution import WITHOUT_RECORD, split_name
from safeinstall.probe.facts.writability import user_name
from safeinstall.requirements import applies, meets, parsed, version_of
from safeinstall.transaction.recover import Recovery


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """One metadata folder in a folder of packages."""

    name: str
    version: str
    folder: str
    """The folder of packages it lies in."""
    metadata: str
    """Its `.dist-info` or `.egg-info`, absolute."""
    installer: str = ""
    conda: str = ""
    """What conda calls it, where conda has installed it."""
    unreadable: bool = False
    """True when whoever looks may not read its metadata."""
    mine: bool = True
    """True when whoever looks could change that."""
    has_metadata: bool = True
    has_record: bool = True
    requires: tuple[str, ...] = ()
    modules: tuple[str, ...] = ()
    """Its top-level import names."""
    listed: int = 0
    """How many files its RECORD lists, bytecode aside."""
    missing: tuple[str, ...] = ()
    """Files of its RECORD that are not there."""
    changed: tuple[str, ...] = ()
    """Files that are not what its RECORD says."""

    @property
    def complete(self) -> bool:
        """True when all it lists is there."""
        return self.has_metadata and self.has_record and not self.missing


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """One file of `bin` that begins with `#!`."""

    path: str
    interpreter: str
    exists: bool
    own: bool
    """True when it starts the environment's own interpreter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rewrite:
    """A file to be written anew: its content, or what a link shall point at."""

    path: str
    content: bytes = b""
    link: str = ""
    mode: int = 0o644


@dataclass(frozen=True, kw_only=True, slots=True)
class Fix:
    """What puts one thing right without asking anybody: renames and small files, undoable."""

    words: str
    """What it does, as one phrase."""
    aside: tuple[str, ...] = ()
    """Files and folders that are set aside."""
    rewrites: tuple[Rewrite, ...] = ()
    recover: bool = False
    """Finish or take back what a killed install left."""
    transaction: str = ""
    """The transaction that is set aside for good."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Diagnosis:
    """One thing that is the matter, and how it is put right where that is safe."""

    finding: Finding
    fix: Fix | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return self.finding.to_dict() | {"fix": self.fix.words if self.fix else None}


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """An environment to be examined."""

    prefix: str
    python: str
    """Its interpreter, whether it starts or not."""
    version: str
    site_packages: tuple[str, ...]
    import_path: tuple[str, ...]
    """The folders it imports from, in order; its own folders where it cannot be asked."""
    environment: Environment | None
    """None when its interpreter does not start."""
    trouble: str = ""
    """Why it does not."""

    @property
    def markers(self) -> Mapping[str, str] | None:
        """What environment markers mean here, or None where nobody can say."""
        return self.environment.markers if self.environment else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Repair:
    """What was put right."""

    done: tuple[str, ...]
    transaction: str | None
    """The transaction that undo takes back, or None when there was none."""
    recovered: Recovery | None = None
    failure: SafeInstallError | OSError | None = None
    """What stopped it after a part; each part is done, or as it was."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Examination:
    """What the doctor found."""

    target: Target
    diagnoses: tuple[Diagnosis, ...]
    distributions: int
    seconds: float
    repair: Repair | None = None
    place: str = ""
    """The interpreter or folder that was named, or empty."""
    redacted: bool = False
    """True when a text for a bug report is wanted."""

    @property
    def exit_status(self) -> int:
        """1 when something is left to put right."""
        return 0 if self.redacted or self.healthy else 1

    @property
    def healthy(self) -> bool:
        """True when nothing but remarks was found."""
        return all(d.finding.severity.value == "info" for d in self.diagnoses)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        repair = self.repair
        return {
            "schema": 1,
            "prefix": self.target.prefix,
            "python": self.target.python,
            "version": self.target.version,
            "starts": self.target.environment is not None,
            "distributions": self.distributions,
            "findings": [diagnosis.to_dict() for diagnosis in self.diagnoses],
            "fixed": list(repair.done) if repair else [],
            "transaction": repair.transaction if repair else None,
            "seconds": round(self.seconds, 4),
        }


def say(
    code: str,
    message: str,
    *commands: str,
    context: str = "",
    info: bool = False,
    fix: Fix | None = None,
) -> Diagnosis:
    """Return a diagnosis whose lines to type are `commands`."""
    made = Finding.remark if info else Finding.warn
    finding = made(code, message, *map(Suggestion, commands), context=context)
    return Diagnosis(finding=finding, fix=fix)


def broken(found: Sequence[Installed], frontend: Frontend) -> Iterator[Diagnosis]:
    """Yield what is missing from a distribution, or is not what its RECORD says."""
    doubled = {each.metadata for group in _doubled(found) for each in group}
    for each in found:
        again, who = _again(each, frontend), f"{each.name} {each.version}"
        base = os.path.basename(each.metadata)
        aside = Fix(words=f"set {base} aside", aside=(each.metadata,))
        if each.unreadable:
            closed = f"{base} in {each.folder} cannot be read by you"
            words = f"{closed}: nothing more can be said of it."
            opens = "chmod -R u+rX" if each.mine else "sudo chmod -R a+rX"
            yield say("not-readable", words, f"{opens} {shlex.quote(each.metadata)}")
        elif not each.has_metadata and each.conda:
            continue  # said by `not_as_conda_lists`
        elif not each.has_metadata:
            words = f"{base} says nothing (it has no METADATA): what an interrupted install left."
            yield say("empty-metadata", words, fix=aside)
        elif each.metadata in doubled:
            continue  # said by `twice`, with the same cause
        elif not each.has_record and each.installer not in WITHOUT_RECORD:
            yield say("no-record", f"{who} has lost its RECORD: nobody knows its files.", again)
        elif each.missing and len(each.missing) >= each.listed:
            words = f"{who} is listed as installed and its code is gone."
            # The records of conda would still list what is set aside.
            yield say("code-missing", words, again, fix=None if each.conda else aside)
        elif each.missing:
            number = f"{len(each.missing)} of {each.listed} files"
            yield say("files-missing", f"{who} lacks {number}: {some(each.missing)}.", again)
        if each.changed and each.metadata not in doubled:
            are = "is" if len(each.changed) == 1 else "are"
            words = f"{who}: {some(each.changed)} {are} not what its RECORD says."
            why = "Edited by hand, damaged, or overwritten by another package."
            yield say("record-mismatch", words, again, context=why)


def twice(found: Sequence[Installed], frontend: Frontend) -> Iterator[Diagnosis]:
    """Yield each distribution that is listed in two versions in one folder."""
    for group in _doubled(found):
        whole = [each for each in group if each.complete and not each.changed]
        stale = [each for each in group if each not in whole]
        names = " and ".join(each.version or "?" for each in group)
        newest = max(group, key=lambda each: (each.listed > 0, version_of(each.version)))
        fix = None
        if len(whole) == 1:
            bases = some(os.path.basename(each.metadata) for each in stale)
            words = f"set {bases} aside; {whole[0].version} is complete"
            fix = Fix(words=words, aside=tuple(each.metadata for each in stale))
        words = f"{newest.name} is listed twice in {newest.folder}: {names}."
        ways = () if fix else (_again(newest, frontend),)
        why = "An upgrade was interrupted between its two halves."
        yield say("two-versions", words, *ways, context=why, fix=fix)


def not_as_conda_lists(
    packages: Iterable[CondaPackage], found: Sequence[Installed], frontend: Frontend
) -> Iterator[Diagnosis]:
    """Yield what conda believes to be installed and another installer has replaced or removed."""
    here = {os.path.basename(each.metadata) for each in found if each.has_metadata}
    now = {canonicalize_name(each.name): each for each in found if each.has_metadata}
    for package in packages:
        gone = {entry for entry in package.metadata if entry not in here}
        names = {canonicalize_name(split_name(entry)[0]) for entry in gone}
        names -= {canonicalize_name(split_name(entry)[0]) for entry in package.metadata - gone}
        pin = f"{package.name}=={package.version}"
        back = frontend.line("install", "--installer", "conda", "--force-reinstall", pin)
        for name in sorted(names):
            words = f"conda lists {package.name} {package.version}, and"
            if (other := now.get(name)) is None:
                why = "Another installer has removed it; conda does not know."
                yield say("not-as-conda-lists", f"{words} it is gone.", back, context=why)
                continue
            who = f"{other.name} {other.version}"
            away = frontend.line("uninstall", "--allow-conflicts", other.name)
            told = f"{words} {who} lies in its place."
            why = (
                f"{other.installer or 'Another installer'} put it there, and conda does not know: "
            )
            why += "the first line takes it away, the second brings conda's back."
            yield say("not-as-conda-lists", told, away, back, context=why)


def leftovers(names: Sequence[str]) -> Iterator[Diagnosis]:
    """Yield what killed installers left: `names` are absolute paths in folders of packages."""
    for path in names:
        base = os.path.basename(path)
        who = "pip" if base.startswith("~") else "uv"
        words = f"{base} in {os.path.dirname(path)} is what an interrupted {who} left."
        yield say("leftover", words, fix=Fix(words=f"set {base} aside", aside=(path,)))


def conflicts(
    found: Sequence[Installed],
    markers: Mapping[str, str] | None,
    frontend: Frontend,
    also: Sequence[Installed] = (),
) -> Iterator[Diagnosis]:
    """Yield every requirement of `found` that neither they nor what is seen `also` meet.

    Nothing where nobody can say what environment markers mean.
    """
    if markers is None:
        return
    versions: dict[str, str] = {}
    for each in (*found, *also):
        if each.has_metadata:
            versions.setdefault(canonicalize_name(each.name), each.version)
    told: set[tuple[str, str]] = set()
    for each in found:
        for text in each.requires:
            if (requirement := parsed(text)) is None or not applies(requirement, markers):
                continue
            if (key := (each.name, str(requirement))) in told:
                continue
            told.add(key)
            have = versions.get(canonicalize_name(requirement.name))
            bare = copy(requirement)
            bare.marker = None
            line = frontend.line("install", str(bare))
            needs = f"{each.name} {each.version} needs {bare}"
            if have is None:
                yield say("requirement-missing", f"{needs}, which is not installed.", line)
            elif meets(have, requirement) is False:
                yield say("conflict", f"{needs}, and {have} is installed.", line)


def old_pip(found: Sequence[Installed], frontend: Frontend) -> Iterator[Diagnosis]:
    """Yield a remark about a pip that cannot say what it would do."""
    for each in found:
        if canonicalize_name(each.name) == "pip" and version_of(each.version) < Version("22.3"):
            words = f"pip {each.version} is older than 22.3 and cannot plan an install."
            line = frontend.line("install", "--upgrade", "pip")
            yield say("pip-outdated", words, line, info=True)


def _doubled(found: Sequence[Installed]) -> list[list[Installed]]:
    groups: dict[tuple[str, str], list[Installed]] = {}
    for each in found:
        if each.has_metadata:
            groups.setdefault((each.folder, canonicalize_name(each.name)), []).append(each)
    return [group for group in groups.values() if len(group) > 1]


def _again(each: Installed, frontend: Frontend) -> str:
    """Return the line by which its owner installs it once more."""
    options = ("--installer", "conda") if each.conda else ()
    named = f"{each.conda or each.name}=={each.version}"
    return frontend.line("install", *options, "--force-reinstall", named)


_LOW_SPACE: Final = 300 * 2**20


def scripts(
    found: Sequence[Script], fixed: Mapping[str, tuple[Rewrite, ...]], prefix: str
) -> Iterator[Diagnosis]:
    """Yield the scripts that start nothing, or another interpreter.

    `fixed`: how they are put right, by path. One that works, and belongs to no distribution, is
    somebody's own and not in it.
    """
    gone = [script for script in found if not script.exists]
    foreign = [script for script in found if script.exists and not script.own]
    stale = ("stale-shebang", gone, "which is not there")
    for code, wrong, what in (stale, ("foreign-shebang", foreign, "of another environment")):
        by_interpreter: dict[str, list[Script]] = {}
        for script in wrong:
            if script.path in fixed:
                by_interpreter.setdefault(script.interpreter, []).append(script)
        for interpreter, group in by_interpreter.items():
            names = some(os.path.basename(script.path) for script in group)
            rewrites = tuple(r for script in group for r in fixed[script.path])
            starts = "starts" if len(group) == 1 else "start"
            words = f"{names} in {os.path.join(prefix, 'bin')} {starts} {interpreter}, {what}."
            mended = f"let {names} start this environment's interpreter"
            yield say(code, words, fix=Fix(words=mended, rewrites=rewrites))


def moved(
    named: str, prefix: str, rewrites: tuple[Rewrite, ...], frontend: Frontend
) -> Iterator[Diagnosis]:
    """Yield that `bin/activate` names another folder than the one the environment is in."""
    if named and os.path.realpath(named) != os.path.realpath(prefix):
        made = f"This environment was made at {named} and is now at {prefix}:"
        words = f"{made} activating it leads back there."
        if rewrites:
            fix = Fix(words="let the activate scripts name this place", rewrites=rewrites)
            yield say("moved-environment", words, fix=fix)
        else:
            yield say("moved-environment", words, frontend.new_environment())


def wrong_home(
    home: str,
    problem: str,
    base: str,
    rewrites: tuple[Rewrite, ...],
    prefix: str,
    new_one: str,
) -> Iterator[Diagnosis]:
    """Yield that `pyvenv.cfg` names an interpreter that is not there (`problem` says how).

    `new_one` is the line that makes another environment.
    """
    if not problem:
        return
    words = f"{prefix} rests on the Python in {home}, {problem}."
    if base:
        yield say("wrong-home", words, fix=Fix(words=f"let it use {base}", rewrites=rewrites))
    else:
        why = "No Python of that version is found to take its place."
        yield say("wrong-home", words, new_one, context=why)


def copies(found: Sequence[Installed], kinds: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Yield each distribution that several folders of the import path hold; the first one wins.

    `kinds`: what a folder is (`your user site`, `PYTHONPATH` ...), by path.
    """
    groups: dict[str, list[Installed]] = {}
    for each in found:
        if each.has_metadata:
            groups.setdefault(canonicalize_name(each.name), []).append(each)
    for group in groups.values():
        first = group[0]
        if not (others := [each for each in group if each.folder != first.folder]):
            continue
        kind = kinds.get(first.folder, "")
        front = f"{first.name} {first.version} is imported from {first.folder}"
        front += f" ({kind})" if kind else ""
        behind = some(f"{each.version} in {each.folder}" for each in others)
        way = "Remove the copy you do not want."
        if kind == "PYTHONPATH":
            way = f"Take {first.folder} out of PYTHONPATH, or remove the copy you do not want."
        same = len({each.version for each in group}) == 1
        yield say("duplicate-copy", f"{front}, in front of {behind}.", context=way, info=same)


def shadowing(
    names: Mapping[str, Sequence[str]],
    found: Sequence[Installed],
    standard: Collection[str],
    kinds: Mapping[str, str],
) -> Iterator[Diagnosis]:
    """Yield modules that lie in front of an installed package or the standard library.

    `names`: importable names in folders in front of the packages (notebook folder, PYTHONPATH).
    """
    owner = {module: each for each in found for module in each.modules}
    own = {each.folder for each in found}
    for folder, modules in names.items():
        if folder in own:
            continue
        for module in modules:
            each, where = owner.get(module), f"{module} in {folder} ({kinds.get(folder, folder)})"
            if each is not None:
                words = f"{where} is imported instead of {each.name} {each.version}."
                yield say("shadowed", words, context="Rename it, or start from another folder.")
            elif module in standard:
                words = f"{where} may be imported instead of Python's own."
                why = "Rename it: other packages that import Python's own may fail."
                yield say("shadows-standard-library", words, context=why)


def foreign_files(
    owners: Mapping[str, Sequence[str]], owner: str, prefix: str
) -> Iterator[Diagnosis]:
    """Yield the pieces of an environment that belong to somebody else than its owner."""
    for who, paths in owners.items():
        if who != owner:
            names = some(os.path.relpath(path, prefix) for path in paths)
            parts = f"{len(paths)} part{'s' if len(paths) > 1 else ''} of {prefix}"
            words = f"{parts} belong to {who}, not to {owner}: {names}."
            line = f"sudo chown -R {owner} {shlex.quote(prefix)}"
            why = "Usually an install run with sudo. Upgrading them would be refused."
            yield say("foreign-owner", words, line, context=why)


def in_progress(waiting: bool, prefix: str, command: str) -> Iterator[Diagnosis]:
    """Yield that a transaction was interrupted."""
    if waiting:
        words = f"An install into {prefix} was interrupted and waits to be finished or taken back."
        fix = Fix(words="recover it", recover=True)
        yield say("unfinished-transaction", words, command, fix=fix)


def refused(errors: Mapping[str, JournalError], command: str) -> Iterator[Diagnosis]:
    """Yield each transaction that cannot be read: it is neither undone nor recovered."""
    for id, error in errors.items():
        fix = Fix(words=f"set transaction {id} aside", transaction=id)
        yield say(error.code, error.message, command, context=error.context, fix=fix)


def undeletable(places: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Yield what is kept no more and cannot be deleted: by place, what keeps it."""
    for place, what in places.items():
        words = f"{place} waits for its deletion, and {what} may not be deleted by you."
        owner = os.lstat(what).st_uid
        fixed = hasattr(os, "geteuid") and owner == os.geteuid()
        before = f"sudo chattr -R -i {shlex.quote(place)}; " if fixed else ""
        why = (
            "The file system keeps it as it is." if fixed else f"It belongs to {user_name(owner)}."
        )
        line = f"{before}sudo rm -r {shlex.quote(place)}"
        yield say("undeletable", words, line, context=f"{why} It only takes space.")


def low_space(free: int, path: str, frontend: Frontend) -> Iterator[Diagnosis]:
    """Yield that hardly anything fits on the disk any more."""
    if free < _LOW_SPACE:
        words = f"{free / 2**20:.0f} MB are free where {path} lies."
        line = frontend.line("history", "--prune", "--keep", "0", "--python", path)
        why = "That forgets what is kept for undo; what else may go, only you can say."
        yield say("low-space", words, line, context=why)
