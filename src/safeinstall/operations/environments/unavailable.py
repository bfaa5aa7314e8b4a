"""Everything that cannot be had for a kernel, where an installer names only the first thing.

Both stop at the first package they cannot get. For uv an override whose marker never holds takes
that package out of the next dry run (`uv pip install --help`: "Overrides are used to force specific
versions"), for pip an empty wheel stands in for it; that run then names the second, until nothing
is missing: some 20 ms each with uv, half a second with pip, and only after a failure."""

from __future__ import annotations

import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Final
from zipfile import ZipFile

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import VERSION_PATTERN, Version

from safeinstall.findings import Finding, Severity
from safeinstall.metadata.distribution import InstalledState
from safeinstall.operations.context import Context
from safeinstall.operations.planning.installer_choice import choose
from safeinstall.operations.planning.resolver import Resolver
from safeinstall.plan import InstallerChoice
from safeinstall.request import InstallRequest, RequestItem

_WHEEL: Final = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"

_ANY_VERSION: Final = re.compile(VERSION_PATTERN, re.VERBOSE | re.IGNORECASE)


def write_placeholder_wheel(requirement: Requirement, folder: Path) -> bool:
    """Write a wheel that meets the requirement; False where none can, or one is there already."""
    version = _newest(requirement.specifier)
    name = canonicalize_name(requirement.name).replace("-", "_")
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    if version is None or wheel.exists():
        return False
    info = f"{name}-{version}.dist-info"
    with ZipFile(wheel, "w") as archive:
        headers = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        archive.writestr(f"{info}/METADATA", headers)
        archive.writestr(f"{info}/WHEEL", _WHEEL)
        archive.writestr(f"{info}/RECORD", f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return True


def _newest(wanted: SpecifierSet) -> Version | None:
    """Return a high version that is allowed: what others want of it is then likely met too."""
    bounds = [specifier.version.removesuffix(".*") for specifier in wanted]
    firsts = [int(found[0]) for each in bounds if (found := re.match(r"\d+", each))]
    texts = ["9999", *bounds, *(f"{each}.9999" for each in bounds), "0"]
    texts += [f"{first - 1}.9999" for first in firsts if first]
    versions = [Version(text) for text in texts if _ANY_VERSION.fullmatch(text)]
    return max((v for v in versions if wanted.contains(v, prereleases=True)), default=None)


KERNEL: Final = RequestItem(
    text="ipykernel", name="ipykernel", requirement=Requirement("ipykernel")
)
_MOST: Final = 60
_SECONDS: Final = 30.0
"""How long pip is asked at most."""
_TO_BE_HAD: Final = ("not-found", "no-such-version")
"""Failures of pip after which it is worth while to ask what else is missing."""
_PIPS: Final = re.compile(r"satisfies the requirement (?P<wanted>[^\s;(]+)")
_NAME: Final = r"(?P<name>[A-Za-z0-9][\w.-]*?)(?:\[[^\]]*\])?"
_MISSING: Final = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_NAME} was not found in",
        rf"\bno versions? of {_NAME}(?=[<>=!~,\s]|$)",
        rf"\bonly (?:the following versions of )?{_NAME}(?:[<>=!~]\S*)? (?:is|are) available",
        rf"\b{_NAME}(?:[<>=!~]\S*)? has no wheels with a matching",
    )
)


def about_kernel(
    finding: Finding, request: InstallRequest, context: Context, chosen: InstallerChoice
) -> Finding:
    """Return the finding, about ipykernel and all that is missing for it where that is the reason.

    `context`: the one in which the kernel was to be installed.
    """
    if finding.severity is not Severity.REFUSE:
        return finding
    only = replace(request, items=(KERNEL,))
    state = InstalledState(context.environment.paths.site_packages)
    resolver = Resolver(intent=context.meet(only), chosen=chosen, context=context, state=state)
    lacking: tuple[str, ...] = ()
    if chosen.installer.takes_overrides:
        lacking = _missing_for_uv(resolver)
    elif finding.code in _TO_BE_HAD:
        # the pip that was chosen serves the present environment, and would find its packages there
        lacking = _missing_for_pip(replace(resolver, chosen=choose(resolver.intent, context)))
    named = "ipykernel" in f"{finding.message}\n{finding.context}"
    if not lacking and (chosen.installer.takes_overrides or not named):
        return finding
    itself = len(lacking) == 1 and lacking[0].startswith("ipykernel")
    if not lacking or (itself and "ipykernel" in finding.message):
        message = f"A kernel needs ipykernel, and it cannot be installed: {finding.message}"
    elif itself:  # the installer has named another package first
        message = f"A kernel needs {lacking[0]}, which cannot be had here."
    else:
        count = "a package" if len(lacking) == 1 else f"{len(lacking)} packages"
        what = f"{count} for it cannot be had here: {', '.join(lacking)}"
        message = f"A kernel needs ipykernel, and {what}."
    return replace(finding, message=message)


def _missing_for_uv(resolver: Resolver) -> tuple[str, ...]:
    """Return what the request needs and uv cannot get, with the versions that would do.

    Empty when all is there, and when uv fails for a reason that names no package.
    """
    found: dict[str, str] = {}
    command, installer = resolver.command(), resolver.chosen.installer
    with tempfile.TemporaryDirectory(prefix="safeinstall-") as folder:
        overrides = Path(folder, "overrides.txt")
        while len(found) < _MOST:
            lines = [f"{name} ; python_version < '0'\n" for name in found]
            overrides.write_text("".join(lines), "utf-8")
            asked = installer.overriding(command, str(overrides)) if found else command
            answer = resolver.run(asked)
            if answer.ok:
                break
            text = " ".join(answer.output.split())
            name = next((hit["name"] for p in _MISSING if (hit := p.search(text))), "")
            if not name or name in found:
                break
            wanted = re.search(rf"depends? on ({re.escape(name)}[^\s]*?),? (?:we|and|or)\b", text)
            found[name] = wanted[1].rstrip(",") if wanted else name
    return tuple(found.values())


def _missing_for_pip(resolver: Resolver) -> tuple[str, ...]:
    """Return what the request needs and pip cannot get, with the versions that would do."""
    found: dict[str, str] = {}
    end = time.monotonic() + _SECONDS
    resolver.context.progress("asking what is missing")
    with tempfile.TemporaryDirectory(prefix="safeinstall-") as folder:
        links = (*resolver.intent.sources.find_links, folder)
        command = resolver.with_sources(find_links=links).command()
        command = replace(command, cwd=folder)  # a `pip` beside the notebook would be imported
        while len(found) < _MOST and time.monotonic() < end:
            answer = resolver.run(command)
            hit = _PIPS.search(answer.output)
            if answer.ok or hit is None:
                break
            try:
                requirement = Requirement(hit["wanted"])
            except InvalidRequirement:
                break
            found.setdefault(canonicalize_name(requirement.name), hit["wanted"])
            if not write_placeholder_wheel(requirement, Path(folder)):
                break
    return tuple(found.values())
