"""Which installer, of which interpreter, each command of a cell reaches.

The shell text is walked as ``$SHELL -c`` would: PATH and variables of the kernel process, exports
and ``cd`` on the way, ``BASH_ENV``, prefixes such as ``sudo`` and ``env``. Nothing is run.
"""

from __future__ import annotations

import os
import re
from typing import Mapping, NamedTuple, Pattern, Sequence

from ..cell import Step
from ..facts.search_path import home_folder, read_text
from . import effects
from .option_grammar import UV, read_line
from .reach import Invocation, KernelProcess, Reach, asks, conda_prefix, find_programs
from .syntax import Simple, Word, expand_word, split_shell

_DEEPEST = 4
_LONGEST = 20_000
_SHELLS = ("bash", "sh", "dash", "zsh", "ksh")
_CONDA = ("conda", "mamba", "micromamba")
_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)\+?=(.*)$", re.S)
_SECURE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_VALUED = {
    "sudo": ("-u", "-g", "-p", "-h", "-C", "-D", "-R", "-T", "-U"),
    "env": ("-u", "--unset", "-C", "--chdir", "-S"),
    "nice": ("-n", "--adjustment"),
    "ionice": ("-c", "-n", "-p"),
    "timeout": ("-k", "-s", "--kill-after", "--signal"),
    "xargs": ("-n", "-L", "-P", "-I", "-d", "-a", "-s", "-E"),
    "conda run": ("-n", "--name", "-p", "--prefix", "--cwd"),
    "stdbuf": ("-i", "-o", "-e"),
}
_PLAIN = ("command", "exec", "nohup", "builtin", "setsid", "time", "unbuffer", "chronic")
_PREFIX_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)=(.*)$", re.S)
_SUDO = (
    "sudo runs it as root, past this kernel's environment, and leaves files that"
    " only root can change"
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
        walker.shell(step.text, os.path.basename(step.name))
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

    def simple(self, simple: Simple) -> None:
        words = self.expand(simple)
        while words and words[0].text in _KEYWORDS:
            words = words[1:]
        if len(words) > 1 and words[0].text in ("for", "read"):  # as an unknown name of IPython's
            name = words[1].text if words[0].text == "for" else words[-1].text
            self.local[name] = "$({%s})" % name
        assigned, left = _assigned(words, _ASSIGNMENT)
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
            saved = self.environ, self.local, self.cwd
            self.environ = command.environ
            self.shell(texts[2], base)
            self.environ, self.local, self.cwd = saved
            return
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
        if command.elevated and invocation.tool in ("pip", "uv", "easy_install", "setup.py"):
            notes = (*notes, _SUDO)
        uncertain = tuple(word.text for word in command.words if not word.certain)
        invocation = invocation._replace(text=text or self.step.source, line=number, notes=notes)
        invocation = invocation._replace(elevated=command.elevated, uncertain=uncertain)
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


class Prefixed(NamedTuple):
    """A command without its prefixes, and what they changed for it."""

    words: list[Word]
    environ: dict[str, str]
    cwd: str
    """The folder a prefix changes to; empty where none does."""
    elevated: bool = False
    problem: tuple[str, str] | None = None


def strip_prefixes(words: Sequence[Word], environ: Mapping[str, str], cwd: str) -> Prefixed:
    """Take programs that start another one (``sudo``, ``env``, ``xargs`` ...) off *words*."""
    command = Prefixed(list(words), dict(environ), "")
    for _ in range(8):
        program = command.words[0].text if command.words else ""
        name = os.path.basename(program)
        runs = name in _CONDA and [word.text for word in command.words[1:2]] == ["run"]
        if runs:
            name, command = "conda run", command._replace(words=command.words[1:])
        if name not in _VALUED and name not in _PLAIN:
            break
        options, left = _split_options(command.words[1:], _VALUED.get(name, ()))
        command = command._replace(words=left)
        if name == "sudo":
            command = _with_assignments(_under_sudo(command, options, cwd))
        elif name == "env":
            command = _with_assignments(_under_env(command, options))
        elif name == "timeout":
            command = command._replace(words=left[1:])
        elif runs:
            command = _under_conda(command, options, program, cwd)
        elif name == "xargs":
            command = command._replace(words=[*left, Word("$({standard input})", False)])
    return command


def _under_sudo(command: Prefixed, options: Mapping[str, str], cwd: str) -> Prefixed:
    """Apply what sudo does to variables by its default policy (``env_reset``, ``secure_path``)."""
    names, problem = command.environ, command.problem
    if not find_programs("sudo", names, cwd):
        problem = ("command-not-found", "there is no program sudo on PATH")
    user = options.get("-u") or options.get("--user") or "root"
    if user != "root":
        problem = problem or ("unknown", "what the user %s may do is not known here" % user)
    keeps = any(key == "--preserve-env" or _has_letter("E", key) for key in options)
    if not keeps:
        kept = ("LANG", "TERM", "LC_ALL", "DISPLAY")
        names = {key: names[key] for key in kept if key in names}
    names = {**names, "PATH": _SECURE_PATH}
    if not keeps or any(_has_letter("H", key) for key in options):
        names["HOME"] = "/root"
    return command._replace(environ=names, elevated=True, problem=problem)


def _under_conda(command: Prefixed, options: Mapping[str, str], program: str, cwd: str) -> Prefixed:
    """Activate the environment that ``conda run`` names."""
    names = command.environ
    if not (hits := find_programs(program, names, cwd)):
        absent = "command-not-found", "there is no program %s on PATH" % program
        return command._replace(problem=command.problem or absent)
    prefix = options.get("-p") or options.get("--prefix")
    prefix = prefix and os.path.normpath(os.path.join(cwd, prefix))
    if prefix and not os.path.isdir(prefix):
        gone = "fails", "there is no environment %s" % prefix
        return command._replace(problem=command.problem or gone)
    prefix = prefix or conda_prefix(options.get("-n") or options.get("--name"), hits[0], names)
    if prefix is None:
        unseen = "unknown", "which environment conda means cannot be seen from here"
        return command._replace(problem=command.problem or unseen)
    path = os.path.join(prefix, "bin") + os.pathsep + names.get("PATH", os.defpath)
    names = {**names, "PATH": path, "CONDA_PREFIX": prefix}
    return command._replace(environ=names, cwd=options.get("--cwd") or command.cwd)


def _under_env(command: Prefixed, options: Mapping[str, str]) -> Prefixed:
    emptied = "-i" in options or "--ignore-environment" in options
    dropped = (options.get("-u"), options.get("--unset"))
    names = {k: v for k, v in command.environ.items() if not emptied and k not in dropped}
    folder = options.get("-C") or options.get("--chdir") or command.cwd
    return command._replace(environ=names, cwd=folder)


def _with_assignments(command: Prefixed) -> Prefixed:
    """Take over ``NAME=value`` words in front of the program."""
    names, words = _assigned(command.words, _PREFIX_ASSIGNMENT)
    return command._replace(environ={**command.environ, **names}, words=words)


def _assigned(words: list[Word], form: Pattern[str]) -> tuple[dict[str, str], list[Word]]:
    """Split leading words that are ``NAME=value`` by *form* off; the last of a name counts."""
    names: dict[str, str] = {}
    for at, word in enumerate(words):
        if (match := form.match(word.text)) is None:
            return names, words[at:]
        names[match.group(1)] = match.group(2)
    return names, []


def _has_letter(letter: str, option: str) -> bool:
    return not option.startswith("--") and letter in option[1:]


def _split_options(words: list[Word], valued: Sequence[str]) -> tuple[dict[str, str], list[Word]]:
    """Split leading options off; the value of one that takes a value is kept."""
    options: dict[str, str] = {}
    left = list(words)
    while left and left[0].text.startswith("-") and left[0].text != "-":
        text = left.pop(0).text
        if text == "--":
            break
        name, equals, value = text.partition("=")
        if not equals and name in valued and left:
            value = left.pop(0).text
        options[name] = value
    return options, left
