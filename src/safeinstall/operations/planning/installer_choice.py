"""Which program does the work: uv where one can, else pip, and why."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from typing import Final

from packaging.version import InvalidVersion, Version

from safeinstall.distributions import InstalledIndex
from safeinstall.environment import Environment
from safeinstall.errors import InstallerError
from safeinstall.installers.pip import KNOWS_CUTOFFS, OLDEST, OLDEST_FOR_LOCKS, Pip
from safeinstall.installers.sources import ResolvedRequest, Sources
from safeinstall.installers.uv import OLDEST_UV, Uv
from safeinstall.metadata.distribution import InstalledState
from safeinstall.metadata.record import RecordError
from safeinstall.operations.context import Context
from safeinstall.plan import InstallerChoice
from safeinstall.request import RequestItem
from safeinstall.runner import Command

_GIT: Final = re.compile(r"\bgit\+")


def choose(
    intent: ResolvedRequest, context: Context, known: InstalledState | None = None
) -> InstallerChoice:
    """Return the installer that does the work, with the reason for the choice.

    `known`: what has been listed before.
    Raises `InstallerError` when there is none, naming what to install.
    """
    environment, own = context.environment, InstalledIndex(sys.path, known)
    request, sources = intent.request, intent.sources
    for_pip = next((why for item in request.items if (why := _only_for_pip(item))), "")
    oldest = OLDEST_FOR_LOCKS if request.locked else OLDEST
    by_pip = request.installer == "auto" and for_pip
    if by_pip and (chosen := _find_pip(environment, for_pip, own, sources, oldest)):
        return chosen
    if request.installer in ("auto", "uv"):
        old = ""
        for binary, version, where in _every_uv(environment, own, context):
            if _numbers(version) >= OLDEST_UV:
                reason = "asked for" if request.installer == "uv" else where
                return InstallerChoice(installer=Uv(binary), version=version, reason=reason)
            old = old or version
        lacking = (
            f"uv {old} is older than {'.'.join(map(str, OLDEST_UV))}" if old else "uv is not found"
        )
        if request.installer == "uv":
            hint = context.frontend.line("install", "--upgrade", "--installer", "pip", "uv")
            raise InstallerError(f"{lacking}.", code="no-installer", hint=hint)
    if request.installer in ("auto", "pip"):
        reason = "asked for" if request.installer == "pip" else lacking
        chosen = _find_pip(environment, reason, own, sources, oldest)
        if chosen:
            return chosen
        if request.locked and _find_pip(environment, reason, own, sources):
            hint = context.frontend.line("install", "--upgrade", "pip")
            if request.installer == "pip":
                hint = request.line(context.frontend, installer="auto")
            words = "A lock is installed by uv, or by pip 26.1 or newer."
            raise InstallerError(words, code="no-installer", hint=hint)
        if _find_pip(environment, reason, own, Sources()):
            raise _no_cutoff(intent, context)
    raise InstallerError(
        f"No installer serves {environment.label}: neither uv nor pip 22.3 or newer is found.",
        code="no-installer",
        hint=context.frontend.shell(f'"{environment.executable}" -m ensurepip --upgrade'),
    )


def _only_for_pip(item: RequestItem) -> str:
    """Return why uv cannot take an item and pip can, empty when it can.

    uv: "Git sources cannot be editable", and `SourceDistExtension` (.tar.gz, .zip).
    """
    if item.kind == "editable" and item.is_repository:
        return "uv installs no repository so that its files stay in use"
    if item.kind == "vcs" and item.is_repository and not _GIT.search(item.text):
        return "uv knows no repositories but git's"
    path = item.text.partition("#")[0].partition("[")[0]
    if item.kind == "archive" and not path.endswith((".tar.gz", ".zip")):
        return "uv takes no archive but .tar.gz and .zip"
    return ""


def _every_uv(
    environment: Environment, index: InstalledIndex, context: Context
) -> Iterator[tuple[str, str, str]]:
    """Yield uv's binary, version and how it was found: ours, the kernel's, or one on PATH.

    The version of ours is in its metadata; another one has to be asked.
    """
    if own := _own_uv(index):
        yield (*own, "installed with safeinstall")
    others = {environment.uv: "found with the interpreter", shutil.which("uv"): "found on PATH"}
    for binary, where in others.items():
        if binary:
            told = context.run(Command(argv=(binary, "--version"))).output.split()
            yield binary, told[1] if len(told) > 1 else "", where


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def _own_uv(index: InstalledIndex) -> tuple[str, str] | None:
    """Return the binary and version of the uv that came with us.

    Its files are asked, not its module: a `uv.py` beside the notebook would be imported instead.
    """
    info = index.info("uv")
    try:
        paths = info.record.paths if info else []
    except RecordError:
        return None
    for path in paths:
        folder, _, file = path.rpartition("/")
        if info and file in ("uv", "uv.exe") and folder.rpartition("/")[2] in ("bin", "Scripts"):
            binary = os.path.normpath(os.path.join(info.folder, path))
            if os.access(binary, os.X_OK):
                return binary, info.version
    return None


def _find_pip(
    environment: Environment,
    reason: str,
    index: InstalledIndex,
    sources: Sources,
    oldest: tuple[int, int] = OLDEST,
) -> InstallerChoice | None:
    """Return a pip that can do what the sources ask for; `reason`: why pip is needed."""
    if sources.cuts_packages:
        return None
    oldest = max(oldest, KNOWS_CUTOFFS if sources.cutoff else OLDEST)
    if environment.pip and environment.pip.release >= oldest:
        pip = Pip((environment.executable, "-m", "pip"))
        return InstallerChoice(installer=pip, version=environment.pip.version, reason=reason)
    found = index.find("pip")
    try:
        if found is None or Version(found.version).release[:2] < oldest:
            return None
    except InvalidVersion:
        return None
    pip = Pip((sys.executable, "-m", "pip", "--python", environment.executable))
    reason = f"{reason}; the environment has no pip that can"
    return InstallerChoice(installer=pip, version=found.version, reason=reason)


def _no_cutoff(intent: ResolvedRequest, context: Context) -> InstallerError:
    """Return why no pip may do the work: it would take what a cut-off holds back."""
    sources, environment = intent.sources, context.environment
    if sources.cuts_packages:
        words = "Only uv knows cut-offs of single packages, and exclude-newer-package sets some."
        return InstallerError(words, code="no-installer")
    assert sources.cutoff is not None  # else any pip would do
    words = (
        f"pip is too old for the cut-off that {sources.cutoff.source} sets "
        f"({sources.cutoff.shown}): 26.0 or newer is needed, or uv."
    )
    own = f'"{environment.executable}" -m pip install --upgrade pip' if environment.pip else ""
    hint = context.frontend.shell(own) if own else ""
    if intent.request.installer == "pip":
        return InstallerError(words, code="no-installer", hint=intent.line(installer="auto"))
    return InstallerError(words, code="no-installer", hint=hint)
