"""The environment an interpreter installs into, as a typed value made from a probe report."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from packaging.markers import default_environment

from safeinstall.errors import EnvironmentReportError
from safeinstall.probe.facts.interpreter import facts as probe_facts

Kind = Literal[
    "venv", "virtualenv", "uv-venv", "conda", "pyenv", "debian-system", "system", "pyodide"
]
_KIND_WORDS: dict[str, str] = {
    "venv": "virtual environment",
    "virtualenv": "virtual environment (virtualenv)",
    "uv-venv": "virtual environment (uv)",
    "conda": "conda environment",
    "pyenv": "stand-alone Python",
    "debian-system": "Debian's own Python",
    "system": "the system's own Python",
    "pyodide": "Python in the browser",
}
_SPELLED: dict[str, str] = {"cpython": "CPython", "pypy": "PyPy"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Paths:
    """Where the interpreter's default scheme puts things (`sysconfig`)."""

    stdlib: str
    purelib: str
    platlib: str
    scripts: str
    data: str
    include: str

    @property
    def site_packages(self) -> tuple[str, ...]:
        """The directories that receive modules, each once."""
        return (self.purelib,) if self.purelib == self.platlib else (self.purelib, self.platlib)


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """Whether one scheme directory can be written, and if not, why."""

    path: str
    probed: str
    """The closest existing parent: what was really tested (pip: `test_writable_dir`)."""
    writable: bool
    reason: str | None
    """`read-only-mount`, `not-owner` or `other`; None when writable."""
    owner: str
    mode: str
    you: str
    detail: str
    """The reason as one plain sentence."""


@dataclass(frozen=True, kw_only=True, slots=True)
class UserSite:
    """The per-user `site-packages` of the interpreter."""

    path: str
    enabled: bool | None
    """`site.ENABLE_USER_SITE`: None when switched off for security reasons."""
    exists: bool
    on_path: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Marker:
    """An EXTERNALLY-MANAGED file (PEP 668)."""

    path: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PipFound:
    """The pip that `python -m pip` would run."""

    version: str
    path: str

    @property
    def release(self) -> tuple[int, int]:
        """Major and minor version, (0, 0) when unreadable."""
        parts = self.version.split(".")
        try:
            return int(parts[0]), int(parts[1]) if len(parts) > 1 else 0
        except ValueError:
            return 0, 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Flags:
    """The interpreter's flags that decide what it imports (a child does not inherit them)."""

    isolated: bool = False
    no_user_site: bool = False
    ignore_environment: bool = False
    no_site: bool = False

    def arguments(self) -> tuple[str, ...]:
        """Return the command line options that start another interpreter with the same flags."""
        if self.isolated:
            return ("-I",)
        pairs = ((self.no_user_site, "-s"), (self.ignore_environment, "-E"), (self.no_site, "-S"))
        return tuple(option for given, option in pairs if given)


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """One interpreter and everything about it that decides where installs go."""

    executable: str
    version: str
    implementation: str
    kind: Kind
    evidence: tuple[str, ...]
    prefix: str
    base_prefix: str
    flags: Flags
    paths: Paths
    sys_path: tuple[str, ...]
    user_site: UserSite
    externally_managed: Marker | None
    access: tuple[tuple[str, Access], ...]
    """Scheme key (`purelib`, `platlib`, `scripts`, `data`) and what may be done there."""
    pip: PipFound | None
    uv: str | None
    ephemeral: bool
    home: str
    report: Mapping[str, Any]
    """The probe's own report, complete."""

    @classmethod
    def from_report(cls, report: Mapping[str, Any]) -> Environment:
        """Parse what `safeinstall.probe.facts` reported.

        Raises `EnvironmentReportError` naming the missing key.
        """
        try:
            return cls._parse(report)
        except (KeyError, TypeError, ValueError) as error:
            message = f"The interpreter's report is incomplete: {error!r}."
            raise EnvironmentReportError(message, code="bad-report") from error

    @classmethod
    def _parse(cls, report: Mapping[str, Any]) -> Environment:
        flags, paths, site = report["flags"], report["paths"], report["user_site"]
        managed, pip, uv = report["externally_managed"], report["pip"], report["uv"]
        marker = managed and Marker(path=managed["marker"], message=managed["message"])
        plain = ("executable", "version", "implementation", "kind", "prefix", "base_prefix")
        return cls(
            **{name: report[name] for name in plain},
            evidence=tuple(report["evidence"]),
            flags=Flags(**{name: bool(flags[name]) for name in Flags.__slots__}),
            paths=Paths(**{name: paths[name] for name in Paths.__slots__}),
            sys_path=tuple(report["sys_path"]),
            user_site=UserSite(**{name: site[name] for name in UserSite.__slots__}),
            externally_managed=marker,
            access=tuple(
                (key, Access(**{name: value[name] for name in Access.__slots__}))
                for key, value in report["access"].items()
            ),
            pip=pip and PipFound(version=pip["version"], path=pip["path"]),
            uv=uv and uv["path"],
            ephemeral=bool(report["container"]["ephemeral"]),
            home=report["user"]["home"] or "",
            report=report,
        )

    @property
    def python(self) -> str:
        """Major and minor version as people say it: `3.12`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def kind_words(self) -> str:
        """What kind of environment this is, in words."""
        return _KIND_WORDS.get(self.kind, self.kind)

    @property
    def is_virtual(self) -> bool:
        """True for every kind made beside a base interpreter."""
        return self.kind in ("venv", "virtualenv", "uv-venv")

    @property
    def label(self) -> str:
        """The environment's prefix with the home directory shortened."""
        return shown(self.prefix, self.home)

    @property
    def locked(self) -> Access | None:
        """The first directory an install needs and may not write, or None."""
        needed = ("purelib", "platlib", "scripts")
        access = dict(self.access)
        return next((access[k] for k in needed if k in access and not access[k].writable), None)

    @property
    def markers(self) -> dict[str, str]:
        """What PEP 508 markers are evaluated against in this self.

        Exact for the running interpreter; for another one on this machine the version and the
        implementation are its own, the rest is shared.
        """
        here: dict[str, str] = {key: str(value) for key, value in default_environment().items()}
        if self.executable != sys.executable:
            name = self.implementation
            here |= {
                "python_version": self.python,
                "python_full_version": self.version,
                "implementation_version": self.version,
                "implementation_name": name,
                "platform_python_implementation": _SPELLED.get(name, name),
            }
        return here

    def is_named_by(self, path: str) -> bool:
        """Tell whether `path`, a prefix or an interpreter, means this environment.

        Links of an interpreter are not followed: every venv's `python` links to its base.
        """
        if _comparable(path) == _comparable(self.prefix):
            return True
        named, own = Path(path).absolute(), Path(self.executable).absolute()
        beside = _comparable(str(named.parent)) == _comparable(str(own.parent))
        return beside and named.name.startswith("python")

    def imports_from(self, directory: str) -> bool:
        """Tell whether this interpreter has `directory` on its import path."""
        wanted = _comparable(directory)
        return any(_comparable(entry) == wanted for entry in self.sys_path if entry)

    def importable_destination(self) -> bool:
        """Tell whether everything an install would add can be imported by this interpreter."""
        return all(self.imports_from(directory) for directory in self.paths.site_packages)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form shown to other programs."""
        locked = self.locked
        plain = ("executable", "version", "implementation", "kind", "prefix")
        return {
            **{name: getattr(self, name) for name in plain},
            "site_packages": self.paths.purelib,
            "writable": locked is None,
            "why_not_writable": locked.detail if locked else None,
            "externally_managed": self.externally_managed is not None,
            "user_site": asdict(self.user_site),
            "pip": self.pip and asdict(self.pip),
        }


def this_environment() -> Environment:
    """Return the environment of the running interpreter."""
    return Environment.from_report(probe_facts())


def shown(path: str, home: str) -> str:
    """Return `path` with the home directory as `~` (what may be saved with a notebook)."""
    home = home.rstrip("/\\")
    if home and (path == home or path.startswith((home + "/", home + "\\"))):
        return "~" + path[len(home) :]
    return path


def shown_in(text: str, home: str) -> str:
    """Return `text` with every path below the home directory shortened."""
    home = home.rstrip("/")
    return re.sub(rf"(?<![\w./-]){re.escape(home)}(?![\w.-])", "~", text) if len(home) > 1 else text


def _comparable(path: str) -> str:
    return os.path.normcase(os.path.realpath(path))


@dataclass(frozen=True, kw_only=True, slots=True)
class Destination:
    """Where this install puts files: path, interpreter and the reason."""

    path: str
    scheme: str
    interpreter: str
    reason: str

    @classmethod
    def of(cls, environment: Environment) -> Destination:
        """Return the one destination `%safeinstall` ever uses: the environment's own."""
        path, interpreter = environment.paths.purelib, environment.executable
        scheme = str(environment.report.get("scheme", ""))
        reason = "the environment of the interpreter that runs the cell"
        return cls(path=path, scheme=scheme, interpreter=interpreter, reason=reason)

    def to_dict(self) -> dict[str, str]:
        """Return the JSON form."""
        return asdict(self)
