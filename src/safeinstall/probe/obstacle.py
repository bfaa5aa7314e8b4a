"""What would stop an installer from writing into a folder, or from replacing what lies there."""

from __future__ import annotations

import os
import stat

from .access import closest_existing, describe_access, is_read_only_mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .installed import Found

__all__ = ["looks_writable", "obstacle", "obstacle_to_replacing"]

_LEAST_SPACE = 16 * 1024


def _may_write(folder: str, elevated: bool) -> bool:
    if elevated:
        return not is_read_only_mount(folder)
    return os.access(folder, os.W_OK)


def looks_writable(folder: str, elevated: bool) -> bool:
    """Apply pip's test (``utils/filesystem.py:test_writable_dir``): it skips what is no folder."""
    while not os.path.isdir(folder):
        parent = os.path.dirname(folder)
        if parent == folder:
            break
        folder = parent
    return _may_write(folder, elevated)


def obstacle(folder: str, elevated: bool, size: int = 0) -> tuple[str, str] | None:
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


def obstacle_to_replacing(found: Found, elevated: bool) -> tuple[str, str] | None:
    """Return why the files of an installed distribution could not be taken away, else None.

    ``os.access`` says nothing about sticky folders, where only the owner may remove a file.
    """
    if not _may_write(found.folder, elevated):
        return "refused-permission", str(describe_access(found.folder)["detail"])
    if not os.path.isdir(found.metadata) or elevated:
        return None
    if not _may_write(found.metadata, elevated):
        return "refused-permission", str(describe_access(found.metadata)["detail"])
    try:
        folder, entry = os.stat(found.folder), os.stat(found.metadata)
        euid = os.geteuid()
    except (AttributeError, OSError):
        return None
    if folder.st_mode & stat.S_ISVTX and euid not in (0, folder.st_uid, entry.st_uid):
        return "refused-permission", "%s is a sticky folder and %s %s is not yours" % (
            found.folder,
            found.name,
            found.version,
        )
    return None
