"""Redirect or block an install line: that line only, and only where it stands alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from safeinstall.probe.prediction import Prediction

__all__ = ["blocked_line", "replaceable", "replaced"]

_CHAIN = (";", "&", "|", "$(", "`")


def replaceable(
    cell: str, wrong: Sequence[Prediction], better: Callable[[Prediction], str | None]
) -> Mapping[int, str]:
    """Return line number (from 0) -> `%safeinstall` line for each command that can be replaced.

    Only a line that is nothing but the command is touched: in a chain (`cd x && pip install y`),
    a continued line, a `%%bash` body or inside other code the warning has to do.
    """
    lines = cell.splitlines()
    found: dict[int, str] = {}
    if cell.lstrip().startswith("%%"):
        return found
    for prediction in wrong:
        number = prediction.line - 1
        line = lines[number].strip() if 0 <= number < len(lines) else ""
        alone = line == prediction.command.strip() and not line.endswith("\\")
        shell = line.startswith(("!", "%", "pip ", "uv ", "conda "))
        if alone and shell and not any(sign in line for sign in _CHAIN):
            instead = better(prediction)
            if instead is not None:
                found[number] = instead
    return found


def replaced(lines: Sequence[str], new: Mapping[int, str]) -> list[str]:
    """Return the lines with those of `new` in place; indentation and line ends stay."""
    result = list(lines)
    for number, text in new.items():
        line = result[number]
        indent = line[: len(line) - len(line.lstrip())]
        result[number] = indent + text + ("\n" if line.endswith("\n") else "")
    return result


def blocked_line(instead: str) -> str:
    """Return the Python line that stops the cell, naming the line to type."""
    return f'__import__("safeinstall.watch.stop", fromlist=["stop"]).stop({instead!r})'
