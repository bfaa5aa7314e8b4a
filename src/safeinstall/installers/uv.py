"""uv as an installer: build its commands, read its JSON plan and its reasons.

Known from uv's command line (crates/uv-cli) and measured with 0.13: the plan is one JSON object on
standard output with a `preview` schema, human text goes to standard error; a `target` or `prefix`
in a uv configuration file beats `--prefix` on the command line.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from packaging.utils import canonicalize_name

from safeinstall.distributions import Changes
from safeinstall.environment import Environment
from safeinstall.errors import InstallerError
from safeinstall.installers import (
    PLAIN,
    DryRun,
    Installer,
    Resolved,
    entry,
    files_of,
    items_of,
    lacking,
    staging_arguments,
    venv_overrides,
)
from safeinstall.installers.credentials import off_the_command_line
from safeinstall.installers.sources import REDIRECTING_VARIABLES, Sources
from safeinstall.request import InstallRequest, RequestItem
from safeinstall.runner import Command

_FROM = re.compile(r"^ \+ (?P<name>[^\s=]+)(?:==\S+ \(from (?P<url>.+)\)| @ (?P<place>.+))$", re.M)
_YANKED = re.compile(
    r'^warning: `(?P<name>[\w.-]+)==[^`]+` is yanked(?: \(reason: "?(?P<why>.*?)"?\))?\.?$', re.M
)
_DOWNLOADS = re.compile(r"^Would download ", re.M)
_PROGRESS = re.compile(
    r"^\s*(?P<verb>Downloading|Building|Built|Downloaded|Updating) (?P<what>.+)$"
)


OLDEST_UV = (0, 12, 18)
"""The first whose `uv pip install --dry-run` answers in JSON (measured: 0.12.17 does not)."""


@dataclass(frozen=True, slots=True)
class Uv(Installer):
    """uv, which serves any interpreter."""

    plans_from_cache: ClassVar[bool] = True
    links_its_cache: ClassVar[bool] = True
    picks_versions: ClassVar[bool] = True
    takes_overrides: ClassVar[bool] = True
    asks_before_places: ClassVar[bool] = True

    binary: str

    @property
    def name(self) -> str:
        """What people call it."""
        return "uv"

    def plan_command(
        self,
        request: InstallRequest,
        environment: Environment,
        sources: Sources,
        *,
        from_cache: bool = False,
        config: bool = True,
    ) -> Command:
        """Return the dry run that answers what the request would change."""
        argv = [*self._head(environment, sources, config), "--dry-run", "--output-format", "json"]
        argv += ["--offline"] if from_cache else []
        request = _with_names(request)
        argv += ["--break-system-packages"] if request.break_system_packages else []
        argv += [*_strategy(request, sources), *items_of(request, "-")]
        # A dry run, too, waits for uv's own lock: as long as another is kept waiting by its index.
        impatient = {"UV_LOCK_TIMEOUT": "1"} if request.no_wait else {}
        overrides = {**_overrides(request, sources), **impatient}
        command = Command(
            argv=tuple(argv), overrides=overrides, builds=sources.may_build, **files_of(request)
        )
        return off_the_command_line(command, "-")

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
        """Return what unpacks exactly the plan into `stage`: from the cache, then from the network.

        `--force-reinstall` begins with everything fetched anew and the cache left alone.
        """
        request = _with_names(request)
        request = lacking(request, changes)
        attempts = [["--no-cache"]] if request.force_reinstall else []
        head = [*self._head(environment, sources, config), "--prefix", stage, "--no-deps"]
        tail = ["--prerelease", "allow"] if sources.pre else []
        # A link into the cache dangles once that is cleared; any other mode brings files.
        tail += ["--link-mode", "copy"] if sources.symlinks else []
        tail += staging_arguments(request, changes, plan, "-")
        given: dict[str, Any] = {"overrides": _overrides(request, sources)}
        given |= {"builds": sources.may_build, **files_of(request)}
        commands = (
            Command(argv=(*head, *attempt, *tail), **given)
            for attempt in (*attempts, ["--offline"], [])
        )
        return tuple(off_the_command_line(command, "-") for command in commands)

    def read_plan(self, stdout: str, stderr: str = "") -> DryRun:
        """Parse a successful dry run. Raises `InstallerError` when the report is none we know."""
        try:
            data = json.loads(stdout)
        except ValueError as error:
            words = "uv's plan is not JSON: its version is too old (0.12.18 or newer is needed)."
            line = ("install", "--upgrade", "--installer", "pip", "uv")
            raise InstallerError(words, code="unknown-report", command=line) from error
        named = _FROM.finditer(stderr)
        urls = {canonicalize_name(m["name"]): m["url"] or m["place"] for m in named}
        yanked = {canonicalize_name(m["name"]): m["why"] or "" for m in _YANKED.finditer(stderr)}
        arriving, leaving = [], []
        for change in entry(data, "changes"):
            name = str(entry(change, "name"))
            key = canonicalize_name(name)
            version = str(change.get("version") or "")  # a folder has none before it is built
            resolved = Resolved(
                name=name, version=version, url=urls.get(key), yanked=yanked.get(key)
            )
            action = entry(change, "action")
            if action in ("installed", "reinstalled"):
                arriving.append(resolved)
            elif action == "uninstalled":
                leaving.append(resolved)
        downloads = _DOWNLOADS.search(stderr) is not None
        return DryRun(arriving=tuple(arriving), leaving=tuple(leaving), downloads=downloads)

    def progress(self, line: str) -> str | None:
        """Return what one line of uv's output says about its progress, or None."""
        found = _PROGRESS.match(line)
        return f"{found['verb'].lower()} {found['what']}" if found else None

    def has_read_caches(self, line: str) -> bool:
        """Tell whether this line says that it has read what it knows of the packages."""
        return line.startswith("Resolved ")

    def version_command(
        self,
        request: InstallRequest,
        environment: Environment,
        sources: Sources,
        *,
        lowest: bool = False,
    ) -> Command:
        """Return the dry run that takes the highest (or lowest) version there is."""
        command = self.plan_command(request, environment, sources)
        more = ("--resolution", "lowest") if lowest else ()
        return replace(command, argv=(*command.argv, *more))

    def overriding(self, command: Command, file: str) -> Command:
        """Return the dry run with the requirements in `file` in place of those of packages."""
        return replace(command, argv=(*command.argv, "--override", file))

    def pythons_command(self) -> Command | None:
        """Return what lists the interpreters uv has installed, which nobody else can know."""
        argv = (self.binary, "python", "list", "--only-installed", "--managed-python", "--offline")
        return Command(argv=(*argv, "--output-format", "json"), overrides=PLAIN)

    def read_pythons(self, stdout: str) -> tuple[tuple[str, str], ...]:
        """Return path and version of each interpreter in that list; none when it is no list."""
        try:
            rows = json.loads(stdout)
        except ValueError:
            return ()
        return tuple(
            (str(row["path"]), str(row["version"]))
            for row in rows
            if isinstance(row, dict) and row.get("path") and row.get("version")
        )

    def environment_command(
        self, python: str, folder: str, *, prompt: str, system_site: bool = False
    ) -> Command:
        """Return what lets uv make an empty environment (`uv venv --help`, 0.13)."""
        argv = [self.binary, "venv", "--quiet", "--no-project", "--no-config", "--color", "never"]
        argv += ["--allow-existing", "--python", python, "--prompt", prompt]
        argv += ["--system-site-packages"] if system_site else []
        return Command(argv=(*argv, folder), overrides=venv_overrides())

    def serving(self, environment: Environment) -> Environment:
        """Return the environment as one that this uv is found for: what has made it fills it."""
        return replace(environment, uv=self.binary)

    def _head(self, environment: Environment, sources: Sources, config: bool) -> list[str]:
        argv = [self.binary, "pip", "install", "--python", environment.executable]
        argv += ["--color", "never", *([] if config else ["--no-config"])]
        argv += sources.arguments("--allow-insecure-host")
        for name, cutoff in sources.package_cutoffs:
            written = cutoff.written if cutoff else "false"
            argv += ["--exclude-newer-package", f"{name}={written}"]
        if sources.keyring_provider in ("subprocess", "disabled"):
            argv += ["--keyring-provider", sources.keyring_provider]
        return argv


def _with_names(request: InstallRequest) -> InstallRequest:
    """Return the request with places called by their names, as far as these are known (PEP 508).

    uv builds nothing without a name where builds are forbidden but for names.
    """
    return replace(request, items=tuple(map(_with_name, request.items)))


def _with_name(item: RequestItem) -> RequestItem:
    if item.name is None or item.requirement is not None or item.kind in ("wheel", "editable"):
        return item
    if "://" in item.text:
        return replace(item, text=f"{item.name} @ {item.text}")
    path, bracket, extras = item.text.partition("[")
    return replace(item, text=f"{item.name}{bracket}{extras} @ {Path(path).as_uri()}")


def _strategy(request: InstallRequest, sources: Sources) -> list[str]:
    argv: list[str] = ["--prerelease", "allow"] if sources.pre else []
    argv += ["--no-deps"] if request.no_deps or request.locked else []
    argv += ["--require-hashes"] if request.checks_hashes else []
    for item in request.items:
        if request.upgrade and item.name:
            argv += ["--upgrade-package", item.name]
        if (request.force_reinstall or item.kind in ("folder", "editable")) and item.name:
            argv += ["--reinstall-package", item.name]
    return argv


def _overrides(request: InstallRequest, sources: Sources) -> Mapping[str, str | None]:
    """Return the variables: redirections dropped, secrets kept out of the argument list."""
    overrides: dict[str, str | None] = dict.fromkeys(
        (*REDIRECTING_VARIABLES, "UV_PROJECT", "UV_WORKING_DIRECTORY", "UV_DRY_RUN", "RUST_LOG")
    )
    overrides |= {
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_PROGRESS": "1",
        **PLAIN,
        "UV_HTTP_RETRIES": sources.retries or "1",
        "UV_CONSTRAINT": None,  # its files stand on the command line, beside those of pip
    }
    if sources.cutoff or sources.cutoff_lifted:
        overrides["UV_EXCLUDE_NEWER"] = sources.cutoff.written if sources.cutoff else "false"
    if request.locked:  # uv: "Cannot specify constraints with a `pylock.toml` file"
        overrides |= dict.fromkeys(("UV_OVERRIDE", "UV_EXCLUDE"))
    if sources.index_url:
        overrides["UV_DEFAULT_INDEX"] = sources.index_url
        overrides["UV_INDEX_URL"] = None
        if sources.index_typed:
            overrides["UV_INDEX"] = None
    if sources.extra_index_urls:
        overrides["UV_EXTRA_INDEX_URL"] = " ".join(sources.extra_index_urls)
        # pip takes the best version of all indexes; uv by default stops at the first index
        # that knows the name, and would not find what pip finds with the same settings
        overrides["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    # pip takes a file of certificates, or a folder of them.
    is_folder = bool(sources.cert) and Path(str(sources.cert)).is_dir()
    given = {
        "SSL_CERT_DIR" if is_folder else "SSL_CERT_FILE": sources.cert,
        "SSL_CLIENT_CERT": sources.client_cert,
        **dict.fromkeys(("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY"), sources.proxy),
        "UV_HTTP_TIMEOUT": _whole(sources.timeout),
    }
    return overrides | {variable: value for variable, value in given.items() if value}


def _whole(seconds: str | None) -> str | None:
    """Return a duration as uv takes it: pip knows fractions of a second, uv does not."""
    try:
        return str(math.ceil(float(seconds))) if seconds else None
    except (ValueError, OverflowError):
        return seconds
