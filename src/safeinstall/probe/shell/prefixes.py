"""Programs that start another one: ``sudo``, ``env``, ``xargs``, ``conda run`` and the like.

They are taken off a command, and what they change for it is kept: variables, folder, user.
"""

from __future__ import annotations

import os
import re
from typing import Mapping, NamedTuple, Pattern, Sequence

from .reach import conda_prefix, find_programs
from .syntax import Word

_CONDA = ("conda", "mamba", "micromamba")
_SECURE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ROOT = ("sudo", "doas", "run0", "pkexec", "su")
"""Programs that start another one as root."""
_VALUED = {
    "sudo": ("-u", "-g", "-p", "-h", "-C", "-D", "-R", "-T", "-U"),
    "doas": ("-u", "-C"),
    "run0": ("-u", "-g", "-D", "--user", "--chdir"),
    "pkexec": ("--user",),
    "su": (),
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


class Prefixed(NamedTuple):
    """A command without its prefixes, and what they changed for it."""

    words: list[Word]
    environ: dict[str, str]
    cwd: str
    """The folder a prefix changes to; empty where none does."""
    root_by: str = ""
    """The program that makes it run as root; empty where none does."""
    problem: tuple[str, str] | None = None

    def within(self, outer: Prefixed | None) -> Prefixed:
        """Return it as it is started by a shell that has prefixes of its own."""
        if outer is None:
            return self
        by, problem = self.root_by or outer.root_by, self.problem or outer.problem
        return self._replace(root_by=by, problem=problem)


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
        if name == "su":
            options, left = _of_su(command.words[1:])
            if not left:
                break
        else:
            options, left = _split_options(command.words[1:], _VALUED.get(name, ()))
        command = command._replace(words=left)
        if name in _ROOT:
            command = _with_assignments(_under_root(command, options, program, cwd))
        elif name == "env":
            command = _with_assignments(_under_env(command, options))
        elif name == "timeout":
            command = command._replace(words=left[1:])
        elif runs:
            command = _under_conda(command, options, program, cwd)
        elif name == "xargs":
            command = command._replace(words=[*left, Word("$({standard input})", False)])
    return command


def _of_su(words: Sequence[Word]) -> tuple[dict[str, str], list[Word]]:
    """Return the options of ``su`` and what it runs: a shell with the text after ``-c``."""
    texts = [word.text for word in words]
    at = next((i for i, text in enumerate(texts[:-1]) if text in ("-c", "--command")), -1)
    user = [text for i, text in enumerate(texts) if not text.startswith("-") and i != at + 1]
    run = [Word("sh", True), Word("-c", True), words[at + 1]] if at >= 0 else []
    return {"-u": user[0] if user else "root"}, run


def _under_root(command: Prefixed, options: Mapping[str, str], program: str, cwd: str) -> Prefixed:
    """Apply what sudo does to variables by its default policy (``env_reset``, ``secure_path``)."""
    names, problem = command.environ, command.problem
    if not find_programs(program, names, cwd):
        problem = ("command-not-found", "there is no program %s on PATH" % program)
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
    by = os.path.basename(program)
    return command._replace(environ=names, root_by=by, problem=problem)


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
    names, words = leading_assignments(command.words, _PREFIX_ASSIGNMENT)
    return command._replace(environ={**command.environ, **names}, words=words)


def leading_assignments(words: list[Word], form: Pattern[str]) -> tuple[dict[str, str], list[Word]]:
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
