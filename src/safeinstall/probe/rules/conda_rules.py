"""Where ``%conda install`` and ``!conda install`` would install.

Written after ``IPython/core/magics/packaging.py`` (``is_conda_environment``,
``_get_conda_like_executable``) and conda's own order: ``--prefix``, ``--name``, CONDA_PREFIX, base.
"""

from __future__ import annotations

import os
import re

from ..facts.interpreter import Interpreter, read_interpreter
from ..facts.search_path import read_text
from ..facts.writability import why_not_writable
from ..shell.option_grammar import CONDA, Line, read_line
from ..shell.reach import Invocation, conda_prefix, find_programs
from . import SITE, Verdict


def decide_conda(invocation: Invocation, kernel: Interpreter) -> Verdict:
    """Return what this conda command would do in a process of the kernel."""
    name, words = invocation.words[0], invocation.words[1:]
    line = read_line(words, CONDA)
    prefix = line.last("prefix")
    if name.startswith("%"):
        if not os.path.isfile(os.path.join(kernel.prefix, "conda-meta", "history")):
            return Verdict("fails", "the kernel's environment is not a conda environment")
        if (program := _magic_program(name[1:], invocation, kernel)) is None:
            return Verdict("command-not-found", "there is no program %s to be found" % name[1:])
        prefix = prefix or (None if line.last("name") else kernel.prefix)
    else:
        program = invocation.program
    if line.has("dry-run") or line.has("d"):
        return Verdict("no-change", "a dry run installs nothing")
    if prefix is None:
        wanted = line.last("name") or _named_in(line, invocation.cwd)
        prefix = conda_prefix(wanted, program, invocation.environ)
    if prefix is None:
        return Verdict("unknown", "which environment conda means cannot be seen from here")
    prefix = os.path.normpath(os.path.join(invocation.cwd, prefix))
    bare = (
        re.split(r"[=<>!~ \[]", word)[0]
        for word in line.positional[2 if line.positional[:1] == ["env"] else 1 :]
    )
    return _into(prefix, invocation, kernel, tuple(word.rpartition("::")[2] for word in bare))


def _named_in(line: Line, cwd: str) -> str | None:
    """Return the environment that the file of ``conda env update`` names (``environment.yml``)."""
    if line.positional[:1] != ["env"]:
        return None
    file = line.last("file") or "environment.yml"
    found = re.search(r"^name:\s*(\S+)", read_text(os.path.join(cwd, file)) or "", re.M)
    return found.group(1) if found else None


def _into(
    prefix: str, invocation: Invocation, kernel: Interpreter, names: tuple[str, ...]
) -> Verdict:
    own = os.path.realpath(prefix) == os.path.realpath(kernel.prefix)
    interpreter = kernel if own else read_interpreter(os.path.join(prefix, "bin", "python"))
    if not os.path.isdir(os.path.join(prefix, "conda-meta")):
        return Verdict("fails", "%s is not a conda environment" % prefix, interpreter=interpreter)
    if interpreter is None:
        return Verdict("unknown", "%s has no Python of its own" % prefix)
    site = interpreter.scheme(invocation.environ)["purelib"]
    if refusal := why_not_writable(os.path.join(prefix, "conda-meta"), invocation.elevated):
        return Verdict(*refusal, interpreter=interpreter)
    return Verdict(SITE, "conda works on %s" % prefix, site, interpreter, names=names)


def _magic_program(name: str, invocation: Invocation, kernel: Interpreter) -> str | None:
    """Find the program behind ``%conda`` in IPython's order."""
    environ = invocation.environ
    given = environ.get({"conda": "CONDA_EXE"}.get(name, "MAMBA_EXE"), "")
    if given and os.path.basename(given).startswith(name):
        return given if os.path.isfile(given) else None
    beside = os.path.join(os.path.dirname(kernel.executable), name)
    if os.path.isfile(beside):
        return beside
    text = read_text(os.path.join(kernel.prefix, "conda-meta", "history")) or ""
    made_by = r"^#\s*cmd:\s*(?P<command>.*%s[\.A-Za-z]*)\s+(create|install)" % name
    match = re.search(made_by, text, re.M)
    if match and os.path.isfile(match.group("command").strip()):
        return match.group("command").strip()
    hits = find_programs(name, environ, invocation.cwd)
    return hits[0] if hits else None
