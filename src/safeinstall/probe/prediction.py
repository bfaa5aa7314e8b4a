"""From the text of a cell to predictions: the one place where the world is read.

Everything below gets what it needs to know: variables, folder, and the facts of the interpreter.
The rules of an installer are loaded when a cell names it: the first prediction stays quick.
"""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from .cell import cell_steps, mentions_installer
from .facts.interpreter_files import interpreter_from_facts
from .facts.running_interpreter import kernel_facts
from .facts.search_path import Importability, judge_importability
from .rules import SITE, Verdict
from .shell.invocation import Invocation, World
from .shell.option_grammar import CONDA, PIP, UV, read_line
from .shell.walk import resolve_step

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

__all__ = ["OUTCOMES", "Prediction", "predict"]

OUTCOMES = (
    "env-site",
    "user-site",
    "target-dir",
    "prefix",
    "root-dir",
    "wrong-interpreter",
    "refused-externally-managed",
    "refused-require-virtualenv",
    "refused-permission",
    "refused-option-conflict",
    "refused-user-site-unavailable",
    "refused-cannot-uninstall",
    "no-installer",
    "command-not-found",
    "already-satisfied",
    "no-change",
    "fails",
    "unknown",
)
"""Every word that ``Prediction.outcome`` can be."""


class Prediction(NamedTuple):
    """Where one install command would put its files, or why it would put none."""

    outcome: str
    """One of ``OUTCOMES``."""
    path: str | None
    """The folder that receives the modules; None whenever nothing will be written."""
    interpreter: str | None
    """The interpreter that decides: the one reached, not always the kernel's."""
    importable_now: bool | None
    """Whether the running kernel can import the result; None where it cannot be known."""
    importable_after_restart: bool | None
    """The same for a new kernel of the same kind."""
    reason: str
    """One sentence: the rule that decided."""
    command: str = ""
    """The text of the command as it stands in the cell."""
    tool: str = ""
    """``pip``, ``uv`` or ``conda``."""
    requirements: tuple[str, ...] = ()
    """What is asked for, as typed."""
    options: tuple[str, ...] = ()
    """The other options of the install command, as typed."""
    line: int = 1
    """The line of the cell on which the command starts, counted from 1."""
    interpreter_prefix: str | None = None
    """The environment that ``interpreter`` belongs to."""
    installer_version: str | None = None
    """The version of the installer, where it can be read from files."""
    notes: tuple[str, ...] = ()
    """Further sentences worth a warning: a redirection, a shadowed copy, a deciding variable."""


_MOST_JUDGED = 20
_MOST_NAMED = 200
_TOO_MANY = "the cell holds more install commands than are judged before it runs"
_LANDED = (SITE, "user-site", "target-dir", "prefix", "root-dir")


def predict(
    cell: str,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> tuple[Prediction, ...]:
    """Return one prediction per install command of *cell*; see ``safeinstall.probe.predict``."""
    if not isinstance(cell, str) or not mentions_installer(cell):
        return ()
    try:
        return _predict(cell, environ, cwd, facts)
    except Exception as error:  # a prediction must never be the reason that a cell does not run
        reason = "the command could not be judged (%s)" % type(error).__name__
        return (Prediction("unknown", None, None, None, None, reason, cell.strip()[:200]),)


def _predict(
    cell: str,
    environ: Mapping[str, str] | None,
    cwd: str | None,
    facts: Mapping[str, Any] | None,
) -> tuple[Prediction, ...]:
    known: dict[str, str] = {}
    live = facts is None
    executable = str(facts["executable"] if facts is not None else sys.executable)
    prefix = str(facts["prefix"] if facts is not None else sys.prefix)
    known = {"sys.executable": executable, "sys.prefix": prefix}
    steps = cell_steps(cell, known)
    if not any(step.kind not in ("setenv", "chdir") for step in steps):
        return ()
    if facts is None:
        facts = kernel_facts()
    names = dict(os.environ if environ is None else environ)
    folder = _folder(cwd, names)
    kernel = interpreter_from_facts(facts)
    world = World(names, folder, kernel)
    found: list[Prediction] = []
    for step in steps:
        if step.kind == "setenv":
            world = world._replace(environ={**world.environ, step.name: step.text})
        elif step.kind == "chdir":
            target = os.path.normpath(os.path.join(world.cwd, os.path.expanduser(step.text)))
            world = world._replace(cwd=target if os.path.isdir(target) else world.cwd)
        elif len(found) < _MOST_JUDGED:
            for invocation in resolve_step(step, world, _MOST_JUDGED - len(found)):
                found.append(_prediction(invocation, world, facts, live))
        elif len(found) < _MOST_NAMED and " install" in step.source:
            blank = Prediction("unknown", None, None, None, None, _TOO_MANY, step.source)
            found.append(blank._replace(line=step.line))
    return tuple(found)


def _folder(cwd: str | None, environ: Mapping[str, str]) -> str:
    if cwd is not None:
        return cwd
    try:
        return os.getcwd()
    except OSError:  # the notebook's folder was deleted
        return environ.get("PWD") or "/"


def _prediction(
    invocation: Invocation, world: World, facts: Mapping[str, Any], live: bool
) -> Prediction:
    kernel = world.kernel
    if invocation.problem:
        verdict = Verdict(*invocation.problem)
    elif invocation.tool == "pip":
        from .rules.pip_rules import decide_pip

        verdict = decide_pip(invocation)
    elif invocation.tool == "uv":
        from .rules.uv_rules import decide_uv

        verdict = decide_uv(invocation, kernel)
    else:
        from .rules.conda_rules import decide_conda

        verdict = decide_conda(invocation, kernel)
    outcome, path = verdict.outcome, verdict.path
    if outcome == SITE:
        outcome = "env-site" if _is_kernels(path, facts) else "wrong-interpreter"
    answer = Importability(False, False)
    if outcome == "unknown":
        answer = Importability(None, None)
    elif path is not None:
        answer = judge_importability(
            path, verdict.names, facts, world.cwd, live, verdict.kept_old, verdict.removed
        )
        if outcome == "already-satisfied":
            at = answer.after  # it is there already: what a new process sees, this one sees too
            answer = Importability(at, at)
    lands = outcome in ("env-site", "wrong-interpreter") or outcome in _LANDED
    reached = verdict.interpreter or invocation.interpreter
    requirements, options = _words(invocation)
    return Prediction(
        outcome,
        os.path.realpath(path) if lands and path else None,
        reached.executable if reached else None,
        answer.now,
        answer.after,
        verdict.reason,
        invocation.text,
        invocation.tool,
        requirements,
        options,
        invocation.line,
        reached.prefix if reached else None,
        verdict.version,
        (*invocation.notes, *verdict.notes, *(answer.notes if lands else ())),
    )


def _is_kernels(path: str | None, facts: Mapping[str, Any]) -> bool:
    """Whether *path* is a folder of the kernel's own environment, links followed."""
    if path is None:
        return False
    own = [str(facts["paths"]["purelib"]), str(facts["paths"]["platlib"])]
    if facts["prefix"] == "/usr" and facts["kind"] == "debian-system":
        own += ["/usr/lib/python3/dist-packages"]
    return os.path.realpath(path) in [os.path.realpath(place) for place in own]


def _words(invocation: Invocation) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split the words of the command into requirements and options, as typed."""
    words = invocation.words
    if invocation.tool == "conda":
        words = words[1:]
    line = read_line(words, {"pip": PIP, "uv": UV, "conda": CONDA}[invocation.tool])
    skip = 2 if line.positional[:1] == ["pip"] else 1
    named = (_shown(word) for word in line.positional[skip:])
    return tuple(named), tuple(_shown(word) for word in line.typed)


def _shown(word: str) -> str:
    """Undo the mark of a name that only IPython could fill in."""
    return word[2:-1] if word.startswith("$({") and word.endswith("})") else word
