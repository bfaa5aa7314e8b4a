"""Where would this cell install? The static answer, and the installer's own when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from safeinstall import probe
from safeinstall.command import Command
from safeinstall.operations.survey import prediction_dict
from safeinstall.operations.world import World
from safeinstall.probe.prediction import Prediction
from safeinstall.probe.rules import ask_pip

__all__ = ["Where", "where"]

_ASK_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Where:
    """The predictions for one cell."""

    cell: str
    predictions: tuple[Prediction, ...]
    asked: tuple[str, ...] = ()
    """What the installer itself answered when it was asked, one line for each question."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "schema": 1,
            "cell": self.cell,
            "predictions": [
                {"command": p.command, "line": p.line, "tool": p.tool, **prediction_dict(p)}
                for p in self.predictions
            ],
            "asked": list(self.asked),
        }


def where(cell: str, world: World, *, ask: bool = False) -> Where:
    """Return where each install command of `cell` would put its files; nothing is installed.

    With `ask`, an uncertain answer is checked by starting the installer itself on a name that
    does not exist: it decides as always, and then finds nothing (0.4-0.7 s).
    """
    predictions = probe.predict(
        cell, environ=world.environ, cwd=world.cwd, facts=world.environment.report
    )
    asked: list[str] = []
    settled = []
    for prediction in predictions:
        if ask and prediction.tool == "pip" and prediction.interpreter:
            argv = ask_pip.question(prediction.interpreter, prediction.options)
            answer = world.run(Command(argv=argv, cwd=world.cwd), timeout=_ASK_SECONDS)
            said = ask_pip.read_answer(answer.output)
            asked.append(f"{prediction.command}: pip says {said.sentence!r}")
            prediction = _settled(prediction, said)
        settled.append(prediction)
    return Where(cell=cell, predictions=tuple(settled), asked=tuple(asked))


def _settled(prediction: Prediction, said: ask_pip.Answer) -> Prediction:
    """Return the prediction after pip has spoken: confirmed, decided, or not known after all."""
    if prediction.outcome == "unknown" and said.outcome not in ("unknown", "site", "elsewhere"):
        return prediction._replace(outcome=said.outcome, reason=said.sentence)
    if ask_pip.agrees(prediction.outcome, said) is False:
        return prediction._replace(
            outcome="unknown",
            path=None,
            importable_now=None,
            importable_after_restart=None,
            reason=f"the rules say {prediction.outcome} ({prediction.reason}), "
            f"pip itself says {said.sentence!r}",
        )
    return prediction
