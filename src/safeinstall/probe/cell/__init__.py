"""The commands of a notebook cell, found in the source as IPython would run it.

Written after ``IPython/core/inputtransformer2.py`` (what is a magic line, how continued lines are
joined), ``core/magics/script.py`` (cell magics) and ``core/prefilter.py`` (automagic, which only
works in cells of a single line). Python code is searched by ``pycalls``.
"""

from __future__ import annotations

import re
from typing import Mapping, NamedTuple

_TOOLS = ("pip", "uv", "conda", "mamba")
_LONGEST = 100_000
_RUN_MAGICS = ("system", "sx", "!")
_WRAPPERS = ("time", "timeit", "capture", "prun", "memit", "mprun", "debug")
_ASSIGNED = re.compile(r"^[^=!<>'\"#(]*[^=!<>'\"#(\s]\s*=\s*([!%].*)$", re.S)
_LITERAL = re.compile(r"^([A-Za-z_]\w*)\s*=\s*(['\"])([^'\"\\{}]*)\2\s*$")
_SCRIPT = re.compile(r"^(?:script\s+(?:--?[\w-]+(?:[= ]\S+)?\s+)*)?(bash|sh|zsh|dash|ksh)\b")
_MAGIC_TOOL = re.compile(r"^(pip|uv|conda|mamba|micromamba)(?:\s+(.*))?$", re.S)


class Step(NamedTuple):
    """One thing a cell does that matters here."""

    kind: str
    """``shell`` (text for ``$SHELL -c``), ``script`` (text for a named shell), ``argv`` (no shell),
    ``pip``/``uv``/``conda``/``mamba``/``micromamba`` (a magic), ``setenv``, ``chdir``."""
    text: str
    """Shell text, arguments of the magic, value of the variable, or the folder."""
    line: int
    """1-based line of the cell."""
    source: str
    """The text as it stands in the cell."""
    name: str = ""
    """The shell of a ``script``, the variable of a ``setenv``."""
    argv: tuple[tuple[str, bool], ...] = ()
    """Words of an ``argv`` step, each with whether it is certain."""


def mentions_installer(text: str) -> bool:
    """Cheap gate: whether *text* can hold an install command at all."""
    return any(tool in text for tool in _TOOLS)


class _Strings:
    """Whether the next line starts inside a string, a bracket or a continued line of Python."""

    def __init__(self) -> None:
        self.quote = ""
        self.depth = 0
        self.continued = False

    @property
    def open(self) -> bool:
        return bool(self.quote) or self.depth > 0 or self.continued

    def feed(self, line: str) -> None:
        at, self.continued = 0, False
        while at < len(line):
            char = line[at]
            if self.quote:
                if char == "\\":
                    at += 1
                elif line.startswith(self.quote, at):
                    at += len(self.quote) - 1
                    self.quote = ""
            elif char == "#":
                return
            elif char in "'\"":
                self.quote = char * 3 if line.startswith(char * 3, at) else char
                at += len(self.quote) - 1
            elif char in "([{":
                self.depth += 1
            elif char in ")]}":
                self.depth = max(0, self.depth - 1)
            at += 1
        self.continued = line.endswith("\\")
        if len(self.quote) == 1 and not self.continued:
            self.quote = ""  # a broken string ends with its line


def cell_steps(cell: str, known: Mapping[str, str]) -> list[Step]:
    """Return the steps of *cell* in order; *known* gives values such as ``sys.executable``."""
    cell = cell[:_LONGEST]
    bare = cell.lstrip("\n\r\t ")
    skipped = cell.count("\n", 0, len(cell) - len(bare))
    if bare.startswith("%%"):
        return _cell_magic(bare, skipped + 1, known)
    return _lines(cell, 1, known)


def _cell_magic(cell: str, line: int, known: Mapping[str, str]) -> list[Step]:
    first, _, body = cell.partition("\n")
    magic = first[2:].strip()
    name, _, rest = magic.partition(" ")
    if name in _WRAPPERS:
        return _magic_line(rest, line, first, known) + _lines(body, line + 1, known)
    if name in _RUN_MAGICS or magic.startswith("!"):
        return [Step("shell", _expanded(body, known), line + 1, body)]
    script = _SCRIPT.match(magic)
    if script:
        return [Step("script", body, line + 1, body, script.group(1))]
    return []


def _lines(text: str, first: int, known: Mapping[str, str]) -> list[Step]:
    """Split *text* into magic lines and Python, and search both."""
    lines = text.split("\n")
    names = dict(known)
    steps: list[Step] = []
    python: list[str] = []
    state = _Strings()
    at = 0
    while at < len(lines):
        line, start = lines[at], at
        at += 1
        bare = line.strip()
        command = "" if state.open else _magic_text(bare)
        if not command:
            literal = None if state.open else _LITERAL.match(bare)
            if literal and line[:1] == bare[:1]:
                names[literal.group(1)] = literal.group(3)
            python.append("" if bare.endswith("?") and not state.open else line)
            state.feed(line)
            continue
        source = line
        while command.endswith("\\") and at < len(lines):
            command = command[:-1].rstrip() + " " + lines[at].strip()
            source += "\n" + lines[at]
            at += 1
        indent = line[: len(line) - len(line.lstrip())]
        python += [indent + "pass"] + [""] * (at - start - 1)
        steps += _magic_line(command, first + start, source.strip(), names)
    code = "\n".join(python)
    automagic = _MAGIC_TOOL.match(text.strip())
    if automagic and len(text.strip("\n").splitlines()) == 1 and not steps:
        rest = automagic.group(2) or ""
        if not rest.startswith(("=", ".", ",", "(", "[")):
            return _magic_line("%" + text.strip(), first, text.strip(), known)
    if mentions_installer(code) or "environ" in code or "chdir" in code:
        from .python_calls import install_calls  # most cells need neither it nor `ast`

        for number, kind, value, name, argv in install_calls(code, names):
            source = lines[number - 1].strip() if number <= len(lines) else ""
            steps.append(Step(kind, value, first + number - 1, source, name, argv))
    steps.sort(key=lambda step: step.line)
    return steps


def _magic_text(bare: str) -> str:
    """Return the ``!`` or ``%`` part of a line, or nothing where the line is Python."""
    if bare.startswith(("!", "%")):
        return bare
    assigned = _ASSIGNED.match(bare) if "=" in bare else None
    return assigned.group(1) if assigned else ""


def _magic_line(command: str, line: int, source: str, known: Mapping[str, str]) -> list[Step]:
    """Turn one ``!`` or ``%`` line into steps."""
    command = command.strip()
    if command.startswith("!"):
        text = command.lstrip("!").strip()
        return [Step("shell", _expanded(text, known), line, source)]
    if not command.startswith("%"):
        return []
    magic = command.lstrip("%").strip()
    tool = _MAGIC_TOOL.match(magic)
    if tool:
        return [Step(tool.group(1), _expanded(tool.group(2) or "", known), line, source)]
    name, _, rest = magic.partition(" ")
    rest = rest.strip()
    if name in _RUN_MAGICS:
        return [Step("shell", _expanded(rest, known), line, source)]
    if name in _WRAPPERS:
        while rest.startswith("-"):
            rest = rest.partition(" ")[2].strip()
        return _magic_line(rest, line, source, known)
    if name in ("env", "set_env"):
        variable, equals, value = rest.partition("=" if "=" in rest else " ")
        if equals and variable.strip():
            return [Step("setenv", value.strip(), line, source, variable.strip())]
    if name == "cd" and rest:
        return [Step("chdir", rest.strip("'\""), line, source)]
    return []


def _expanded(text: str, known: Mapping[str, str]) -> str:
    """Do what ``InteractiveShell.var_expand`` would: ``{expression}`` and ``$name``.

    A name that is not known here becomes ``$({name})``, which no shell text can know either.
    """
    if "{" in text:
        braces = r"(?<![${])\{([A-Za-z_][\w.\[\]'\"]*)\}(?!\})"
        text = re.sub(braces, lambda m: known.get(m.group(1), "$({%s})" % m.group(1)), text)
    if "$" in text:
        dollar = r"(?<!\$)\$([A-Za-z_][\w]*(?:\.\w+)*)"
        text = re.sub(dollar, lambda m: known.get(m.group(1), m.group(0)), text).replace("$$", "$")
    return text
