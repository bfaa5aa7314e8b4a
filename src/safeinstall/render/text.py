"""Messages as plain text, for terminals, headless runs and `text/plain`."""

from __future__ import annotations

import re
import textwrap
from typing import Final

from safeinstall.render.message import Message, Table

__all__ = ["as_text", "clean"]

_WIDTH: Final = 100
_WIDEST_COMMAND: Final = 44
_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"  # OSC: titles, links, clipboard
    r"|\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[@-Z\\-_]"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


def clean(text: str) -> str:
    """Return `text` without terminal escapes and control characters (tabs and newlines stay)."""
    return _ESCAPES.sub("", text)


def as_text(message: Message, *, verbose: bool = False) -> str:
    """Return the message as text, each line at most 100 columns where words allow it."""
    mark = f"{message.mark} " if message.mark else ""
    first, *more = _wrapped(mark + clean(message.headline), len(mark) * " ")
    if message.seconds is not None:
        spent = _duration(message.seconds)
        width = max(len(first) + 2, _WIDTH - len(spent) - 1)
        first = f"{first:<{width}}{spent}"
    rows = [first, *more]
    for line in message.lines:
        rows += _wrapped("  " + clean(line), "    ")
    if message.table:
        rows += _table(message.table)
    rows += _ways(message)
    if verbose and message.details:
        rows += ["", *textwrap.indent(clean(message.details), "  | ").splitlines()]
    return "\n".join(row.rstrip() for row in rows)


def _table(table: Table) -> list[str]:
    """Return the columns aligned, each note below its row; paths are never broken."""
    cells = [tuple(clean(cell) for cell in row) for row in (table.header, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  " + "   ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        for row in cells
    ]
    rule = "  " + "   ".join("─" * width for width in widths)
    for position, note in reversed(list(enumerate(table.notes))):
        if note:
            lines.insert(position + 2, f"  {'':<{widths[0]}}   → {clean(note)}")
    remarks = [line for text in table.remarks for line in _wrapped("  " + clean(text), "    ")]
    return ["", lines[0], rule, *lines[1:], *([""] if remarks else []), *remarks]


def _ways(message: Message) -> list[str]:
    commands = [clean(way.command) for way in message.ways]
    width = max((len(c) for c in commands if len(c) <= _WIDEST_COMMAND), default=0)
    rows = []
    for position, (way, command) in enumerate(zip(message.ways, commands, strict=True)):
        arrow = "  → " if position == 0 else "    "
        if not way.note:
            rows.append(arrow + command)
        elif len(command) <= _WIDEST_COMMAND:
            rows.append(f"{arrow}{command:<{width}}   {clean(way.note)}")
        else:
            rows += [arrow + command, f"      {clean(way.note)}"]
    return rows


def _wrapped(line: str, indent: str) -> list[str]:
    """Wrap at blanks; a path is never broken, it may stick out."""
    if len(line) <= _WIDTH:
        return [line]  # runs of blanks are meant
    return textwrap.wrap(
        line,
        _WIDTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
        drop_whitespace=True,
        replace_whitespace=True,
    ) or [line]


def _duration(seconds: float) -> str:
    if seconds < 0.01:
        return f"{seconds:.3f} s"
    return f"{seconds:.2f} s" if seconds < 0.1 else f"{seconds:.1f} s"
