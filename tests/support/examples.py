"""How many examples a property is tried with: few in `make test`, many in `make torture`."""

from __future__ import annotations

import os

TIMES = int(os.environ.get("SAFEINSTALL_EXAMPLES", "1"))


def examples(number: int) -> int:
    """Return the number of examples to try where `make test` tries `number`."""
    return number * TIMES
