"""Which installed copy pip would take away first, and when it refuses to.

Written after ``resolution/resolvelib/factory.py:get_dist_to_uninstall``,
``req/req_uninstall.py:UninstallPathSet.from_dist`` and ``utils/misc.py:is_local``.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping

    from .installed import Found
    from .interpreter import Interpreter

__all__ = ["refusal_to_replace"]


def _below(path: str, folder: str) -> bool:
    path, folder = os.path.realpath(path), os.path.realpath(folder)
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def refusal_to_replace(
    found: Found,
    interpreter: Interpreter,
    outcome: str,
    scheme: Mapping[str, str],
    pip_folder: str,
    environ: Mapping[str, str],
) -> tuple[str, str] | str | None:
    """Return outcome and reason of a refusal, ``"stays"`` for a copy left alone, None to go on."""
    if outcome == "user-site" and not _below(found.folder, scheme["purelib"]):
        # what lies in the global site is shadowed, which does not work in a virtual environment
        if interpreter.in_venv and _below(found.folder, interpreter.scheme(environ)["purelib"]):
            return "fails", "the user site would come after %s, which has %s" % (
                found.folder,
                found.name,
            )
        return "stays"
    if interpreter.in_venv:
        if not _below(found.folder, interpreter.prefix):
            return "stays"
    elif interpreter.debian and _below(pip_folder, "/usr/lib/python3/dist-packages"):
        # Debian's pip never touches what Debian's package manager owns
        if _below(found.folder, "/usr") and not _below(found.folder, "/usr/local"):
            return "stays"
    if not found.removable:
        return "refused-cannot-uninstall", "%s %s in %s has no list of its files" % (
            found.name,
            found.version,
            found.folder,
        )
    return None
