"""Programs that start another one (``sudo``, ``env``, ``xargs`` ...), taken off a command."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from .programs import find_programs
from .words import Word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping, Sequence

__all__ = ["Wrapped", "unwrap"]

_SECURE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_VALUED = {
    "sudo": ("-u", "-g", "-p", "-h", "-C", "-D", "-R", "-T", "-U"),
    "env": ("-u", "--unset", "-C", "--chdir", "-S"),
    "nice": ("-n", "--adjustment"),
    "ionice": ("-c", "-n", "-p"),
    "timeout": ("-k", "-s", "--kill-after", "--signal"),
    "xargs": ("-n", "-L", "-P", "-I", "-d", "-a", "-s", "-E"),
    "stdbuf": ("-i", "-o", "-e"),
}
_PLAIN = ("command", "exec", "nohup", "builtin", "setsid", "time", "unbuffer", "chronic")
_ASSIGNMENT = re.compile(r"^([A-Za-z_]\w*)=(.*)$", re.S)


class Wrapped(NamedTuple):
    """What is left of a command, and what the wrappers changed for it."""

    words: list[Word]
    environ: dict[str, str]
    cwd: str
    """The folder a wrapper changes to; empty where none does."""
    elevated: bool
    problem: tuple[str, str] | None


def unwrap(words: Sequence[Word], environ: Mapping[str, str], cwd: str) -> Wrapped:
    """Take the wrappers off *words*."""
    left, names, folder = list(words), dict(environ), ""
    elevated, problem = False, None
    for _ in range(8):
        name = os.path.basename(left[0].text) if left else ""
        if name not in _VALUED and name not in _PLAIN:
            break
        left.pop(0)
        options, left = _options(left, _VALUED.get(name, ()))
        if name == "sudo":
            if not find_programs("sudo", names, cwd):
                problem = ("command-not-found", "there is no program sudo on PATH")
            user = options.get("-u") or options.get("--user") or "root"
            if user != "root":
                problem = problem or ("unknown", "what the user %s may do is not known here" % user)
            elevated = True
            keeps = any(key == "--preserve-env" or _letter("E", key) for key in options)
            if not keeps:
                kept = ("LANG", "TERM", "LC_ALL", "DISPLAY")
                names = {key: names[key] for key in kept if key in names}
            names["PATH"] = _SECURE_PATH
            if not keeps or any(_letter("H", key) for key in options):
                names["HOME"] = "/root"
        elif name == "env":
            if "-i" in options or "--ignore-environment" in options:
                names = {}
            for key in ("-u", "--unset"):
                names.pop(options.get(key, ""), None)
            folder = options.get("-C") or options.get("--chdir") or folder
        elif name == "timeout" and left:
            left.pop(0)
        elif name == "xargs":
            left.append(Word("$({standard input})", False))
        while name in ("sudo", "env") and left:
            match = _ASSIGNMENT.match(left[0].text)
            if match is None:
                break
            names[match.group(1)] = match.group(2)
            left.pop(0)
    return Wrapped(left, names, folder, elevated, problem)


def _letter(letter: str, option: str) -> bool:
    return not option.startswith("--") and letter in option[1:]


def _options(words: list[Word], valued: Sequence[str]) -> tuple[dict[str, str], list[Word]]:
    """Split leading options off; the value of one that takes a value is kept."""
    options: dict[str, str] = {}
    while words and words[0].text.startswith("-") and words[0].text != "-":
        text = words.pop(0).text
        if text == "--":
            break
        name, equals, value = text.partition("=")
        if not equals and name in valued and words:
            value = words.pop(0).text
        options[name] = value
    return options, words
