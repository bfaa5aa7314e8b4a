"""The words for an environment: what runs the cell, and whether installs go right."""

from __future__ import annotations

from safeinstall.environment import Environment, shown
from safeinstall.findings import Suggestion
from safeinstall.render.message import Mark, Message

__all__ = ["environment_message", "short_environment_message"]


def short_environment_message(environment: Environment) -> Message:
    """Return the environment in three lines and how to go on."""
    return Message(
        mark=_mark(environment),
        headline=f"This kernel runs Python {environment.version} in {environment.label}",
        lines=(
            f"{environment.kind_words[:1].upper()}{environment.kind_words[1:]}, "
            f"interpreter {shown(environment.executable, environment.home)}",
            f"Installs {_verdict(environment)}",
        ),
        ways=(
            Suggestion(command="%safeinstall pandas", note="install a package here"),
            Suggestion(command="%kernelenv", note="everything about this environment"),
        ),
    )


def environment_message(environment: Environment) -> Message:
    """Return the facts of the environment, one line each."""
    home, site = environment.home, environment.user_site
    pip = f"pip {environment.pip.version}" if environment.pip else "no pip"
    state = (
        "switched off"
        if not site.enabled
        else "on the import path"
        if site.on_path
        else "enabled, its folder does not exist yet"
        if not site.exists
        else "enabled, not on the import path"
    )
    return Message(
        mark=_mark(environment),
        headline=f"{environment.label} — {environment.kind_words}, Python {environment.version}",
        lines=(
            f"interpreter   {shown(environment.executable, home)}",
            f"packages      {shown(environment.paths.purelib, home)}",
            f"installs      {_verdict(environment)}",
            f"user site     {shown(site.path or '', home)}: {state}",
            f"installer     {pip}{_uv(environment)}",
        ),
    )


def _mark(environment: Environment) -> Mark:
    if environment.locked or environment.externally_managed:
        return "✗"
    return "✓" if environment.importable_destination() else "!"


def _verdict(environment: Environment) -> str:
    if environment.externally_managed:
        return "refused: its packages have another owner (EXTERNALLY-MANAGED)"
    locked = environment.locked
    if locked:
        return f"refused: {locked.detail}".replace(environment.home + "/", "~/")
    if not environment.importable_destination():
        return "would not be importable: the folder is not on the import path"
    return "go right: %safeinstall installs here and this kernel imports from here"


def _uv(environment: Environment) -> str:
    return f", uv at {shown(environment.uv, environment.home)}" if environment.uv else ""
