"""Which installer, of which interpreter, each command of a cell reaches.

The shell text is walked as ``$SHELL -c`` would: PATH and variables of the kernel process, exports
and ``cd`` on the way, ``BASH_ENV``, prefixes such as ``sudo`` and ``env``. Nothing is run.
"""

from __future__ import annotations

import os
import re

from ..cell import Step, install_calls
from ..facts.search_path import home_folder, read_text
from . import effects
from .option_grammar import UV, read_line
from .prefixes import Prefixed, leading_assignments, strip_prefixes
from .reach import Invocation, KernelProcess, Reach, asks, find_programs, python_code
from .syntax import Simple, Word, expand_word, split_shell, substituted

_DEEPEST = 4
_LONGEST = 20_000
_SHELLS = ("bash", "sh", "dash", "zsh", "ksh")
_CONDA = ("conda", "mamba", "micromamba")
_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)\+?=(.*)$", re.S)
_LOOKED_UP = re.compile(r"(?:which|command -v|type -[pP])\s+([\w./-]+)$")
_AS_ROOT = (
    "%s runs it as root, past this kernel's environment, and leaves files that only root can change"
)
_KEYWORDS = ("then", "do", "else", "elif", "if", "while", "until", "!", "{", "time")


def resolve_step(
    step: Step, process: KernelProcess, most: int = 20
) -> tuple[list[Invocation], tuple[effects.Change, ...]]:
    """Return the installers one step of the cell starts, in order, *most* at the most.

    And with them all that the cell has changed by then.
    """
    quoted = _quote(process.interpreter.executable)
    walker = _Walker(process, step, most)
    if step.kind in ("pip", "uv"):
        walker.shell("%s -m %s %s" % (quoted, step.kind, step.text), _system_shell(process.environ))
    elif step.kind in _CONDA and step.text.split()[:1] == ["run"]:
        program = process.environ.get("CONDA_EXE") or step.kind
        walker.shell(_quote(program) + " " + step.text, _system_shell(process.environ))
    elif step.kind in _CONDA:
        words = (word.text for simple in split_shell(step.text) for word in walker.expand(simple))
        named, place = ("%" + step.kind, *words), (process.environ, process.cwd)
        found = Invocation("conda", named, *place, step.source, step.line)
        verb = asks("conda", named[1:])
        if verb:
            removes = verb == "remove"
            walker.invocations.append(found._replace(changes=process.changes, removes=removes))
        elif change := effects.change_of((step.kind, *named[1:]), writes_file=False):
            walker.changes.append(change)
    elif step.kind == "shell":
        walker.shell(step.text, _system_shell(process.environ))
    elif step.kind == "script":
        if os.path.basename(step.name) in _SHELLS:
            walker.shell(step.text, os.path.basename(step.name))
        else:
            code = [Word(word, True) for word in (step.name, "-c", step.text)]
            walker.words(code, dict(process.environ), step.source, ())
    elif step.kind == "argv":
        walker.words([Word(*word) for word in step.argv], dict(process.environ), step.source, ())
    alone = step.kind == "shell" and len(walker.invocations) == 1
    if alone or step.kind in ("pip", "uv", *_CONDA):
        walker.invocations = [each._replace(text=step.source) for each in walker.invocations]
    return walker.invocations, tuple(walker.changes)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _system_shell(environ: dict[str, str]) -> str:
    """Name the shell behind ``!``: SHELL, else sh (``_process_posix.py:ProcessHandler.sh``)."""
    return os.path.basename(os.path.realpath(environ.get("SHELL") or "/bin/sh"))


class _Walker:
    """The state of one shell: variables, folder, what was found."""

    def __init__(self, process: KernelProcess, step: Step, most: int) -> None:
        self.most = most
        self.kernel = process.interpreter
        self.step = step
        self.environ = dict(process.environ)
        self.local: dict[str, str] = {}
        self.cwd = process.cwd
        self.flavour = ""
        self.depth = 0
        self.broken: tuple[str, str] | None = None
        self.unsure = process.unsure
        self.changes = list(process.changes)
        self.known_path = process.path.split(os.pathsep)
        self.outer: Prefixed | None = None
        """The prefixes of the command that starts this shell."""
        self.inactive: dict[str, str] | None = None
        self.invocations: list[Invocation] = []

    def expand(self, simple: Simple) -> list[Word]:
        names = {**self.environ, **self.local}
        home = home_folder(self.environ)
        return [word for pieces in simple.pieces for word in expand_word(pieces, names, home)]

    def shell(self, text: str, flavour: str) -> None:
        """Walk *text* as a new shell of this flavour would run it."""
        if self.depth >= _DEEPEST:
            return
        before, self.flavour = self.flavour, flavour
        self.depth += 1
        start = self.environ.get("BASH_ENV") if flavour == "bash" else None
        if flavour == "zsh":
            folder = self.environ.get("ZDOTDIR") or home_folder(self.environ)
            start = os.path.join(folder, ".zshenv")
        if start:
            self.source(os.path.join(self.cwd, start))
        saved: list[tuple[int, dict[str, str], dict[str, str], str]] = []
        level = 0
        for simple in split_shell(text[:_LONGEST]):
            while saved and simple.depth <= saved[-1][0]:
                _, self.environ, self.local, self.cwd = saved.pop()
            if simple.depth > level:
                saved.append((level, dict(self.environ), dict(self.local), self.cwd))
            level = simple.depth
            if len(self.invocations) >= self.most:
                break
            if simple.before != "&&":
                self.broken = None
            self.simple(simple)
        self.depth -= 1
        self.flavour = before

    def source(self, path: str) -> None:
        """Take over what a sourced file exports; commands in it are not the cell's."""
        if (text := read_text(path, _LONGEST)) is None:
            return
        if os.path.basename(path) == "activate" and "VIRTUAL_ENV" not in text:
            self.unsure = "`activate` of conda changes PATH in a way only a run can show"
            return
        if os.path.basename(path) == "activate":
            match = re.search(r"^\s*(?:export )?VIRTUAL_ENV=(['\"]?)(/[^'\"\n]*)\1", text, re.M)
            folder = match.group(2) if match else os.path.dirname(os.path.dirname(path))
            old = self.environ.get("PATH", os.defpath)
            self.inactive = self.inactive or dict(self.environ)
            self.environ["PATH"] = os.path.join(folder, "bin") + os.pathsep + old
            self.environ["VIRTUAL_ENV"] = folder
            self.environ.pop("PYTHONHOME", None)
            return
        count, flavour, changes = len(self.invocations), self.flavour, list(self.changes)
        self.flavour = "sourced"
        if self.depth < _DEEPEST:
            self.depth += 1
            for simple in split_shell(text):
                self.simple(simple)
            self.depth -= 1
        del self.invocations[count:]
        self.flavour, self.changes = flavour, changes

    def output(self, command: str) -> str:
        """Walk a command whose output is a word, and return that where it is a program's path."""
        if looked_up := _LOOKED_UP.match(command):
            names = {**self.environ, **self.local}
            return (find_programs(looked_up.group(1), names, self.cwd) or [""])[0]
        saved = self.environ, self.local, self.cwd, self.broken
        self.environ, self.local = dict(self.environ), dict(self.local)
        self.shell(command, self.flavour)
        self.environ, self.local, self.cwd, self.broken = saved
        return ""

    def python(self, code: str, program: str, environ: dict[str, str], text: str) -> bool:
        """Walk the installs that Python code starts; False where there are none."""
        reached = (find_programs(program, environ, self.cwd) or [program])[0]
        calls = sorted(install_calls(code, {"sys.executable": reached}))
        saved, self.environ = self.environ, environ
        count = len(self.invocations)
        for _, kind, said, shell, argv in calls if self.depth < _DEEPEST else ():
            self.depth += 1
            if kind == "argv":
                self.words([Word(*word) for word in argv], dict(environ), text, ())
            elif kind in ("shell", "script"):
                self.shell(said, os.path.basename(shell or _system_shell(environ)))
            elif kind in ("pip", "uv"):
                self.shell("%s -m %s %s" % (_quote(reached), kind, said), _system_shell({}))
            self.depth -= 1
        self.environ = saved
        return len(self.invocations) > count

    def simple(self, simple: Simple) -> None:
        words = self.expand(substituted(simple, self.output))
        while words and words[0].text in _KEYWORDS:
            words = words[1:]
        if len(words) > 1 and words[0].text in ("for", "read"):  # as an unknown name of IPython's
            name = words[1].text if words[0].text == "for" else words[-1].text
            self.local[name] = "$({%s})" % name
        assigned, left = leading_assignments(words, _ASSIGNMENT)
        for word in words[: len(words) - len(left)]:
            self.note_uncertain(word)
        words = left
        targets = [to for op, to in simple.redirections if op.strip("&|") in (">", ">>")]
        writes = any(not to.isdigit() and to not in ("/dev/null", "-") for to in targets)
        if not words:
            for name, value in assigned.items():  # only exported names reach a child
                (self.environ if name in self.environ else self.local)[name] = value
            if writes:
                self.changes.append(effects.Change(effects.MAKES, simple.text[:60]))
            return
        notes = tuple(
            "the shell reads %s%s as a redirection: output goes to the file %s" % (op, to, to)
            for op, to in simple.redirections
            if op in (">", ">>", "&>") and to[:1] in ("=", "0", "1", "2", "3")
        )
        sources = [source for op, source in simple.redirections if op == "<"]
        missing = [s for s in sources if not os.path.exists(os.path.join(self.cwd, s))]
        count = len(self.invocations)
        self.words(words, {**self.environ, **assigned}, simple.text, notes, simple.line, writes)
        if missing:
            reason = "the shell reads <%s as a file to read, and there is none" % missing[0]
            for at in range(count, len(self.invocations)):
                self.invocations[at] = self.invocations[at]._replace(problem=("fails", reason))

    def words(
        self,
        words: list[Word],
        environ: dict[str, str],
        text: str,
        notes: tuple[str, ...],
        line: int = 0,
        writes: bool = False,
    ) -> None:
        """Handle one command whose words and variables are known; *writes* is for a file."""
        if self.builtin(words):
            return
        command = strip_prefixes(words, environ, self.cwd)
        if not command.words:
            return
        texts = [word.text for word in command.words]
        base = os.path.basename(texts[0])
        if base in _SHELLS and len(texts) > 2 and re.match(r"-\w*c", texts[1]):
            saved = self.environ, self.local, self.cwd, self.outer
            self.environ, self.outer = command.environ, command.within(self.outer)
            self.shell(texts[2], base)
            self.environ, self.local, self.cwd, self.outer = saved
            return
        code = python_code(texts)
        if code and self.python(code, texts[0], command.environ, text or self.step.source):
            return
        command = command.within(self.outer)
        reach = Reach(self.kernel, self.flavour)
        invocation = reach.installer(texts, command.environ, command.cwd or self.cwd)
        if invocation is None:
            change = effects.change_of(texts, writes)
            self.changes += [change] if change else []
            return
        number = self.step.line + (line if self.step.kind in ("script", "shell") else 0)
        problem = self.broken or command.problem
        unsure = self.unsure or self.still_made(texts[0], invocation)
        if unsure and not problem:
            problem = ("unknown", unsure)
        if command.root_by and invocation.tool in ("pip", "uv", "easy_install", "setup.py"):
            notes = (*notes, _AS_ROOT % command.root_by)
        uncertain = tuple(word.text for word in command.words if not word.certain)
        invocation = invocation._replace(text=text or self.step.source, line=number, notes=notes)
        invocation = invocation._replace(elevated=bool(command.root_by), uncertain=uncertain)
        problem, changes = problem or invocation.problem, tuple(self.changes)
        self.invocations.append(invocation._replace(problem=problem, changes=changes))
        change = effects.change_of_install(texts, invocation.removes)
        self.changes += [change] if change else []

    def still_made(self, name: str, invocation: Invocation) -> str:
        """Return why the environment that decides is one which the cell itself makes."""
        path = invocation.environ.get("PATH", os.defpath).split(os.pathsep)
        new = (folder for folder in path if folder and folder not in self.known_path)
        absent = [folder for folder in new if not os.path.isdir(os.path.join(self.cwd, folder))]
        if self.changes and absent and "/" not in name:
            return "PATH names %s, which does not exist yet" % absent[0]
        made = [change.command for change in self.changes if change.kind == effects.ENVIRONMENT]
        named = invocation.environ.get("VIRTUAL_ENV") or invocation.environ.get("UV_PYTHON")
        named = named or read_line(invocation.words, UV).last("python")
        if made and invocation.tool == "uv" and not (named or invocation.interpreter):
            return "`%s` makes an environment that uv may take" % made[0]
        return ""

    def note_uncertain(self, word: Word) -> None:
        """Remember that an assignment to a variable that decides cannot be read."""
        name = word.text.partition("=")[0].rstrip("+")
        if not word.certain and effects.PATH_NAMES.match(name):
            self.unsure = "%s gets a value that only a run can show" % name

    def builtin(self, words: list[Word]) -> bool:
        """Do what the shell itself does; False for a program."""
        name, rest = words[0].text, [word.text for word in words[1:]]
        if turned := effects.turns_path([name, *rest]):
            self.unsure = turned
        elif name in ("export", "declare", "typeset", "readonly"):
            for exported in words[1:]:
                self.note_uncertain(exported)
            self.export(rest)
        elif name == "unset":
            for word in rest:
                self.environ.pop(word, None)
                self.local.pop(word, None)
        elif name in ("cd", "pushd"):
            self.change_folder(rest[-1] if rest else home_folder(self.environ))
        elif name in (".", "source"):
            self.run_source(name, words[1:])
        elif name == "deactivate":
            self.environ, self.inactive = self.inactive or self.environ, None
        elif name == "eval":
            if not all(word.certain for word in words):
                self.unsure = "`eval` runs what only a run can show"
            self.shell(" ".join(rest), self.flavour)
        else:
            return False
        return True

    def export(self, words: list[str]) -> None:
        for word in words:
            if match := _ASSIGNMENT.match(word):
                self.environ[match.group(1)] = match.group(2)
            elif word in self.local:
                self.environ[word] = self.local[word]

    def change_folder(self, target: str) -> None:
        folder = os.path.normpath(os.path.join(self.cwd, target))
        if os.path.isdir(folder) or self.changes:  # the cell may have made it
            self.cwd = folder
        else:
            self.broken = ("fails", "the folder %s does not exist" % folder)

    def run_source(self, name: str, words: list[Word]) -> None:
        path = words[0].text if words else ""
        if name == "source" and self.flavour in ("dash", "sh"):
            self.broken = ("command-not-found", "%s has no command `source`" % self.flavour)
        elif path and os.path.isfile(os.path.join(self.cwd, path)):
            self.source(os.path.join(self.cwd, path))
        elif path == "activate" or not all(word.certain for word in words):
            # the shell looks for it on PATH: conda's own, which takes the name of an environment
            self.unsure = "`%s %s` changes PATH in a way only a run can show" % (name, path)
        elif path and self.changes:
            self.unsure = "the cell itself makes %s" % path
        elif path:
            self.broken = ("fails", "%s does not exist" % os.path.join(self.cwd, path))
