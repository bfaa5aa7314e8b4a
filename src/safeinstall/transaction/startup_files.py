"""What staged files would run, or change, at the start of every later Python."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from safeinstall.findings import Finding, Severity
from safeinstall.transaction.staged import StagedDistribution

__all__ = ["check_startup"]

_CODE_LINE = re.compile(r"^import[ \t]", re.MULTILINE)
KNOWN_STARTUP = re.compile(
    r"distutils-precedence\.pth|__editable__\..+\.pth|_?editable_impl_.+\.pth|.+-nspkg\.pth"
    r"|_virtualenv\.pth|coloredlogs\.pth|a1_coverage\.pth|matplotlib.*\.pth"
)
"""Start-up files of well-known tools, or of an editable install that was asked for."""


def check_startup(stage: str, distributions: Iterable[StagedDistribution]) -> Iterator[Finding]:
    """Name what would run, or change the search path, at the start of every later Python."""
    for distribution in distributions:
        who = f"{distribution.name} {distribution.version}"
        for name in distribution.pth:
            path = os.path.join(stage, *name.split("/"))
            try:
                with open(path, encoding="utf-8", errors="replace") as file:
                    text = file.read(1 << 20)
            except OSError:
                continue
            file_name = name.rpartition("/")[2]
            if not _CODE_LINE.search(text):
                folders = ", ".join(text.split("\n")[:3]).strip(", ")
                message = f"{who} adds to the search path of every Python here: {folders}"
                yield _startup(Severity.INFO, message, file_name)
                continue
            known = KNOWN_STARTUP.fullmatch(file_name)
            yield _startup(
                Severity.INFO if known else Severity.CONFIRM,
                f"{who} brings {file_name}, which runs code at the start of every Python here.",
                text.strip()[:200],
            )
        for module in ("sitecustomize", "usercustomize"):
            if module in distribution.modules:
                yield _startup(
                    Severity.CONFIRM,
                    f"{who} brings {module}, which runs at the start of every Python here.",
                )


def _startup(severity: Severity, message: str, context: str = "") -> Finding:
    return Finding(code="startup-code", severity=severity, message=message, context=context)
