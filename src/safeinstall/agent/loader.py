"""How the panel's code gets into a kernel: this text is sent by the panel and run there.

Contract of this file: Python >= 3.8, standard library only, ASCII, no imports of ours at the top.
It runs in a dictionary of its own, from one expression of one silent request, and leaves nothing
behind but entries of `sys.modules`: no name, no `sys.path` entry, no history. `answer` is the door.

The package that is carried along is unpacked into a private cache folder and imported from there
by its place. (A folder rather than a zip: compiled files make the second kernel five times faster,
and another interpreter can be asked about itself only by running a file.)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

STATE = "_safeinstall_panel"
REPLY = "application/vnd.safeinstall.reply+json"
PACKAGE = "safeinstall"


class Reply:
    """A value that the kernel sends as JSON rather than as the text of an object."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content

    def __repr__(self) -> str:
        return "<reply>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {REPLY: self.content, "text/plain": ""}


def answer(version: str, digest: str, archive: str, question: str) -> Reply:
    """Answer the panel's question (JSON); without the archive only if the code is here already."""
    import sys

    before = list(sys.path)
    try:
        sys.path[:] = [entry for entry in before if not _in_folder(entry)]
        import json

        try:
            state: Any = sys.modules.get(STATE)
            if state is None or state.digest != digest:
                if not archive and not _is_installed(version):
                    return Reply({"need": "archive"})
                state = _begin(version, digest, archive)
        finally:
            sys.path[:] = before
        asked = json.loads(question)
        from_agent = state.agent.answer(asked["method"], asked.get("params") or {})
        return Reply(from_agent)
    except Exception as error:
        return Reply({"error": {"code": "loader", "message": _words(error), "hint": ""}})


def _in_folder(entry: str) -> bool:
    """Tell whether an entry of `sys.path` is the notebook's folder, or relative to it.

    `safeinstall.probe.facts.search_path` says the same of what is imported later.
    """
    import os

    if not os.path.isabs(entry):
        return True
    try:
        here = os.getcwd()
    except OSError:
        return False
    return os.path.realpath(entry) == os.path.realpath(here) and not entry.endswith("-packages")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


def _begin(version: str, digest: str, archive: str) -> Any:
    import importlib
    import sys
    import types

    package = sys.modules.get(PACKAGE)
    if package is not None and not hasattr(package, "__path__"):
        file = getattr(package, "__file__", None) or "something else"
        raise ImportError(f"{file} is loaded in the place of safeinstall: rename it, and restart")
    if package is not None and not _is_there(package):
        # its environment was moved or deleted: what it has not loaded yet cannot be imported
        for name in [name for name in sys.modules if (name + ".").startswith(PACKAGE + ".")]:
            del sys.modules[name]
        package = None
    if package is None and not _is_installed(version):
        package = _load(_unpacked(digest, archive))
    agent = importlib.import_module(PACKAGE + ".agent")
    state: Any = sys.modules.get(STATE)
    if state is None:
        state = types.ModuleType(STATE, "The state of safeinstall's panel in this kernel.")
        state.jobs = {}
    state.digest, state.agent = digest, agent
    sys.modules[STATE] = state
    return state


def _is_installed(version: str) -> bool:
    """Tell whether this kernel's own safeinstall is the panel's version (then it is used)."""
    import sys
    from importlib import metadata, util

    loaded = sys.modules.get(PACKAGE)
    if loaded is not None:
        return getattr(loaded, "__version__", None) == version and _is_there(loaded)
    try:
        spec = util.find_spec(PACKAGE)
        return spec is not None and spec.origin is not None and metadata.version(PACKAGE) == version
    except Exception:
        return False


def _is_there(package: Any) -> bool:
    import os

    return os.path.exists(getattr(package, "__file__", None) or "")


def _load(folder: str) -> ModuleType:
    """Import the package from its place, without a word in `sys.path`."""
    import importlib.util
    import os
    import sys

    place = os.path.join(folder, PACKAGE)
    spec = importlib.util.spec_from_file_location(
        PACKAGE, os.path.join(place, "__init__.py"), submodule_search_locations=[place]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{place} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[PACKAGE]
        raise
    return module


def _unpacked(digest: str, archive: str) -> str:
    """Return the folder with the package in it, unpacked there once and moved into place whole."""
    import base64
    import io
    import os
    import shutil
    import tempfile
    import zipfile

    cache = _private_folder()
    folder = os.path.join(cache, digest)
    if not os.path.isdir(folder):
        scratch = tempfile.mkdtemp(dir=cache)
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(archive))) as packed:
            packed.extractall(scratch)
        try:
            os.rename(scratch, folder)
        except OSError:  # another kernel was faster
            shutil.rmtree(scratch, ignore_errors=True)
    return folder


def _private_folder() -> str:
    """Return a folder that only this user can write: in the cache, or a new temporary one."""
    import os
    import tempfile

    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(home, "safeinstall", "panel")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        status = os.lstat(folder)
        own = not hasattr(os, "getuid") or status.st_uid == os.getuid()
        if own and not status.st_mode & 0o022 and os.access(folder, os.W_OK | os.X_OK):
            return folder
    except OSError:
        pass
    import atexit
    import shutil

    folder = tempfile.mkdtemp(prefix="safeinstall-")
    atexit.register(shutil.rmtree, folder, True)
    return folder
