"""The ``sys.path`` of a process that is not running yet, and what it would import from it.

Written after ``Modules/getpath.py`` and ``Lib/site.py`` (and Debian's patch of the latter). An
installer is a child of the kernel: it takes over the variables, but not the flags (``-s -I -E``).
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import zipimport

with contextlib.suppress(ImportError):  # Windows
    import pwd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, Mapping, Sequence


_MOST_PTH = 200
_DEEPEST = 128
"""A path has no more parents than this; a loop over parents must end whatever it is given."""


def read_text(path: str, most: int = 64 * 1024) -> str | None:
    """Return the first *most* characters of a file; None where it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(most)
    except (OSError, ValueError):
        return None


def listed(folder: str) -> list[str]:
    """Return the names in *folder*, sorted; none where it cannot be read."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def upward(folder: str) -> Iterator[str]:
    """Yield *folder* and its parents."""
    for _ in range(_DEEPEST):
        yield folder
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


class WithoutFolder:
    """While it lasts, nothing is imported from the folder one works in: a ``json.py``, say.

    By place, not by name: every entry of ``sys.path`` that is that folder, or relative to it.
    """

    def __enter__(self) -> None:
        """Leave the folder out."""
        self._before = list(sys.path)
        sys.path[:] = [entry for entry in self._before if not in_folder(entry)]

    def __exit__(self, *error: object) -> None:
        """Put everything back where it was; what came meanwhile stays behind it."""
        came = [entry for entry in sys.path if entry not in self._before]
        sys.path[:] = self._before + came


def in_folder(entry: str) -> bool:
    """Tell whether an entry of ``sys.path`` is the folder, or follows it about."""
    if not os.path.isabs(entry):
        return True
    try:
        here = os.getcwd()
    except OSError:
        return False
    return os.path.realpath(entry) == os.path.realpath(here) and not entry.endswith("-packages")


def home_folder(environ: Mapping[str, str]) -> str:
    """Return what ``os.path.expanduser("~")`` gives in a process with these variables.

    Without HOME the passwd entry decides; without an entry the answer is a literal ``~``.
    """
    home = environ.get("HOME")
    if home is None:
        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except (NameError, KeyError, OSError, AttributeError):
            return "~"
    return home.rstrip("/") or "/"


def user_base(environ: Mapping[str, str]) -> str:
    """Return the folder ``site.getuserbase()`` gives (``site.py:_getuserbase``)."""
    return environ.get("PYTHONUSERBASE") or os.path.join(home_folder(environ), ".local")


def user_site_allowed(environ: Mapping[str, str], venv: Mapping[str, str] | None) -> bool | None:
    """Return ``site.ENABLE_USER_SITE`` of a child (``site.py:check_enableusersite``, ``venv``).

    *venv* holds the settings of ``pyvenv.cfg``, None outside a virtual environment. ``site.py``
    lower-cases the value of include-system-site-packages, so ``True`` counts as true.
    """
    if venv is not None and venv.get("include-system-site-packages", "").lower() != "true":
        return False
    if environ.get("PYTHONNOUSERSITE"):
        return False
    try:
        if os.getuid() != os.geteuid() or os.getgid() != os.getegid():
            return None
    except AttributeError:
        pass
    return True


def site_folders(prefix: str, lib_name: str, debian: bool, in_venv: bool) -> list[str]:
    """List the folders ``site.getsitepackages()`` adds for one *prefix*, existing or not."""
    plain = os.path.join(prefix, "lib", lib_name, "site-packages")
    if not debian:
        return [os.path.join(prefix, "lib64", lib_name, "site-packages"), plain]
    local = os.path.join(prefix, "local", "lib", lib_name, "dist-packages")
    shared = os.path.join(prefix, "lib", "python3", "dist-packages")
    return [plain, local, shared] if in_venv else [local, shared]


def with_pth_folders(folders: Sequence[str]) -> list[str]:
    """Follow every site folder by the folders that its ``.pth`` files add (``site.py:addpackage``).

    Lines that start with ``import`` are code and are left alone.
    """
    result = []
    for folder in folders:
        if not os.path.isdir(folder):
            continue
        result.append(folder)
        for name in [name for name in listed(folder) if name.endswith(".pth")][:_MOST_PTH]:
            for line in (read_text(os.path.join(folder, name)) or "").splitlines():
                line = line.strip()
                if not line or line.startswith(("#", "import ", "import\t")):
                    continue
                added = os.path.join(folder, line)
                if os.path.exists(added) and added not in result:
                    result.append(added)
    return result


def module_origin(module: str, folders: Sequence[str]) -> str | None:
    """Return the first of *folders* from which ``import module`` would be served, or None."""
    for folder in folders:
        base = os.path.join(folder or ".", module)
        places = (base + ".py", os.path.join(base, "__init__.py"), base + ".so")
        if any(map(os.path.isfile, places)):
            return folder
    return None


_METADATA = re.compile(
    r"^(?P<name>[^-]+(?:-[^-\d][^-]*)*)-(?P<version>[^-]+)(?:-py[\d.]+)?\.(?:dist|egg)-info$"
)


def canonical(name: str) -> str:
    """Return *name* as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Installed:
    """One installed distribution: where its metadata lies and what version it claims."""

    __slots__ = ("folder", "metadata", "name", "version")

    def __init__(self, name: str, version: str, folder: str, metadata: str) -> None:
        """Keep what was read; *metadata* is the full path of the ``-info`` entry."""
        self.name = name
        self.version = version
        self.folder = folder
        self.metadata = metadata

    @property
    def removable(self) -> bool:
        """Whether an installer can take it away: it left a list of its files."""
        if os.path.isfile(self.metadata):  # distutils wrote a bare file, no list
            return False
        if self.metadata.endswith(".egg-info"):
            return True
        return os.path.isfile(os.path.join(self.metadata, "RECORD"))


def _version_inside(metadata: str) -> str:
    path = metadata if os.path.isfile(metadata) else os.path.join(metadata, "PKG-INFO")
    line = re.search(r"^Version:\s*(\S+)", read_text(path, 4096) or "", re.M)
    return line.group(1) if line else ""


def find_distribution(name: str, folders: Sequence[str]) -> Installed | None:
    """Return the first distribution called *name* on *folders*, or None."""
    wanted = canonical(name)
    start = wanted[:1]
    for folder in folders:
        try:
            entries = os.listdir(folder or ".")
        except OSError:
            continue
        for entry in entries:
            if entry[:1].lower() != start or not entry.endswith("-info"):
                continue
            match = _METADATA.match(entry)
            stem, version = match.group("name", "version") if match else (entry[:-9], "")
            if canonical(stem) != wanted:
                continue
            metadata = os.path.join(folder, entry)
            return Installed(name, version or _version_inside(metadata), folder, metadata)
    return None


def wheel_contents(path: str) -> tuple[bool, bool]:
    """Return whether the wheel at *path* brings scripts and whether it goes to platlib."""
    folder = "-".join(os.path.basename(path).split("-")[:2]) + ".dist-info/"
    # zipimport is part of the interpreter's start; zipfile would cost more than the prediction
    try:
        archive = zipimport.zipimporter(path)
    except (zipimport.ZipImportError, OSError):
        return False, False
    texts = []
    for name in ("entry_points.txt", "WHEEL", "RECORD"):
        try:
            texts.append(archive.get_data(folder + name))
        except (OSError, zipimport.ZipImportError, EOFError, ValueError):
            texts.append(b"")
    getattr(zipimport, "_zip_directory_cache", {}).pop(path, None)  # leave no trace
    points, wheel, record = texts
    scripts = b"console_scripts" in points or b"gui_scripts" in points
    return scripts or b".data/scripts/" in record, b"root-is-purelib: false" in wheel.lower()
