"""Which interpreter ``uv pip install`` works on.

Written after ``uv-python/src/discovery.rs`` (``python_executables``, ``EnvironmentPreference``) and
``virtualenv.rs``: an interpreter is asked for, or inherited from ``python -m uv``, or the active
environment, or ``.venv`` upward, or a virtual environment's python on PATH.
"""

from __future__ import annotations

import os
import re

from ..facts.interpreter_files import Interpreter, read_interpreter
from ..facts.search_path import home_folder
from ..shell.programs import find_programs, python_behind, read_script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Iterator, Tuple, Union

    from ..shell.invocation import Invocation
    from ..shell.option_grammar import Line

    Choice = Tuple[Interpreter, str]
    Refusal = Tuple[str, str]

__all__ = ["choose_interpreter"]

_TRUE = ("1", "true", "yes", "on", "y", "t")
_NAMES = ("python3", "python")
_DEEPEST = 64


def choose_interpreter(
    invocation: Invocation, line: Line, kernel: Interpreter, any_serves: bool = False
) -> Union[Choice, Refusal]:
    """Return the interpreter with the reason, or the outcome and reason of a refusal.

    *any_serves* is true for ``--target`` and ``--prefix``, which touch no environment.
    """
    environ, cwd = invocation.environ, invocation.cwd
    asked = line.last("python") or environ.get("UV_PYTHON") or ""
    source = "--python" if line.last("python") else "UV_PYTHON"
    system = line.has("system") or environ.get("UV_SYSTEM_PYTHON", "").lower() in _TRUE
    system = system and not line.has("no-system")
    if asked and any(asked in word for word in invocation.uncertain):
        return "unknown", "--python depends on something only a run can know"

    def described(path: str) -> Interpreter | None:
        if path == kernel.executable:
            return kernel
        script = read_script(path, environ, cwd)
        if script.kind == "shim":
            path = python_behind(path, environ, cwd) or ""
        elif script.kind == "python":
            path = script.interpreter
        return read_interpreter(path) if path else None

    if asked and not _is_version(asked):
        return _by_path(asked, source, environ, cwd, described)
    version = _version(asked)
    if system:
        for path in _on_path(environ, cwd):
            found = described(path)
            if found and not found.in_venv and _fits(found, version):
                return found, "--system takes the first system interpreter on PATH"
        return "fails", "uv finds no system interpreter"
    parent = invocation.interpreter
    if parent is not None and _fits(parent, version):
        return parent, "`python -m uv` works on its own interpreter"
    for folder, reason in _active(environ, cwd):
        python = os.path.join(folder, "bin", "python")
        found = described(python) if os.path.isfile(python) else None
        if found is None:
            if reason.startswith("VIRTUAL_ENV"):
                return "fails", "VIRTUAL_ENV names %s, which has no interpreter" % folder
            continue
        if _fits(found, version):
            return found, reason
    for path in _on_path(environ, cwd):
        found = described(path)
        if found and (found.in_venv or any_serves) and _fits(found, version):
            return found, "uv takes the environment of %s, found on PATH" % path
    return "fails", "uv finds no virtual environment and takes a system interpreter only by name"


def _is_version(asked: str) -> bool:
    return (
        bool(re.match(r"^(?:python|cpython|pypy)?@?[<>=~!]*\d+(?:\.\d+)*\S*$", asked))
        and "/" not in asked
    )


def _version(asked: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", asked)[:2])


def _fits(found: Interpreter, version: tuple[int, ...]) -> bool:
    return found.version[: len(version)] == version


def _by_path(
    asked: str,
    source: str,
    environ: dict[str, str],
    cwd: str,
    described: Callable[[str], Interpreter | None],
) -> Union[Choice, Refusal]:
    """Resolve a path, a folder or the name of a program."""
    path = os.path.join(cwd, asked)
    if os.path.isdir(path):
        path = os.path.join(path, "bin", "python")
    elif not os.path.isfile(path):
        hits = find_programs(asked, environ, cwd) if "/" not in asked else []
        path = hits[0] if hits else ""
    found = described(path) if path else None
    if found is None:
        return "fails", "%s names no interpreter: %s" % (source, asked)
    return found, "%s names it" % source


def _active(environ: dict[str, str], cwd: str) -> Iterator[tuple[str, str]]:
    """Yield the environments that are active or lie in the folder, in uv's order."""
    active = environ.get("VIRTUAL_ENV")
    if active:
        yield os.path.join(cwd, active), "VIRTUAL_ENV names it"
    conda = environ.get("CONDA_PREFIX")
    # a base environment counts as a system interpreter
    name = environ.get("CONDA_DEFAULT_ENV", "")
    if conda and not (name in ("base", "root") and os.path.basename(conda) != name):
        yield conda, "CONDA_PREFIX names it"
    folder = cwd
    for _ in range(_DEEPEST):
        if os.path.isfile(os.path.join(folder, "pyvenv.cfg")):
            yield folder, "the folder lies in a virtual environment"
            return
        local = os.path.join(folder, ".venv")
        if os.path.isfile(os.path.join(local, "pyvenv.cfg")):
            yield local, "%s is the nearest .venv" % local
            return
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent


def _on_path(environ: dict[str, str], cwd: str) -> Iterator[str]:
    """Yield uv's own interpreters, then those on PATH, folder by folder."""
    managed = environ.get("UV_PYTHON_INSTALL_DIR")
    data = environ.get("XDG_DATA_HOME") or os.path.join(home_folder(environ), ".local", "share")
    managed = managed or os.path.join(data, "uv", "python")
    try:
        names = sorted(os.listdir(managed), reverse=True)
    except OSError:
        names = []
    for name in names:
        path = os.path.join(managed, name, "bin", "python3")
        if name.startswith("cpython-") and os.path.isfile(path):
            yield path
    for folder in environ.get("PATH", os.defpath).split(os.pathsep)[:200]:
        for name in _NAMES:
            hits = find_programs(os.path.join(folder or ".", name), environ, cwd)
            if hits:
                yield hits[0]
                break
