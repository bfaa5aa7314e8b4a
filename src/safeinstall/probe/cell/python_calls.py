"""Installers started from Python code: ``subprocess``, ``os.system``, IPython's own functions.

Only what stands there as literals (and ``sys.executable``) is understood; the rest of a word is
marked as uncertain. Lines are those of the code given.
"""

from __future__ import annotations

import ast
from typing import Iterator, Mapping, Tuple

Words = Tuple[Tuple[str, bool], ...]
Call = Tuple[int, str, str, str, Words]

_STARTERS = ("run", "call", "check_call", "check_output", "Popen")
_SHELL_STARTERS = ("system", "popen", "getoutput", "getstatusoutput")
_LARGEST = 40_000


def install_calls(code: str, known: Mapping[str, str]) -> Iterator[Call]:
    """Yield ``(line, kind, text, name, argv)`` as the fields of a step, in no special order."""
    if len(code) > _LARGEST:
        return
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _call(node, known)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1:
            name = _environ_name(node.targets[0])
            value = _text(node.value, known)
            if name and value and value[1]:
                yield node.lineno, "setenv", value[0], name, ()


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
        pieces = [
            _text(part.value if isinstance(part, ast.FormattedValue) else part, known)
            for part in node.values
        ]
        texts = [piece or ("{}", False) for piece in pieces]
        return "".join(text for text, _ in texts), all(certain for _, certain in texts)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = _text(node.left, known), _text(node.right, known)
        return (left[0] + right[0], left[1] and right[1]) if left and right else None
    return None


def _words(node: ast.expr, known: Mapping[str, str]) -> Words | None:
    """Return the argument list an expression stands for."""
    if isinstance(node, (ast.List, ast.Tuple)):
        return tuple(_text(item, known) or ("{}", False) for item in node.elts)
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


def _call(node: ast.Call, known: Mapping[str, str]) -> Iterator[Call]:
    name = _dotted(node.func)
    last = name.rpartition(".")[2]
    if not node.args:
        return
    first = node.args[0]
    if name.startswith("pip.") and last in ("main", "_main"):
        words = _words(first, known)
        if words:
            start = ((known.get("sys.executable", "python"), True), ("-m", True), ("pip", True))
            yield node.lineno, "argv", "", "", start + words
        return
    if last in ("run_line_magic", "magic"):
        texts = [_text(argument, known) for argument in node.args[:2]]
        joined = " ".join(text[0] for text in texts if text).split(None, 1)
        if joined and joined[0] in ("pip", "uv", "conda", "mamba", "micromamba"):
            yield node.lineno, joined[0], joined[1] if len(joined) > 1 else "", "", ()
        return
    if last == "chdir":
        text = _text(first, known)
        if text and text[1]:
            yield node.lineno, "chdir", text[0], "", ()
        return
    if last not in _STARTERS + _SHELL_STARTERS or (last == "run" and name.startswith("asyncio")):
        return
    shell = next((word.value for word in node.keywords if word.arg == "shell"), None)
    in_shell = last in _SHELL_STARTERS or (isinstance(shell, ast.Constant) and bool(shell.value))
    text = _text(first, known)
    if text is not None and in_shell:
        if name.startswith("get_ipython()"):
            yield node.lineno, "shell", text[0], "", ()
        else:  # os.system and shell=True take /bin/sh whatever SHELL says
            yield node.lineno, "script", text[0], "/bin/sh", ()
        return
    words = _words(first, known)
    if words and not in_shell:
        yield node.lineno, "argv", "", "", words
