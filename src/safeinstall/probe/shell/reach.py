"""Which interpreter or program one command line reaches, and whether it installs at all."""

from __future__ import annotations

import os
import re

from ..facts.interpreter_files import Interpreter, read_interpreter
from .invocation import Invocation
from .option_grammar import CONDA, PIP, UV, read_line
from .programs import find_programs, python_behind, read_script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .command_prefixes import Wrapped

__all__ = ["Reach"]

_PIP = re.compile(r"^pip(?:\d+(?:\.\d+)?)?$")
_PYTHON = re.compile(r"^(?:python|pypy)(?:\d+(?:\.\d+)?)?t?$")
_CONDA = ("conda", "mamba", "micromamba")
_RUNNERS = ("poetry", "pipenv", "pdm", "hatch", "rye", "pixi", "uvx", "docker", "ssh", "nix-shell")


class Reach:
    """What commands reach from one kernel through one kind of shell."""

    __slots__ = ("flavour", "kernel")

    def __init__(self, kernel: Interpreter, flavour: str) -> None:
        """Keep the kernel's interpreter; *flavour* is empty where no shell is."""
        self.kernel = kernel
        self.flavour = flavour

    def installer(self, wrapped: Wrapped, base: str, cwd: str) -> Invocation | None:
        """Recognise an install command and find what it reaches; None for anything else."""
        texts = tuple(word.text for word in wrapped.words)
        environ, cwd = wrapped.environ, wrapped.cwd or cwd
        blank = Invocation("pip", texts[1:], environ, cwd, "", 0)
        if _PIP.match(base):
            return self.pip_program(blank, texts[0]) if _installs("pip", texts[1:]) else None
        if base == "uv":
            if texts[1:2] == ("run",) and _installs("pip", texts[3:]):
                reason = "`uv run` makes the environment it needs, which only a run can show"
                return blank._replace(problem=("unknown", reason))
            if not _installs("uv", texts[1:]):
                return None
            hits = find_programs(texts[0], environ, cwd)
            problem = None if hits else _not_found(texts[0])
            program = hits[0] if hits else ""
            return blank._replace(tool="uv", problem=problem, program=program)
        if base in _CONDA:
            if not _installs("conda", texts[1:]):
                return None
            hits = find_programs(texts[0], environ, cwd)
            if not hits:
                return blank._replace(tool="conda", problem=_not_found(texts[0]))
            return blank._replace(tool="conda", words=texts, program=hits[0])
        if base in _RUNNERS and any(_PIP.match(text) for text in texts):
            if "install" in texts:
                reason = "`%s` decides which environment it means" % base
                return blank._replace(problem=("unknown", reason))
            return None
        # a link to an interpreter may have any name (the kernel's own does not need to say python)
        if _PYTHON.match(base) or texts[0] == self.kernel.executable:
            return self.python(blank, texts)
        at = next((i for i, text in enumerate(texts) if text == "-m"), 0)
        module = texts[at + 1] if 0 < at < len(texts) - 1 else ""
        # an unquoted path with a blank in it: the shell looks for its first part
        broken = self.kernel.executable.startswith(texts[0] + " ")
        if broken and _PIP.match(module) and "install" in texts:
            return blank._replace(problem=_not_found(texts[0]))
        return None

    def python(self, blank: Invocation, texts: tuple[str, ...]) -> Invocation | None:
        """Read ``python [flags] -m pip ...``."""
        environ, cwd = dict(blank.environ), blank.cwd
        first: str | None = cwd
        no_user_site = False
        at = 1
        while at < len(texts) and texts[at].startswith("-") and not texts[at].startswith("-m"):
            flags = texts[at][1:]
            if flags[:1] in ("c", "-") and flags[:1]:
                return None
            if flags[:1] in ("W", "X") and len(flags) == 1:
                at += 1
            elif flags[:1] not in ("W", "X"):
                no_user_site = no_user_site or "s" in flags or "I" in flags
                if "P" in flags or "I" in flags:
                    first = None
                if "E" in flags or "I" in flags:
                    environ = {k: v for k, v in environ.items() if not k.startswith("PYTHON")}
                if flags.endswith("m"):
                    break
            at += 1
        if at >= len(texts):
            return None
        glued = texts[at][2:] if texts[at].startswith("-m") else ""
        module = glued or (texts[at + 1] if len(texts) > at + 1 else "")
        rest = texts[at + (1 if glued else 2) :]
        if module not in ("pip", "uv", "pip.__main__") or "m" not in texts[at][:2] + texts[at][-1:]:
            return None
        tool = module[:3].rstrip(".")
        if not _installs(tool, rest):
            return None
        if environ.get("PYTHONSAFEPATH"):
            first = None
        blank = blank._replace(tool=tool, words=rest, environ=environ, first=first)
        blank = blank._replace(no_user_site=no_user_site)
        hits = find_programs(texts[0], environ, cwd)
        interpreter = self.interpreter(hits[0], environ, cwd) if hits else None
        if not hits:
            return blank._replace(problem=_not_found(texts[0]))
        if interpreter is None:
            reason = "%s is not an interpreter whose files make sense" % hits[0]
            return blank._replace(problem=("unknown", reason))
        return blank._replace(interpreter=interpreter, program=hits[0])

    def interpreter(self, path: str, environ: dict[str, str], cwd: str) -> Interpreter | None:
        """Describe the interpreter that the file at *path* is or stands for."""
        for _ in range(3):
            if path == self.kernel.executable:
                return self.kernel
            script = read_script(path, environ, cwd)
            if script.kind == "shim":
                path = python_behind(path, environ, cwd) or ""
            elif script.kind == "python":
                path = script.interpreter
            else:
                break
        return read_interpreter(path) if path else None

    def pip_program(self, blank: Invocation, name: str) -> Invocation:
        """Find the interpreter behind a script called ``pip``."""
        environ, cwd = blank.environ, blank.cwd
        stale = ""
        for path in find_programs(name, environ, cwd):
            script = read_script(path, environ, cwd)
            if script.kind == "shim":
                target = python_behind(path, environ, cwd)
                if target is None:
                    return blank._replace(problem=_not_found(name))
                path, script = target, read_script(target, environ, cwd)
            if script.kind == "stale":
                stale = stale or "%s names an interpreter that is gone: %s" % (
                    path,
                    script.interpreter,
                )
                # dash goes on with the next one on PATH, bash stops here
                if self.flavour in ("dash", "sh", ""):
                    continue
                return blank._replace(problem=("command-not-found", stale))
            found = None
            if script.kind == "python":
                found = self.interpreter(script.interpreter, environ, cwd)
            if found is None:
                reason = "%s is not a script of an interpreter known here" % path
                return blank._replace(problem=("unknown", reason), program=path)
            folder = os.path.dirname(os.path.realpath(path))
            return blank._replace(interpreter=found, first=folder, program=path)
        problem = ("command-not-found", stale) if stale else _not_found(name)
        return blank._replace(problem=problem)


def _not_found(name: str) -> tuple[str, str]:
    return "command-not-found", "there is no program %s on the PATH of the kernel process" % name


def _installs(tool: str, words: tuple[str, ...]) -> bool:
    """Tell whether the arguments ask for an install (or a pip download)."""
    line = read_line(words, {"pip": PIP, "uv": UV, "conda": CONDA}[tool])
    said = line.positional
    if tool == "pip":
        return said[:1] in (["install"], ["download"])
    if tool == "uv":
        return said[:2] == ["pip", "install"] or said[:1] == ["add"]
    return said[:1] in (["install"], ["update"], ["upgrade"])
