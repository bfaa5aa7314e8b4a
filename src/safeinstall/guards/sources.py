"""Where packages come from: lines of files nobody typed, and more than one index."""

from __future__ import annotations

from urllib.parse import urlsplit

from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.plan import Intent
from safeinstall.redaction import redact

__all__ = ["extra_index", "from_file_only"]

_NAMED = 3


def from_file_only(intent: Intent) -> Finding | None:
    """Ask before a URL, repository, folder or editable line of a file is installed.

    Such a line fetches and often runs code from a place that nobody typed (reliability.md 1.5).
    """
    found = [item for item in intent.request.items if not item.typed and item.kind != "named"]
    if not found or intent.request.allows("allow-direct"):
        return None
    first = found[0]
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return Finding(
        code="from-file-only",
        severity=Severity.CONFIRM,
        message=f"{first.origin} asks for {redact(first.text, intent.request.secrets)}{more}: "
        "a place that was not typed here.",
        context="\n".join(
            f"{item.origin}: {redact(item.text, intent.request.secrets)}" for item in found[1:]
        ),
        hint=(
            Suggestion(
                command=intent.line(allow=intent.request.allow | {"allow-direct"}, dry_run=False),
                note="accept the places this file names",
            ),
        ),
    )


def extra_index(intent: Intent) -> Finding | None:
    """Say when packages come from more than one index: the best version of all of them wins."""
    extra = intent.sources.extra_index_urls
    if not extra or intent.sources.no_index:
        return None
    # a host name holds no secret, and the rest of the address is not shown
    hosts = list(dict.fromkeys(urlsplit(redact(url)).hostname or redact(url) for url in extra))
    named = ", ".join(hosts[:_NAMED])
    return Finding(
        code="extra-index",
        severity=Severity.INFO,
        message=f"Packages may also come from {named}: whichever index has the higher version of "
        "a name wins.",
    )
