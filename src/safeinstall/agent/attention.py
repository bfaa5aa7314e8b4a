"""What asks for attention, with its button: the method of this door, its parameters, its words.

The panel shows what it is given here; which way on is offered for what is decided nowhere else.
What this kernel missed when it started is looked for with the facts: this file imports no more than
they do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safeinstall.agent.jobs import Job, start
from safeinstall.environment import Environment, shown, this_environment
from safeinstall.frontend import NOTEBOOK, credentials, redact
from safeinstall.metadata.distribution import is_metadata

_OWN_LINE = re.compile(r"%safeinstall\s+(?!-r\b|.*--new-env\b)(?P<line>\S.*)")


def action(
    label: str, method: str, /, title: str = "", shown: str = "", **params: Any
) -> dict[str, Any]:
    """Return one button; `title` says what it does to people who hear it without its finding.

    `shown` is the whole line that it carries out, where it carries one out.
    """
    words = {"label": label, "title": title or label, "line": shown}
    return {**words, "method": method, "params": params}


def finding(
    code: str,
    message: str,
    *actions: Mapping[str, Any],
    severity: str = "warning",
    context: str = "",
    suggestions: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Return a finding as the panel shows it, with its buttons and the lines to type."""
    return {
        "code": code,
        "severity": severity,
        "message": message,
        "context": context,
        "suggestions": list(suggestions),
        "actions": list(actions),
    }


def install_actions(label: str, commands: Iterable[str], **params: Any) -> list[dict[str, Any]]:
    """Return a button for each `%safeinstall` line that installs into this environment.

    What such a line says is taken over from a cell or from metadata: nobody has typed it.
    """
    lines = [one["line"] for one in map(_OWN_LINE.fullmatch, commands) if one]
    shown = {line: without_secrets(line) for line in lines}
    return [
        action(
            *(label, "install", f"{label}: {shown[line]}"),
            shown=f"{NOTEBOOK.opening('install')} {shown[line]}",
            line=line,
            taken_over=True,
            **params,
        )
        for line in lines
    ]


def without_secrets(line: str) -> str:
    """Return a line as it may be shown."""
    return redact(line, (secret for word in line.split() for secret in credentials(word)))


_SOURCES: Final = (".py", ".pth")
_LARGEST: Final = 4096
"""A `.pth` file that is larger is no list of folders."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Missed:
    """Folders and `.pth` files that a kernel started now would use."""

    folders: tuple[str, ...]
    path_files: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.folders or self.path_files)


def missed(environment: Environment) -> Missed:
    """Return what this process does not import from, and a kernel started now would."""
    folders = [
        folder
        for folder in environment.paths.site_packages
        if Path(folder).is_dir() and not environment.imports_from(folder)
    ]
    user = environment.user_site
    if user.enabled and user.path and not user.on_path and _holds_packages(user.path):
        folders.append(user.path)
    read = [folder for folder in environment.paths.site_packages if folder not in folders]
    files = tuple(file for folder in read for file in _unread(folder, environment))
    return Missed(folders=tuple(dict.fromkeys(folders)), path_files=files)


def findings(environment: Environment) -> list[dict[str, Any]]:
    """Return a finding with its button for what this kernel missed."""
    found = missed(environment)
    home = environment.home
    button = action("Make importable", "make_importable", title="Make importable in this kernel")
    told = []
    why = "The folder was not there, or was left out, when the kernel started."
    for folder in found.folders:
        words = f"This kernel does not import from {shown(folder, home)}."
        told.append(finding("not-on-path", words, button, context=why))
    if found.path_files:
        why = "Python reads such files when it starts; editable installs bring them."
        names = ", ".join(Path(file).name for file in found.path_files[:3])
        words = f"{names} came after this kernel had started: what it leads to is not imported."
        told.append(finding("path-file-unread", words, button, context=why))
    return told


def make_importable(params: Mapping[str, Any]) -> dict[str, Any]:
    """Let this kernel import from what it missed, as it would have if it had started now."""
    from safeinstall import importing

    def work(job: Job) -> dict[str, Any]:
        environment = this_environment()
        found = missed(environment)
        importing.refresh(found.folders, found.path_files)
        left = missed(this_environment())
        names = [shown(place, environment.home) for place in (*found.folders, *found.path_files)]
        if not found or left:
            headline = "There was nothing to add." if not found else "It could not be added."
            return {"message": message("·" if not found else "✗", headline)}
        lines = names if len(names) > 1 else []
        headline = f"This kernel imports from {names[0] if len(names) == 1 else 'them'} now."
        return {"message": message("✓", headline, lines)}

    return start("importable", "make importable", work)


def message(mark: str, headline: str, lines: Iterable[str] = ()) -> dict[str, Any]:
    """Return the words of a job that no story tells."""
    return {
        "mark": mark,
        "headline": headline,
        "lines": list(lines),
        "suggestions": [],
        "details": "",
    }


def _holds_packages(folder: str) -> bool:
    try:
        names = [entry.name for entry in Path(folder).iterdir()]
        return any(name.endswith(_SOURCES) or is_metadata(name) for name in names)
    except OSError:
        return False


def _unread(folder: str, environment: Environment) -> list[str]:
    """Return the `.pth` files of a folder that name folders this process does not import from."""

    def missing(place: Path) -> bool:
        return place.is_dir() and not environment.imports_from(str(place))

    try:
        files = sorted(path for path in Path(folder).iterdir() if path.suffix == ".pth")
    except OSError:
        return []
    return [str(f) for f in files if f.name[:1] != "." and any(map(missing, _named(f)))]


def _named(path_file: Path) -> list[Path]:
    """Return the folders a `.pth` file names; its lines of code are not looked at."""
    try:
        with path_file.open(encoding="utf-8", errors="replace") as lines:
            text = lines.read(_LARGEST)
    except OSError:
        return []
    return [
        path_file.parent / line.strip()
        for line in text.splitlines()
        if line.strip() and not line.startswith(("#", "import ", "import\t"))
    ]
