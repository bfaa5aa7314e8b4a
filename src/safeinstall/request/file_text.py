"""The text of a requirements file: the one place of this room that opens a file."""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Final

__all__ = ["problem_of", "read_text"]

_BOMS: Final = (  # UTF-16's little-endian mark is how UTF-32's begins: the long ones go first
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_CODING: Final = re.compile(rb"coding[:=]\s*([-\w.]+)")


def read_text(path: str) -> str:
    """Return the text of the file at `path`: by its byte order mark, its coding line, or UTF-8."""
    data = Path(path).read_bytes()
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding)
    for line in data.split(b"\n")[:2]:
        if line.startswith(b"#") and (coding := _CODING.search(line)):
            return data.decode(coding[1].decode("ascii"))
    return data.decode("utf-8")


def problem_of(error: Exception, name: str) -> str:
    """Return one sentence about why the file called `name` could not be read."""
    if isinstance(error, FileNotFoundError):
        return f"There is no file {name}."
    if isinstance(error, IsADirectoryError):
        return f"{name} is a folder, not a file."
    if isinstance(error, UnicodeDecodeError):
        return f"{name} is not {error.encoding} text (byte {error.start})."
    if isinstance(error, LookupError):
        return f"{name} names an encoding that Python does not know."
    reason = getattr(error, "strerror", None) or str(error)
    return f"{name} cannot be read: {reason}."
