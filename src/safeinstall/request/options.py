"""The options of `%safeinstall`, one row each: what may be typed, what it means, what it fills."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

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


def _allow(name: str, text: str) -> Option:
    """Return the row of a flag that allows one named thing."""
    return Option(names=(f"--allow-{name}",), field="allow", kind="allow", help=text)


OPTIONS: Final[tuple[Option, ...]] = (
    Option(
        names=("--requirement", "-r", "--requirements"),
        field="requirement_files",
        kind="values",
        example="requirements.txt",
        help="install what this requirements file lists",
    ),
    Option(
        names=("--constraint", "-c", "--constraints"),
        field="constraint_files",
        kind="values",
        example="constraints.txt",
        help="keep to the versions in this file, without installing what it lists",
    ),
    Option(
        names=("--editable", "-e"),
        field="editables",
        kind="values",
        example="./project",
        in_files=True,
        help="install this project so that its source files stay in use",
    ),
    Option(
        names=("--hash",),
        field="hashes",
        kind="values",
        example="sha256:HEX",
        help="after name==version: accept only a file with this hash",
    ),
    Option(
        names=("--require-hashes",),
        field="require_hashes",
        in_files=True,
        help="accept only files whose hash is given",
    ),
    Option(names=("--upgrade", "-U"), field="upgrade", help="newest versions of what is named"),
    Option(names=("--pre",), field="pre", in_files=True, help="consider pre-releases too"),
    Option(
        names=("--no-deps", "--no-dependencies"),
        field="no_deps",
        help="leave the dependencies alone",
    ),
    Option(
        names=("--force-reinstall",),
        field="force_reinstall",
        help="install again what is there already",
    ),
    Option(
        names=("--index-url", "-i"),
        field="index_url",
        kind="value",
        example="https://index.example/simple",
        in_files=True,
        help="look for packages here instead of the usual index",
    ),
    Option(
        names=("--extra-index-url",),
        field="extra_index_urls",
        kind="values",
        example="https://other.example/simple",
        in_files=True,
        help="look for packages here as well",
    ),
    Option(
        names=("--find-links", "-f"),
        field="find_links",
        kind="values",
        example="./wheels",
        in_files=True,
        help="take packages from this folder or page as well",
    ),
    Option(
        names=("--no-index",), field="no_index", in_files=True, help="ask no index, only find-links"
    ),
    Option(
        names=("--trusted-host",),
        field="trusted_hosts",
        kind="values",
        example="index.example",
        in_files=True,
        help="accept this host without a valid certificate",
    ),
    Option(names=("--dry-run",), field="dry_run", help="show the plan and change nothing"),
    Option(names=("--yes", "-y"), field="yes", help="accept every confirmation"),
    Option(names=("--strict",), field="strict", help="stop for warnings too"),
    Option(names=("--verbose", "-v"), field="verbose", help="show what the installer says"),
    Option(
        names=("--quiet", "-q"),
        field="quiet",
        help="say one line and the warnings, or what went wrong",
    ),
    Option(
        names=("--installer",),
        field="installer",
        kind="value",
        example="pip",
        choices=("auto", "uv", "pip", "conda"),
        help="which program does the work",
    ),
    Option(
        names=("--no-wait",),
        field="no_wait",
        help="stop at once if another install is at work in this environment",
    ),
    Option(
        names=("--user",),
        field="user",
        help="install into the user site, which all environments of this Python share",
    ),
    Option(
        names=("--break-system-packages",),
        field="break_system_packages",
        help="change packages that belong to the operating system",
    ),
    Option(
        names=("--new-env",),
        field="new_env",
        kind="place",
        help="make a new environment and kernel for this: .venv here, ./PATH, or =NAME",
    ),
    Option(
        names=("--overlay",),
        field="overlay",
        help="with --new-env: see the packages of the present environment too",
    ),
    _allow("conflicts", "go on although an installed package loses what it needs"),
    _allow("kernel-change", "go on although packages the kernel runs on change"),
    Option(
        names=("--allow-build",),
        field="allow_builds",
        kind="values",
        example="NAME",
        help="let this package run its own code to build itself",
    ),
    _allow("direct", "accept the URLs and repositories a requirements file lists"),
    _allow("file-options", "obey the options written in a requirements file"),
    _allow("stdlib-name", "install a package named like a module of Python itself"),
    Option(
        names=("--python",),
        field="python",
        kind="value",
        example="PATH",
        command_only=True,
        help="work on the environment of this interpreter; with --new-env: its Python (3.12)",
    ),
    Option(
        names=("--json",), field="json", command_only=True, help="print one JSON object at the end"
    ),
    Option(names=("--help", "-h"), field="help", help="show these lines"),
)

OPTION_NAMES: Final = {name: option for option in OPTIONS for name in option.names}
"""Every spelling and its row."""


def option_of(field: str) -> Option:
    """Return the row that fills `field`."""
    return next(option for option in OPTIONS if option.field == field)


_OF_UNINSTALL: Final = frozenset(
    {"dry_run", "yes", "verbose", "quiet", "no_wait", "python", "json", "help"}
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
