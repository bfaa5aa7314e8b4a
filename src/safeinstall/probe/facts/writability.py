"""Who may write into a folder or replace what lies there, and the sentence that says why not.

The rule is pip's own (``utils/filesystem.py:test_writable_dir``): ``os.access(W_OK)`` of the folder
or, where it does not exist yet, of its closest existing parent. The reason is ours: pip has none.
"""

from __future__ import annotations

import contextlib
import os
import stat

from .search_path import Installed, upward

with contextlib.suppress(ImportError):  # Windows
    import grp
    import pwd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LEAST_SPACE = 16 * 1024


def closest_existing(path: str, cwd: str | None = None) -> str:
    """Return *path* or the nearest parent of it that exists.

    A relative path (a user site below a literal ``~``) is taken from *cwd*.
    """
    if not os.path.isabs(path):
        path = os.path.join(cwd or os.getcwd(), path)
    parents = upward(os.path.normpath(path))
    return next((parent for parent in parents if os.path.lexists(parent)), os.path.sep)


def _is_read_only_mount(path: str) -> bool:
    """Tell whether the file system that holds *path* is mounted read-only."""
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except (AttributeError, OSError):
        return False


def user_name(uid: int) -> str:
    """Return the name of *uid*, or the number where there is no entry (containers)."""
    try:
        return pwd.getpwuid(uid).pw_name
    except (NameError, KeyError, OSError):
        return str(uid)


def _group_name(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except (NameError, KeyError, OSError):
        return str(gid)


def describe_access(path: str) -> dict[str, Any]:
    """Say whether *path* can be written by this process and, if not, why, as JSON-able data."""
    probed = closest_existing(path)
    writable = os.access(probed, os.W_OK | os.X_OK) if os.path.isdir(probed) else False
    euid = os.geteuid() if hasattr(os, "geteuid") else -1
    you = user_name(euid) if euid >= 0 else os.environ.get("USERNAME", "")
    owner = group = mode = ""
    owned_by = None
    try:
        status = os.stat(probed)
        owned_by, mode = status.st_uid, "%04o" % stat.S_IMODE(status.st_mode)
        owner, group = user_name(status.st_uid), _group_name(status.st_gid)
    except OSError:
        pass
    reason = None
    if writable:
        detail = "%s can be written by you" % probed
    elif not os.path.isdir(probed):
        reason, detail = "other", "%s is not a folder" % probed
    elif _is_read_only_mount(probed):
        reason, detail = "read-only-mount", "%s is on a file system mounted read-only" % probed
    elif owned_by is not None and owned_by != euid:
        reason = "not-owner"
        whose = owner if group == owner else "%s, group %s" % (owner, group)
        detail = "%s belongs to %s (mode %s), not to you" % (probed, whose, mode.lstrip("0") or "0")
    else:
        reason, detail = "other", "%s cannot be written by you (mode %s)" % (probed, mode)
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


def _may_write(folder: str, elevated: bool) -> bool:
    if elevated:
        return not _is_read_only_mount(folder)
    return os.access(folder, os.W_OK)


def looks_writable(folder: str, elevated: bool) -> bool:
    """Apply pip's test (``utils/filesystem.py:test_writable_dir``): it skips what is no folder."""
    parent = next((parent for parent in upward(folder) if os.path.isdir(parent)), "")
    return _may_write(parent, elevated)


def why_not_writable(folder: str, elevated: bool, size: int = 0) -> tuple[str, str] | None:
    """Return the outcome and a sentence where *folder* cannot take new files, else None.

    *size* is what the distribution needs, as far as it is known.
    """
    probed = closest_existing(folder)
    if not os.path.isdir(probed):
        return "fails", "%s is in the way: it is not a folder" % probed
    if not _may_write(probed, elevated) or (not elevated and not os.access(probed, os.X_OK)):
        return "refused-permission", str(describe_access(folder)["detail"])
    try:
        space = os.statvfs(probed)
    except (AttributeError, OSError):
        return None
    free = space.f_bavail * space.f_frsize
    if space.f_blocks and free < max(size, _LEAST_SPACE):
        return "fails", "the disk under %s has %d bytes left" % (probed, free)
    return None


def why_not_replaceable(copy: Installed, elevated: bool) -> tuple[str, str] | None:
    """Return why the files of an installed distribution could not be taken away, else None.

    ``os.access`` says nothing about sticky folders, where only the owner may remove a file.
    """
    if not _may_write(copy.folder, elevated):
        return "refused-permission", str(describe_access(copy.folder)["detail"])
    if not os.path.isdir(copy.metadata) or elevated:
        return None
    if not _may_write(copy.metadata, elevated):
        return "refused-permission", str(describe_access(copy.metadata)["detail"])
    try:
        folder, entry = os.stat(copy.folder), os.stat(copy.metadata)
        euid = os.geteuid()
    except (AttributeError, OSError):
        return None
    if folder.st_mode & stat.S_ISVTX and euid not in (0, folder.st_uid, entry.st_uid):
        named = copy.folder, copy.name, copy.version
        return "refused-permission", "%s is a sticky folder and %s %s is not yours" % named
    return None
