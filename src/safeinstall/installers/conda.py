"""conda, mamba and micromamba as installers: find the environment's own, build commands, read JSON.

The three share `install --prefix P --dry-run --json --yes SPEC...` and answer with
`{"success", "actions": {"LINK": [...], "UNLINK": [...]}}` (conda: `conda/cli/common.py`,
`stdout_json_success`; mamba 2: `libmamba/src/core/transaction.cpp`). The formats are written down
as known, without the programs at hand; the tests drive real environments and real solves through
a program that speaks them (`tests/support/conda_program`).
pixi keeps a manifest of its own and has no dry run for one package: its line is offered, not run.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from safeinstall.environment import Environment
from safeinstall.errors import InstallerError
from safeinstall.installers import DryRun, Installer, Resolved
from safeinstall.installers.sources import Sources
from safeinstall.request import OPTIONS, InstallRequest, RequestItem
from safeinstall.runner import Command

_PROGRAMS: Final = ("conda", "mamba", "micromamba")
_COMMAND: Final = re.compile(
    r"^# cmd: (?P<program>\S*?(?:conda|mamba|micromamba)(?:\.exe)?)\s", re.M
)
_DROPPED: Final = ("CONDA_PREFIX", "CONDA_DEFAULT_ENV", "MAMBA_ROOT_PREFIX_OVERRIDE", "PYTHONPATH")
_PYPI_ONLY: Final = (
    "index_url",
    "extra_index_urls",
    "find_links",
    "no_index",
    "require_hashes",
    "uploaded_prior_to",
    "pre",
)
"""Options, by their field, that say nothing to conda."""
_CODES: Final = {
    **dict.fromkeys(("PackagesNotFoundError", "ResolvePackageNotFound"), "not-found"),
    **dict.fromkeys(("UnsatisfiableError", "LibMambaUnsatisfiableError"), "conflict"),
    "CondaHTTPError": "index-unreachable",
    "EnvironmentNotWritableError": "not-writable",
    "NoSpaceLeftError": "no-space",
}
"""What conda calls an error -> our code."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Conda(Installer):
    """A program that manages a conda environment; it changes that itself, without staging."""

    path: str
    kind: str
    """`conda`, `mamba`, `micromamba` or `pixi`."""
    found: str
    """Where it was found, for the reason shown."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.kind

    def plan_command(
        self,
        request: InstallRequest,
        environment: Environment,
        sources: Sources,
        *,
        from_cache: bool = False,
        config: bool = True,
    ) -> Command:
        """Return the dry run. Raises `InstallerError` for what only PyPI's installers understand.

        `sources` are PyPI's: conda looks into its own channels.
        """
        return self._command(request, environment, "--dry-run")

    def install_command(self, request: InstallRequest, environment: Environment) -> Command:
        """Return the command that carries it out."""
        return self._command(request, environment)

    def read_plan(self, stdout: str, stderr: str = "") -> DryRun:
        """Parse the answer of a dry run or of an install.

        Raises `InstallerError` with the reason when it failed, or when the answer is none we know.
        """
        data = _json(stdout)
        if data is None:
            context = (stderr or stdout)[-2000:]
            raise InstallerError(
                "conda's answer is not JSON.", code="unknown-report", context=context
            )
        if data.get("success") is False or "error" in data or "exception_name" in data:
            raise _failure(data)
        actions = data.get("actions") or {}
        if isinstance(actions, list):  # conda 4: one set of actions for each subdirectory
            actions = {
                key: [e for a in actions for e in a.get(key, ())] for key in ("LINK", "UNLINK")
            }
        return DryRun(
            arriving=tuple(map(_resolved, actions.get("LINK") or ())),
            leaving=tuple(map(_resolved, actions.get("UNLINK") or ())),
        )

    def _command(self, request: InstallRequest, environment: Environment, *more: str) -> Command:
        _check(request)
        specs = [_spec(item) for item in request.items]
        bare = all(re.fullmatch(r"[\w.-]+", spec) for spec in specs)
        verb = "update" if request.upgrade and bare else "install"
        argv = [self.path, verb, "--prefix", environment.prefix, "--json", "--yes", *more]
        argv += ["--no-deps"] if request.no_deps else []
        argv += ["--force-reinstall"] if request.force_reinstall and self.kind == "conda" else []
        overrides: dict[str, str | None] = dict.fromkeys(_DROPPED)
        return Command(argv=(*argv, *specs), overrides=overrides)


def find_program(
    prefix: str,
    environ: Mapping[str, str],
    runs: Callable[[str], bool],
    history: str = "",
    pixi: bool = False,
) -> Conda | None:
    """Return the program that manages the environment at `prefix`, or None.

    `runs` tells whether a path is a program; `history` is the text of `conda-meta/history`; `pixi`
    tells whether `conda-meta/pixi` exists. Order: the environment's maker, the variables its
    activation sets, beside the interpreter, the installation it belongs to.
    """
    if pixi:
        return Conda(path="pixi", kind="pixi", found="conda-meta/pixi says so")
    places = [(environ.get(name, ""), name) for name in ("CONDA_EXE", "MAMBA_EXE")]
    roots = [(prefix, "beside the interpreter")]
    if os.path.basename(os.path.dirname(prefix)) == "envs":
        roots.append((os.path.dirname(os.path.dirname(prefix)), "the installation it belongs to"))
    for root, found in roots:
        tried = product(_PROGRAMS, ("bin", "condabin", "Scripts"))
        places += [(os.path.join(root, folder, program), found) for program, folder in tried]
    places += [(match["program"], "its history") for match in _COMMAND.finditer(history)]
    for path, found in places:
        if path and os.path.isabs(path) and runs(path):  # noqa: PTH117
            stem = os.path.basename(path).removesuffix(".exe")
            return Conda(path=path, kind=stem if stem in _PROGRAMS else "conda", found=found)
    return None


def pixi_line(request: InstallRequest) -> str:
    """Return what is to be typed where pixi manages the environment."""
    return " ".join(["pixi", "add", *(f'"{_spec(item)}"' for item in request.items)])


def _check(request: InstallRequest) -> None:
    given = next((field for field in _PYPI_ONLY if getattr(request, field)), None)
    if given:
        flag = next(option.names[0] for option in OPTIONS if option.field == given)
        words = f"{flag} is for PyPI's packages; conda looks into its own channels."
        raise InstallerError(words, code="option-conflict")


def _spec(item: RequestItem) -> str:
    """Return a requirement as conda's MatchSpec. Raises `InstallerError` where there is none."""
    requirement = item.requirement
    if item.kind != "named" or requirement is None or item.hashes or item.locked:
        raise InstallerError(f"conda cannot install {item.text}.", code="not-for-conda")
    if requirement.extras or requirement.marker:
        what = "extras" if requirement.extras else "environment markers"
        raise InstallerError(f"conda knows no {what}: {item.text}.", code="not-for-conda")
    return f"{item.name}{requirement.specifier}"


def _resolved(entry: Any) -> Resolved:
    if isinstance(entry, str):  # `name-version-build`, as conda 4 wrote with --json
        package, version, _ = entry.rsplit("::", 1)[-1].split(" ")[0].rsplit("-", 2)
        return Resolved(name=package, version=version)
    if not isinstance(entry, dict) or "name" not in entry or "version" not in entry:
        raise InstallerError("conda's plan has an entry without a name.", code="unknown-report")
    return Resolved(name=str(entry["name"]), version=str(entry["version"]))


def _failure(data: Mapping[str, Any]) -> InstallerError:
    kind = str(data.get("exception_name") or "")
    message = str(data.get("message") or data.get("error") or "conda stopped without a reason.")
    code = _CODES.get(kind, "installer-failed")
    packages = ", ".join(map(str, data.get("packages") or ()))
    first = message.strip().splitlines()[0] if message.strip() else kind
    said = f"No channel of conda has {packages}." if code == "not-found" and packages else first
    if code == "conflict":
        said = "conda finds no set of packages that meets this."
    return InstallerError(said, code=code, context=message)


def _json(stdout: str) -> dict[str, Any] | None:
    """Return the last JSON object of the output: progress objects may stand before it."""
    text = stdout.replace("\x00", "\n").strip()
    for start in (0, text.rfind("\n{") + 1):
        with suppress(ValueError):
            data = json.loads(text[start:])
            return data if isinstance(data, dict) else None
    return None
