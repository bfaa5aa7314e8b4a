"""What a kernelspec's `argv` really starts, resolved as the server resolves it.

Rules: `jupyter_client.manager.KernelManager.format_kernel_cmd` puts the server's own interpreter in
the place of a bare `python`, `python3` or `python3.X` of the server's version and fills in
`{resource_dir}`, `{prefix}` and `{connection_file}`; every other bare name is looked for on the
server's PATH; a relative path with a separator starts from the folder the notebook lies in.

Many kernels start through a program that chooses the interpreter itself (a script, `conda run`, a
container) or that is one and no `python` (xeus): no more can be told of it than that it exists.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from safeinstall.kernels.specs import Spec

__all__ = ["Launch", "Server", "resolve"]

_PYTHON: Final = re.compile(r"(?:python|pypy)[\d.]*$")
_PLAIN: Final = frozenset(
    {"bash", "chrt", "dash", "env", "ionice", "nice", "nohup", "setsid", "sh", "stdbuf", "taskset"}
    | {"time", "timeout", "zsh"}
)
"""Programs that start on this machine what is written behind them, and nothing else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """The Jupyter server that would start the kernel, as far as it decides what runs."""

    executable: str
    """Its interpreter; the kernel's own where the server's is not known."""
    prefix: str
    version: tuple[int, int]
    path: str
    """Its PATH."""

    def own_names(self) -> frozenset[str]:
        """Return the bare names that mean the server's own interpreter."""
        major, minor = self.version
        return frozenset({"python", f"python{major}", f"python{major}.{minor}"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """The program a kernelspec starts."""

    program: str
    """Absolute path, or the word as written when nothing was found."""
    exists: bool
    how: str
    """`absolute`, `server` (the server's own interpreter), `path`, `relative`, or `launcher`: a
    program that chooses the interpreter itself."""
    wrapper: str = ""
    """The program in front, when the interpreter stands further behind (`env`, `bash -c` ...)."""
    position: int = 0
    """Which word of `argv` is the interpreter, -1 where that cannot be told."""

    @property
    def depends_on_server(self) -> bool:
        """True when another server would start another program."""
        return self.how != "absolute"


def resolve(spec: Spec, server: Server, environ: Mapping[str, str] | None = None) -> Launch | None:
    """Return what `spec` starts; None when its file says nothing."""
    if not spec.argv:
        return None
    own = dict(spec.env) | dict(environ or {})
    path = own.get("PATH", "").replace("${PATH}", server.path) or server.path
    words = [
        word.replace("{resource_dir}", spec.folder).replace("{prefix}", server.prefix)
        for word in spec.argv
    ]
    first = _program(words[0], server, path)
    position = _interpreter_in(words)
    if position == 0:
        return first
    if not first.exists:
        return replace(first, position=-1)
    if position < 0 or os.path.basename(words[0]) not in _PLAIN:
        return replace(first, how="launcher", position=-1)
    found = _program(words[position], server, path)
    # Only the first word is ever taken for the server's interpreter.
    if found.how == "server":
        found = _on_path(words[position], path)
    return replace(found, wrapper=words[0], position=position)


def _program(word: str, server: Server, path: str) -> Launch:
    if word in server.own_names():
        return Launch(program=server.executable, exists=_runs(server.executable), how="server")
    if os.path.isabs(word):
        return Launch(program=word, exists=_runs(word), how="absolute")
    if os.sep in word:
        return Launch(program=word, exists=False, how="relative")
    return _on_path(word, path)


def _on_path(word: str, path: str) -> Launch:
    found = shutil.which(word, path=path)
    return Launch(program=found or word, exists=found is not None, how="path")


def _runs(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _interpreter_in(words: Sequence[str]) -> int:
    """Return which word is the interpreter: the one before `-m ipykernel`, the first, or -1."""
    for position in range(1, len(words) - 1):
        if words[position] == "-m" and words[position + 1].startswith("ipykernel"):
            before = os.path.basename(words[position - 1])
            if position == 1 or before.startswith("python"):
                return position - 1
    return 0 if _PYTHON.match(os.path.basename(words[0])) else -1
