"""Where pip would install, by the rules of the release that would run.

Written after ``commands/install.py`` (``run``, ``decide_user_install``), ``cli/base_command.py``,
``cli/main_parser.py``, ``utils/misc.py`` and ``req/req_uninstall.py`` of pip 9 to 26.
"""

from __future__ import annotations

import os
import re

from ..facts.interpreter_files import Interpreter, read_interpreter
from ..facts.search_path import module_origin
from ..facts.writability import looks_writable
from . import SITE, Verdict
from .pip_contents import Place, judge_contents
from .pip_layout import distutils_override, site_of_prefix
from .pip_options import PipOptions, read_pip_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..shell.invocation import Invocation

__all__ = ["decide_pip"]

_SHADOWED_BY_OLD_PIP = (
    *("random", "copy", "json", "re", "logging", "string", "tempfile", "types", "socket", "ssl"),
    *("email", "http", "optparse", "hashlib", "zipfile", "shutil", "platform", "queue", "locale"),
    *("collections", "configparser", "subprocess", "textwrap", "calendar"),
)
"""Modules of the standard library that pip imports after it has started."""


_OLDEST_THAT_STARTS = (((3, 12), (23, 1)), ((3, 10), (19, 2)))
"""From this Python on, the first pip that starts at all (each pair was tried)."""


def decide_pip(invocation: Invocation) -> Verdict:
    """Return what ``pip install`` would do, started as *invocation* says."""
    runs = invocation.interpreter
    if runs is None:
        return Verdict("unknown", "the interpreter behind this pip is not known")
    case = _Case(invocation, runs)
    verdict = case.decide()
    return verdict._replace(
        interpreter=case.interpreter,
        version=case.version_text or None,
        notes=(*verdict.notes, *case.notes),
    )


class _Case:
    """One install command of one pip, decided step by step in pip's own order."""

    def __init__(self, invocation: Invocation, interpreter: Interpreter) -> None:
        self.invocation = invocation
        self.interpreter = interpreter
        self.environ = invocation.environ
        self.cwd = invocation.cwd
        self.version: tuple[int, ...] = ()
        self.version_text = ""
        self.notes: list[str] = []
        self.pip_folder = ""

    def path(self, first: str | None) -> list[str]:
        found = self.invocation
        return self.interpreter.search_path(self.environ, self.cwd, first, found.no_user_site)

    def decide(self) -> Verdict:
        missing = self._find_pip()
        if missing:
            return missing
        options = read_pip_options(self.invocation, self.interpreter.prefix, self.version)
        other = options.value("python")
        if other and not options.problem:
            found = self._other_interpreter(other)
            if found is None:
                return Verdict("fails", "pip cannot find the interpreter %s" % other)
            self.notes.append("%s sends pip to %s" % (options.source("python"), found.prefix))
            self.interpreter = found
            options = read_pip_options(self.invocation, found.prefix, self.version)
        return self._refused(options) or self._install(options)

    def _find_pip(self) -> Verdict | None:
        """Find the pip that is imported and read its version."""
        folders = self.path(self.invocation.first)
        origin = module_origin("pip", folders)
        if origin is None:
            python = self.interpreter.executable
            return Verdict("no-installer", "%s has no module named pip" % python)
        package = os.path.join(origin, "pip")
        init = os.path.join(package, "__init__.py")
        try:
            with open(init, encoding="utf-8", errors="replace") as file:
                text = file.read(16 * 1024)
        except OSError:
            text = ""
        match = re.search(r"__version__\s*=\s*['\"]([^'\"]+)", text)
        if not os.path.isfile(os.path.join(package, "__main__.py")) and os.path.isdir(package):
            return Verdict("no-installer", "%s has no part that can be run" % package)
        if not match:
            return Verdict("fails", "a local %s is in the way of the installer" % package)
        self.pip_folder = origin
        self.version_text = match.group(1)
        self.version = tuple(int(part) for part in re.findall(r"\d+", self.version_text)[:3])
        for since, oldest in _OLDEST_THAT_STARTS:
            if self.interpreter.version >= since and self.version < oldest:
                shown = self.version_text, "%d.%d" % self.interpreter.version
                return Verdict("fails", "pip %s cannot start on Python %s" % shown)
        if self.version < (20,) and self.invocation.first == self.cwd:
            for name in _SHADOWED_BY_OLD_PIP:
                if os.path.isfile(os.path.join(self.cwd, name + ".py")):
                    reason = "pip %s imports %s.py of the folder it is started in"
                    return Verdict("fails", reason % (self.version_text, name))
        return None

    def _other_interpreter(self, name: str) -> Interpreter | None:
        """Return what ``--python`` means (``main_parser.py:identify_python_interpreter``)."""
        path = os.path.join(self.cwd, name)
        if os.path.isdir(path):
            path = os.path.join(path, "bin", "python")
        return read_interpreter(os.path.normpath(path)) if os.path.exists(path) else None

    def _refused(self, options: PipOptions) -> Verdict | None:
        """Apply the rules that stop pip before it looks for a place."""
        if options.problem:
            return Verdict("fails", options.problem)
        interpreter = self.interpreter
        if options.flag("require-virtualenv") and not interpreter.in_venv:
            where = options.source("require-virtualenv")
            return Verdict(
                "refused-require-virtualenv", "a virtual environment is required by " + where
            )
        if options.line.positional[:1] == ["download"]:
            return Verdict("no-change", "`pip download` installs nothing")
        user, target = options.user, options.value("target")
        prefix, root = options.value("prefix"), options.value("root")
        for name in ("target", "prefix", "root"):
            value = options.value(name)
            if value and any(value in word for word in self.invocation.uncertain):
                return Verdict("unknown", "--%s depends on something only a run can know" % name)
        if user and target:
            if self.version >= (20,):
                return Verdict("refused-option-conflict", "--user and --target cannot be combined")
            return Verdict("fails", "--user cannot be combined with --target")
        elsewhere = target or prefix or root
        report = options.flag("dry-run") and options.value("report")
        asks = self.version >= (23,) and not (elsewhere or report)
        if asks and not options.flag("break-system-packages") and interpreter.externally_managed():
            marker = os.path.join(interpreter.stdlib, "EXTERNALLY-MANAGED")
            return Verdict("refused-externally-managed", "%s exists (PEP 668)" % marker)
        if user and prefix:
            return Verdict("refused-option-conflict", "--user and --prefix cannot be combined")
        if user:
            return self._user_refused()
        return None

    def _user_allowed(self) -> bool:
        found = self.invocation
        return bool(self.interpreter.user_site_allowed(self.environ, found.no_user_site))

    def _user_refused(self) -> Verdict | None:
        """Apply what an explicit ``--user`` meets (``decide_user_install``)."""
        venv = (self.interpreter.venv or {}) if self.interpreter.in_venv else {}
        # pip reads the value with its letters as they are, site.py in lower case
        closed = venv.get("include-system-site-packages") == "false"
        if closed and self.version >= (20,):
            reason = "the user site is not visible in this virtual environment"
            return Verdict("refused-user-site-unavailable", reason)
        if self.version >= (25, 3) and not self._user_allowed():
            reason = "the user site is switched off for this interpreter"
            return Verdict("refused-user-site-unavailable", reason)
        return None

    def _install(self, options: PipOptions) -> Verdict:
        """Choose the place, then look at what stands there."""
        target, prefix, root = (options.value(n) for n in ("target", "prefix", "root"))
        scheme = self.interpreter.scheme(self.environ)
        outcome, reason = SITE, "the default place of %s" % self.interpreter.executable
        moved = distutils_override(self.interpreter, self.version, self.environ, self.cwd)
        if moved and not (target or prefix):
            scheme = {**scheme, **moved}
            reason = "a configuration file of distutils names the folder"
        user = options.user
        if (
            user is None
            and not (target or prefix)
            and self.version >= (20,)
            and self._user_allowed()
        ):
            places = {scheme["purelib"], scheme["platlib"]}
            places = {(self._absolute(root) + p) if root else p for p in places}
            elevated = self.invocation.elevated
            user = not all(looks_writable(place, elevated) for place in places)
            if user:
                reason = "%s is not writable, so pip defaults to the user site" % scheme["purelib"]
        elif user:
            reason = "the user site was asked for by %s" % options.source("user")
        if target:
            path = self._absolute(target)
            outcome, reason = "target-dir", "--target from %s" % options.source("target")
            scheme = {"purelib": path, "platlib": path, "scripts": os.path.join(path, "bin")}
            if os.path.exists(path) and not os.path.isdir(path):
                return Verdict("fails", "%s exists and is not a folder" % path)
            if prefix:
                return Verdict("fails", "--target and --prefix cannot be combined")
        elif user:
            outcome, scheme = "user-site", self.interpreter.user_scheme(self.environ, self.cwd)
        elif prefix:
            path = site_of_prefix(self.interpreter, self._absolute(prefix), self.version)
            outcome, reason = "prefix", "--prefix from %s" % options.source("prefix")
            scheme = {"purelib": path, "platlib": path}
            scheme["scripts"] = os.path.join(self._absolute(prefix), "bin")
        if root:
            outcome, reason = "root-dir", "--root from %s goes in front" % options.source("root")
            scheme = {name: self._absolute(root) + path for name, path in scheme.items()}
        return judge_contents(
            Place(
                self.invocation,
                self.interpreter,
                options,
                self.version,
                self.pip_folder,
                scheme,
                outcome,
                reason,
            )
        )

    def _absolute(self, path: str | None) -> str:
        # pip expands no tilde here: that of a configuration file is a folder called `~`
        return os.path.normpath(os.path.join(self.cwd, path or ""))
