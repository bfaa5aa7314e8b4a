"""What a kernelspec's `argv` really starts, resolved as the server resolves it, and what is wrong.

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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final

from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.frontend import Frontend
from safeinstall.kernels import Spec

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


def resolve(spec: Spec, server: Server) -> Launch | None:
    """Return what `spec` starts; None when its file says nothing."""
    if not spec.argv:
        return None
    path = dict(spec.env).get("PATH", "").replace("${PATH}", server.path) or server.path
    words = [word.replace("{resource_dir}", spec.folder) for word in spec.argv]
    words = [word.replace("{prefix}", server.prefix) for word in words]
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
        before = os.path.basename(words[position - 1])
        named = position == 1 or before.startswith("python")
        if named and words[position] == "-m" and words[position + 1].startswith("ipykernel"):
            return position - 1
    return 0 if _PYTHON.match(os.path.basename(words[0])) else -1


_VERSION: Final = re.compile(r"(?<![\d.])(3\.\d{1,2})(?!\d)")
_WRAPPERS: Final = frozenset(
    {"conda", "mamba", "micromamba", "uv", "uvx", "poetry", "pixi", "pipenv", "pdm", "hatch", "rye"}
    | {"docker", "podman", "ssh", "srun"}
)
"""Programs that lead to an interpreter which only they know."""
_MODULES: Final = ("ipykernel", "ipykernel_launcher")


@dataclass(frozen=True, kw_only=True, slots=True)
class Interpreter:
    """What the interpreter of a kernelspec turned out to be."""

    version: str
    prefix: str
    kind: str
    writable: bool
    owner: str
    has_ipykernel: bool | None
    """None when it was not asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class KernelState:
    """One kernelspec, what it starts, and what is the matter with it."""

    spec: Spec
    launch: Launch | None
    interpreter: Interpreter | None
    findings: tuple[Finding, ...] = ()
    starts: bool | None = None
    """None when it was not tried."""

    @property
    def healthy(self) -> bool:
        """True when nothing is known against it."""
        return not any(f.severity is not Severity.INFO for f in self.findings)

    @property
    def chooses(self) -> bool:
        """True when a program of its own decides which interpreter runs."""
        return self.launch is not None and self.launch.how == "launcher"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        found = self.interpreter
        plain = ("name", "display_name", "folder", "place", "language")
        return {
            **{name: getattr(self.spec, name) for name in plain},
            "argv": list(self.spec.argv),
            "program": self.launch.program if self.launch else None,
            "resolved": self.launch.how if self.launch else None,
            "exists": self.launch.exists if self.launch else None,
            **(asdict(found) if found else dict.fromkeys(f.name for f in fields(Interpreter))),
            "starts": self.starts,
            "findings": [finding.to_dict() for finding in self.findings],
        }


def promised_version(spec: Spec) -> str:
    """Return the Python version a kernelspec's name speaks of, or empty."""
    found = _VERSION.search(spec.display_name) or _VERSION.search(spec.name)
    return found[1] if found else ""


def judge_spec(
    spec: Spec,
    launch: Launch | None,
    interpreter: Interpreter | None,
    frontend: Frontend,
    other: Callable[[], str] = str,
) -> KernelState:
    """Return the state of a kernelspec; `frontend` writes the lines that repair it.

    `other` names an interpreter that may be offered where the kernelspec's own is gone, or none.
    """
    lost = launch is None or (not launch.exists and launch.how != "relative")
    asked = launch is not None and launch.how != "launcher" and launch.exists
    lost |= asked and interpreter is None
    python = other() if lost and (spec.is_python or launch is None) else ""
    line = frontend.line(
        "kernels", "--repair", spec.name, *(("--python", python) if python else ())
    )
    repair = Suggestion(line, "re-registers it; the old file is kept")
    findings = [*_about_file(spec, repair)]
    if launch is not None and (spec.is_python or not launch.exists):
        findings += _about_program(spec, launch, interpreter, repair)
    if launch is not None and interpreter is not None and spec.is_python:
        findings += _about_interpreter(spec, interpreter, repair, frontend)
    return KernelState(spec=spec, launch=launch, interpreter=interpreter, findings=tuple(findings))


def _about_file(spec: Spec, repair: Suggestion) -> Iterator[Finding]:
    if spec.problem:
        yield Finding.warn("kernelspec-broken", f"{spec.name}: {spec.problem}.", repair)
    if spec.hidden_by:
        words = f"{spec.name} in {spec.folder} is not used: {spec.hidden_by} comes first."
        yield Finding.remark("kernelspec-hidden", words)
    if spec.argv and spec.is_python and not any("{connection_file}" in w for w in spec.argv):
        words = f"{spec.name} does not hand over the connection file; no notebook can reach it."
        yield Finding.warn("kernelspec-no-connection", words, repair)


def _about_program(
    spec: Spec, launch: Launch, interpreter: Interpreter | None, repair: Suggestion
) -> Iterator[Finding]:
    starts, now = f"{spec.name} starts", f"now {launch.program}."
    if launch.how == "relative":
        words = f"{starts} {launch.program}, a path that depends on the notebook's folder."
        yield Finding.warn("kernelspec-relative", words, repair)
    elif not launch.exists and os.path.basename(spec.argv[0]) in _WRAPPERS:
        words = f"{starts} by {spec.argv[0]}, which is not found: it cannot be judged from here."
        yield Finding.remark("kernelspec-unjudged", words)
    elif not launch.exists:
        words = f"{starts} {launch.program}, which is not there."
        yield Finding.warn("kernelspec-dangling", words, *((repair,) if spec.is_python else ()))
    elif launch.how == "launcher":
        return
    elif interpreter is None:
        words = f"{starts} {launch.program}, which does not answer like a Python."
        yield Finding.warn("kernelspec-no-answer", words, repair)
    elif launch.how == "path":
        words = f"{starts} whatever `{spec.argv[0]}` is on the server's PATH: {now}"
        yield Finding.warn("kernelspec-on-path", words, repair)
    elif launch.how == "server" and spec.place == "user":
        words = f"{starts} the interpreter of whichever server opens the notebook: {now}"
        yield Finding.warn("kernelspec-follows-server", words, repair)


def _about_interpreter(
    spec: Spec, found: Interpreter, repair: Suggestion, frontend: Frontend
) -> Iterator[Finding]:
    promised = promised_version(spec)
    if promised and not f"{found.version}.".startswith(f"{promised}."):
        words = f"{spec.name} says Python {promised} and starts Python {found.version}."
        yield Finding.warn("kernelspec-misnamed", words, repair)
    if found.has_ipykernel is False and any(module in spec.argv for module in _MODULES):
        minor = ".".join(found.version.split(".")[:2])
        way = Suggestion(frontend.line("install", "--python", found.prefix, "ipykernel"))
        if not found.writable:
            line = frontend.new_environment("--python", minor)
            way = Suggestion(line, "makes a kernel of its own")
        words = f"{spec.name} cannot start: {found.prefix} has no ipykernel."
        yield Finding.warn("kernelspec-no-ipykernel", words, way)
