"""What `%kernelenv --kernels` does."""

from __future__ import annotations

from safeinstall import operations
from safeinstall.errors import RequestError
from safeinstall.magics.display import Shown
from safeinstall.operations.kernels import Repaired, list_kernels, repair_kernels, to_dict
from safeinstall.render.report_words import kernels_message

__all__ = ["run"]

_SWITCHES = ("--kernels", "--repair", "--start")


def run(words: list[str]) -> Shown:
    """Return the kernels of this machine; `--repair [NAME...]` puts them right first."""
    names = [word for word in words if word not in _SWITCHES]
    strange = next((name for name in names if name.startswith("-")), None)
    if strange or (names and "--repair" not in words):
        raise RequestError(
            f"{strange or names[0]} is not understood here.",
            hint="%kernelenv --kernels --repair " + " ".join(n for n in names if n != strange),
        )
    here = operations.here()
    repaired: tuple[Repaired, ...] = ()
    if "--repair" in words:
        repaired = repair_kernels(here, names)
    states = list_kernels(here, start="--start" in words)
    message = kernels_message(states, here.environment.home, repaired)
    return Shown(message, to_dict(states, repaired))
