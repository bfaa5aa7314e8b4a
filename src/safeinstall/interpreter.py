"""Interpreters: ask one what it is, and find one of a chosen version on this machine.

Another interpreter is asked by starting it on the probe. To find one, places are listed without
starting anything (PATH, pyenv, Debian, conda, an installer's own); only the one that is chosen is
asked, and the next when that one cannot start (a pyenv shim, an interpreter without its library).
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from safeinstall import probe
from safeinstall.environment import Environment, shown
from safeinstall.errors import EnvironmentReportError, SafeInstallError
from safeinstall.installers import Installer
from safeinstall.probe.facts.search_path import listed
from safeinstall.runner import Command, CommandNotFoundError, Completed, run

_PROGRAM: Final = re.compile(r"python(?P<version>3(?:\.\d+)?)?$")
_VERSION: Final = re.compile(r"(?:python|cpython-|pypy)?@?(?P<version>\d+(?:\.\d+){0,2})$")
_CONDA_PYTHON: Final = re.compile(r"python-(?P<version>3\.\d+\.\d+)-.*\.json$")
_OLDEST: Final = (3, 8)
_PROBE_SECONDS: Final = 30.0


def environment_of(python: str) -> Environment:
    """Return the environment of another interpreter, which is started once to be asked.

    `python` is a path, a name on PATH, or the folder of an environment.
    Raises `EnvironmentReportError` when nothing there answers like a Python.
    """
    path = Path(python).expanduser()
    if path.is_dir():
        inside = [path / "bin" / "python", path / "Scripts" / "python.exe", path / "python.exe"]
        path = next((candidate for candidate in inside if _is_there(candidate)), inside[0])
    executable = str(path.absolute()) if _is_there(path) else shutil.which(python)
    if executable is None:
        raise EnvironmentReportError(f"There is no interpreter at {python}.", code="not-a-python")
    command, cookie = probe_command(executable)
    try:
        answer = run(command, timeout=_PROBE_SECONDS)
    except CommandNotFoundError as error:
        raise EnvironmentReportError(error.message, code="not-a-python") from error
    return parse_probe(executable, answer.stdout, cookie)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:  # raised up to Python 3.13 for a folder one may not look into
        return False


def probe_command(python: str) -> tuple[Command, str]:
    """Return the command that makes another interpreter report its facts, and its cookie.

    No flag is added: `-I` or `-s` would switch off the user site, which is to be measured.
    """
    cookie, script = secrets.token_hex(16), str(Path(probe.__file__))
    command = Command(argv=(python, script, cookie), overrides={"PYTHONIOENCODING": "utf-8"})
    return command, cookie


def parse_probe(python: str, stdout: str, cookie: str) -> Environment:
    """Return the environment described between the cookies in `stdout`.

    Raises `EnvironmentReportError` when there is no report (not a Python, too old, broken).
    """
    start, end = stdout.find(cookie), stdout.rfind(cookie[::-1])
    if start < 0 or end < start:
        message = f"{python} gives no answer that a Python 3.8 or newer would give."
        raise EnvironmentReportError(message, code="not-a-python")
    return Environment.from_report(json.loads(stdout[start + len(cookie) : end]))


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundPython:
    """One interpreter that may be used."""

    path: str
    version: str
    """As far as it can be told without starting it: `3.12.1`, `3.12`, or empty."""
    where: str
    """How it was found: `PATH`, `pyenv`, `conda`, `uv`, `this machine`."""


def find_python(
    asked: str, here: Environment, environ: Mapping[str, str], also: Iterable[FoundPython] = ()
) -> Environment:
    """Return the environment of an interpreter that is what was `asked` for.

    `asked` is a version (`3.12`, `3.12.1`, `python3.12`) or a path; `here` is asked first, `also`
    (`managed_pythons`) last. Raises `SafeInstallError` listing what there is when nothing fits.
    """
    if (number := _VERSION.match(asked)) is None:
        try:
            return environment_of(asked)
        except EnvironmentReportError as error:
            raise _missing(asked, installed_pythons(environ, also), here) from error
    wanted = number["version"]
    if _fits(here.version, wanted):
        return here
    known: list[FoundPython] = []
    for found in _every(environ, also):
        known.append(found)
        if found.version and not _may_fit(found.version, wanted):
            continue
        try:
            environment = environment_of(found.path)
        except SafeInstallError:
            continue  # a shim, or an interpreter that lost its library: the next one
        if _fits(environment.version, wanted):
            return environment
    raise _missing(asked, tuple(known), here)


def installed_pythons(
    environ: Mapping[str, str], also: Iterable[FoundPython] = ()
) -> tuple[FoundPython, ...]:
    """Return every interpreter that can be found without starting one, each once."""
    return tuple(_every(environ, also))


def managed_pythons(
    installer: Installer, start: Callable[..., Completed] = run
) -> Iterator[FoundPython]:
    """Ask an installer for the interpreters it has installed itself, which nobody else knows."""
    if (command := installer.pythons_command()) is None:
        return
    try:
        answer = start(command, timeout=30.0)
    except SafeInstallError:
        return
    for path, version in installer.read_pythons(answer.stdout) if answer.ok else ():
        yield FoundPython(path=path, version=version, where=installer.name)


def _every(environ: Mapping[str, str], also: Iterable[FoundPython]) -> Iterator[FoundPython]:
    seen: set[str] = set()
    for find in (_on_path, _of_pyenv, _of_conda, _of_machine):
        for found in find(environ):
            real = os.path.realpath(found.path)
            if real not in seen and os.access(found.path, os.X_OK):
                seen.add(real)
                yield found
    for found in also:
        if os.path.realpath(found.path) not in seen:
            yield found


def _on_path(environ: Mapping[str, str]) -> Iterator[FoundPython]:
    for folder in environ.get("PATH", "").split(os.pathsep):
        if folder and not _is_shims(folder):
            yield from _in(folder, "PATH")


def _is_shims(folder: str) -> bool:
    return folder.rstrip("/").endswith("/shims")


def _of_machine(environ: Mapping[str, str]) -> Iterator[FoundPython]:
    for folder in ("/usr/local/bin", "/usr/bin", "/opt/homebrew/bin"):
        yield from _in(folder, "this machine")


def _of_pyenv(environ: Mapping[str, str]) -> Iterator[FoundPython]:
    roots = [environ.get("PYENV_ROOT", ""), _home(environ, ".pyenv")]
    shims = filter(_is_shims, environ.get("PATH", "").split(os.pathsep))
    roots += [os.path.dirname(folder.rstrip("/")) for folder in shims]
    for root in dict.fromkeys(filter(None, roots)):
        for name in sorted(listed(os.path.join(root, "versions")), key=_key, reverse=True):
            path = os.path.join(root, "versions", name, "bin", "python")
            version = name if re.fullmatch(r"3\.\d+\.\d+\w*", name) else ""
            if os.access(path, os.X_OK) and (version or not name[:1].isdigit()):
                yield FoundPython(path=path, version=version, where="pyenv")


def _of_conda(environ: Mapping[str, str]) -> Iterator[FoundPython]:
    prefixes = [environ.get("CONDA_PREFIX", "")]
    with suppress(OSError):
        prefixes += Path(_home(environ, ".conda/environments.txt")).read_text("utf-8").splitlines()
    for program in (environ.get("CONDA_EXE", ""), environ.get("MAMBA_EXE", "")):
        if program:
            base = os.path.dirname(os.path.dirname(program))
            prefixes += [base, *(f"{base}/envs/{name}" for name in listed(f"{base}/envs"))]
    for prefix in dict.fromkeys(filter(None, (each.strip() for each in prefixes))):
        for name in listed(os.path.join(prefix, "conda-meta")):
            found = _CONDA_PYTHON.match(name)
            path = os.path.join(prefix, "bin", "python")
            if found and os.access(path, os.X_OK):
                yield FoundPython(path=path, version=found["version"], where="conda")


def _in(folder: str, where: str) -> Iterator[FoundPython]:
    names = [name for name in listed(folder) if _PROGRAM.match(name)]
    for name in sorted(names, key=lambda name: _key(name.removeprefix("python")), reverse=True):
        number = name.removeprefix("python")
        version = number if "." in number else ""
        yield FoundPython(path=os.path.join(folder, name), version=version, where=where)


def _missing(asked: str, known: tuple[FoundPython, ...], here: Environment) -> SafeInstallError:
    rows: dict[str, FoundPython] = {}
    for found in known:
        if found.version and _key(found.version)[:2] >= _OLDEST:
            rows.setdefault(".".join(found.version.split(".")[:2]), found)
    best = max(rows, key=_key, default="")
    ordered = sorted(rows.items(), key=lambda row: _key(row[0]))
    install = "uv python install " + asked if shutil.which("uv") else ""
    what = f"Python {asked}" if _VERSION.match(asked) else f"interpreter {asked}"
    lines = [f"Python {minor}: {shown(found.path, here.home)}" for minor, found in ordered]
    lines += [f"To get it: {install}"] if install and _VERSION.match(asked) else []
    words, context = f"There is no {what} on this machine.", "\n".join(lines)
    return SafeInstallError(words, context=context, hint=best, code="no-such-python")


def _may_fit(version: str, wanted: str) -> bool:
    """Tell whether an interpreter known as `version` may turn out to be `wanted`."""
    have, want = version.split("."), wanted.split(".")
    return all(a == b for a, b in zip(have, want, strict=False))


def _fits(version: str, wanted: str) -> bool:
    have, want = version.split("."), wanted.split(".")
    return have[: len(want)] == want


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def _home(environ: Mapping[str, str], inside: str) -> str:
    return os.path.join(environ.get("HOME") or str(Path("~").expanduser()), inside)
