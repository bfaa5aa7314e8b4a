"""What a command that is no install changes for the installs that come after it in the cell.

Nothing is run, so an environment that the cell itself makes cannot be looked at: what is decided by
the *absence* of something is open once a command ran that may have made it, and a refusal is open
once a command ran that may have lifted it.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple, Sequence

MAKES, ENVIRONMENT, PERMITS, REMOVES = "makes", "environment", "permits", "removes"
"""The kinds of a change: something new, a virtual environment, leave to write, something less."""
_LOOKING = (
    "echo printf ls cat head tail grep egrep zgrep which type pwd true false test [ [[ : set"
    " wait sleep date uname whoami id printenv nvidia-smi df du free file wc sort uniq"
    " readlink realpath basename dirname hostname history alias ulimit umask trap shift return"
    " exit for done fi esac case function } { read local hash lscpu ps top kill clear"
)
_READS = frozenset(_LOOKING.split())
_READING_WORDS = {
    "pip": "list show freeze check cache debug index help search download inspect --version -V",
    "uv": "version help --version -V",
    "conda": "list info search --version config",
    "git": "status log diff branch show --version remote",
    "apt": "update list search show",
    "python": "--version -V -VV",
}
_PERMITTING = re.compile("(?:rm|mv|ch(?:mod|own|grp|attr)|setfacl|mount|sed|tee|cp|ln|perl)$")
_ENVIRONMENT = re.compile(r"\b(?:venv|virtualenv|pyvenv|mkvirtualenv)\b|^(?:uv|pdm|poetry)\s+sync")
_BRINGS = re.compile(r"pip|\buv\b|python|conda|venv|virtualenv|poetry|pdm")
_TURNS = {
    **dict.fromkeys(
        ("workon", "mkvirtualenv", "module", "asdf", "mise", "direnv", "nix", "spack"), ()
    ),
    **dict.fromkeys(("conda", "mamba", "micromamba", "pyenv"), ("activate", "deactivate", "shell")),
    **dict.fromkeys(("poetry", "pipenv", "hatch"), ("shell", "env")),
}
_TURNS["pyenv"] += ("local", "global", "virtualenv")
PATH_NAMES = re.compile(
    r"^(?:PATH|VIRTUAL_ENV|CONDA_PREFIX|HOME|SHELL|(?:PIP|UV|PYTHON|PYENV)\w*)$"
)
"""Variables that decide where an install goes."""


class Change(NamedTuple):
    """One command of the cell that may change what a later one meets."""

    kind: str
    command: str


def turns_path(texts: Sequence[str]) -> str:
    """Return why PATH is not known after this command, or nothing."""
    name, first = os.path.basename(texts[0]), " ".join(texts[1:2])
    if name not in _TURNS or (_TURNS[name] and first not in _TURNS[name]):
        return ""
    return "`%s` changes PATH in a way only a run can show" % " ".join((name, first)).strip()


def change_of(texts: Sequence[str], writes_file: bool) -> Change | None:
    """Return what the command *texts*, which is no install, changes; None where it only looks.

    *writes_file* says that its output goes to a file.
    """
    name, shown = os.path.basename(texts[0]), " ".join(texts)[:60]
    tool = re.match(r"pip|uv|conda|mamba|git|apt|python|$", name)
    kind, rest = tool.group() if tool else "", list(texts[1:])
    if kind == "python" and rest[:2] == ["-m", "pip"]:
        kind, rest = "pip", rest[2:]
    if _PERMITTING.match(name) or (kind in ("pip", "uv") and rest[:1] == ["config"]):
        return Change(PERMITS, shown)
    if _ENVIRONMENT.search(" ".join(texts[:6])):
        return Change(ENVIRONMENT, shown)
    words = _READING_WORDS.get({"mamba": "conda"}.get(kind, kind), "").split()
    looks = name in _READS or any(text in words for text in rest[:1])
    return None if looks and not writes_file else Change(MAKES, shown)


def change_of_install(words: Sequence[str], removes: bool) -> Change | None:
    """Return what an install changes for the next: a tool that it brings, what it removes."""
    brings = "download" in words or any(
        _BRINGS.search(word) for word in words[1:] if not word.startswith("-")
    )
    kind = REMOVES if removes else MAKES
    return Change(kind, " ".join(words)[:60]) if brings or removes else None


def why_open(outcome: str, reason: str, changes: Sequence[Change]) -> str:
    """Return why a verdict does not hold after *changes*, or nothing where it does."""
    absent = outcome in ("fails", "command-not-found", "no-installer")
    refused = outcome.startswith("refused-") or reason.endswith("pip defaults to the user site")
    met = outcome == "already-satisfied"
    for change in changes:
        permits = change.kind == PERMITS
        if absent or (refused and permits) or (met and (permits or change.kind == REMOVES)):
            return "what `%s` does before it decides" % change.command
    return ""
