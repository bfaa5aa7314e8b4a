"""Import, in a process of its own, what was asked for: what `--prove-import` adds to the proof.

Whether a package works is known by its import alone: a shared library may be missing, its code may
fail, crash or never end. What it prints and starts is the runner's to bound (`Command.contained`);
what it comes to is written into a file, which outlives a crash.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safeinstall.errors import SafeInstallError
from safeinstall.findings import Finding, Suggestion
from safeinstall.installers.sources import ResolvedRequest
from safeinstall.operations.context import Context
from safeinstall.request import InstallRequest, RequestItem
from safeinstall.request.names import distribution_of
from safeinstall.runner import LIBRARY_ONLY, Command

_SCRIPT: Final = (
    LIBRARY_ONLY
    + """
import importlib, json, os
sys.path[:] = path
report = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
names, sys.argv[1:] = sys.argv[2:], []
def tell(**words):
    os.write(report, json.dumps(words).encode() + b"\\n")
def told(error):
    try:
        return str(error)[:2000]
    except BaseException:
        return ""
for name in names:
    tell(begun=name)
    try:
        importlib.import_module(name)
    except BaseException as error:
        chain, missing = [], getattr(error, "name", None)
        missing = missing if isinstance(error, ModuleNotFoundError) else None
        kind, why = type(error).__name__, told(error)
        while error is not None and len(chain) < 8:
            chain.append(told(error))
            error = error.__cause__ or error.__context__
        tell(failed=name, kind=kind, why=why, chain=chain, missing=missing)
        os._exit(1)
tell(done=True)
os._exit(0)
"""
)

_LIBRARY: Final = re.compile(r"([^\s:/'\"]+\.so[.\d]*): cannot open shared object file")
"""What the dynamic linker of Linux says (glibc, elf/dl-load.c: `open_path`, "cannot open")."""
_PACKAGES: Final[Mapping[str, tuple[str, str]]] = {
    "libGL.so.1": ("libgl1", "libgl"),
    "libEGL.so.1": ("libegl1", "libegl"),
    "libX11.so.6": ("libx11-6", "xorg-libx11"),
    "libXext.so.6": ("libxext6", "xorg-libxext"),
    "libXi.so.6": ("libxi6", "xorg-libxi"),
    "libXrender.so.1": ("libxrender1", "xorg-libxrender"),
    "libSM.so.6": ("libsm6", "xorg-libsm"),
    "libxcb.so.1": ("libxcb1", "libxcb"),
    "libcairo.so.2": ("libcairo2", "cairo"),
    "libfontconfig.so.1": ("libfontconfig1", "fontconfig"),
    "libglib-2.0.so.0": ("libglib2.0-0", "libglib"),
    "libgobject-2.0.so.0": ("libglib2.0-0", "libglib"),
    "libgthread-2.0.so.0": ("libglib2.0-0", "libglib"),
    "libgomp.so.1": ("libgomp1", "libgomp"),
    "libmagic.so.1": ("libmagic1", "libmagic"),
    "libnss3.so": ("libnss3", "nss"),
    "libodbc.so.2": ("unixodbc", "unixodbc"),
    "libpango-1.0.so.0": ("libpango-1.0-0", "pango"),
    "libportaudio.so.2": ("libportaudio2", "portaudio"),
    "libpq.so.5": ("libpq5", "libpq"),
    "libsndfile.so.1": ("libsndfile1", "libsndfile"),
    "libusb-1.0.so.0": ("libusb-1.0-0", "libusb"),
    "libxkbcommon.so.0": ("libxkbcommon0", "libxkbcommon"),
}
"""Shared library -> package of Debian and its children, package of conda-forge; checked against the
files of Debian 12's packages."""
_LONGEST: Final = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What came of an import that did not go well."""

    module: str
    reason: str
    """What follows `import MODULE` in one sentence."""
    library: str = ""
    """The shared library that is not found."""
    missing: str = ""
    """The module that is not found, another one than was to be imported."""
    late: bool = False
    last_words: str = ""
    """The last line of standard error, of a process that ended without a word to us."""


def try_import(modules: Sequence[str], context: Context, seconds: float) -> Failure | None:
    """Import the modules, one after the other, in a new process; None when all of it goes well.

    The process is started as the kernel was, leaves no bytecode, and is ended after `seconds`.
    """
    environment = context.environment
    start = (environment.executable, *environment.flags.arguments(), "-c", _SCRIPT)
    context.progress(f"importing {', '.join(modules[:3])} in a new process")
    with tempfile.TemporaryDirectory(prefix="safeinstall-import-") as folder:
        report = Path(folder, "report")
        report.touch()
        command = Command(
            argv=(*start, str(report), *modules),
            cwd=context.cwd,
            overrides={"PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"},
            contained=True,
        )
        status, noise = None, ""
        try:
            ended = context.run(command, timeout=seconds)
            status, noise = ended.returncode, ended.stderr
        except SafeInstallError as error:
            if error.code != "timeout":
                raise
        last = _last_step(report) or {"begun": modules[0]}
    if "done" in last:
        return None
    if "failed" in last:
        return _explained(last)
    if status is None:
        reason = f"was not done after {seconds:g} s"
        return Failure(module=last["begun"], reason=reason, late=True)
    lines = noise.strip().splitlines() or [""]
    how = f"exit status {status}" if status >= 0 else _signal(-status)
    verb = "ends" if status >= 0 else "crashes"
    reason = f"{verb} Python ({how})"
    return Failure(module=last["begun"], reason=reason, last_words=lines[-1][:_LONGEST])


def _last_step(report: Path) -> dict[str, Any]:
    """Return what was written last; what the imported code may have written there is no step."""
    last: dict[str, Any] = {}
    for line in report.read_bytes().splitlines():
        with contextlib.suppress(ValueError):
            step = json.loads(line)
            last = step if isinstance(step, dict) else last
    return last


def _explained(last: Mapping[str, Any]) -> Failure:
    """Return why an import raised: the missing library, wherever in the chain, or its own words."""
    module = str(last["failed"])
    for text in last["chain"]:
        if found := _LIBRARY.search(text):
            reason = f"needs {found[1]}, a shared library that is not found"
            return Failure(module=module, reason=reason, library=found[1])
    words = " ".join(next(iter(str(last["why"]).strip().splitlines()), "").split())
    said = f"{last['kind']}: {words}" if words else str(last["kind"])
    missing = str(last["missing"] or "")
    inside = missing.split(".")[0] == module.split(".")[0]
    return Failure(
        module=module,
        reason=f"fails: {said[:_LONGEST].rstrip('.')}",
        missing="" if inside else missing,
    )


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def finding_of_failure(
    failure: Failure, intent: ResolvedRequest, context: Context, *, installed: bool
) -> Finding:
    """Return the refusal, with what helps, and how to go without the proof.

    `installed`: it was there before, so nothing is put back.
    """
    ways = [*_helping(failure, intent, context)]
    if installed and not ways:
        anew = intent.line(force_reinstall=True)
        ways.append(Suggestion(anew, "installs it once more, and tries again"))
    elif not installed:
        ways.append(_without_proof(intent, context))
    message = f"import {failure.module} {failure.reason}."
    return Finding.refuse("import-failed", message, *ways, context=failure.last_words)


def _without_proof(intent: ResolvedRequest, context: Context) -> Suggestion:
    if context.proving.imports and intent.frontend.in_notebook:
        off = "%config SafeInstall.prove_import = False"
        return Suggestion(off, "then the same line installs it all the same")
    line = intent.line(prove_import=False, import_seconds="")
    return Suggestion(line, "installs it all the same")


def _helping(failure: Failure, intent: ResolvedRequest, context: Context) -> Iterator[Suggestion]:
    """Yield the line that takes away the reason, where one is known."""
    request, frontend = intent.request, intent.frontend
    if failure.library in _PACKAGES:
        apt, conda = _PACKAGES[failure.library]
        note = "then the same line again"
        if context.environment.kind == "conda":
            item = RequestItem(text=conda, name=conda)
            wanted = InstallRequest(cwd=request.cwd, items=(item,), installer="conda")
            yield Suggestion(wanted.line(frontend), note)
        elif shutil.which("apt-get", path=context.environ.get("PATH")):
            sudo = "" if getattr(os, "geteuid", int)() == 0 else "sudo "
            yield Suggestion(frontend.shell(f"{sudo}apt-get install --yes {apt}"), note)
    if failure.missing and (name := distribution_of(failure.missing)):
        items = (*request.items, RequestItem(text=name, name=name))
        yield Suggestion(intent.line(items=items), f"brings {failure.missing} as well")
    elif failure.missing and request.no_deps:
        yield Suggestion(intent.line(no_deps=False), "brings what it needs")
    if failure.late:
        longer = str(5 * int(context.import_seconds(request)))
        yield Suggestion(intent.line(import_seconds=longer), "gives it longer")
