"""What is wrong with installed distributions: broken, doubled, half removed, in conflict."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from safeinstall.diagnosis.values import Diagnosis, Installed, Remedy, Shown, say, some

__all__ = ["broken", "conflicts", "leftovers", "old_pip", "twice"]

_NO_RECORD = ("debian", "conda", "")
"""Installers that keep no RECORD, and distributions of nobody knows whom."""


def broken(found: Sequence[Installed], shown: Shown) -> Iterator[Diagnosis]:
    """Yield what is missing from a distribution, or is not what its RECORD says."""
    doubled = {each.metadata for group in _doubled(found) for each in group}
    for each in found:
        again = _again(each, shown)
        base = os.path.basename(each.metadata)
        if each.unreadable:
            yield say(
                "not-readable",
                f"{base} in {each.folder} cannot be read by you: nothing more can be said of it.",
                f"{'chmod -R u+rX' if each.mine else 'sudo chmod -R a+rX'} "
                f"{shlex.quote(each.metadata)}",
            )
        elif not each.has_metadata:
            yield say(
                "empty-metadata",
                f"{base} says nothing (it has no METADATA): what an interrupted install left.",
                remedy=Remedy(words=f"set {base} aside", aside=(each.metadata,)),
            )
        elif each.metadata in doubled:
            continue  # said by `twice`, with the same cause
        elif not each.has_record and each.installer not in _NO_RECORD:
            yield say(
                "no-record",
                f"{each.name} {each.version} has lost its RECORD: nobody knows its files.",
                again,
            )
        elif each.missing and len(each.missing) >= each.listed:
            yield say(
                "code-missing",
                f"{each.name} {each.version} is listed as installed and its code is gone.",
                again,
                remedy=None
                if each.conda  # whose records would still list it
                else Remedy(words=f"set {base} aside", aside=(each.metadata,)),
            )
        elif each.missing:
            yield say(
                "files-missing",
                f"{each.name} {each.version} lacks {len(each.missing)} of {each.listed} files: "
                f"{some(each.missing)}.",
                again,
            )
        if each.changed and each.metadata not in doubled:
            yield say(
                "record-wrong",
                f"{each.name} {each.version}: {some(each.changed)} "
                f"{'is' if len(each.changed) == 1 else 'are'} not what its RECORD says.",
                again,
                context="Edited by hand, damaged, or overwritten by another package.",
            )


def twice(found: Sequence[Installed], shown: Shown) -> Iterator[Diagnosis]:
    """Yield each distribution that is listed in two versions in one folder."""
    for group in _doubled(found):
        whole = [each for each in group if each.complete and not each.changed]
        stale = [each for each in group if each not in whole]
        names = " and ".join(each.version or "?" for each in group)
        newest = max(group, key=_version)
        again = _again(newest, shown)
        remedy = None
        if len(whole) == 1:
            bases = some(os.path.basename(each.metadata) for each in stale)
            remedy = Remedy(
                words=f"set {bases} aside; {whole[0].version} is complete",
                aside=tuple(each.metadata for each in stale),
            )
        yield say(
            "two-versions",
            f"{newest.name} is listed twice in {newest.folder}: {names}.",
            *(() if remedy else (again,)),
            context="An upgrade was interrupted between its two halves.",
            remedy=remedy,
        )


def leftovers(names: Sequence[str]) -> Iterator[Diagnosis]:
    """Yield what killed installers left: `names` are absolute paths in folders of packages."""
    for path in names:
        base = os.path.basename(path)
        who = "pip" if base.startswith("~") else "uv"
        yield say(
            "leftover",
            f"{base} in {os.path.dirname(path)} is what an interrupted {who} left.",
            remedy=Remedy(words=f"set {base} aside", aside=(path,)),
        )


def conflicts(
    found: Sequence[Installed],
    markers: Mapping[str, str],
    shown: Shown,
    also: Sequence[Installed] = (),
) -> Iterator[Diagnosis]:
    """Yield every requirement of `found` that neither they nor what is seen `also` meet."""
    versions: dict[str, str] = {}
    for each in (*found, *also):
        if each.has_metadata:
            versions.setdefault(canonicalize_name(each.name), each.version)
    told: set[tuple[str, str]] = set()
    for each in found:
        for text in each.requires:
            requirement = _applying(text, markers)
            if requirement is None or (each.name, str(requirement)) in told:
                continue
            told.add((each.name, str(requirement)))
            have = versions.get(canonicalize_name(requirement.name))
            requirement.marker = None
            line = f'{shown.install} "{requirement}"'
            if have is None:
                yield say(
                    "requirement-missing",
                    f"{each.name} {each.version} needs {requirement}, which is not installed.",
                    line,
                )
            elif not _allows(requirement, have):
                yield say(
                    "conflict",
                    f"{each.name} {each.version} needs {requirement}, and {have} is installed.",
                    line,
                )


def old_pip(found: Sequence[Installed], shown: Shown) -> Iterator[Diagnosis]:
    """Yield a remark about a pip that cannot say what it would do."""
    for each in found:
        if canonicalize_name(each.name) == "pip" and _version(each) < Version("22.3"):
            yield say(
                "pip-outdated",
                f"pip {each.version} is older than 22.3 and cannot plan an install.",
                f"{shown.install} --upgrade pip",
                info=True,
            )


def _doubled(found: Sequence[Installed]) -> list[list[Installed]]:
    groups: dict[tuple[str, str], list[Installed]] = {}
    for each in found:
        if each.has_metadata:
            groups.setdefault((each.folder, canonicalize_name(each.name)), []).append(each)
    return [group for group in groups.values() if len(group) > 1]


def _again(each: Installed, shown: Shown) -> str:
    """Return the line by which its owner installs it once more."""
    options = "--installer conda --force-reinstall" if each.conda else "--force-reinstall"
    return f'{shown.install} {options} "{each.conda or each.name}=={each.version}"'


def _applying(text: str, markers: Mapping[str, str]) -> Requirement | None:
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return None
    if requirement.marker and not requirement.marker.evaluate({**markers, "extra": ""}):
        return None
    return requirement


def _allows(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(version, prereleases=True)
    except InvalidVersion:
        return True


def _version(each: Installed) -> Version:
    try:
        return Version(each.version)
    except InvalidVersion:
        return Version("0")
