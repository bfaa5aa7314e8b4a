"""What to say about an install that would not go right, and the line that is right instead."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from safeinstall.environment import Destination, Environment, shown, shown_in
from safeinstall.errors import RequestError
from safeinstall.findings import Suggestion
from safeinstall.frontend import NOTEBOOK, redact
from safeinstall.guards.request import new_environment
from safeinstall.installers.sources import ResolvedRequest, Sources
from safeinstall.probe.prediction import Prediction
from safeinstall.probe.rules import DEFAULTS_TO_USER
from safeinstall.probe.rules.other_rules import python_name
from safeinstall.render import Message
from safeinstall.request import OPTIONS, InstallRequest, parse
from safeinstall.request.names import distribution_of, popular

if TYPE_CHECKING:
    from safeinstall.watch.removals import Removal

_SILENT: Final = frozenset({"env-site", "no-change", "unknown"})
_REDIRECTED: Final = re.compile(r"(?P<operator>[<>]=?|[<>])\s*(?P<version>[^\s;|&'\"]+)")
_NOTES: Final = {
    "warn": "into this kernel's environment",
    "redirect": "is run instead",
    "block": "is the line to type instead",
}
_OF_AN_INTERPRETER: Final = ("pip", "uv", "conda", "easy_install", "setup.py")
"""Tools that work on the interpreter they belong to, or on one they are told."""
_PYPI: Final = ("pip", "uv", "easy_install", "setup.py", "poetry", "pipenv", "pdm", "rye", "pipx")
"""Tools whose requirements are PyPI's: %safeinstall takes the same."""
_ELSEWHERE: Final = frozenset({"--target", "-t", "--prefix", "--root", "--python", "-p"})
"""Options that name another destination, with a value: what %safeinstall never takes over."""


_NOT_TAKEN_OVER: Final = frozenset(
    {"user", "break_system_packages", "python", "json", "new_env", "overlay", "installer"}
    | {"yes", "allow", "allow_builds"}  # other programs know none: they would agree for the user
)
"""Fields that no line of ours is given, whatever a command for another program says."""


def goes_wrong(prediction: Prediction) -> bool:
    """Tell whether the command deserves a warning: what this kernel would not be able to import."""
    if prediction.removes:
        return _removal(prediction) is not None
    if _loses_its_version(prediction):
        return True
    if prediction.importable_now:
        return False
    if prediction.outcome == "already-satisfied":
        return prediction.importable_after_restart is False
    return prediction.outcome not in _SILENT


def warning_message(
    prediction: Prediction, environment: Environment, cell_cwd: str, *, done: str = "warn"
) -> Message:
    """Return what is shown above the output; `done` is what happens: warn, redirect, block."""
    removal = _removal(prediction) if prediction.removes else None
    sentence = removal.sentence if removal else _sentence(prediction, environment)
    ways = removal.ways if removal else _ways(prediction, environment, cell_cwd, done)
    said = (note for note in prediction.notes if "redirection" in note or "runs it as root" in note)
    lines = tuple(shown_in(note, environment.home) + "." for note in said)
    headline = f'"{_short(prediction.command)}" {sentence}'
    return Message(mark="!", headline=headline, lines=lines, suggestions=ways)


def landed_message(
    prediction: Prediction, environment: Environment, arrived: tuple[str, ...], cell_cwd: str
) -> Message:
    """Return what is said after a command that ran anyway and landed elsewhere."""
    what = " and ".join(arrived) if len(arrived) < 4 else f"{len(arrived)} packages"
    place = shown(prediction.path or "", environment.home)
    if prediction.importable_after_restart:
        headline = f"{what} landed in {place}; this kernel imports from there after a restart."
        return Message(mark="!", headline=headline)
    headline = f"{what} landed in {place}, which this kernel does not import from."
    ways = _ways(prediction, environment, cell_cwd)
    return Message(mark="!", headline=headline, suggestions=ways)


def line_to_run(prediction: Prediction, cwd: str) -> str | None:
    """Return the `%safeinstall` line that asks for the same here, None if there is none.

    Its secrets are in it: it is run, or stands in the cell, in the place of the one typed. There is
    none for a command that records what it installs in a project, which ours would not record, nor
    where a secret came out of a variable: it would stand in the history.
    """
    words = (*prediction.requirements, *prediction.options)
    if any(redact(word) != word and word not in prediction.command for word in words):
        return None
    if prediction.removes:
        names = _requirements(prediction) if prediction.tool in _PYPI else []
        return NOTEBOOK.line("uninstall", *names) if names and not prediction.records else None
    request = None if prediction.records else _request(prediction, cwd)
    return None if request is None else request.line_to_run(NOTEBOOK)


def better_line(prediction: Prediction, environment: Environment, cwd: str) -> str:
    """Return the first line a warning offers, empty where it offers none."""
    ways = _ways(prediction, environment, cwd)
    return ways[0].command if ways else ""


def _request(prediction: Prediction, cwd: str) -> InstallRequest | None:
    """Return the request with the same requirements and options, None if impossible.

    Options that name another destination are left out; so are those %safeinstall does not know.
    """
    requirements = _requirements(prediction)
    if not (requirements or (prediction.tool in ("pip", "uv") and prediction.options)):
        return None
    words = [*_kept_options(prediction), *requirements]
    for attempt in (words, requirements):
        with contextlib.suppress(RequestError):
            request = parse(attempt, cwd=cwd)
            return None if request.empty else request
    return None


def _ways(
    prediction: Prediction, environment: Environment, cwd: str, done: str = "warn"
) -> tuple[Suggestion, ...]:
    """Return the lines to type instead, the first of which works in this environment.

    Where nothing may be written, or an owner forbids it (PEP 668), that is an overlay; the user
    site only where it was asked for.
    """
    if prediction.removes:
        removal = _removal(prediction)
        return removal.ways if removal else ()
    if (request := _request(prediction, cwd)) is None:
        return ()
    if not (environment.locked or environment.externally_managed):
        return (Suggestion(command=request.line(NOTEBOOK), note=_NOTES[done]),)

    intent = ResolvedRequest(
        environment=environment,
        request=request,
        sources=Sources(),
        redirections=(),
        destination=Destination.of(environment),
    )
    ways = [new_environment(intent, overlay=True)]
    asked = "--user" in prediction.options and environment.user_site.enabled
    if asked and not environment.externally_managed:
        ways.append(Suggestion(command=request.line(NOTEBOOK, user=True), note="as you asked for"))
    return tuple(ways)


def _removal(prediction: Prediction) -> Removal | None:
    """Return what is wrong with a removal; conda's names are mostly PyPI's."""
    # only a cell that removes something needs it
    from safeinstall.watch.removals import removal_fault

    typed = prediction.requirements if prediction.tool == "conda" else _requirements(prediction)
    return removal_fault(prediction, [re.split(r"[=<>!~ \[]", word)[0] for word in typed])


def _sentence(prediction: Prediction, environment: Environment) -> str:
    home = environment.home
    path = shown(prediction.path or "", home)
    other = prediction.interpreter_prefix or prediction.interpreter or ""
    foreign = bool(other) and not environment.is_named_by(other)
    reason = shown_in(prediction.reason, home)
    if prediction.outcome == "user-site":
        whose = f" of {shown(other, home)}" if foreign else ""
        locked = reason.removesuffix(DEFAULTS_TO_USER.partition("%s")[2])
        because = f" ({reason})" if locked == reason else f", because {locked}"
        return f"would go to your user site{whose}, {path}{because}.{_lost(prediction)}"
    if prediction.outcome == "wrong-interpreter":
        here = f"{environment.label}, Python {environment.python}"
        if prediction.tool not in _OF_AN_INTERPRETER or not other:
            other = f"which is not this kernel's environment ({here}).{_lost(prediction)}"
            return f"would install into {path} ({reason}), {other}"
        program = "Python" if prediction.tool == "setup.py" else prediction.tool
        runs = f"runs the {program} of {shown(other, home)}, not this kernel's ({here})"
        return f"{runs}: it would go to {path}.{_lost(prediction)}"
    if prediction.outcome in ("target-dir", "prefix", "root-dir"):
        return f"would put files into {path} ({reason}).{_lost(prediction)}"
    if prediction.outcome == "already-satisfied" and not foreign:
        return f"would install nothing: {reason}, where this kernel does not look."
    if prediction.outcome == "already-satisfied":
        asks = f"asks another Python ({shown(other, home)}), which has it already"
        return f"{asks}: nothing would be installed for this kernel."
    if prediction.outcome == "env-site":
        return "would not install the version you ask for:"
    if prediction.outcome.startswith("refused-"):
        foreign = foreign and prediction.tool in _OF_AN_INTERPRETER
        whose = f" by the {prediction.tool} of {shown(other, home)}" if foreign else ""
        return f"would be refused{whose}: {reason}."
    return f"would fail: {reason}."


def _lost(prediction: Prediction) -> str:
    if prediction.importable_after_restart is False:
        return " This notebook would not find it."
    if prediction.importable_now is False and prediction.importable_after_restart:
        return " This notebook would find it after a restart of the kernel only."
    return ""


def _loses_its_version(prediction: Prediction) -> bool:
    return any("redirection" in note for note in prediction.notes)


def _requirements(prediction: Prediction) -> list[str]:
    """Return the requirements with the versions a shell would take for redirections.

    Packages of the system and of conda's channels are named where our table knows the name.
    """
    if prediction.tool == "conda":
        return []
    if prediction.tool not in _PYPI:
        names = (python_name(prediction.tool, word) for word in prediction.requirements)
        known = (distribution_of(name) or name * (name in popular()) for name in names if name)
        return [name for name in known if name]
    if prediction.tool in ("poetry", "pdm", "rye"):  # `name@^1.0` is their own way to bound it
        return [re.sub(r"@(?!.*://).*$", "", word) for word in prediction.requirements]
    if not _loses_its_version(prediction):
        return list(prediction.requirements)
    whole = []
    for name in prediction.requirements:
        at = prediction.command.find(name)
        found = _REDIRECTED.match(prediction.command, at + len(name)) if at >= 0 else None
        whole.append(f"{name}{found['operator']}{found['version'].rstrip(',')}" if found else name)
    return whole


def _kept_options(prediction: Prediction) -> list[str]:
    known = {name: option for option in OPTIONS for name in option.names}
    kept: list[str] = []
    words = list(prediction.options if prediction.tool in ("pip", "uv") else ())
    while words:
        word = words.pop(0)
        name, equals, _ = word.partition("=")
        option = known.get(name)
        if option is None or option.field in _NOT_TAKEN_OVER:
            if name in _ELSEWHERE and not equals and words:
                words.pop(0)
            continue
        kept.append(word)
        if option.takes_value and not equals and words:
            kept.append(words.pop(0))
    return kept


def _short(command: str) -> str:
    """Return the command on one line, cut where nobody reads on."""
    line = redact(" ".join(command.split()))
    return line if len(line) <= 70 else line[:67] + "..."


_CHAIN = (";", "&", "|", "$(", "`")


def replaceable(
    cell: str, wrong: Sequence[Prediction], better: Callable[[Prediction], str | None]
) -> Mapping[int, str]:
    """Return line number (from 0) -> `%safeinstall` line for each command that can be replaced.

    Only a line that is nothing but the command is touched: in a chain (`cd x && pip install y`),
    a continued line, a `%%bash` body or inside other code the warning has to do.
    """
    lines = cell.splitlines()
    found: dict[int, str] = {}
    if cell.lstrip().startswith("%%"):
        return found
    for prediction in wrong:
        number = prediction.line - 1
        line = lines[number].strip() if 0 <= number < len(lines) else ""
        alone = line == prediction.command.strip() and not line.endswith("\\")
        shell = line.startswith(("!", "%", "pip ", "uv ", "conda "))
        whole = alone and shell and not any(sign in line for sign in _CHAIN)
        if whole and (instead := better(prediction)) is not None:
            found[number] = instead
    return found


def replaced(lines: Sequence[str], new: Mapping[int, str]) -> list[str]:
    """Return the lines with those of `new` in place; indentation and line ends stay."""
    result = list(lines)
    for number, text in new.items():
        line = result[number]
        indent = line[: len(line) - len(line.lstrip())]
        result[number] = indent + text + ("\n" if line.endswith("\n") else "")
    return result


def blocked(
    cell: str, wrong: Sequence[Prediction], better: Callable[[Prediction], str]
) -> list[str] | None:
    """Return the lines of the cell with every wrong install stopped, None where there is none.

    A line that is nothing but the command is stopped in its place; for a command in a chain, in a
    script or in Python the whole cell is, because what stands before it would run without it.
    """
    if not wrong:
        return None
    alone = replaceable(cell, wrong, lambda prediction: blocked_line(better(prediction)))
    if {prediction.line - 1 for prediction in wrong} <= set(alone):
        return replaced(cell.splitlines(keepends=True), alone)
    return [blocked_line(next(filter(None, map(better, wrong)), "")) + "\n"]


def blocked_line(instead: str) -> str:
    """Return the Python line that stops the cell, naming the line to type where there is one."""
    return f'__import__("safeinstall.watch", fromlist=["stop"]).stop({instead!r})'
