"""pip's options as they come out of command line, variables and files together.

Written after ``cli/parser.py:ConfigOptionParser._update_defaults``: what is configured becomes the
default of an option, and the command line replaces it. What a release does not know it ignores in
a file or variable, and refuses on the command line.
"""

from __future__ import annotations

import os

from ..shell.option_grammar import PIP, PIP_BOOLEANS, Line, read_line
from .pip_settings import Setting, effective_settings, read_pip_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shell.invocation import Invocation

    Version = tuple[int, ...]

__all__ = ["PipOptions", "read_pip_options"]

_TRUE = ("y", "yes", "t", "true", "on", "1")
_FALSE = ("n", "no", "f", "false", "off", "0")

_SINCE = {
    "user": (0,),
    "no-user": (9,),
    "dry-run": (22, 2),
    "report": (22, 2),
    "python": (22, 3),
    "break-system-packages": (23, 0, 1),
    "config-settings": (22, 1),
    "root-user-action": (22, 1),
    "group": (25, 1),
    "requirements-from-script": (26, 0),
    "only-deps": (26, 1),
    "prefer-binary": (18, 0),
    "no-warn-conflicts": (10, 0),
    "no-warn-script-location": (10, 0),
    "progress-bar": (10, 0),
    "keyring-provider": (23, 1),
}
_UNTIL = {
    "egg": (10, 0),
    "process-dependency-links": (19, 0),
    "no-download": (10, 0),
    "install-option": (23, 1),
    "build": (21, 3),
    "build-dir": (21, 3),
    "build-directory": (21, 3),
}


def _knows(version: Version, name: str) -> bool:
    return _SINCE.get(name, (0,)) <= version < _UNTIL.get(name, (999,))


class PipOptions:
    """The options of one install, resolved."""

    __slots__ = ("_configured", "line", "problem", "settings", "user")

    def __init__(self, line: Line, configured: dict[str, Setting], version: Version) -> None:
        """Merge the command line over what is configured, for one release of pip."""
        self.line = line
        self.settings = configured
        self._configured = {k: s for k, s in configured.items() if _knows(version, k)}
        self.problem = line.problem and "pip: " + line.problem
        if not self.problem:
            for name, _ in line.options:
                if not _knows(version, name):
                    shown = ".".join(map(str, version))
                    self.problem = "pip %s has no option --%s" % (shown, name)
                    break
        for key, (_, value, source, _) in self._configured.items():
            counted = key in ("verbose", "quiet") and value.isdigit()
            if key in PIP_BOOLEANS and not counted and value.lower() not in _TRUE + _FALSE:
                wrong = "%s is not a truth value for %s (%s)" % (value, key, source)
                self.problem = self.problem or wrong
        self.user = self._user()

    def _user(self) -> bool | None:
        """Return ``use_user_site``: None where nobody asked.

        ``no-user`` is a ``store_false`` option, and pip stores the truth of the *value*: a
        variable PIP_NO_USER=1 therefore asks for the user site.
        """
        answer: bool | None = None
        for key, setting in self._configured.items():
            if key in ("user", "no-user") and setting.value.lower() in _TRUE + _FALSE:
                answer = setting.value.lower() in _TRUE
        for name, _ in self.line.options:
            if name in ("user", "no-user"):
                answer = name == "user"
        return answer

    def flag(self, name: str) -> bool:
        """Tell whether a switch is on."""
        if self.line.has(name):
            return True
        setting = self._configured.get(name)
        if setting is None and name == "require-virtualenv":
            setting = self._configured.get("require-venv")
        return setting is not None and setting.value.lower() in _TRUE

    def value(self, name: str) -> str | None:
        """Return the value of an option, expanded like a path; an empty one is none."""
        given = self.line.last(name)
        if given is None and name in self._configured:
            given = self._configured[name].value
        return given or None

    def values(self, name: str) -> list[str]:
        """Return all values of an option that adds up."""
        configured = self._configured.get(name)
        return (configured.value.split() if configured else []) + self.line.all(name)

    def source(self, name: str) -> str:
        """Say where an option that is in force comes from."""
        if self.line.has(name) or name not in self._configured:
            return "the command line"
        return self._configured[name].source


def read_pip_options(invocation: Invocation, prefix: str, version: Version) -> PipOptions:
    """Read every source of options that pip at *prefix* would read for this command."""
    line = read_line(invocation.words, PIP)
    environ = invocation.environ
    isolated = line.has("isolated")
    if isolated:
        # --isolated drops the variables and the user's files, not the other files
        environ = {k: v for k, v in environ.items() if not k.startswith("PIP_")}
        environ = {**environ, "XDG_CONFIG_HOME": os.devnull}
        if "PIP_CONFIG_FILE" in invocation.environ:
            environ["PIP_CONFIG_FILE"] = invocation.environ["PIP_CONFIG_FILE"]
    home = os.devnull if isolated else None
    settings = read_pip_settings(environ, prefix, home)
    if isolated:
        settings = tuple(s for s in settings if s.section != ":env:")
    command = (line.positional or ["install"])[0]
    return PipOptions(line, effective_settings(settings, command), version)
