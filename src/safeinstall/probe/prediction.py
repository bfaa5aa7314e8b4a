"""The story of a prediction: from the text of a cell to where its installs would go.

cell -> steps -> installers reached -> the installer's own rules -> compared with this kernel.
The world is read here, once; everything below gets what it needs to know: variables, folder, and
the facts of the interpreter.
"""

from __future__ import annotations

import os
import re
import sys
from typing import Any, Mapping, NamedTuple, Sequence

from .cell import Step, cell_steps, mentions_installer
from .facts.interpreter import Interpreter, interpreter_from_facts, kernel_facts
from .facts.search_path import module_origin
from .rules import SITE, Verdict
from .shell.effects import MAKES, PATH_NAMES, Change, why_open
from .shell.option_grammar import CONDA, OTHER, PIP, UV, read_line
from .shell.reach import PACMAN, RECORDING, Invocation, KernelProcess
from .shell.walk import resolve_step

Facts = Mapping[str, Any]
"""What ``facts.interpreter`` reports of the kernel."""
_MOST_JUDGED = 20
_MOST_NAMED = 200
_TOO_MANY = "the cell holds more install commands than are judged before it runs"
_LANDS = ("env-site", "user-site", "target-dir", "prefix", "root-dir", "wrong-interpreter")
OUTCOMES = (
    *_LANDS,
    *("refused-externally-managed", "refused-require-virtualenv", "refused-permission"),
    *("refused-option-conflict", "refused-user-site-unavailable", "refused-cannot-uninstall"),
    *("no-installer", "command-not-found", "already-satisfied", "no-change", "fails", "unknown"),
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
    """``pip``, ``uv``, ``conda``, or the name of another installer."""
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
    records: bool = False
    """Whether the command also writes down in a project what it installs (``uv add``)."""
    removes: bool = False
    """Whether it takes away what it names: ``path`` is where that lies, and nothing is importable
    that was not before."""


class Importability(NamedTuple):
    """Two answers, None where it cannot be known, and the sentences that explain them."""

    now: bool | None
    after: bool | None
    notes: tuple[str, ...] = ()


def predict(
    cell: str, environ: Mapping[str, str] | None, cwd: str | None, facts: Facts | None
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
    cell: str, environ: Mapping[str, str] | None, cwd: str | None, facts: Facts | None
) -> tuple[Prediction, ...]:
    given = facts if facts is not None else {"executable": sys.executable, "prefix": sys.prefix}
    steps = cell_steps(cell, {"sys." + name: str(given[name]) for name in ("executable", "prefix")})
    if all(step.kind in ("setenv", "chdir", "makes", "turns") for step in steps):
        return ()
    live = facts is None
    facts = kernel_facts() if facts is None else facts
    names = dict(os.environ if environ is None else environ)
    process = KernelProcess(names, _folder(cwd, names), interpreter_from_facts(facts))
    process = process._replace(path=names.get("PATH", ""))
    predictions: list[Prediction] = []
    for step in steps:
        if step.kind in ("setenv", "chdir", "makes", "turns"):
            process = _after(step, process)
        elif len(predictions) < _MOST_JUDGED:
            invocations, changes = resolve_step(step, process, _MOST_JUDGED - len(predictions))
            for invocation in invocations:
                verdict = _compared(_decide(invocation, process.interpreter), facts)
                if open_still := why_open(verdict.outcome, verdict.reason, invocation.changes):
                    verdict = Verdict("unknown", open_still, interpreter=verdict.interpreter)
                importability = Importability(None, None)
                if not invocation.removes:
                    importability = _importability(verdict, facts, process.cwd, live)
                predictions.append(_as_prediction(invocation, verdict, importability))
            process = process._replace(changes=changes)
        elif len(predictions) < _MOST_NAMED and " install" in step.source:
            blank = Prediction("unknown", None, None, None, None, _TOO_MANY, step.source)
            predictions.append(blank._replace(line=step.line))
    return tuple(predictions)


def _after(step: Step, process: KernelProcess) -> KernelProcess:
    """Return the process after a step that starts no installer."""
    if step.kind == "setenv":
        return process._replace(environ={**process.environ, step.name: step.text})
    if step.kind == "makes":
        return process._replace(changes=(*process.changes, Change(MAKES, step.text)))
    if step.kind == "turns":
        decides = not step.name or PATH_NAMES.match(step.name)
        reason = "`%s` changes variables in a way only a run can show" % step.text
        return process._replace(unsure=reason) if decides else process
    folder = os.path.normpath(os.path.join(process.cwd, os.path.expanduser(step.text)))
    exists = os.path.isdir(folder) or process.changes  # the cell may have made it
    return process._replace(cwd=folder if exists else process.cwd)


def _folder(cwd: str | None, environ: Mapping[str, str]) -> str:
    if cwd is not None:
        return cwd
    try:
        return os.getcwd()
    except OSError:  # the notebook's folder was deleted
        return environ.get("PWD") or "/"


def _decide(invocation: Invocation, kernel: Interpreter) -> Verdict:
    """Ask the rules of the installer, which are loaded when a cell names it: the kernel pays."""
    if invocation.problem:
        return Verdict(*invocation.problem)
    if invocation.tool == "pip":
        from .rules.pip_rules import decide_pip as decide
    elif invocation.tool == "uv":
        from .rules.uv_rules import decide_uv as decide
    elif invocation.tool == "conda":
        from .rules.conda_rules import decide_conda as decide
    else:
        from .rules.other_rules import decide_other as decide
    return decide(invocation, kernel)


def _compared(verdict: Verdict, facts: Facts) -> Verdict:
    """Say whose environment it is that an install goes into."""
    if verdict.outcome != SITE:
        return verdict
    own = [str(facts["paths"]["purelib"]), str(facts["paths"]["platlib"])]
    if facts["prefix"] == "/usr" and facts["kind"] == "debian-system":
        own += ["/usr/lib/python3/dist-packages"]
    path = verdict.path and os.path.realpath(verdict.path)
    mine = path in [os.path.realpath(folder) for folder in own]
    return verdict._replace(outcome="env-site" if mine else "wrong-interpreter")


def _importability(verdict: Verdict, facts: Facts, cwd: str, live: bool) -> Importability:
    """Say whether this kernel, and a new one like it, could import the result."""
    if verdict.outcome == "unknown":
        return Importability(None, None)
    if verdict.path is None:
        return Importability(False, False)
    answer = _judge_importability(verdict.path, verdict, facts, cwd, live)
    if verdict.outcome == "already-satisfied":
        # it is there already: what a new process sees, this one sees too
        return Importability(answer.after, answer.after)
    return answer if verdict.outcome in _LANDS else Importability(answer.now, answer.after)


def _index(folder: str, entries: Sequence[str]) -> int | None:
    """Return the index of *folder* in *entries*, links followed."""
    real = os.path.realpath(folder)
    for index, entry in enumerate(entries):
        if entry == folder or os.path.realpath(entry) == real:
            return index
    return None


def _judge_importability(
    folder: str, verdict: Verdict, facts: Facts, cwd: str, live: bool
) -> Importability:
    """Judge a landing in *folder* by this kernel's ``sys.path``, never by version numbers.

    *live* says that the facts are those of this process, so that its loaded modules and its cache
    of path entries may be asked too.
    """
    entries = [os.path.join(cwd, str(entry)) for entry in facts["sys_path"]]
    modules = [re.sub(r"[-.]+", "_", name) for name in verdict.names]
    user = facts["user_site"]
    at = _index(folder, entries)
    will_be_there = at is not None
    if at is None and user.get("path") and user.get("enabled"):
        promised = os.path.join(cwd, user["path"])
        will_be_there = os.path.realpath(folder) == os.path.realpath(promised)
    if not will_be_there:
        return Importability(False, False, ("%s is not on the path of this kernel" % folder,))
    if verdict.kept_old:
        return Importability(False, False, ("an older copy in %s stays in place" % folder,))
    # a new user site takes its place before the interpreter's own site-packages
    at_then = at
    if at_then is None:
        own = _index(str(facts["paths"]["purelib"]), entries)
        in_venv = facts["prefix"] != facts["base_prefix"]
        at_then = len(entries) if own is None else own + (1 if in_venv else 0)
    for module in modules:
        before = module_origin(module, entries[:at_then])
        if before and before not in verdict.removed and _index(before, [folder]) is None:
            note = "%s in %s comes first on the path of this kernel" % (module, before)
            return Importability(False, False, (note,))
    if at is None:
        return Importability(False, True, ("%s did not exist when this kernel started" % folder,))
    if live:
        if loaded := [module for module in modules if module in sys.modules]:
            return Importability(False, True, ("%s is already loaded here" % loaded[0],))
        listed = str(facts["sys_path"][at])
        if not os.path.isdir(folder) and sys.path_importer_cache.get(listed, 0) is None:
            note = "this kernel has noted that %s does not exist" % folder
            return Importability(False, True, (note,))
    return Importability(True, True)


def _as_prediction(
    invocation: Invocation, verdict: Verdict, importability: Importability
) -> Prediction:
    reached = verdict.interpreter or invocation.interpreter
    lands = verdict.path if verdict.outcome in _LANDS else None
    requirements, options = _words(invocation)
    if invocation.removes:  # what a file lists goes, too
        requirements = requirements or verdict.names
    in_pip = read_line(invocation.words, UV).positional[:1] in (["pip"], ["tool"])
    return Prediction(
        outcome=verdict.outcome,
        path=os.path.realpath(lands) if lands else None,
        interpreter=reached.executable if reached else None,
        importable_now=importability.now,
        importable_after_restart=importability.after,
        reason=verdict.reason,
        command=invocation.text,
        tool=invocation.tool,
        requirements=requirements,
        options=options,
        line=invocation.line,
        interpreter_prefix=reached.prefix if reached else None,
        installer_version=verdict.version,
        notes=(*invocation.notes, *verdict.notes, *importability.notes),
        records=invocation.tool in RECORDING or (invocation.tool == "uv" and not in_pip),
        removes=invocation.removes,
    )


def _words(invocation: Invocation) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split the words of the command into requirements and options, as typed."""
    words = invocation.words[1:] if invocation.tool == "conda" else invocation.words
    line = read_line(words, {"pip": PIP, "uv": UV, "conda": CONDA}.get(invocation.tool, OTHER))
    skip = 2 if line.positional[:1] in (["pip"], ["tool"], ["env"], ["global"]) else 1
    if invocation.tool in ("easy_install", *PACMAN):
        skip = 0
    elif line.positional[:2] == ["pip", "sync"]:  # what is not in these files is removed
        return (), ()
    elif invocation.tool == "setup.py":
        return (os.path.dirname(invocation.program),), ()
    named = (_shown(word) for word in line.positional[skip:])
    if line.positional[:2] == ["env", "remove"]:  # conda: the same as `remove --all`
        line.typed.append("--all")
    return tuple(named), tuple(_shown(word) for word in line.typed)


def _shown(word: str) -> str:
    """Undo the mark of a name that only IPython could fill in."""
    return word[2:-1] if word.startswith("$({") and word.endswith("})") else word
