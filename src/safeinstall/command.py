"""A command: argv and environment overrides, never a shell string."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from safeinstall.redaction import redact


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """What to start and with which environment; starting it is the runner's."""

    argv: tuple[str, ...]
    overrides: Mapping[str, str | None] = field(default_factory=dict)
    """Environment variables to set, or to drop where the value is None."""
    cwd: str | None = None
    stdin: str = ""
    """Text to hand over on standard input; empty: standard input is closed."""

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return `base` (default: this process's environment) with the overrides applied."""
        result = dict(os.environ if base is None else base)
        for name, value in self.overrides.items():
            if value is None:
                result.pop(name, None)
            else:
                result[name] = value
        return result

    def __str__(self) -> str:
        return redact(shlex.join(self.argv))
