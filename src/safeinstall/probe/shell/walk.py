"""Which installer, of which interpreter, each command of a cell reaches.

The shell text is walked as ``$SHELL -c`` would: PATH and variables of the kernel process, exports
and ``cd`` on the way, ``BASH_ENV``, wrappers such as ``sudo`` and ``env``. Nothing is run.
"""

from __future__ import annotations

import os
import re

from ..facts.search_path import home_folder
from .command_prefixes import unwrap
from .invocation import Invocation
from .reach import Reach
from .syntax import split_shell
from .words import Word, expand_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..cell import Step
    from .invocation import World
    from .syntax import Simple

__all__ = ["resolve_step"]

_DEEPEST = 4
_LONGEST = 20_000
_CONDA = ("conda", "mamba", "micromamba")
_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)\+?=(.*)$", re.S)
_KEYWORDS = ("then", "do", "else", "elif", "if", "while", "until", "!", "{", "time")


def resolve_step(step: Step, world: World, most: int = 20) -> list[Invocation]:
    """Return the installers one step of the cell starts, in order, *most* at the most."""
    quoted = _quote(world.kernel.executable)
    walker = _Walker(world, step, most)
    if step.kind in ("pip", "uv"):
        walker.shell("%s -m %s %s" % (quoted, step.kind, step.text), _system_shell(world.environ))
    elif step.kind in _CONDA:
        walker.found.append(
            Invocation(
                "conda",
                ("%" + step.kind, *(w for s in split_shell(step.text) for w in walker.texts(s))),
                world.environ,
                world.cwd,
                step.source,
                step.line,
            )
        )
    elif step.kind == "shell":
        walker.shell(step.text, _system_shell(world.environ))
    elif step.kind == "script":
        walker.shell(step.text, os.path.basename(step.name))
    elif step.kind == "argv":
        walker.words([Word(*word) for word in step.argv], dict(world.environ), "", step.source, ())
    if step.kind in ("pip", "uv") or (step.kind == "shell" and len(walker.found) == 1):
        return [found._replace(text=step.source) for found in walker.found]
    return walker.found


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\"'\"'") + "'"


def _system_shell(environ: dict[str, str]) -> str:
    """Name the shell behind ``!``: SHELL, else sh (``_process_posix.py:ProcessHandler.sh``)."""
    return os.path.basename(os.path.realpath(environ.get("SHELL") or "/bin/sh"))


class _Walker:
    """The state of one shell: variables, folder, what was found."""

    def __init__(self, world: World, step: Step, most: int) -> None:
        self.most = most
        self.kernel = world.kernel
        self.step = step
        self.environ = dict(world.environ)
        self.local: dict[str, str] = {}
        self.cwd = world.cwd
        self.flavour = ""
        self.depth = 0
        self.broken: tuple[str, str] | None = None
        self.unsure = ""
        self.found: list[Invocation] = []

    def texts(self, simple: Simple) -> list[str]:
        return [word.text for word in self.expand(simple)]

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
            if len(self.found) >= self.most:
                break
            if simple.before != "&&":
                self.broken = None
            self.simple(simple)
        self.depth -= 1
        self.flavour = before

    def source(self, path: str) -> None:
        """Take over what a sourced file exports; commands in it are not the cell's."""
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                text = file.read(_LONGEST)
        except OSError:
            return
        if os.path.basename(path) == "activate":
            match = re.search(r"^\s*(?:export )?VIRTUAL_ENV=(['\"]?)(/[^'\"\n]*)\1", text, re.M)
            folder = match.group(2) if match else os.path.dirname(os.path.dirname(path))
            old = self.environ.get("PATH", os.defpath)
            self.environ["PATH"] = os.path.join(folder, "bin") + os.pathsep + old
            self.environ["VIRTUAL_ENV"] = folder
            self.environ.pop("PYTHONHOME", None)
            return
        count, flavour = len(self.found), self.flavour
        self.flavour = "sourced"
        if self.depth < _DEEPEST:
            self.depth += 1
            for simple in split_shell(text):
                self.simple(simple)
            self.depth -= 1
        del self.found[count:]
        self.flavour = flavour

    def simple(self, simple: Simple) -> None:
        words = self.expand(simple)
        while words and words[0].text in _KEYWORDS:
            words = words[1:]
        assigned = {}
        while words:
            match = _ASSIGNMENT.match(words[0].text)
            if match is None:
                break
            assigned[match.group(1)] = match.group(2)
            words = words[1:]
        if not words:
            for name, value in assigned.items():  # only exported names reach a child
                (self.environ if name in self.environ else self.local)[name] = value
            return
        notes = tuple(
            "the shell reads %s%s as a redirection: output goes to the file %s"
            % (op, target, target)
            for op, target in simple.redirections
            if op in (">", ">>", "&>") and target[:1] in ("=", "0", "1", "2", "3")
        )
        missing = [
            target
            for op, target in simple.redirections
            if op == "<" and not os.path.exists(os.path.join(self.cwd, target))
        ]
        count = len(self.found)
        source = simple.text
        self.words(words, {**self.environ, **assigned}, simple.before, source, notes, simple.line)
        if missing:
            reason = "the shell reads <%s as a file to read, and there is none" % missing[0]
            for at in range(count, len(self.found)):
                self.found[at] = self.found[at]._replace(problem=("fails", reason))

    def words(
        self,
        words: list[Word],
        environ: dict[str, str],
        before: str,
        text: str,
        notes: tuple[str, ...],
        line: int = 0,
    ) -> None:
        """Handle one command whose words and variables are known."""
        if self.builtin(words):
            return
        wrapped = unwrap(words, environ, self.cwd)
        if not wrapped.words:
            return
        name = wrapped.words[0].text
        base = os.path.basename(name)
        if base in ("bash", "sh", "dash", "zsh", "ksh") and len(wrapped.words) > 2:
            flags = wrapped.words[1].text
            if flags.startswith("-") and "c" in flags[1:]:
                saved = self.environ, self.local
                self.environ = wrapped.environ
                self.shell(wrapped.words[2].text, base)
                self.environ, self.local = saved
            return
        invocation = Reach(self.kernel, self.flavour).installer(wrapped, base, self.cwd)
        if invocation is None:
            return
        number = self.step.line + (line if self.step.kind in ("script", "shell") else 0)
        problem = self.broken or wrapped.problem
        if self.unsure and not problem:
            problem = ("unknown", self.unsure)
        problem = problem or invocation.problem
        self.found.append(
            invocation._replace(
                text=text or self.step.source,
                line=number,
                notes=notes,
                elevated=wrapped.elevated,
                problem=problem,
                uncertain=tuple(word.text for word in wrapped.words if not word.certain),
            )
        )

    def builtin(self, words: list[Word]) -> bool:
        """Do what the shell itself does; False for a program."""
        name, rest = words[0].text, [word.text for word in words[1:]]
        if name in ("export", "declare", "typeset", "readonly"):
            for word in rest:
                match = _ASSIGNMENT.match(word)
                if match:
                    self.environ[match.group(1)] = match.group(2)
                elif word in self.local:
                    self.environ[word] = self.local[word]
        elif name == "unset":
            for word in rest:
                self.environ.pop(word, None)
                self.local.pop(word, None)
        elif name in ("cd", "pushd"):
            target = rest[-1] if rest else home_folder(self.environ)
            folder = os.path.normpath(os.path.join(self.cwd, target))
            if os.path.isdir(folder):
                self.cwd = folder
            else:
                self.broken = ("fails", "the folder %s does not exist" % folder)
        elif name in (".", "source"):
            if name == "source" and self.flavour in ("dash", "sh"):
                self.broken = ("command-not-found", "%s has no command `source`" % self.flavour)
            elif rest:
                path = os.path.join(self.cwd, rest[0])
                if os.path.isfile(path):
                    self.source(path)
                else:
                    self.broken = ("fails", "%s does not exist" % path)
        elif name == "eval":
            self.shell(" ".join(rest), self.flavour)
        elif name in ("conda", "mamba", "micromamba", "pyenv") and rest[:1] in (
            ["activate"],
            ["shell"],
        ):
            self.unsure = "`%s %s` changes PATH in a way only a run can show" % (name, rest[0])
        else:
            return False
        return True
