"""Messages as HTML. Everything is escaped; colours are the front end's own."""

from __future__ import annotations

from html import escape
from typing import Final

from safeinstall.render.message import Message, Table
from safeinstall.render.text import as_text, clean

__all__ = ["as_html"]

_COLOURS: Final = {
    "✓": "var(--jp-success-color1, #388e3c)",
    "✗": "var(--jp-error-color1, #d32f2f)",
    "!": "var(--jp-warn-color1, #f57c00)",
}
_MONO: Final = "font-family: var(--jp-code-font-family, monospace); font-size: 0.95em"


def as_html(message: Message) -> str:
    """Return the message as one HTML block."""
    colour = _COLOURS.get(message.mark, "inherit")
    mark = (
        f'<span style="color: {colour}; font-weight: 600">{message.mark}</span> '
        if message.mark
        else ""
    )
    parts = [f"<div>{mark}{_escaped(message.headline)}{_spent(message)}</div>"]
    parts += [f'<div style="padding-left: 1.2em">{_escaped(line)}</div>' for line in message.lines]
    if message.table:
        parts.append(_table(message.table))
    if message.ways:
        parts.append(_ways(message))
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


def _spent(message: Message) -> str:
    if message.seconds is None:
        return ""
    spent = as_text(Message(mark="", headline=".", seconds=message.seconds)).split(None, 1)[1]
    return (
        ' <span style="color: var(--jp-ui-font-color2, #616161); padding-left: 1em">'
        f"{escape(spent)}</span>"
    )


def _table(table: Table) -> str:
    cell = 'style="text-align: left; padding: 2px 1em 2px 0; vertical-align: top"'
    head = "".join(f"<th {cell}>{_escaped(text)}</th>" for text in table.header)
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


def _ways(message: Message) -> str:
    rows = "".join(
        f'<div><code style="{_MONO}">{_escaped(way.command)}</code>'
        + (
            ' <span style="color: var(--jp-ui-font-color2, #616161); padding-left: 0.8em">'
            f"{_escaped(way.note)}</span>"
            if way.note
            else ""
        )
        + "</div>"
        for way in message.ways
    )
    return f'<div style="padding-left: 1.2em">{rows}</div>'


def _escaped(text: str) -> str:
    return escape(clean(text))
