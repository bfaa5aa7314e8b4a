"""One installer as a cell would start it."""

from __future__ import annotations

from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..facts.interpreter_files import Interpreter

__all__ = ["Invocation", "World"]


class World(NamedTuple):
    """The process a command starts from."""

    environ: dict[str, str]
    cwd: str
    kernel: Interpreter


class Invocation(NamedTuple):
    """One installer as it would be started."""

    tool: str
    """``pip``, ``uv`` or ``conda``."""
    words: tuple[str, ...]
    """Its arguments."""
    environ: dict[str, str]
    cwd: str
    text: str
    line: int
    interpreter: Interpreter | None = None
    """Whose module runs (pip, ``python -m uv``); None for a program of its own."""
    first: str | None = None
    """The first entry of its ``sys.path``."""
    no_user_site: bool = False
    """Whether it was started with ``-s`` or ``-I``."""
    elevated: bool = False
    """Whether ``sudo`` makes it run as root."""
    problem: tuple[str, str] | None = None
    """Outcome and reason where no installer is reached at all."""
    notes: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()
    """Words whose text depends on something that is only known when it runs."""
    program: str = ""
    """The file that is started, where there is one."""
