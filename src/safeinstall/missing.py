"""A module that is not there: the line that installs it, or the truth about it.

Pure: an exception and facts in, one remark out. Nothing is ever installed from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from packaging.utils import canonicalize_name

from safeinstall import names
from safeinstall.frontend import NOTEBOOK, Frontend
from safeinstall.stdlib import elsewhere_in_python

__all__ = ["Facts", "Missing", "Remark", "missing_from", "remark"]

_INSTALL_HINT: Final = re.compile(
    r"\b(?:pip3?|conda|mamba|uv(?: pip)?|poetry|pdm)\s+(?:install|add)\s+(?:-{1,2}[\w-]+\s+)*"
    r"['\"`]?(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9])(?P<extras>\[[A-Za-z0-9_,. -]+\])?"
)
_OPTIONAL: Final = re.compile(r"[Mm]issing optional dependency '(?P<name>[A-Za-z0-9._-]+)'")
_MODULE: Final = re.compile(r"No module named '?(?P<name>[\w.]+)'?")
_LONGEST: Final = 12
"""Exceptions looked at along `__cause__` and `__context__`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Missing:
    """What an import did not find."""

    module: str
    """The dotted name."""
    hint: str = ""
    """The requirement that an error message tells to install, or empty."""

    @property
    def top(self) -> str:
        """The first part of the name: what is installed or not."""
        return self.module.split(".")[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is true of the missing module on this machine, each empty when it is not."""

    python: str
    """Major and minor version of the kernel's Python."""
    found_now: str = ""
    """The file an import would use by now."""
    loaded: bool = False
    """True when its top-level package is loaded in this kernel."""
    own_file: str = ""
    """A file or folder of that name in the notebook's surroundings, not on the import path."""
    own_folder: str = ""
    """The folder that would have to be on the import path for it."""
    installed: str = ""
    """Name and version of the installed distribution that should bring it."""
    other_interpreter: str = ""
    """Another environment that has it."""
    environment: str = ""
    """The kernel's environment, as shown."""
    built_without: bool = False
    """True for a module of this Python's own library."""
    failed: frozenset[str] = frozenset()
    """Canonical names whose install has already failed in this kernel."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """One line below a traceback."""

    kind: str
    """Stable: `install`, `stale`, `run-again`, `stdlib`, `own-file`, `broken`, `elsewhere`."""
    sentence: str
    command: str = ""
    """The line to type, or empty."""


def missing_from(error: BaseException | None) -> Missing | None:
    """Return what is missing according to an exception and its causes, or None.

    The innermost missing module counts; a requirement named in any message along the way wins over
    a guess.
    """
    module, hint = "", ""
    for each in _chain(error):
        if not isinstance(each, ImportError):
            continue
        text = str(each)[:4000]
        named = _INSTALL_HINT.search(text) or _OPTIONAL.search(text)
        if named and not hint:
            extras = named.groupdict().get("extras") or ""
            hint = f"{named['name']}{extras}"
        if isinstance(each, ModuleNotFoundError) or _MODULE.search(text):
            found = _MODULE.search(text)
            name = each.name or (found["name"] if found else "")
            if name and all(part.isidentifier() for part in name.split(".")):
                module = name
        elif named and not module:
            module = named["name"].replace("-", "_")
    return Missing(module=module, hint=hint) if module else None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen and len(seen) < _LONGEST:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def remark(missing: Missing, facts: Facts, frontend: Frontend = NOTEBOOK) -> Remark | None:
    """Return the one line to say, or None when there is nothing helpful left to say."""
    module, top = missing.module, missing.top
    if facts.found_now:
        if facts.loaded and module != top:
            return Remark(
                kind="stale",
                sentence=f"{module} is on disk now ({facts.found_now}), but this kernel has loaded "
                f"another {top}: restart the kernel.",
            )
        return Remark(
            kind="run-again",
            sentence=f"{module} is there now ({facts.found_now}): run the cell again.",
        )
    stdlib = elsewhere_in_python(top, facts.python)
    if stdlib:
        return Remark(kind="stdlib", sentence=stdlib.sentence, command=stdlib.command)
    if facts.built_without:
        return Remark(
            kind="stdlib",
            sentence=f"{top} is part of Python itself, but this Python {facts.python} was built "
            "without it; no package brings it back.",
        )
    if facts.own_file:
        return Remark(
            kind="own-file",
            sentence=f"{top} is a file of yours, {facts.own_file}, in a folder this kernel does "
            "not import from.",
            command=f"import sys; sys.path.insert(0, {facts.own_folder!r})",
        )
    if facts.installed and module == top:
        return Remark(
            kind="broken",
            sentence=f"{facts.installed} is installed in {facts.environment}, but {module} is "
            "not there: the install is damaged.",
            command="!safeinstall doctor",
        )
    wanted = _wanted(missing)
    if not wanted:
        return None
    if facts.installed:
        return Remark(
            kind="no-submodule",
            sentence=f"{facts.installed} is installed and has no {module}: another version may.",
            command=frontend.line("install", "--upgrade", wanted),
        )
    if canonicalize_name(wanted.split("[")[0]) in facts.failed:
        return None
    line = frontend.line("install", wanted)
    if facts.other_interpreter:
        return Remark(
            kind="elsewhere",
            sentence=f"{top} is installed in {facts.other_interpreter}, not in "
            f"{facts.environment}, where this kernel runs.",
            command=line,
        )
    other = f" ({top} comes with {wanted})" if canonicalize_name(top) != _key(wanted) else ""
    return Remark(
        kind="install",
        sentence=f"{module} is not installed in {facts.environment}{other}.",
        command=line,
    )


def _wanted(missing: Missing) -> str:
    """Return the requirement: the table's, unless a message says what to install.

    A private module (`_speedups`) is part of something whose name it does not tell: empty.
    """
    if missing.hint and not missing.hint.startswith("-"):
        return missing.hint
    guess = "" if missing.top.startswith("_") else missing.top.replace("_", "-").rstrip("-")
    return names.distribution_of(missing.module) or guess


def _key(requirement: str) -> str:
    return canonicalize_name(requirement.split("[")[0])
