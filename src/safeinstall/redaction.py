"""Hide secrets in text that is shown or saved; what goes to an installer is never changed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MASK: Final = "****"
"""What stands in the place of a secret."""

_SECRET_KEY: Final = (
    r"(?:[\w.~-]|%[0-9a-f]{2})*"
    r"(?:token|key|secret|password|passwd|pwd|signature|credential|auth)"
    r"(?:[\w.~-]|%[0-9a-f]{2})*|sig|pass"
)
_USER_INFO: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*:)?(?P<slashes>//)(?P<info>[^\s/?#\"'<>]*)@", re.IGNORECASE
)
_QUERY_VALUE: Final = re.compile(
    rf"(?P<key>[?&;#](?:{_SECRET_KEY})=)(?P<value>[^&;#\s\"'<>]*)", re.IGNORECASE
)


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """Return `text` without user names and passwords of URLs, secret query values and `secrets`.

    `//user:password@host` and `//token@host` become `//****@host`; the bare account name `git`,
    which every hosting service shares, stays. Redacting twice changes nothing more.
    """
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        if secret not in MASK:
            text = text.replace(secret, MASK)
    text = _USER_INFO.sub(_without_user, text)
    return _QUERY_VALUE.sub(rf"\g<key>{MASK}", text)


def _without_user(match: re.Match[str]) -> str:
    """Return the start of a URL with its user information masked."""
    info = match["info"]
    kept = info if info in ("git", "") else MASK
    return f"{match['scheme'] or ''}{match['slashes']}{kept}@"
