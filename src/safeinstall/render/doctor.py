"""The words for an examination, and the text that may be pasted into a bug report."""

from __future__ import annotations

import getpass
import json
import re
import socket
from pathlib import Path
from typing import Any

from safeinstall import __version__
from safeinstall.doctor.diagnosis import Examination
from safeinstall.environment import shown, shown_in
from safeinstall.findings import Severity, Suggestion
from safeinstall.redaction import redact
from safeinstall.render.message import Mark, Message
from safeinstall.render.text import as_text

__all__ = ["anonymous", "doctor_message", "report_data", "report_text"]

_MOST = 40


def doctor_message(found: Examination, home: str, fix_line: str) -> Message:
    """Return the message; `fix_line` is what puts right what is safe to put right."""
    place = shown(found.target.prefix, home)
    repair = found.repair
    grave = [d for d in found.diagnoses if d.finding.severity is not Severity.INFO]
    head = f"{place} — Python {found.target.version}, {found.distributions} distributions: "
    if repair is not None:
        head += f"{len(repair.done)} put right" if repair.done else "nothing to put right"
        head += f", {len(grave)} left" if grave else ""
    else:
        count = f"{len(grave)} thing{'s' if len(grave) != 1 else ''} to put right"
        head += count if grave else "in order"
    lines = [f"✓ {words}" for words in (repair.done if repair else ())]
    for diagnosis in found.diagnoses[:_MOST]:
        finding = diagnosis.finding
        mark = "·" if finding.severity is Severity.INFO else "!"
        lines.append(f"{mark} {shown_in(finding.message, home)}")
        lines += [f"  {shown_in(line, home)}" for line in finding.context.splitlines()[:2]]
    if len(found.diagnoses) > _MOST:
        lines.append(f"and {len(found.diagnoses) - _MOST} more (--json lists all)")
    ways: list[Suggestion] = []
    curable = [d for d in found.diagnoses if d.fix]
    if curable and repair is None:
        ways.append(
            Suggestion(command=fix_line, note=f"puts {len(curable)} of them right, can be undone")
        )
    ways += [way for d in found.diagnoses if d.fix is None for way in d.finding.hint]
    mark_: Mark = "!" if grave else "✓"
    return Message(
        mark=mark_,
        headline=head,
        seconds=found.seconds,
        lines=tuple(lines),
        ways=tuple(dict.fromkeys(ways))[:8],
    )


def report_text(found: Examination, home: str) -> str:
    """Return the text for a bug report: no user name, no home path, no host name, no secret."""
    target = found.target
    environment = target.environment
    facts = [f"safeinstall {__version__}", f"Python {target.version}"]
    if environment is not None:
        facts += [
            f"{environment.implementation}, {environment.kind}",
            f"platform {environment.report.get('platform', '')}",
            f"pip {environment.pip.version}" if environment.pip else "no pip",
            "uv found" if environment.uv else "no uv",
        ]
    message = doctor_message(found, home, "")
    codes = [f"{d.finding.code}: {d.finding.message}" for d in found.diagnoses]
    text = "\n".join(
        ["; ".join(facts), as_text(Message(mark="", headline=message.headline)), *codes]
    )
    return anonymous(text, home)


def report_data(found: Examination, home: str) -> dict[str, Any]:
    """Return the JSON form as fit for a bug report as the text."""
    data: dict[str, Any] = json.loads(anonymous(json.dumps(found.to_dict()), home))
    return data


def anonymous(text: str, home: str) -> str:
    """Return `text` without what tells who and where its writer is."""
    text = redact(text)
    homes = {home, str(Path(home).resolve()) if home else "", str(Path("~").expanduser())}
    for each in sorted(filter(lambda h: len(h) > 1, homes), key=len, reverse=True):
        text = text.replace(each, "~")
    text = re.sub(r"(/home/|/Users/)[^/\s:]+", r"\1USER", text)
    for name, word in ((_user(), "USER"), (socket.gethostname(), "HOST")):
        if len(name) > 1:
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(name)}(?![A-Za-z0-9])", word, text)
    return text


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return ""
