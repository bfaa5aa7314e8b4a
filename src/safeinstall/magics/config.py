"""What a user may configure: `c.SafeInstall...` in a config file, or `%config SafeInstall...`."""

from __future__ import annotations

from typing import Any, Final

from traitlets import Dict, Enum, Float, Int, TraitError, Unicode, validate
from traitlets.config import Configurable

_ATTRIBUTE: Final = "_safeinstall_options"
_SEVERITIES: Final = ("off", "info", "warning", "confirm", "refuse")


class SafeInstall(Configurable):  # type: ignore[misc]
    """The options of the extension."""

    shell_installs = Enum(
        ("warn", "redirect", "block", "off"),
        default_value="warn",
        help="What to do before a cell runs a `%pip`, `!pip`, `!uv` or `!conda` install that would "
        "not go right: say so (warn), run it as %safeinstall instead (redirect), stop the cell "
        "(block), or nothing (off).",
    ).tag(config=True)

    guards = Dict(
        key_trait=Unicode(),
        value_trait=Enum(_SEVERITIES),
        help="How much a finding weighs, by its code: off, info, warning, confirm or refuse; for "
        'example {"name-trap": "warning"}. Codes that are not named keep their own weight.',
    ).tag(config=True)

    undo_transactions = Int(
        10, min=1, help="How many transactions are kept for undo; older ones are forgotten."
    ).tag(config=True)

    undo_gigabytes = Float(
        2.0, min=0, help="How much disk space they may take; the last one is always kept."
    ).tag(config=True)

    @validate("guards")  # type: ignore[untyped-decorator]
    def _known_codes(self, proposal: Any) -> dict[str, str]:
        # Loading the extension is paid by every kernel, configuring guards by few.
        from safeinstall.findings.codes import CODES, closest_code

        guards: dict[str, str] = proposal["value"]
        for code in guards:
            if code not in CODES:
                raise TraitError(
                    f"There is no finding {code}; the nearest code is {closest_code(code)}."
                )
        return guards


def load(shell: Any) -> SafeInstall:
    """Give `shell` the options, once; `%config SafeInstall` then knows them."""
    found: SafeInstall | None = getattr(shell, _ATTRIBUTE, None)
    if found is None:
        found = SafeInstall(parent=shell)
        setattr(shell, _ATTRIBUTE, found)
        shell.configurables.append(found)
    return found


def options_of(shell: Any) -> SafeInstall | None:
    """Return the options of a shell, None when the extension is not loaded there."""
    return getattr(shell, _ATTRIBUTE, None)


def keeping(shell: Any) -> tuple[int, int]:
    """Return how many transactions are kept for undo in this shell, and how many bytes of them."""
    options = options_of(shell) or SafeInstall()
    return options.undo_transactions, int(options.undo_gigabytes * 2**30)


def unload(shell: Any) -> None:
    """Take the options away again."""
    found = getattr(shell, _ATTRIBUTE, None)
    if found is not None:
        shell.configurables.remove(found)
        delattr(shell, _ATTRIBUTE)
