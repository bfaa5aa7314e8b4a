"""From the name of a program to the interpreter that would run: PATH, shebang, pyenv's shims.

The folder of a script says nothing about its interpreter: only the first line does
(``execve(2)``; the two-line form for long or blank paths is that of ``distlib/scripts.py``).
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping

__all__ = ["Script", "find_programs", "python_behind", "read_script"]

_HEAD = 4096
_PYTHON = re.compile(r"^(?:python|pypy)[\d.]*t?(?:w|\.exe)?$")
_TRAMPOLINE = re.compile(r"exec['\"]*\s+[\"']*(/[^\"'\n]+?)[\"']+\s")
_MOST_FOLDERS = 200


class Script(NamedTuple):
    """What the first lines of a program say."""

    kind: str
    """``python`` (a script of an interpreter), ``stale`` (its interpreter is gone), ``shim``
    (pyenv's), ``binary`` or ``other``."""
    interpreter: str
    """The interpreter named, as it stands there; empty for the other kinds."""


def find_programs(name: str, environ: Mapping[str, str], cwd: str) -> list[str]:
    """List every executable file called *name* on PATH, in order; a path stands for itself."""
    if not name:
        return []
    if "/" in name:
        folders, name = [os.path.dirname(name) or "/"], os.path.basename(name)
    else:
        path = environ.get("PATH", os.defpath)
        folders = path.split(os.pathsep)[:_MOST_FOLDERS]
    found = []
    for folder in folders:
        path = os.path.join(cwd, folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK) and path not in found:
            found.append(path)
    return found


def read_script(path: str, environ: Mapping[str, str], cwd: str) -> Script:
    """Read which interpreter the program at *path* names."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return Script("other", "")
    if not head.startswith(b"#!"):
        return Script("binary" if head[:4] == b"\x7fELF" or b"\0" in head else "other", "")
    text = os.fsdecode(head)
    first, _, rest = text[2:].partition("\n")
    words = first.strip().split()
    if not words:
        return Script("other", "")
    name = os.path.basename(words[0])
    interpreter = words[0]
    if name == "env":
        wanted = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        hits = find_programs(wanted[0], environ, cwd) if wanted else []
        if wanted and not hits and _PYTHON.match(wanted[0]):
            return Script("stale", wanted[0])
        interpreter = hits[0] if hits else ""
        name = os.path.basename(wanted[0]) if wanted else ""
    elif name in ("sh", "bash", "dash"):
        trampoline = _TRAMPOLINE.search(rest[:600])
        if trampoline:
            interpreter, name = trampoline.group(1), os.path.basename(trampoline.group(1))
    if name in ("sh", "bash", "dash", "zsh"):
        return Script("shim" if "pyenv" in text else "other", "")
    if not _PYTHON.match(name):
        return Script("other" if os.path.exists(words[0]) else "stale", words[0])
    return Script("python" if os.path.isfile(interpreter) else "stale", interpreter)


def _pyenv_versions(environ: Mapping[str, str], cwd: str, root: str) -> list[str]:
    """Return the versions pyenv would choose: variable, ``.python-version`` upward, global file."""
    chosen = environ.get("PYENV_VERSION", "")
    if chosen:
        return chosen.split(":")
    folder = environ.get("PYENV_DIR") or cwd
    files = []
    for _ in range(64):
        files.append(os.path.join(folder, ".python-version"))
        if os.path.dirname(folder) == folder:
            break
        folder = os.path.dirname(folder)
    files.append(os.path.join(root, "version"))
    for path in files:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                words = file.read(_HEAD).split()
        except OSError:
            continue
        if words:
            return words
    return ["system"]


def python_behind(path: str, environ: Mapping[str, str], cwd: str) -> str | None:
    """Follow a pyenv shim at *path* to the program it stands for; None where there is none.

    ``pyenv exec`` takes the first chosen version that has the program.
    """
    name = os.path.basename(path)
    shims = os.path.dirname(os.path.realpath(path))
    root = environ.get("PYENV_ROOT") or os.path.dirname(shims)
    for version in _pyenv_versions(environ, cwd, root):
        if version == "system":
            for hit in find_programs(name, environ, cwd):
                if os.path.dirname(os.path.realpath(hit)) != shims:
                    return hit
            continue
        target = os.path.join(root, "versions", version, "bin", name)
        if not os.path.isfile(target):  # `3.11` stands for the newest 3.11.x
            target = _newest(os.path.join(root, "versions"), version, name) or target
        if os.path.isfile(target):
            return target
    return None


def _newest(versions: str, start: str, name: str) -> str | None:
    try:
        names = [entry for entry in os.listdir(versions) if entry.startswith(start + ".")]
    except OSError:
        return None
    names.sort(key=lambda entry: [int(part) for part in re.findall(r"\d+", entry)])
    paths = [os.path.join(versions, entry, "bin", name) for entry in reversed(names)]
    return next((path for path in paths if os.path.isfile(path)), None)
