"""What a kernelspec's `argv` really starts, resolved as the server resolves it.

Rules: `jupyter_client.manager.KernelManager.format_kernel_cmd` puts the server's own interpreter in
the place of a bare `python`, `python3` or `python3.X` of the server's version and fills in
`{resource_dir}`, `{prefix}` and `{connection_file}`; every other bare name is looked for on the
server's PATH; a relative path with a separator starts from the folder the notebook lies in.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass

from safeinstall.kernels.specs import Spec

__all__ = ["Launch", "Server", "resolve"]


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
    """`absolute`, `server` (the server's own interpreter), `path` or `relative`."""
    wrapper: str = ""
    """The program in front, when the interpreter stands further behind (`env`, `bash -c` ...)."""

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
    inner = _interpreter_behind(words)
    if inner is None:
        return first
    found = _program(inner, server, path)
    # Only the first word is ever taken for the server's interpreter.
    if found.how == "server":
        found = _on_path(inner, path)
    return Launch(
        program=found.program, exists=first.exists and found.exists, how=found.how, wrapper=words[0]
    )


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


def _interpreter_behind(words: list[str]) -> str | None:
    """Return the interpreter that a launcher in front starts: the word before `-m ipykernel`."""
    for position, word in enumerate(words):
        if position > 1 and word == "-m" and words[position + 1 : position + 2]:
            name = os.path.basename(words[position - 1])
            if words[position + 1].startswith("ipykernel") and name.startswith("python"):
                return words[position - 1]
    return None
