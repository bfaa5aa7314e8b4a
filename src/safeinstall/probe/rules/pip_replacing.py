"""Which installed copy pip would take away first, and when it refuses to.

Written after ``resolution/resolvelib/factory.py:get_dist_to_uninstall``,
``req/req_uninstall.py:UninstallPathSet.from_dist`` and ``utils/misc.py:is_local``.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..facts.installed import Found
    from .pip_contents import Place

__all__ = ["STAYS", "refusal_to_replace"]

STAYS = ("", "")
"""The answer for a copy that pip leaves alone and installs beside."""


def _below(path: str, folder: str) -> bool:
    path, folder = os.path.realpath(path), os.path.realpath(folder)
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def refusal_to_replace(found: Found, place: Place) -> tuple[str, str] | None:
    """Return outcome and reason of a refusal, ``STAYS``, or None where the copy is taken away."""
    interpreter, folder = place.interpreter, found.folder
    if place.outcome == "user-site" and not _below(folder, place.scheme["purelib"]):
        # what lies in the global site is shadowed, which does not work in a virtual environment
        own = interpreter.scheme(place.invocation.environ)["purelib"]
        if interpreter.in_venv and _below(folder, own):
            return "fails", "the user site would come after %s, which has %s" % (folder, found.name)
        return STAYS
    if interpreter.in_venv:
        if not _below(folder, interpreter.prefix):
            return STAYS
    # Debian's own pip never touches what Debian's package manager owns
    elif _below(place.pip_folder, "/usr/lib/python3/dist-packages") and (
        _below(folder, "/usr") and not _below(folder, "/usr/local")
    ):
        return STAYS
    if not found.removable:
        text = "%s %s in %s has no list of its files" % (found.name, found.version, folder)
        return "refused-cannot-uninstall", text
    return None
