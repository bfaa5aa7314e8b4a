"""pip (22.3 or newer) as an installer: build its commands, read its report and its reasons.

pip's installation report is a stable JSON document (`"version": "1"`; pip 22.x wrote `"0"`).
Configuration files are switched off (`PIP_CONFIG_FILE` set to the null device, see
`Configuration.iter_config_files`), and what they say about sources is handed back as variables.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Final

from packaging.utils import canonicalize_name

from safeinstall.distributions import Changes
from safeinstall.environment import Environment
from safeinstall.errors import InstallerError
from safeinstall.installers import (
    CHECKOUTS,
    PLAIN,
    DryRun,
    Installer,
    Resolved,
    entry,
    files_of,
    items_of,
    lacking,
    staging_arguments,
)
from safeinstall.installers.credentials import by_netrc, off_the_command_line
from safeinstall.installers.sources import REDIRECTING_VARIABLES, Sources
from safeinstall.request import InstallRequest, RequestItem
from safeinstall.runner import Command

OLDEST: Final = (22, 3)
"""`--dry-run` came with 22.2 and `--python` with 22.3."""
OLDEST_FOR_LOCKS: Final = (26, 1)
"""The first that installs from a lock (`req_file.py`: `parse_requirements`)."""

KNOWS_CUTOFFS: Final = (26, 0)
"""`--uploaded-prior-to` came with it; an older one passes the variable over."""

_YANKED: Final = re.compile(
    r"is a yanked version: '(?P<name>[^']+)' candidate.*\n\s*Reason for being yanked: (?P<why>.*)$",
    re.M,
)
_PROGRESS = re.compile(
    r"^\s*(?P<verb>Collecting|Downloading|Installing|Building|Preparing) (?P<what>\S+)"
)
_STDIN: Final = "/dev/stdin"
_DROPPED: Final = (
    *(variable for variable in REDIRECTING_VARIABLES if variable.startswith("PIP_")),
    *[
        "PIP_ISOLATED",
        "PIP_DRY_RUN",
        "PIP_REPORT",
        "PIP_QUIET",
        "PIP_VERBOSE",
        "PIP_IGNORE_INSTALLED",
    ],
    *[
        "PIP_FORCE_REINSTALL",
        "PIP_REQUIRE_VIRTUALENV",
        "PIP_NO_DEPS",
        "PIP_UPGRADE",
        "PIP_NO_INDEX",
    ],
    *["PIP_FIND_LINKS", "PIP_CONSTRAINT", "PIP_TRUSTED_HOST", "PIP_PRE", "PIP_ONLY_BINARY"],
    *["PIP_NO_BINARY", "PIP_BREAK_SYSTEM_PACKAGES"],
    "FORCE_COLOR",  # a kernel sets it, and pip's report would come out in colours
)


@dataclass(frozen=True, slots=True)
class Pip(Installer):
    """pip, started for one interpreter."""

    counts_python_path: ClassVar[bool] = True

    launcher: tuple[str, ...]
    """What starts it: an interpreter with `-m pip`, and whom it serves."""

    @property
    def name(self) -> str:
        """What people call it."""
        return "pip"

    def plan_command(
        self,
        request: InstallRequest,
        environment: Environment,
        sources: Sources,
        *,
        from_cache: bool = False,
        config: bool = True,
    ) -> Command:
        """Return the dry run; pip has no offline answer, and reads no configuration file here."""
        argv = [*self.launcher, "install", *_head(sources)]
        argv += ["--dry-run", "--quiet", "--report", "-"]
        # an editable one would be fetched into the environment, by a dry run too
        fetched = (replace(i, kind="vcs") if i.is_repository else i for i in request.items)
        request = replace(request, items=tuple(fetched))
        argv += ["--upgrade"] if request.upgrade else []
        argv += ["--no-deps"] if request.no_deps or request.locked else []
        argv += ["--force-reinstall"] if request.force_reinstall else []
        argv += ["--require-hashes"] if request.require_hashes else []
        argv += items_of(request, _STDIN)
        return _command(argv, request, environment, sources)

    def louder(self, command: Command, level: int = 2) -> Command | None:
        """Return the same dry run in many words: a silent pip hides that an index refused it."""
        loud = f"-{'v' * level}"
        argv = tuple(loud if word == "--quiet" else word for word in command.argv)
        return replace(command, argv=argv)

    def stage_commands(
        self,
        stage: str,
        request: InstallRequest,
        environment: Environment,
        sources: Sources,
        changes: Changes,
        plan: DryRun,
        *,
        config: bool = True,
    ) -> tuple[Command, ...]:
        """Return the one command that unpacks exactly the plan into `stage`."""
        request = lacking(request, changes)
        argv = [*self.launcher, "install", *_head(sources), "--prefix", stage, "--no-deps"]
        argv += ["--ignore-installed", "--no-compile", "--no-warn-script-location"]
        argv += ["--src", os.path.join(stage, CHECKOUTS)]
        request = replace(request, items=tuple(map(_with_egg, request.items)))
        argv += staging_arguments(request, changes, plan, _STDIN)
        return (_command(argv, request, environment, sources),)

    def read_plan(self, stdout: str, stderr: str = "") -> DryRun:
        """Parse pip's installation report. Raises `InstallerError` when it is none we know."""
        try:
            data = json.loads(stdout[stdout.index("{") :])
        except ValueError as error:
            words = "pip's report is not JSON: pip 22.3 or newer is needed."
            raise InstallerError(words, code="unknown-report") from error
        if str(entry(data, "version")) not in ("0", "1"):
            words = f"pip's report has version {data['version']}, which we do not know."
            raise InstallerError(words, code="unknown-report")
        found = _YANKED.finditer(stderr)
        reasons: dict[str, str] = {canonicalize_name(m["name"]): m["why"] for m in found}
        return DryRun(arriving=tuple(_resolved(item, reasons) for item in entry(data, "install")))

    def progress(self, line: str) -> str | None:
        """Return what one line of pip's output says about its progress, or None."""
        found = _PROGRESS.match(line)
        return f"{found['verb'].lower()} {found['what']}" if found else None


def _with_egg(item: RequestItem) -> RequestItem:
    """Return an editable repository with its name, without which pip takes none (`#egg=`)."""
    place, _, fragment = item.text.partition("#")
    if item.kind != "editable" or not item.is_repository or not item.name or "egg=" in fragment:
        return item
    fragments = "&".join(filter(None, (fragment, f"egg={item.name}")))
    return replace(item, text=f"{place}#{fragments}")


def _command(
    argv: Sequence[str], request: InstallRequest, environment: Environment, sources: Sources
) -> Command:
    """Run it away from the notebook: a `pip` in its folder would be imported."""
    # `--only-binary` is about what indexes have: the code of a place runs whatever it says
    builds = sources.may_build or any(item.kind not in ("named", "wheel") for item in request.items)
    given = {"overrides": _overrides(sources), "builds": builds, **files_of(request)}
    command = Command(argv=tuple(argv), cwd=environment.prefix, **given)
    return off_the_command_line(by_netrc(command, environment.version), _STDIN)


def _resolved(item: Mapping[str, Any], reasons: Mapping[str, str]) -> Resolved:
    """Return one row of the report; `reasons`: why the makers of some took them back.

    The report says only that they have, and that since pip 23.3 (`is_yanked`); the warning on
    standard error was there before and has the reason.
    """
    name, version = (str(entry(item, "metadata", key)) for key in ("name", "version"))
    yanked = reasons.get(canonicalize_name(name), "" if item.get("is_yanked") else None)
    yanked = "" if yanked == "<none given>" else yanked
    return Resolved(name=name, version=version, url=_direct_url(item), yanked=yanked)


def _direct_url(item: Mapping[str, object]) -> str | None:
    if not item.get("is_direct"):
        return None
    info = entry(item, "download_info")
    vcs = info.get("vcs_info")
    return f"{vcs['vcs']}+{info['url']}@{vcs['commit_id']}" if vcs else str(entry(info, "url"))


def _head(sources: Sources) -> list[str]:
    argv = ["--disable-pip-version-check", "--no-input", "--no-color", "--progress-bar", "off"]
    argv += ["--pre"] if sources.pre else []
    argv += sources.arguments("--trusted-host")
    return argv


def _overrides(sources: Sources) -> Mapping[str, str | None]:
    """Return the variables: redirections dropped, secrets kept out of the argument list."""
    overrides: dict[str, str | None] = dict.fromkeys(_DROPPED)
    return overrides | {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INPUT": "1",
        **PLAIN,
        "PYTHONIOENCODING": "utf-8",
        "PIP_INDEX_URL": sources.index_url,
        "PIP_EXTRA_INDEX_URL": " ".join(sources.extra_index_urls) or None,
        "PIP_CERT": sources.cert,
        "PIP_CLIENT_CERT": sources.client_cert,
        "PIP_PROXY": sources.proxy,
        "PIP_DEFAULT_TIMEOUT": sources.timeout,
        "PIP_RETRIES": sources.retries or "1",
        "PIP_KEYRING_PROVIDER": sources.keyring_provider,
        "PIP_UPLOADED_PRIOR_TO": sources.cutoff.written if sources.cutoff else None,
    }
