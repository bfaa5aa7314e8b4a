"""What to say about a command that takes away what it should not, or from where it should not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from safeinstall.environment import Environment, shown, shown_in
from safeinstall.errors import SafeInstallError
from safeinstall.findings import Finding, Suggestion
from safeinstall.frontend import NOTEBOOK
from safeinstall.operations import here
from safeinstall.operations.uninstall import judged
from safeinstall.probe.prediction import Prediction
from safeinstall.request import parse_uninstall

_OF_AN_INTERPRETER = ("pip", "uv", "conda")


class Removal(NamedTuple):
    """What is wrong with a removal."""

    sentence: str
    """The end of a sentence that begins with the command."""
    ways: tuple[Suggestion, ...] = ()


def removal_fault(prediction: Prediction, names: Sequence[str]) -> Removal | None:
    """Return what is wrong with taking away `names`, None where it may go on.

    In this kernel's environment: whose they are, what the kernel runs on, what others need. From
    another Python: that this kernel keeps its own. Nothing is changed.
    """
    try:
        context = here()
        found = judged(parse_uninstall(names, cwd=context.cwd), context) if names else None
    except SafeInstallError:  # names that are no names: the installer will say so
        return None
    own = [each.name for each in found.leaving] if found else []
    finding, environment = found.objection if found else None, context.environment
    home, other = environment.home, prediction.interpreter_prefix or ""
    foreign = bool(other) and not environment.is_named_by(other)
    reason, what = shown_in(prediction.reason, home), " and ".join(names) or "packages"
    if prediction.outcome in ("env-site", "user-site") and not foreign:
        return _of_this_kernel(prediction, finding, own)
    if foreign and "--all" in prediction.options:
        return None  # another environment, which is named to be taken away as a whole
    if prediction.outcome == "unknown" or (prediction.outcome == "no-change" and not foreign):
        return None
    if prediction.outcome == "no-change":
        sentence = f"asks another Python ({shown(other, home)}), which has no {what}"
        sentence += ": nothing would be removed for this kernel."
        return Removal(sentence, _ways(own, finding, environment)) if own else None
    if prediction.outcome in ("wrong-interpreter", "env-site", "user-site"):
        mine = f"{environment.label}, Python {environment.python}"
        own_tool = prediction.tool in _OF_AN_INTERPRETER
        of = f"runs the {prediction.tool}" if own_tool else "is about the Python"
        place = shown(prediction.path or "", home)
        kept = " This kernel keeps its own." if own else ""
        whose = shown(other, home) or place
        sentence = f"{of} of {whose}, not this kernel's ({mine}): it would take {what}"
        return Removal(f"{sentence} out of {place}.{kept}", _ways(own, finding, environment))
    verb = "be refused" if prediction.outcome.startswith("refused-") else "fail"
    return Removal(f"would {verb}: {reason}.", _ways(own, finding, environment))


def _of_this_kernel(
    prediction: Prediction, finding: Finding | None, own: Sequence[str]
) -> Removal | None:
    """Judge a removal from this environment; a program may take away what is its own."""
    everything = "--all" in prediction.options or "python" in prediction.requirements
    if prediction.tool == "conda" and everything:
        return Removal("would take this kernel's own Python away: no notebook would run here.")
    owns = prediction.tool not in ("pip", "uv")
    if finding is None or not own or (owns and finding.code == "foreign-owner"):
        return None
    return Removal(f"should not be run here. {finding.message}", finding.hint)


def _ways(
    own: Sequence[str], finding: Finding | None, environment: Environment
) -> tuple[Suggestion, ...]:
    """Return the line that removes what this kernel has, where it would not be refused."""
    if finding is not None:
        return finding.hint
    if not own or environment.locked or environment.externally_managed:
        return ()
    return (Suggestion(NOTEBOOK.line("uninstall", *own), "from this kernel's environment"),)
