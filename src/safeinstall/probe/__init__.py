"""What this interpreter is, and where an install command would put its files.

Contract of this room: standard library only, Python >= 3.8 syntax, importable from a zip, starts no
process, changes nothing, never raises. What is imported here is loaded when it is first used, so
that importing the package costs nothing in a kernel.

This file is also what any interpreter from Python 3.8 on is started on, with its own flags, to say
what it is: ``python probe/__init__.py COOKIE`` prints the cookie, the facts as one JSON object and
the reversed cookie on one line, so that nothing a ``sitecustomize`` prints can be taken for them.

Inside, imports go downward only: ``prediction`` > ``rules`` > ``shell`` > ``cell`` > ``facts``.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

    from .prediction import Prediction


def predict(
    cell: str,
    *,
    environ: Mapping[str, str] | None = None,
    cwd: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> tuple[Prediction, ...]:
    """Where each install command of *cell* would put its files, in the order of the cell.

    What is not given is read from the running process: its variables, its folder, its interpreter.
    """
    from .prediction import predict as predict_cell  # a kernel pays when a cell first asks

    return predict_cell(cell, environ, cwd, facts)


def _print_facts(cookie: str) -> None:
    """Load the room by the place of this file, which is no package yet, and print the facts."""
    import importlib.util  # a kernel does not need these two
    import json

    here = os.path.dirname(os.path.abspath(__file__))
    # The folder of a script is the first entry of sys.path: it is ours, not the interpreter's.
    if not getattr(sys.flags, "safe_path", False) and not sys.flags.isolated:
        del sys.path[:1]
    sys.dont_write_bytecode = True
    name = "_safeinstall_probe"
    file, locate = os.path.join(here, "__init__.py"), importlib.util.spec_from_file_location
    spec = locate(name, file, submodule_search_locations=[here])
    if spec is None or spec.loader is None:
        raise SystemExit("cannot load the probe from %s" % here)
    room = importlib.util.module_from_spec(spec)
    sys.modules[name] = room
    spec.loader.exec_module(room)
    report = importlib.import_module(name + ".facts.interpreter").facts()
    sys.stdout.write(cookie + json.dumps(report) + cookie[::-1] + "\n")


if __name__ == "__main__":
    _print_facts(sys.argv[1] if len(sys.argv) > 1 else "")
