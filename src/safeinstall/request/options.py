"""The options of `%safeinstall`, one row each: what may be typed, what it means, what it fills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

OptionKind = Literal["switch", "value", "values", "allow", "place"]

USUAL_PLACE: Final = "./.venv"
"""Where a new environment is made unless told otherwise: beside the notebook."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One option a person may type."""

    names: tuple[str, ...]
    """Every spelling; the first is the one we print."""
    field: str
    """The field of `Request` it fills, or the list it adds to."""
    help: str
    """What it does, in a few words."""
    kind: OptionKind = "switch"
    """Whether it takes nothing, one value (the last one typed counts), one value each time, or a
    place, which may be left out: `--name=PLACE`, `--name ./PLACE`, or `--name` alone."""
    example: str = ""
    """A sensible value, shown where one is missing."""
    choices: tuple[str, ...] = ()
    """The only values it knows, or empty when any is fine."""
    in_files: bool = False
    """True if pip knows it in requirements files, where we want it typed as well."""
    command_only: bool = False
    """True if it makes sense for the command line only, or together with `--new-env`."""

    @property
    def takes_value(self) -> bool:
        """True when a value follows."""
        return self.kind in ("value", "values")


def _switch(names: str, field: str, help: str, **more: Any) -> Option:
    return Option(names=tuple(names.split()), field=field, help=help, **more)


def _values(
    names: str, field: str, example: str, help: str, kind: OptionKind = "values", **more: Any
) -> Option:
    return replace(_switch(names, field, help), kind=kind, example=example, **more)


def _allow(name: str, text: str) -> Option:
    """Return the row of a flag that allows one named thing."""
    return Option(names=(f"--allow-{name}",), field="allow", kind="allow", help=text)


# One row in a line or two.
# fmt: off
OPTIONS: Final[tuple[Option, ...]] = (
    _values("--requirement -r --requirements --requirements-from-script", "requirement_files",
            "requirements.txt",
            "install what this file lists: lines, script, pyproject.toml, pylock.toml"),
    _values("--group", "groups", "dev",
            "install this dependency group of pyproject.toml here, PATH:NAME of another one"),
    _values("--extra", "extras", "plot",
            "with -r pyproject.toml or pylock.toml: take this extra too"),
    _values("--constraint -c --constraints", "constraint_files", "constraints.txt",
            "keep to the versions in this file, without installing what it lists"),
    _values("--editable -e", "editables", "./project",
            "install this project so that its source files stay in use", in_files=True),
    _values("--hash", "hashes", "sha256:HEX",
            "after name==version: accept only a file with this hash"),
    _switch("--require-hashes", "require_hashes",
            "accept only files whose hash is given", in_files=True),
    _switch("--upgrade -U", "upgrade", "newest versions of what is named"),
    _switch("--pre", "pre", "consider pre-releases too", in_files=True),
    _switch("--no-deps --no-dependencies", "no_deps", "leave the dependencies alone"),
    _switch("--force-reinstall", "force_reinstall", "install again what is there already"),
    _values("--index-url -i", "index_url", "https://index.example/simple",
            "look for packages here instead of the usual index", "value", in_files=True),
    _values("--extra-index-url", "extra_index_urls", "https://other.example/simple",
            "look for packages here as well", in_files=True),
    _values("--find-links -f", "find_links", "./wheels",
            "take packages from this folder or page as well", in_files=True),
    _switch("--no-index", "no_index", "ask no index, only find-links", in_files=True),
    _values("--uploaded-prior-to", "uploaded_prior_to", "2026-01-31",
            "take no file uploaded later: a date, or P7D for a week ago", "value"),
    _values("--trusted-host", "trusted_hosts", "index.example",
            "accept this host without a valid certificate", in_files=True),
    _switch("--prove-import", "prove_import",
            "import what is named in a new process, and put all back if that fails"),
    _values("--import-seconds", "import_seconds", "60",
            "with --prove-import: how long an import may take", "value"),
    _values("--time-limit", "time_limit", "60",
            "minutes an installer may work at once (60; where something is built 20)", "value"),
    _switch("--dry-run", "dry_run", "show the plan and change nothing"),
    _switch("--yes -y", "yes", "accept every confirmation"),
    _switch("--strict", "strict", "stop for warnings too"),
    _switch("--verbose -v", "verbose", "show what the installer says"),
    _switch("--quiet -q", "quiet", "say one line and the warnings, or what went wrong"),
    _values("--installer", "installer", "pip",
            "which program does the work", "value", choices=("auto", "uv", "pip", "conda")),
    _switch("--no-wait", "no_wait",
            "stop at once if another install is at work in this environment"),
    _switch("--user", "user",
            "the user site is meant, which all environments of this Python share"),
    _switch("--break-system-packages", "break_system_packages",
            "change packages that belong to the operating system"),
    Option(names=("--new-env",), field="new_env", kind="place",
           help="make a new environment and kernel for this: .venv here, ./PATH, or =NAME"),
    _switch("--overlay", "overlay",
            "with --new-env: see the packages of the present environment too"),
    _allow("conflicts", "go on although an installed package loses what it needs"),
    _allow("kernel-change", "go on although packages the kernel runs on change"),
    _values("--allow-build", "allow_builds", "NAME",
            "let this package run its own code to build itself"),
    _allow("direct", "accept the URLs and repositories a requirements file lists"),
    _allow("file-options", "obey the options written in a requirements file"),
    _allow("stdlib-name", "install a package named like a module of Python itself"),
    _values("--python", "python", "PATH",
            "work on the environment of this interpreter; with --new-env: its Python (3.12)",
            "value", command_only=True),
    _switch("--json", "json", "print one JSON object at the end", command_only=True),
    _switch("--help -h", "help", "show these lines"),
)
# fmt: on

OPTION_NAMES: Final = {name: option for option in OPTIONS for name in option.names}
"""Every spelling and its row."""


_OF_UNINSTALL: Final = frozenset(
    {"dry_run", "yes", "verbose", "quiet", "no_wait", "user", "python", "json", "help"}
)


def serves(option: Option, command: str) -> bool:
    """Tell whether `command`, one that lists requirements, knows the option."""
    if command != "uninstall":
        return True
    return option.field in _OF_UNINSTALL or "--allow-conflicts" in option.names


def attached(words: Iterable[str]) -> tuple[str, ...]:
    """Return the words with the value of each option attached to it: `--index-url=URL`."""
    result: list[str] = []
    waiting = ""
    for word in words:
        option = OPTION_NAMES.get(word)
        if waiting:
            result.append(f"{waiting}={word}")
            waiting = ""
        elif option is not None and option.takes_value:
            waiting = option.names[0]
        else:
            result.append(word)
    return (*result, waiting) if waiting else tuple(result)
