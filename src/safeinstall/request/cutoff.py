"""The cut-off of uploads: no file that reached its index later is taken.

pip calls it `uploaded-prior-to` (`cmdoptions.py`, `_handle_uploaded_prior_to`), uv `exclude-newer`
(uv-distribution-types, `exclude_newer.rs`). Measured: of a day alone pip means its beginning, uv
its end, both where the clock of the machine is. Here it is one moment for both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from typing import Final

NO_CUTOFF: Final = "P0D"
"""Typed, it lifts every cut-off: uploaded no days ago, or who knows when."""
_ISO: Final = re.compile(
    r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?", re.I | re.A
)
_UNITS: Final = ("weeks", "days", "hours", "minutes", "seconds")
_PART: Final = r"(\d+)\s*(w(?:ee)?ks?|w|days?|d|h(?:ou)?rs?|h|min(?:ute)?s?|m|sec(?:ond)?s?|s)"
_PARTS: Final = re.compile(rf"(?:{_PART}[\s,]*)+(?:ago)?", re.I | re.A)


@dataclass(frozen=True, kw_only=True, slots=True)
class Cutoff:
    """One moment, and who asks for it."""

    text: str
    """As it was written."""
    source: str
    """Where it was: an option typed, a variable, or the key and path of a file."""
    moment: datetime | None
    """In UTC; None when the text is none that we understand."""

    @classmethod
    def of_pip(cls, text: str, source: str) -> Cutoff:
        """Read a value of pip's `uploaded-prior-to`."""
        return cls(text=text, source=source, moment=_moment(text, days_end=False))

    @classmethod
    def of_uv(cls, text: str, source: str) -> Cutoff:
        """Read a value of uv's `exclude-newer`."""
        return cls(text=text, source=source, moment=_moment(text, days_end=True))

    @property
    def written(self) -> str:
        """The moment as both installers read it, or the text that is none."""
        if self.moment is None:
            return self.text
        return self.moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def shown(self) -> str:
        """The moment for people."""
        return self.written.removesuffix("T00:00:00Z").replace("T", " ").replace("Z", " UTC")


def earliest(*cutoffs: Cutoff | None) -> Cutoff | None:
    """Return the strictest; one that cannot be read comes first, for nothing may get past it."""
    known = [cutoff for cutoff in cutoffs if cutoff]
    return min(known, key=lambda each: (each.moment is not None, each.written), default=None)


def _moment(text: str, *, days_end: bool) -> datetime | None:
    try:
        ago = _ago(text)
        if ago is not None:
            return datetime.now(timezone.utc) - ago
        dashed = re.sub(r"^(\d{4})(\d\d)(\d\d)", r"\1-\2-\3", text)
        stamp = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", dashed))
        if days_end and stamp.tzinfo is None:
            stamp = datetime.combine(stamp.date() + timedelta(days=1), time())
        return stamp.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def _ago(text: str) -> timedelta | None:
    iso = _ISO.fullmatch(text)
    if iso and any(iso.groups()):
        counts = zip(_UNITS, iso.groups(), strict=True)
        return timedelta(**{unit: int(count) for unit, count in counts if count})
    if not _PARTS.fullmatch(text):
        return None
    by_letter = {unit[0]: unit for unit in _UNITS}
    parts = re.findall(_PART, text, re.I | re.A)
    return sum((timedelta(**{by_letter[u[0].lower()]: int(n)}) for n, u in parts), timedelta())
