"""What is wrong around the packages: scripts, the environment's own files, copies that win."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from packaging.utils import canonicalize_name

from safeinstall.diagnosis.values import Diagnosis, Installed, Remedy, Rewrite, Script, say, some

__all__ = [
    "copies",
    "foreign_files",
    "low_space",
    "moved",
    "scripts",
    "shadowing",
    "unfinished",
    "wrong_home",
]

_LOW_SPACE: Final = 300 * 2**20


def scripts(
    found: Sequence[Script], fixed: Mapping[str, tuple[Rewrite, ...]], prefix: str
) -> Iterator[Diagnosis]:
    """Yield the scripts that start nothing, or another interpreter.

    `fixed`: how they are put right, by path. One that works, and belongs to no distribution, is
    somebody's own and not in it.
    """
    for code, chosen, what in (
        ("stale-shebang", [s for s in found if not s.exists], "which is not there"),
        ("foreign-shebang", [s for s in found if s.exists and not s.own], "of another environment"),
    ):
        by_interpreter: dict[str, list[Script]] = {}
        for script in chosen:
            if script.path in fixed:
                by_interpreter.setdefault(script.interpreter, []).append(script)
        for interpreter, group in by_interpreter.items():
            names = some(os.path.basename(script.path) for script in group)
            rewrites = tuple(r for script in group for r in fixed[script.path])
            verb = "starts" if len(group) == 1 else "start"
            yield say(
                code,
                f"{names} in {os.path.join(prefix, 'bin')} {verb} {interpreter}, {what}.",
                remedy=Remedy(
                    words=f"let {names} start this environment's interpreter", rewrites=rewrites
                ),
            )


def moved(named: str, prefix: str, rewrites: tuple[Rewrite, ...]) -> Iterator[Diagnosis]:
    """Yield that `bin/activate` names another folder than the one the environment is in."""
    if named and os.path.realpath(named) != os.path.realpath(prefix):
        yield say(
            "moved-environment",
            f"This environment was made at {named} and is now at {prefix}: activating it leads "
            "back there.",
            *(() if rewrites else ("safeinstall new-env .venv",)),
            remedy=Remedy(words="let the activate scripts name this place", rewrites=rewrites)
            if rewrites
            else None,
        )


def wrong_home(
    home: str, problem: str, base: str, rewrites: tuple[Rewrite, ...], prefix: str
) -> Iterator[Diagnosis]:
    """Yield that `pyvenv.cfg` names an interpreter that is not there (`problem` says how)."""
    if not problem:
        return
    remedy = None
    if base:
        remedy = Remedy(words=f"let it use {base}", rewrites=rewrites)
    yield say(
        "wrong-home",
        f"{prefix} rests on the Python in {home}, {problem}.",
        *(() if base else ("safeinstall new-env .venv",)),
        context="" if base else "No Python of that version is found to take its place.",
        remedy=remedy,
    )


def copies(found: Sequence[Installed], kinds: Mapping[str, str]) -> Iterator[Diagnosis]:
    """Yield each distribution that several folders of the import path hold; the first one wins.

    `kinds`: what a folder is (`your user site`, `PYTHONPATH` ...), by path.
    """
    groups: dict[str, list[Installed]] = {}
    for each in found:
        if each.has_metadata:
            groups.setdefault(canonicalize_name(each.name), []).append(each)
    for group in groups.values():
        places = list(dict.fromkeys(each.folder for each in group))
        if len(places) < 2:
            continue
        first = group[0]
        others = [each for each in group if each.folder != first.folder]
        kind = kinds.get(first.folder, "")
        told = some(f"{each.version} in {each.folder}" for each in others)
        yield say(
            "duplicate-copy",
            f"{first.name} {first.version} is imported from {first.folder}"
            f"{f' ({kind})' if kind else ''}, in front of {told}.",
            context=f"Take {first.folder} out of PYTHONPATH, or remove the copy you do not want."
            if kind == "PYTHONPATH"
            else "Remove the copy you do not want.",
            info=len({each.version for each in group}) == 1,
        )


def shadowing(
    names: Mapping[str, Sequence[str]],
    found: Sequence[Installed],
    standard: Collection[str],
    kinds: Mapping[str, str],
) -> Iterator[Diagnosis]:
    """Yield modules that lie in front of an installed package or the standard library.

    `names`: importable names in folders in front of the packages (notebook folder, PYTHONPATH).
    """
    owner = {module: each for each in found for module in each.modules}
    for folder, modules in names.items():
        own = {each.folder for each in found}
        kind = kinds.get(folder, folder)
        for module in modules:
            each = owner.get(module)
            if each is not None and folder not in own:
                yield say(
                    "shadowed",
                    f"{module} in {folder} ({kind}) is imported instead of {each.name} "
                    f"{each.version}.",
                    context="Rename it, or start from another folder.",
                )
            elif module in standard and folder not in own:
                yield say(
                    "shadows-standard-library",
                    f"{module} in {folder} ({kind}) may be imported instead of Python's own.",
                    context="Rename it: other packages that import Python's own may fail.",
                )


def foreign_files(
    owners: Mapping[str, Sequence[str]], owner: str, prefix: str
) -> Iterator[Diagnosis]:
    """Yield the pieces of an environment that belong to somebody else than its owner."""
    for who, paths in owners.items():
        if who != owner:
            names = some(os.path.relpath(path, prefix) for path in paths)
            yield say(
                "foreign-owned",
                f"{len(paths)} part{'s' if len(paths) > 1 else ''} of {prefix} belong to {who}, "
                f"not to {owner}: {names}.",
                f"sudo chown -R {owner} {shlex.quote(prefix)}",
                context="Usually an install run with sudo. Upgrading them would be refused.",
            )


def unfinished(waiting: bool, prefix: str, command: str) -> Iterator[Diagnosis]:
    """Yield that a transaction was interrupted."""
    if waiting:
        yield say(
            "unfinished-transaction",
            f"An install into {prefix} was interrupted and waits to be finished or taken back.",
            command,
            remedy=Remedy(words="recover it", recover=True),
        )


def low_space(free: int, path: str) -> Iterator[Diagnosis]:
    """Yield that hardly anything fits on the disk any more."""
    if free < _LOW_SPACE:
        yield say(
            "low-space",
            f"{free / 2**20:.0f} MB are free where {path} lies.",
            f"safeinstall history --prune --keep 0 --python {shlex.quote(path)}",
            context="That forgets what is kept for undo; what else may go, only you can say.",
        )
