"""What a command reaches: the program on PATH, the interpreter behind it, the installer it starts.

The folder of a script says nothing about its interpreter: only the first line does
(``execve(2)``; the two-line form for long or blank paths is that of ``distlib/scripts.py``).
"""

from __future__ import annotations

import os
import re
from typing import Mapping, NamedTuple, Sequence

from ..facts.interpreter import Interpreter, read_interpreter
from ..facts.search_path import home_folder, listed, read_text, upward
from .effects import Change
from .option_grammar import CONDA, OTHER, PIP, UV, read_line

_HEAD = 4096
_MOST_FOLDERS = 200
_PIP = re.compile(r"^pip(?:\d+(?:\.\d+)?)?$")
_PYTHON = re.compile(r"^(?:python|pypy|py)(?:\d+(?:\.\d+)?)?t?$")
_NAMED_PYTHON = re.compile(r"^(?:python|pypy)[\d.]*t?(?:w|\.exe)?$")
_TRAMPOLINE = re.compile(r"exec['\"]*\s+[\"']*(/[^\"'\n]+?)[\"']+\s")
_CONDA = ("conda", "mamba", "micromamba")
_EASY = re.compile(r"^easy_install(?:-\d+(?:\.\d+)?)?$")
_VERBS = {
    "pip": {"install": "install", "download": "install", "uninstall": "remove"},
    "uv pip": {"install": "install", "sync": "install", "uninstall": "remove"},
    "uv": {"add": "install", "sync": "install", "remove": "remove"},
    "conda": {
        **dict.fromkeys(("install", "update", "upgrade"), "install"),
        **dict.fromkeys(("remove", "uninstall"), "remove"),
    },
}
"""Subcommand of a tool -> what it asks for."""
_SCRIPTS = ("easy_install", "setup.py")
_RUNNERS = (
    *("poetry", "pipenv", "pdm", "hatch", "rye", "pixi", "uvx", "tox", "nox", "ssh", "nix-shell"),
    *("docker", "docker-compose", "podman", "kubectl", "singularity", "apptainer", "chroot"),
)
PACMAN = ("pacman", "yay", "paru")


class Program(NamedTuple):
    """An installer that is neither pip, uv nor conda: the words that install or remove."""

    installs: tuple[str, ...]
    removes: tuple[str, ...] = ()


_APT = Program(("install", "reinstall"), ("remove", "purge", "autoremove"))
_RPM = Program(("install", "in", "reinstall"), ("remove", "rm", "erase"))
PROGRAMS = {
    **dict.fromkeys(("apt", "apt-get", "aptitude"), _APT),
    **dict.fromkeys(("dnf", "yum", "microdnf", "zypper"), _RPM),
    "apk": Program(("add",), ("del",)),
    "brew": Program(("install", "reinstall", "upgrade"), ("uninstall", "remove", "rm")),
    "pipx": Program(("install", "inject", "upgrade"), ("uninstall", "uninject")),
    "poetry": Program(("add", "install", "update", "sync"), ("remove",)),
    "pdm": Program(("add", "install", "update", "sync"), ("remove",)),
    "pipenv": Program(("install", "update", "sync"), ("uninstall",)),
    "pixi": Program(("add", "install", "update"), ("remove",)),
    "rye": Program(("add", "sync"), ("remove",)),
}
"""By the program's name; ``easy_install`` and ``setup.py`` are scripts of an interpreter."""
RECORDING = ("poetry", "pdm", "pipenv", "pixi", "rye")
"""Those that write down in a project what they install."""


def verb_of(texts: Sequence[str]) -> str:
    """Return ``install``, ``remove`` or nothing for a command whose first word is the program."""
    name = os.path.basename(texts[0])
    program, named = PROGRAMS.get(name), read_line(texts[1:], OTHER).positional
    if name in PACMAN:  # its verbs are the capital letter of an option
        letters = "".join(text[1:] for text in texts[1:] if re.match("-[a-zA-Z]", text))
        looks = not named or re.search("[silgpw]", letters)
        verb = "install" * ("S" in letters) or "remove" * ("R" in letters)
        return "" if looks else verb
    first = named[1:2] if name == "pixi" and named[:1] == ["global"] else named[:1]
    if program is None or not first:
        return ""
    return "install" if first[0] in program.installs else "remove" * (first[0] in program.removes)


class KernelProcess(NamedTuple):
    """The process a command starts from."""

    environ: dict[str, str]
    cwd: str
    interpreter: Interpreter
    changes: tuple[Change, ...] = ()
    """What the cell has done by then that may change what an install meets."""
    unsure: str = ""
    """Why PATH is not known any more."""
    path: str = ""
    """PATH as it was when the cell began."""


class Invocation(NamedTuple):
    """One installer as it would be started."""

    tool: str
    """``pip``, ``uv``, ``conda``, or the program's own name (``PROGRAMS``)."""
    words: tuple[str, ...]
    environ: dict[str, str]
    cwd: str
    text: str
    line: int
    interpreter: Interpreter | None = None
    """Whose module runs (pip, ``python -m uv``); None for a program of its own."""
    first: str | None = None
    """The first entry of its ``sys.path``."""
    no_user_site: bool = False
    """Whether it was started with ``-s`` or ``-I``."""
    elevated: bool = False
    """Whether ``sudo`` makes it run as root."""
    problem: tuple[str, str] | None = None
    """Outcome and reason where no installer is reached at all."""
    notes: tuple[str, ...] = ()
    uncertain: tuple[str, ...] = ()
    """Words whose text depends on something that is only known when it runs."""
    program: str = ""
    """The file that is started, where there is one."""
    changes: tuple[Change, ...] = ()
    """What the cell has done by then."""
    removes: bool = False
    """Whether it takes away what it names instead of installing it."""

    def search_path(self, interpreter: Interpreter) -> list[str]:
        """Return the ``sys.path`` of *interpreter* when it is started so."""
        return interpreter.search_path(self.environ, self.cwd, self.first, self.no_user_site)


class _Script(NamedTuple):
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
        folders = environ.get("PATH", os.defpath).split(os.pathsep)[:_MOST_FOLDERS]
    paths = dict.fromkeys(os.path.join(cwd, folder, name) for folder in folders)
    return [path for path in paths if os.path.isfile(path) and os.access(path, os.X_OK)]


def _read_script(path: str, environ: Mapping[str, str], cwd: str) -> _Script:
    """Read which interpreter the program at *path* names."""
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return _Script("other", "")
    if not head.startswith(b"#!"):
        return _Script("binary" if head[:4] == b"\x7fELF" or b"\0" in head else "other", "")
    text = os.fsdecode(head)
    first, _, rest = text[2:].partition("\n")
    if not (words := first.strip().split()):
        return _Script("other", "")
    name = os.path.basename(words[0])
    interpreter = words[0]
    if name == "env":
        wanted = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
        hits = find_programs(wanted[0], environ, cwd) if wanted else []
        if wanted and not hits and _NAMED_PYTHON.match(wanted[0]):
            return _Script("stale", wanted[0])
        interpreter = hits[0] if hits else ""
        name = os.path.basename(wanted[0]) if wanted else ""
    elif name in ("sh", "bash", "dash") and (trampoline := _TRAMPOLINE.search(rest[:600])):
        interpreter, name = trampoline.group(1), os.path.basename(trampoline.group(1))
    if name in ("sh", "bash", "dash", "zsh"):
        return _Script("shim" if "pyenv" in text else "other", "")
    if not _NAMED_PYTHON.match(name):
        return _Script("other" if os.path.exists(words[0]) else "stale", words[0])
    return _Script("python" if os.path.isfile(interpreter) else "stale", interpreter)


def _pyenv_versions(environ: Mapping[str, str], cwd: str, root: str) -> list[str]:
    """Return the versions pyenv would choose: variable, ``.python-version`` upward, global file."""
    if chosen := environ.get("PYENV_VERSION", ""):
        return chosen.split(":")
    folders = upward(environ.get("PYENV_DIR") or cwd)
    files = [os.path.join(folder, ".python-version") for folder in folders]
    for path in (*files, os.path.join(root, "version")):
        if words := (read_text(path, _HEAD) or "").split():
            return words
    return ["system"]


def _python_behind(path: str, environ: Mapping[str, str], cwd: str) -> str | None:
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
    names = [entry for entry in listed(versions) if entry.startswith(start + ".")]
    names.sort(key=lambda entry: [int(part) for part in re.findall(r"\d+", entry)])
    paths = [os.path.join(versions, entry, "bin", name) for entry in reversed(names)]
    return next((path for path in paths if os.path.isfile(path)), None)


def interpreter_at(
    path: str, kernel: Interpreter, environ: Mapping[str, str], cwd: str
) -> Interpreter | None:
    """Describe the interpreter that the file at *path* is or stands for."""
    for _ in range(3):
        if path == kernel.executable:
            return kernel
        script = _read_script(path, environ, cwd)
        if script.kind == "shim":
            path = _python_behind(path, environ, cwd) or ""
        elif script.kind == "python":
            path = script.interpreter
        else:
            break
    return read_interpreter(path) if path else None


class Reach(NamedTuple):
    """What commands reach from one kernel through one kind of shell."""

    kernel: Interpreter
    flavour: str
    """Empty where no shell is."""

    def installer(
        self, words: Sequence[str], environ: dict[str, str], cwd: str
    ) -> Invocation | None:
        """Recognise an install or a removal and find what it reaches; None for anything else."""
        found = self._installer(words, environ, cwd)
        if found is None:
            return None
        verb = asks(found.tool, found.words[1:] if found.tool == "conda" else found.words)
        if verb != "remove":
            return found
        rest = tuple(word for word in found.words if word not in ("-y", "--yes"))
        return found._replace(words=rest, removes=True)

    def _installer(
        self, words: Sequence[str], environ: dict[str, str], cwd: str
    ) -> Invocation | None:
        texts = tuple(words)
        base = os.path.basename(texts[0])
        blank = Invocation("pip", texts[1:], environ, cwd, "", 0)
        if _PIP.match(base):
            return self._pip_program(blank, texts[0]) if asks("pip", texts[1:]) else None
        if base == "uv" or base in _CONDA:
            return _own_program(blank, texts)
        if verb_of(texts):
            hits = find_programs(texts[0], environ, cwd)
            blank = blank._replace(tool=base, program=(hits or [""])[0])
            return blank if hits else blank._replace(problem=_not_found(texts[0]))
        if _EASY.match(base):
            return self._pip_program(blank._replace(tool="easy_install"), texts[0])
        at = next((i for i, text in enumerate(texts) if _PIP.match(text)), 0)
        if base in _RUNNERS and asks("pip", texts[at + 1 :]) and at:
            reason = "`%s` decides which environment it means" % base
            return blank._replace(words=texts[at + 1 :], problem=("unknown", reason))
        # a link to an interpreter may have any name (the kernel's own does not need to say python)
        if _PYTHON.match(base) or texts[0] == self.kernel.executable:
            return self._python(blank, texts)
        at = next((i for i, text in enumerate(texts) if text == "-m"), 0)
        module = texts[at + 1] if 0 < at < len(texts) - 1 else ""
        # an unquoted path with a blank in it: the shell looks for its first part
        broken = self.kernel.executable.startswith(texts[0] + " ")
        if broken and _PIP.match(module) and "install" in texts:
            return blank._replace(problem=_not_found(texts[0]))
        return None

    def _python(self, blank: Invocation, texts: tuple[str, ...]) -> Invocation | None:
        """Read ``python [flags] -m pip ...`` and find the interpreter."""
        if (call := _module_call(texts)) is None:
            return None
        tool = call.module if call.module in _SCRIPTS else call.module[:3].rstrip(".")
        if not asks(tool, call.words):
            return None
        environ, cwd = blank.environ, blank.cwd
        isolated = "I" in call.flags
        if isolated or "E" in call.flags:
            environ = {k: v for k, v in environ.items() if not k.startswith("PYTHON")}
        safe_path = isolated or "P" in call.flags or environ.get("PYTHONSAFEPATH")
        blank = blank._replace(tool=tool, words=call.words, environ=environ)
        unseen = isolated or "s" in call.flags
        blank = blank._replace(first=None if safe_path else cwd, no_user_site=unseen)
        if not (hits := find_programs(texts[0], environ, cwd)):
            return blank._replace(problem=_not_found(texts[0]))
        interpreter = interpreter_at(hits[0], self.kernel, environ, cwd)
        shim = interpreter is None and _read_script(hits[0], environ, cwd).kind == "shim"
        if shim and _python_behind(hits[0], environ, cwd) is None:
            return blank._replace(problem=_not_found(texts[0]))
        if interpreter is None:
            reason = "%s is not an interpreter whose files make sense" % hits[0]
            return blank._replace(problem=("unknown", reason))
        script = os.path.join(cwd, texts[-1 - len(call.words)]) if tool == "setup.py" else hits[0]
        return blank._replace(interpreter=interpreter, program=script)

    def _pip_program(self, blank: Invocation, name: str) -> Invocation:
        """Find the interpreter behind a script called ``pip``."""
        environ, cwd = blank.environ, blank.cwd
        stale = ""
        for path in find_programs(name, environ, cwd):
            script = _read_script(path, environ, cwd)
            if script.kind == "shim":
                if (target := _python_behind(path, environ, cwd)) is None:
                    return blank._replace(problem=_not_found(name))
                path, script = target, _read_script(target, environ, cwd)
            if script.kind == "stale":
                named = path, script.interpreter
                stale = stale or "%s names an interpreter that is gone: %s" % named
                # dash goes on with the next one on PATH, bash stops here
                if self.flavour in ("dash", "sh", ""):
                    continue
                return blank._replace(problem=("command-not-found", stale))
            interpreter = None
            if script.kind == "python":
                interpreter = interpreter_at(script.interpreter, self.kernel, environ, cwd)
            if interpreter is None:
                reason = "%s is not a script of an interpreter known here" % path
                return blank._replace(problem=("unknown", reason), program=path)
            folder = os.path.dirname(os.path.realpath(path))
            return blank._replace(interpreter=interpreter, first=folder, program=path)
        return blank._replace(problem=("command-not-found", stale) if stale else _not_found(name))


def conda_prefix(name: str | None, program: str, environ: Mapping[str, str]) -> str | None:
    """Return the prefix of an environment of conda's by its name, of the active one, or of base."""
    active = environ.get("CONDA_PREFIX")
    if name is None and active:
        return active
    real = os.path.realpath(program)
    roots = [environ.get("MAMBA_ROOT_PREFIX", ""), os.path.dirname(os.path.dirname(real))]
    roots += [os.path.dirname(os.path.dirname(os.path.realpath(environ.get("CONDA_EXE", ""))))]
    roots = [root for root in roots if root and os.path.isdir(os.path.join(root, "conda-meta"))]
    if name in (None, "base"):
        return roots[0] if roots else None
    folders = [os.path.join(root, "envs") for root in roots]
    folders.append(os.path.join(home_folder(environ), ".conda", "envs"))
    folders += [part for part in environ.get("CONDA_ENVS_PATH", "").split(os.pathsep) if part]
    for folder in folders:
        prefix = os.path.join(folder, name or "")
        if os.path.isdir(prefix):
            return prefix
    return None


def _own_program(blank: Invocation, texts: tuple[str, ...]) -> Invocation | None:
    """Find uv or conda, which are programs of their own."""
    tool = "conda"
    if os.path.basename(texts[0]) == "uv":
        tool = "uv"
        if texts[1:2] == ("run",) and asks("pip", texts[3:]):
            reason = "`uv run` makes the environment it needs, which only a run can show"
            return blank._replace(words=texts[3:], problem=("unknown", reason))
    if not asks(tool, texts[1:]):
        return None
    # conda's rules need the name it was called by
    words = texts if tool == "conda" else blank.words
    if not (hits := find_programs(texts[0], blank.environ, blank.cwd)):
        return blank._replace(tool=tool, words=words, problem=_not_found(texts[0]))
    return blank._replace(tool=tool, words=words, program=hits[0])


def python_code(texts: Sequence[str]) -> str:
    """Return the code that ``python -c`` is given, or nothing for any other command."""
    if not _PYTHON.match(os.path.basename(texts[0])):
        return ""
    at = 1
    while at < len(texts) - 1 and re.match("-[a-zA-Z0-9]", texts[at]):
        if texts[at][1] not in "WX" and "c" in texts[at]:
            return texts[at + 1]
        if "m" in texts[at]:
            return ""
        at += 2 if texts[at] in ("-W", "-X") else 1
    return ""


class _ModuleCall(NamedTuple):
    """``python -FLAGS -m MODULE WORDS``, taken apart."""

    flags: str
    """The letters of all flags in front of the module."""
    module: str
    words: tuple[str, ...]


def _module_call(texts: tuple[str, ...]) -> _ModuleCall | None:
    """Return the installer's module that *texts* start, or None where they start none."""
    letters = ""
    at = 1
    while at < len(texts) and texts[at].startswith("-") and not texts[at].startswith("-m"):
        flags = texts[at][1:]
        if flags[:1] in ("c", "-"):
            return None
        if flags[:1] not in ("W", "X"):
            letters += flags
            if flags.endswith("m"):
                break
        elif len(flags) == 1:
            at += 1
        at += 1
    script = os.path.basename(texts[at]) if at < len(texts) else ""
    if script == "setup.py" and {"install", "develop"} & set(texts[at + 1 :]):
        return _ModuleCall(letters, script, texts[at + 1 :])
    if at >= len(texts) or "m" not in texts[at][:2] + texts[at][-1:]:
        return None
    glued = texts[at][2:] if texts[at].startswith("-m") else ""
    module = glued or "".join(texts[at + 1 : at + 2])
    if module not in ("pip", "uv", "pip.__main__", "easy_install"):
        return None
    return _ModuleCall(letters, module, texts[at + (1 if glued else 2) :])


def _not_found(name: str) -> tuple[str, str]:
    return "command-not-found", "there is no program %s on the PATH of the kernel process" % name


def asks(tool: str, words: Sequence[str]) -> str:
    """Return ``install`` (a pip download too), ``remove``, or nothing, for a tool's arguments."""
    if {"--help", "-h"} & set(words):
        return ""
    grammar = {"pip": PIP, "uv": UV, "conda": CONDA}.get(tool)
    if grammar is None:
        return verb_of((tool, *words)) or "install" * (tool in _SCRIPTS)
    named = read_line([word for word in words if word not in ("-y", "--yes")], grammar).positional
    if tool == "uv" and named[:1] == ["pip"]:
        tool, named = "uv pip", named[1:]
    elif tool == "conda" and named[:1] == ["env"]:
        return {"update": "install", "remove": "remove"}.get("".join(named[1:2]), "")
    elif tool == "uv" and named[:1] == ["tool"]:
        named = ["add"] * (named[1:2] == ["install"])
    return _VERBS[tool].get(named[0], "") if named else ""
