"""Installers that are neither pip, uv nor conda, and the words that install or remove."""

from __future__ import annotations

import os
from typing import NamedTuple, Sequence

from .option_grammar import OTHER, read_line


class Program(NamedTuple):
    """One installer's words."""

    installs: tuple[str, ...]
    removes: tuple[str, ...] = ()


_APT = Program(("install", "reinstall"), ("remove", "purge", "autoremove"))
_RPM = Program(("install", "in", "reinstall"), ("remove", "rm", "erase"))
PROGRAMS = {
    **dict.fromkeys(("apt", "apt-get", "aptitude"), _APT),
    **dict.fromkeys(("dnf", "yum", "microdnf", "zypper"), _RPM),
    "apk": Program(("add",), ("del",)),
    "brew": Program(("install", "reinstall", "upgrade"), ("uninstall", "remove", "rm")),
    "pipx": Program(("install", "inject", "upgrade"), ("uninstall", "uninject")),
    "poetry": Program(("add", "install", "update", "sync"), ("remove",)),
    "pdm": Program(("add", "install", "update", "sync"), ("remove",)),
    "pipenv": Program(("install", "update", "sync"), ("uninstall",)),
    "pixi": Program(("add", "install", "update"), ("remove",)),
    "rye": Program(("add", "sync"), ("remove",)),
}
"""By the program's name; ``easy_install`` and ``setup.py`` are scripts of an interpreter."""
RECORDING = ("poetry", "pdm", "pipenv", "pixi", "rye")
"""Those that write down in a project what they install."""


def verb_of(texts: Sequence[str]) -> str:
    """Return ``install``, ``remove`` or nothing for a command whose first word is the program."""
    program = PROGRAMS.get(os.path.basename(texts[0]))
    first = read_line(texts[1:], OTHER).positional[:1]
    if program is None or not first:
        return ""
    return "install" if first[0] in program.installs else "remove" * (first[0] in program.removes)
