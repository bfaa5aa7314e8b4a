"""The few options of the commands that take no requirements: one small table each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from safeinstall.errors import RequestError

__all__ = ["Options", "read_options"]


@dataclass(frozen=True, slots=True)
class Options:
    """What was typed after a command."""

    given: dict[str, str] = field(default_factory=dict)
    """Options with their values; a switch has an empty one."""
    words: tuple[str, ...] = ()
    """Everything that is no option."""

    def __contains__(self, name: str) -> bool:
        return name in self.given

    def value(self, name: str) -> str:
        """Return the value of an option, or an empty text."""
        return self.given.get(name, "")


def read_options(
    words: Sequence[str],
    *,
    usage: str,
    switches: Sequence[str] = (),
    values: Sequence[str] = (),
    most_words: int = 0,
) -> Options:
    """Read the words after a command.

    `--json` and `--python PATH` are understood by every command. Raises `RequestError` with
    `usage` as the line to type for anything else that is not listed.
    """
    switches, values = (*switches, "--json"), (*values, "--python")
    given: dict[str, str] = {}
    plain: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if word in switches:
            given[word] = ""
        elif name in values and equals:
            given[name] = value
        elif word in values:
            if not rest:
                raise RequestError(f"{word} needs a value.", hint=usage)
            given[word] = rest.pop(0)
        elif word.startswith("-") or len(plain) >= most_words:
            raise RequestError(f"{word!r} is not understood here.", hint=usage)
        else:
            plain.append(word)
    return Options(given, tuple(plain))
