"""A message before it is laid out, and its two layouts: plain text and HTML."""

from __future__ import annotations

import getpass
import re
import socket
import textwrap
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any, Final, Literal

from safeinstall.findings import Suggestion
from safeinstall.frontend import redact

Mark = Literal["✓", "✗", "!", "·", ""]


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """Facts in columns."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    """One line below each row (a path, which no column could hold), empty for none."""
    remarks: tuple[str, ...] = ()
    """Sentences below the table."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """What happened, what it means, what to type."""

    mark: Mark
    headline: str
    """What happened and into which path: the first line."""
    seconds: float | None = None
    lines: tuple[str, ...] = ()
    """Plain sentences or facts below the headline."""
    table: Table | None = None
    """Rows below the lines."""
    suggestions: tuple[Suggestion, ...] = ()
    """Lines to type, the default first."""
    details: str = ""
    """What is folded away: an installer's own words."""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, which steers no terminal."""
        return {
            "mark": self.mark,
            "headline": clean(self.headline),
            "seconds": self.seconds,
            "lines": [clean(line) for line in self.lines],
            "suggestions": [way.to_dict() for way in self.suggestions],
            "details": clean(self.details),
        }


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
    if not message.mark:  # a text to be passed on (a report, one line for a log) keeps its lines
        return "\n".join(clean(line) for line in (message.headline, *message.lines))
    mark = f"{message.mark} "
    rows = _wrapped(mark + clean(message.headline), len(mark) * " ")
    if message.seconds is not None:
        spent = _duration(message.seconds)
        width = max(len(rows[-1]) + 2, _WIDTH - len(spent) - 1)
        rows[-1] = f"{rows[-1]:<{width}}{spent}"
    for line in message.lines:
        rows += _indented(clean(line))
    if message.table:
        rows += _text_table(message.table)
    rows += _text_suggestions(message)
    if verbose and message.details:
        rows += ["", *textwrap.indent(clean(message.details), "  | ").splitlines()]
    return "\n".join(row.rstrip() for row in rows)


def _text_table(table: Table) -> list[str]:
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
    remarks = [line for text in table.remarks for line in _indented(clean(text))]
    return ["", lines[0], rule, *lines[1:], *([""] if remarks else []), *remarks]


def _text_suggestions(message: Message) -> list[str]:
    commands = [clean(way.command) for way in message.suggestions]
    width = max((len(c) for c in commands if len(c) <= _WIDEST_COMMAND), default=0)
    rows = []
    for position, (way, command) in enumerate(zip(message.suggestions, commands, strict=True)):
        arrow = "  → " if position == 0 else "    "
        if not way.note:
            rows.append(arrow + command)
        elif len(command) <= _WIDEST_COMMAND:
            rows.append(f"{arrow}{command:<{width}}   {clean(way.note)}")
        else:
            rows += [arrow + command, f"      {clean(way.note)}"]
    return rows


def _indented(line: str) -> list[str]:
    """Wrap a line below the headline; what goes on stands two columns further in than it began."""
    return _wrapped("  " + line, " " * (len(line) - len(line.lstrip()) + 4))


def _wrapped(line: str, indent: str) -> list[str]:
    """Wrap at blanks; a path is never broken, it may stick out."""
    if len(line) <= _WIDTH:
        return [line]  # runs of blanks are meant
    return textwrap.wrap(
        line, _WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    ) or [line]


def _duration(seconds: float) -> str:
    if seconds < 0.01:
        return f"{seconds:.3f} s"
    return f"{seconds:.2f} s" if seconds < 0.1 else f"{seconds:.1f} s"


_COLOURS: Final = {
    "✓": "var(--jp-success-color1, #388e3c)",
    "✗": "var(--jp-error-color1, #d32f2f)",
    "!": "var(--jp-warn-color1, #f57c00)",
}
_MONO: Final = "font-family: var(--jp-code-font-family, monospace); font-size: 0.95em"


def as_html(message: Message) -> str:
    """Return the message as one HTML block."""
    colour = _COLOURS.get(message.mark, "inherit")
    mark = ""
    if message.mark:
        mark = f'<span style="color: {colour}; font-weight: 600">{message.mark}</span> '
    spent = "" if message.seconds is None else _aside(_duration(message.seconds), "1em")
    parts = [f"<div>{mark}{_escaped(message.headline)}{spent}</div>"]
    line_style = "padding-left: 1.2em; white-space: pre-wrap"  # facts stand in columns
    parts += [f'<div style="{line_style}">{_escaped(line)}</div>' for line in message.lines]
    if message.table:
        parts.append(_html_table(message.table))
    if message.suggestions:
        parts.append(_html_suggestions(message))
    if message.details:
        parts.append(
            '<details style="padding-left: 1.2em"><summary>What the installer said</summary>'
            f'<pre style="white-space: pre-wrap">{_escaped(message.details)}</pre></details>'
        )
    return (
        '<div class="safeinstall" style="line-height: 1.5; overflow-wrap: anywhere">'
        + "".join(parts)
        + "</div>"
    )


def _aside(text: str, room: str) -> str:
    """Return text in a fainter colour, that far from what stands before it."""
    style = f"color: var(--jp-ui-font-color2, #616161); padding-left: {room}"
    return f' <span style="{style}">{_escaped(text)}</span>'


def _html_table(table: Table) -> str:
    cell = 'style="text-align: left; padding: 2px 1em 2px 0; vertical-align: top"'
    whole = cell.replace('top"', 'top; white-space: nowrap"')
    head = "".join(f"<th {whole}>{_escaped(text)}</th>" for text in table.header)
    notes = (*table.notes, *([""] * (len(table.rows) - len(table.notes))))
    rows = "".join(
        "<tr>"
        + "".join(f"<td {cell}>{_escaped(text)}</td>" for text in row)
        + "</tr>"
        + (
            f'<tr><td></td><td colspan="{len(row) - 1}">→ {_escaped(note)}</td></tr>'
            if note
            else ""
        )
        for row, note in zip(table.rows, notes, strict=True)
    )
    remarks = "".join(f"<div>{_escaped(text)}</div>" for text in table.remarks)
    return (
        '<div style="padding-left: 1.2em"><table style="margin: 0.5em 0">'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{remarks}</div>"
    )


def _html_suggestions(message: Message) -> str:
    rows = "".join(
        f'<div><code style="{_MONO}">{_escaped(way.command)}</code>'
        + (_aside(way.note, "0.8em") if way.note else "")
        + "</div>"
        for way in message.suggestions
    )
    return f'<div style="padding-left: 1.2em">{rows}</div>'


def _escaped(text: str) -> str:
    return escape(clean(text))


def anonymous(text: str, home: str) -> str:
    """Return `text` without what tells who and where its writer is."""
    text = redact(text)
    for pattern, word in _private(home):
        text = pattern.sub(word, text)
    return text


@lru_cache(maxsize=8)
def _private(home: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return what tells who somebody is, and the word to stand in its place."""
    homes = {home, str(Path(home).resolve()) if home else "", str(Path("~").expanduser())}
    known = sorted(filter(lambda each: len(each) > 1, homes), key=len, reverse=True)
    names = (
        (re.escape(name), word)
        for name, word in ((_user(), "USER"), (socket.gethostname(), "HOST"))
        if len(name) > 1 and name != "root"  # which tells nothing of anybody
    )
    return (
        *((re.compile(re.escape(each)), "~") for each in known),
        (re.compile(r"(/home/|/Users/)[^/\s:\"]+"), r"\1USER"),
        *((re.compile(rf"(?<![A-Za-z0-9]){name}(?![A-Za-z0-9])"), word) for name, word in names),
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
