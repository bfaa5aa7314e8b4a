"""The commands of a notebook cell, found in the source as IPython would run it.

Written after ``IPython/core/inputtransformer2.py`` (what is a magic line, how continued lines are
joined), ``core/magics/script.py`` (cell magics) and ``core/prefilter.py`` (automagic, which only
works in cells of a single line). Of Python code only what stands there as literals (and
``sys.executable``) is understood; the rest of a word is marked as uncertain.
"""

from __future__ import annotations

import ast
import re
from typing import Iterator, Mapping, NamedTuple, Tuple

_TOOLS = re.compile(
    r"pip|uv|conda|mamba|easy_install|setup\.py"
    r"|\b(?:apt|apt-get|aptitude|brew|poetry|pdm|pixi|rye|dnf|microdnf|yum|zypper|apk|pacman|yay|paru)\b"
)
_LONGEST = 100_000
_RUN_MAGICS = ("system", "sx", "!")
_WRAPPERS = ("time", "timeit", "capture", "prun", "memit", "mprun", "debug")
_ALIASES = ("mkdir", "rmdir", "cp", "mv", "rm", "ln")
_ASSIGNED = re.compile(r"^[^=!<>'\"#(]*[^=!<>'\"#(\s]\s*=\s*([!%].*)$", re.S)
_LITERAL = re.compile(r"^([A-Za-z_]\w*)\s*=\s*(['\"])([^'\"\\{}]*)\2\s*$")
_SCRIPT = re.compile(
    r"^(?:script\s+(?:--?[\w-]+(?:[= ]\S+)?\s+)*)?"
    r"((?:\S*/)?(?:bash|sh|zsh|dash|ksh|(?:python|pypy)[\d.]*))(?![\w-])"
)
_MAGIC_TOOL = re.compile(r"^(pip|uv|conda|mamba|micromamba)(?:\s+(.*))?$", re.S)


class Step(NamedTuple):
    """One thing a cell does that matters here."""

    kind: str
    """``shell`` (text for ``$SHELL -c``), ``script`` (text for a named shell, or
    for Python), ``argv`` (no shell), ``pip``/``uv``/``conda``/``mamba``/``micromamba`` (a magic),
    ``setenv``, ``chdir``, ``makes`` (Python that may make files), ``turns`` (Python that may change
    every variable)."""
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
    return _TOOLS.search(text) is not None


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
    if script := _SCRIPT.match(magic):
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
    if steps or mentions_installer(code):
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
        return [Step("shell", _expanded(command.lstrip("!").strip(), known), line, source)]
    if not command.startswith("%"):
        return []
    magic = command.lstrip("%").strip()
    if tool := _MAGIC_TOOL.match(magic):
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
    if name in _ALIASES:  # `OSMagics`: they are the programs
        return [Step("shell", _expanded(magic, known), line, source)]
    if name == "run":
        return [Step("makes", magic, line, source)]
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
        text = re.sub(r"(?<![${(])\{([^{}$]+\([^{}]*\))\}(?!\})", r"$({\1})", text)
    if "$" in text:
        dollar = r"(?<!\$)\$([A-Za-z_][\w]*(?:\.\w+)*)"
        text = re.sub(dollar, lambda m: known.get(m.group(1), m.group(0)), text).replace("$$", "$")
    return text


Words = Tuple[Tuple[str, bool], ...]
Call = Tuple[int, str, str, str, Words]
_STARTERS = ("run", "call", "check_call", "check_output", "Popen")
_SHELL_STARTERS = ("system", "popen", "getoutput", "getstatusoutput", "create_subprocess_shell")
_VECTOR_STARTERS = (
    "execv",
    "execvp",
    "execve",
    "execvpe",
    "spawnv",
    "spawnvp",
    "spawnve",
    "spawnvpe",
)
"""Calls of ``os`` that take the argument list after the program's file."""
_WRITING = (
    "write_text write_bytes touch mkdir makedirs copy2 copyfile copytree symlink symlink_to"
    " urlretrieve extractall unpack_archive rmtree unlink cli_run chmod chown clone_from"
    " os.replace os.rename os.remove shutil.copy shutil.move venv.create EnvBuilder().create"
    " venv.EnvBuilder().create"
)
_WRITERS = frozenset(_WRITING.split())
"""Calls that leave something else on the disk, by their last name where it is plain."""
_LARGEST = 40_000


def install_calls(code: str, known: Mapping[str, str]) -> Iterator[Call]:
    """Yield ``(line, kind, text, name, argv)`` as the fields of a step, in no special order."""
    if len(code) > _LARGEST:
        return
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    _spell_out(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if found := _call(node, known):
                yield found
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            name = _environ_name(node.targets[0])
            value = _text(node.value, known)
            if name and value and value[1]:
                yield node.lineno, "setenv", value[0], name, ()
            elif name:
                yield node.lineno, "turns", "os.environ", name, ()
        elif isinstance(node, ast.AugAssign) and _environ_name(node.target):
            yield node.lineno, "turns", "os.environ", _environ_name(node.target), ()


def _spell_out(tree: ast.AST) -> None:
    """Put into each call what its names stand for: imports, lists written once and left alone."""
    nodes = list(ast.walk(tree))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    stored = [name.id for name in names if not isinstance(name.ctx, ast.Load)]
    stored += [node.arg for node in nodes if isinstance(node, ast.arg)]
    inner = (node.value for node in nodes if isinstance(node, (ast.Attribute, ast.Subscript)))
    touched = {value.id for value in inner if isinstance(value, ast.Name)}
    functions, lists = {}, {}
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = ast.Attribute(ast.Name(node.module, ast.Load()), alias.name, ast.Load())
                functions[alias.asname or alias.name] = whole
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if stored.count(name) == 1 and name not in touched:
                lists[name] = node.value
    for node in nodes:
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                node.func = functions.get(node.func.id, node.func)
            node.args = [_listed(argument, lists) for argument in node.args]


def _listed(argument: ast.expr, lists: Mapping[str, ast.expr]) -> ast.expr:
    """Return an argument with the list of arguments that its name stands for."""
    if isinstance(argument, ast.Starred):
        return ast.Starred(_listed(argument.value, lists), ast.Load())
    value = lists.get(argument.id) if isinstance(argument, ast.Name) else None
    return value if value is not None and _words(value, {}) else argument


def _dotted(node: ast.expr) -> str:
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    if isinstance(node, ast.Name):
        parts.append(node.id)
    elif isinstance(node, ast.Call):
        parts.append(_dotted(node.func) + "()")
    return ".".join(reversed(parts))


def _environ_name(target: ast.expr) -> str:
    if not isinstance(target, ast.Subscript) or not _dotted(target.value).endswith("environ"):
        return ""
    # Python 3.8 wraps the key of a subscript in an Index node
    key = getattr(target.slice, "value", target.slice)
    key = getattr(key, "value", key)
    return key if isinstance(key, str) else ""


def _text(node: ast.expr, known: Mapping[str, str]) -> tuple[str, bool] | None:
    """Return the string an expression stands for and whether all of it is known."""
    if isinstance(node, ast.Constant):
        return (node.value, True) if isinstance(node.value, str) else None
    if isinstance(node, (ast.Name, ast.Attribute)):
        name = _dotted(node)
        return (known[name], True) if name in known else ("{%s}" % name, False)
    if isinstance(node, ast.JoinedStr):
        parts = (p.value if isinstance(p, ast.FormattedValue) else p for p in node.values)
        texts = [_text(part, known) or ("{}", False) for part in parts]
        return "".join(text for text, _ in texts), all(certain for _, certain in texts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left, known), _text(node.right, known)
        return (left[0] + right[0], left[1] and right[1]) if left and right else None
    return None


def _words(node: ast.expr, known: Mapping[str, str]) -> Words | None:
    """Return the argument list an expression stands for."""
    if isinstance(node, (ast.List, ast.Tuple)):
        words: list[tuple[str, bool]] = []
        for item in node.elts:
            many = _words(item.value, known) if isinstance(item, ast.Starred) else None
            words += many or [_text(item, known) or ("{}", False)]
        return tuple(words)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left = _words(node.left, known)
        return left + (_words(node.right, known) or (("{}", False),)) if left else None
    if isinstance(node, ast.Call):
        inner = node.func.value if isinstance(node.func, ast.Attribute) else None
        if _dotted(node.func) == "shlex.split" and node.args:
            inner = node.args[0]
        elif not (isinstance(node.func, ast.Attribute) and node.func.attr == "split"):
            inner = None
        text = _text(inner, known) if inner is not None else None
        if text:
            return tuple((word, text[1]) for word in text[0].split())
    return None


def _library_call(node: ast.Call, name: str, known: Mapping[str, str]) -> Call | None:
    """Return what ``pip.main`` and IPython's own functions for a magic start."""
    if name.rpartition(".")[2] in ("run_line_magic", "magic"):
        texts = [_text(argument, known) for argument in node.args[:2]]
        joined = " ".join(text[0] for text in texts if text).split(None, 1)
        if joined[:1] and joined[0] in ("sx", "system"):
            return node.lineno, "shell", "".join(joined[1:]), "", ()
        magic = joined[:1] and joined[0] in ("pip", "uv", "conda", "mamba", "micromamba")
        return (node.lineno, joined[0], "".join(joined[1:]), "", ()) if magic else None
    if name.endswith("run_cell_magic"):
        first, body = _text(node.args[0], known), _text(node.args[-1], known)
        script = _SCRIPT.match(first[0]) if first else None
        return (node.lineno, "script", body[0], script.group(1), ()) if script and body else None
    words = _words(node.args[0], known) if name.rpartition(".")[2] in ("main", "_main") else None
    start = ((known.get("sys.executable", "python"), True), ("-m", True), ("pip", True))
    return (node.lineno, "argv", "", "", start + words) if words else None


def _call(node: ast.Call, known: Mapping[str, str]) -> Call | None:
    """Return what a call does here: to the disk, to variables, to the folder, or by a program."""
    name, line = _dotted(node.func), node.lineno
    last = name.rpartition(".")[2]
    modes = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "mode")]
    written = any(set("wax") & set(str(getattr(mode, "value", ""))) for mode in modes)
    if not _WRITERS.isdisjoint((name, last)) or (last == "open" and written):
        return line, "makes", name, "", ()
    if not node.args:
        return None
    # `activate_this.py` of a virtual environment
    if name in ("exec", "execfile", "runpy.run_path") or name.endswith("environ.update"):
        return line, "turns", name, "", ()
    if name.startswith("pip.") or last in ("run_line_magic", "run_cell_magic", "magic"):
        return _library_call(node, name, known)
    if last == "chdir":
        text = _text(node.args[0], known)
        return (line, "chdir", text[0], "", ()) if text and text[1] else None
    if name == "asyncio.create_subprocess_exec" or name in ["os." + v for v in _VECTOR_STARTERS]:
        vector = ast.List(node.args, ast.Load()) if last not in _VECTOR_STARTERS else None
        place = 2 if last.startswith("spawn") else 1
        words = _words(vector or [*node.args, *node.args][place], known)
        return (line, "argv", "", "", words) if words else None
    started = last in _STARTERS + _SHELL_STARTERS
    asynchronous = last == "run" and name.startswith("asyncio")
    return _program(node, name, last, known) if started and not asynchronous else None


def _program(node: ast.Call, name: str, last: str, known: Mapping[str, str]) -> Call | None:
    """Return what is started by a call of ``subprocess``, ``os`` or IPython."""
    shell = next((word.value for word in node.keywords if word.arg == "shell"), None)
    in_shell = last in _SHELL_STARTERS or (isinstance(shell, ast.Constant) and bool(shell.value))
    if not in_shell:
        words = _words(node.args[0], known)
        return (node.lineno, "argv", "", "", words) if words else None
    if (text := _text(node.args[0], known)) is None:
        return None
    if name.startswith("get_ipython()"):
        return node.lineno, "shell", text[0], "", ()
    # os.system and shell=True take /bin/sh whatever SHELL says
    return node.lineno, "script", text[0], "/bin/sh", ()
