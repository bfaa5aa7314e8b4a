"""What a command that removes distributions would take away, and from where.

Written after ``pip/_internal/req/req_uninstall.py`` (the first copy on ``sys.path``; what lies
outside a virtual environment stays) and ``crates/uv/src/commands/pip/uninstall.rs``.
"""

from __future__ import annotations

import os
from typing import Sequence

from ..facts.interpreter import Interpreter
from ..facts.search_path import find_distribution
from ..facts.writability import why_not_replaceable
from . import SITE, Verdict


def removal(
    names: Sequence[str], folders: Sequence[str], interpreter: Interpreter, elevated: bool
) -> Verdict:
    """Return what removing *names* from the first of *folders* that has them comes to."""
    copies = [find_distribution(name, folders) for name in names]
    found = [copy for copy in copies if copy is not None]
    prefix = os.path.realpath(interpreter.prefix) + os.sep
    outside = [c for c in found if not os.path.realpath(c.folder).startswith(prefix)]
    if interpreter.in_venv and outside:
        found = [copy for copy in found if copy not in outside]
    what = ", ".join(names) or "nothing"
    if not found:
        return Verdict("no-change", "%s has no %s" % (interpreter.executable, what))
    for copy in found:
        if not copy.removable:
            text = "%s %s in %s has no list of its files" % (copy.name, copy.version, copy.folder)
            return Verdict("refused-cannot-uninstall", text)
        refusal = why_not_replaceable(copy, elevated)
        if refusal:
            return Verdict(*refusal)
    return Verdict(
        SITE, "the first copy of %s is in %s" % (found[0].name, found[0].folder), found[0].folder
    )
