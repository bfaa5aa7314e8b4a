"""Whether this kernel, and a new one like it, could import what lands in a folder."""

from __future__ import annotations

import os
import re
import sys

from .installed import module_origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping, Sequence

__all__ = ["Importability", "judge"]


class Importability:
    """Two answers and the sentences that explain them."""

    __slots__ = ("after", "notes", "now")

    def __init__(self, now: bool | None, after: bool | None, notes: tuple[str, ...] = ()) -> None:
        """Keep the answers; None stands for not known."""
        self.now = now
        self.after = after
        self.notes = notes


def _place(folder: str, entries: Sequence[str]) -> int | None:
    """Return the index of *folder* in *entries*, links followed."""
    real = os.path.realpath(folder)
    for index, entry in enumerate(entries):
        if entry == folder or os.path.realpath(entry) == real:
            return index
    return None


def judge(
    folder: str,
    names: Sequence[str],
    facts: Mapping[str, Any],
    cwd: str,
    live: bool,
    kept_old: bool = False,
    removed: Sequence[str] = (),
) -> Importability:
    """Judge a landing in *folder* by this kernel's ``sys.path``, never by version numbers.

    *names* are the distributions asked for; *live* says that the facts are those of this process,
    so that its loaded modules and its cache of path entries may be asked too. *removed* are folders
    that lose their older copy.
    """
    entries = [os.path.join(cwd, str(entry)) for entry in facts["sys_path"]]
    modules = [re.sub(r"[-.]+", "_", name) for name in names]
    user = facts["user_site"]
    at = _place(folder, entries)
    will_be_there = at is not None
    if at is None and user.get("path") and user.get("enabled"):
        will_be_there = os.path.realpath(folder) == os.path.realpath(
            os.path.join(cwd, user["path"])
        )
    if not will_be_there:
        return Importability(False, False, ("%s is not on the path of this kernel" % folder,))
    if kept_old:
        return Importability(False, False, ("an older copy in %s stays in place" % folder,))
    # a new user site takes its place before the interpreter's own site-packages
    if at is None:
        own = _place(str(facts["paths"]["purelib"]), entries)
        in_venv = facts["prefix"] != facts["base_prefix"]
        at_then = len(entries) if own is None else own + (1 if in_venv else 0)
    else:
        at_then = at
    for module in modules:
        before = module_origin(module, entries[:at_then])
        if before is not None and before not in removed and _place(before, [folder]) is None:
            note = "%s in %s comes first on the path of this kernel" % (module, before)
            return Importability(False, False, (note,))
    if at is None:
        return Importability(False, True, ("%s did not exist when this kernel started" % folder,))
    if live:
        loaded = [module for module in modules if module in sys.modules]
        if loaded:
            return Importability(False, True, ("%s is already loaded here" % loaded[0],))
        listed = str(facts["sys_path"][at])
        if not os.path.isdir(folder) and sys.path_importer_cache.get(listed, 0) is None:
            note = "this kernel has noted that %s does not exist" % folder
            return Importability(False, True, (note,))
    return Importability(True, True)
