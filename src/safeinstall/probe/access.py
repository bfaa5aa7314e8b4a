"""Who may write into a folder, and the sentence that says why not.

The rule is pip's own (``utils/filesystem.py:test_writable_dir``): ``os.access(W_OK)`` of the folder
or, where it does not exist yet, of its closest existing parent. The reason is ours: pip has none.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["closest_existing", "describe_access", "is_read_only_mount", "user_name"]

_DEEPEST = 128
"""A path has no more parents than this; a loop over parents must end whatever it is given."""


def closest_existing(path: str, cwd: str | None = None) -> str:
    """Return *path* or the nearest parent of it that exists.

    A relative path (a user site below a literal ``~``) is taken from *cwd*.
    """
    if not os.path.isabs(path):
        path = os.path.join(cwd or os.getcwd(), path)
    path = os.path.normpath(path)
    for _ in range(_DEEPEST):
        if os.path.lexists(path):
            return path
        parent = os.path.dirname(path)
        if parent == path:
            break
        path = parent
    return path


def is_read_only_mount(path: str) -> bool:
    """Tell whether the file system that holds *path* is mounted read-only."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except (AttributeError, OSError):
        return False


def user_name(uid: int) -> str:
    """Return the name of *uid*, or the number where there is no entry (containers)."""
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError, OSError):
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        import grp

        return grp.getgrgid(gid).gr_name
    except (ImportError, KeyError, OSError):
        return str(gid)


def _effective_user() -> int:
    get = getattr(os, "geteuid", None)
    return int(get()) if get else -1


def describe_access(path: str) -> dict[str, Any]:
    """Say whether *path* can be written by this process and, if not, why, as JSON-able data."""
    probed = closest_existing(path)
    writable = os.access(probed, os.W_OK | os.X_OK) if os.path.isdir(probed) else False
    euid = _effective_user()
    you = user_name(euid) if euid >= 0 else os.environ.get("USERNAME", "")
    owner = group = mode = ""
    owned_by = None
    try:
        found = os.stat(probed)
    except OSError:
        pass
    else:
        owned_by, mode = found.st_uid, "%04o" % stat.S_IMODE(found.st_mode)
        owner, group = user_name(found.st_uid), _group_name(found.st_gid)
    reason = None
    if writable:
        detail = "%s can be written by %s" % (probed, you)
    elif not os.path.isdir(probed):
        reason, detail = "other", "%s is not a folder" % probed
    elif is_read_only_mount(probed):
        reason, detail = "read-only-mount", "%s is on a file system mounted read-only" % probed
    elif owned_by is not None and owned_by != euid:
        reason = "not-owner"
        shown = mode.lstrip("0") or "0"
        detail = "%s belongs to %s (mode %s) and you are %s" % (probed, owner, shown, you)
    else:
        reason, detail = "other", "%s cannot be written by %s (mode %s)" % (probed, you, mode)
    return {
        "path": path,
        "probed": probed,
        "writable": writable,
        "reason": reason,
        "owner": owner,
        "group": group,
        "mode": mode,
        "you": you,
        "detail": detail,
    }
