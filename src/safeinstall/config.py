"""What a user may configure: `c.SafeInstall...` in a config file, or `%config SafeInstall...`."""

from __future__ import annotations

from traitlets import Enum
from traitlets.config import Configurable

__all__ = ["SafeInstall"]


class SafeInstall(Configurable):  # type: ignore[misc]
    """The options of the extension."""

    shell_installs = Enum(
        ("warn", "redirect", "block", "off"),
        default_value="warn",
        help="What to do before a cell runs a `%pip`, `!pip`, `!uv` or `!conda` install that would "
        "not go right: say so (warn), run it as %safeinstall instead (redirect), stop the cell "
        "(block), or nothing (off).",
    ).tag(config=True)
