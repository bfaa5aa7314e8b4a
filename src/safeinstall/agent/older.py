"""What a kernel on Python 3.8 or 3.9 can say: which interpreter it is, and that this is all.

So can one whose environment is not there any more: what needs no more than Python itself.

Contract of this file: Python >= 3.8, standard library and the probe only.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from safeinstall.probe.facts.lost import CODE, lost_environment

_GENERIC = ("venv", ".venv", "env", ".env", "virtualenv", ".virtualenv")
_OWNERS = {"debian-system": "Debian's Python", "system": "system Python"}


def environment_name(prefix: str, kind: str) -> str:
    """Return the name people use: `proj/.venv`, `data` (a conda environment), `system Python`."""
    if kind in _OWNERS:
        return _OWNERS[kind]
    folder, name = os.path.split(prefix.rstrip("/\\"))
    if name in _GENERIC and os.path.basename(folder):
        return f"{os.path.basename(folder)}/{name}"
    return name or prefix


def verdict(
    state: str, code: str, sentence: str, reason: str, *, new: bool = False
) -> dict[str, Any]:
    """Return a verdict; `new`: an environment of one's own is the way on."""
    words = {"state": state, "code": code, "sentence": sentence, "reason": reason.strip()}
    return {**words, "new_environment": new}


def facts(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts in the form of `safeinstall.agent.facts`."""
    from safeinstall.probe.facts.interpreter import facts as probe_facts

    report = probe_facts()
    home = report["user"]["home"] or ""
    locked = [where for where in report["access"].values() if not where["writable"]]
    code, lost = "", lost_environment()
    if lost:
        code, sentence = CODE, _tilde(lost[0], home)
        reason = f"In a terminal: {lost[1]}" if lost[1] else "Choose another kernel."
    elif locked:
        sentence, reason = "This environment cannot be written", str(locked[0]["detail"])
    else:
        release = ".".join(report["version"].split(".")[:2])
        sentence = f"Python {release} is too old for the panel to install"
        reason = "Kernels on Python 3.10 or newer can install from here."
    return {
        "executable": report["executable"],
        "version": report["version"],
        "name": environment_name(report["prefix"], report["kind"]),
        "kind": report["kind"],
        "kind_words": report["kind"],
        "prefix": report["prefix"],
        "label": _tilde(report["prefix"], home),
        "packages": report["paths"]["purelib"],
        "shown_packages": _tilde(report["paths"]["purelib"] or "", home),
        "verdict": verdict("no", code, sentence, _tilde(reason, home)),
        "findings": [],
        "wrong": [],
        "abilities": [],
        "jobs": [],
        "outcomes": [],
    }


def _tilde(text: str, home: str) -> str:
    # `environment.shown_in` does the same; its room needs a newer Python
    home = home.rstrip(os.sep)
    return text.replace(home + os.sep, "~" + os.sep) if len(home) > 1 else text
