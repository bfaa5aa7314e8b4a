"""The words for an outcome: what happened, where, which versions, one default way on."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from safeinstall.distributions import Change
from safeinstall.environment import shown, shown_in
from safeinstall.findings import Finding, Severity, Suggestion
from safeinstall.importing import outdated_words
from safeinstall.outcome import Outcome
from safeinstall.render.layout import Message, anonymous, as_html, as_text

if TYPE_CHECKING:  # making one is a room of its own, which no install needs
    from safeinstall.operations.environments import NewEnvironment


_CONTEXT_LINES = 2
_ROOM = 90
"""Columns the first line may fill before the duration."""
_SELF_EXPLAINING = frozenset(
    {"externally-managed", "no-such-version", "not-found", "python-too-old", "wrong-platform"}
    | {"index-refused", "index-unreachable", "index-untrusted", "file-missing", "no-space"}
    | {"repository-unreachable", "repository-missing"}
)
"""Findings whose sentence says it all: their context is folded away."""
_NAMED = 4


def outcome_message(outcome: Outcome, *, quiet: bool = False) -> Message:
    """Return the message for an outcome."""
    if outcome.status == "satisfied":
        return _satisfied(outcome)
    if outcome.status == "planned":
        return _planned_outcome(outcome)
    if outcome.status == "done":
        return _done(outcome, quiet)
    return _stopped(outcome)


def _satisfied(outcome: Outcome) -> Message:
    environment, lines = outcome.environment, list(_remarks(outcome))
    if outcome.verb == "uninstall":
        headline, *lines = lines
    elif not outcome.satisfied:
        headline = f"Nothing to do: the request already holds in {environment.label}"
    else:
        names = _joined([f"{found.name} {found.version}" for found in outcome.satisfied])
        verb = "is" if len(outcome.satisfied) == 1 else "are"
        places = list({found.location for found in outcome.satisfied})
        place = environment.label
        if len(places) == 1 and not places[0].startswith(environment.prefix):
            place = f"{shown(places[0], environment.home)}, which this kernel imports from"
        headline = f"{names} {verb} already in {place}"
    seconds = outcome.seconds.get("total")
    lines = [*_imported(outcome), *lines]
    stale = [outdated_words(outcome.stale_modules)] if outcome.stale_modules else []
    ways = tuple(way for finding in outcome.findings for way in finding.hint)
    said = (*stale, *lines)
    return Message(mark="✓", headline=headline, seconds=seconds, lines=said, suggestions=ways)


def _planned_outcome(outcome: Outcome) -> Message:
    stops = [finding for finding in outcome.findings if finding.stops]
    questions = [line for finding in stops for line in _told(outcome, finding)]
    asked = " ".join(word for word in outcome.asked.split(" ") if word != "--dry-run")
    do_it = (Suggestion(asked, "do it"),)
    ways = tuple(way for finding in stops for way in finding.hint)
    return Message(
        mark="·",
        headline=f"Would change {outcome.environment.label} like this (nothing changed yet):",
        seconds=outcome.seconds.get("total"),
        lines=(*_rows(outcome.changes.items), *questions, *_remarks(outcome)),
        suggestions=ways if stops else do_it if outcome.asked else (),
    )


def _told(outcome: Outcome, finding: Finding) -> list[str]:
    home = outcome.environment.home
    lines = finding.context.splitlines() if finding.code not in _SELF_EXPLAINING else []
    return [shown_in(finding.message, home), *(shown_in(f"  {line}", home) for line in lines[:4])]


def _done(outcome: Outcome, quiet: bool) -> Message:
    environment = outcome.environment
    requested = [change for change in outcome.changes if change.requested] or list(outcome.changes)
    along = [change for change in outcome.changes if change not in requested]
    owner = "this kernel's environment" if outcome.live else "the environment of this interpreter"
    if outcome.destination.scheme == "posix_user":
        owner = "your user site"
    opening = "Undone: " if outcome.verb == "undo" else ""
    headline = f"{opening}{_deed(requested, environment.label)} — {owner}"
    version = f" (Python {environment.python})"
    headline += version if len(headline + version) < _ROOM else ""
    last = "   ".join(part for part in (*_restart(outcome), _undo(outcome)) if part)
    proof = _imported(outcome)
    lines = [] if quiet else [*_rows(along), *proof, *([last] if last else [])]
    return Message(
        mark="✓",
        headline=headline,
        seconds=outcome.seconds.get("total"),
        lines=(*lines, *_remarks(outcome)),
        suggestions=tuple(way for finding in outcome.findings for way in finding.hint),
        details=outcome.log,
    )


def _deed(changes: Sequence[Change], place: str) -> str:
    if not changes:
        return f"what the doctor put right in {place}"
    if all(change.kind == "removed" for change in changes):
        named = _joined([f"{change.name} {change.before}" for change in changes])
        return f"{named} removed from {place}"
    named = _joined([_short(change) for change in changes])
    new = all(change.kind == "added" for change in changes)
    return f"{named} {'installed into' if new else 'in'} {place}"


def _short(change: Change) -> str:
    if change.before is None:
        return f"{change.name} {change.after}"
    if change.after is None:
        return f"{change.name} {change.before} removed"
    if change.before == change.after:
        return f"{change.name} {change.after} reinstalled"
    return f"{change.name} {change.before} → {change.after}"


def _rows(changes: Sequence[Change]) -> list[str]:
    signs = {"added": "+", "removed": "-", "replaced": "~", "reinstalled": "="}
    words = [f"{signs[change.kind]} {_short(change)}" for change in changes]
    return ["   ".join(words)] if words else []


def _restart(outcome: Outcome) -> list[str]:
    if outcome.restart == "needed":
        tops = list(dict.fromkeys(name.split(".")[0] for name in outcome.stale_modules))
        loaded = f"{_joined(tops)} {'is' if len(tops) == 1 else 'are'} loaded"
        if compiled := sum(module.compiled for module in outcome.stale):
            loaded += f" ({compiled} compiled module{'s' if compiled > 1 else ''})"
        if outcome.verb == "uninstall":
            return [f"{loaded} and stays so until the kernel restarts."]
        return [f"Restart the kernel before going on: {loaded}."]
    if outcome.verification and all(verdict.fresh is None for verdict in outcome.verification):
        return ["It brings no module of its own to import."]
    if not outcome.live or any(False in (v.fresh, v.kernel) for v in outcome.verification):
        return []  # what is shadowed is said by its own finding
    if outcome.verb == "uninstall":
        return []
    if outcome.verb == "undo":
        return ["No restart needed."]
    if outcome.restart == "refreshed":
        return ["Ready to import: made visible to this running kernel, no restart needed."]
    return ["Ready to import, no restart needed."]


def _imported(outcome: Outcome) -> list[str]:
    """Return what was imported to prove that it works, where that was asked for."""
    if outcome.imported is None:
        return []
    if not outcome.imported:  # what came just now says so itself
        return [] if outcome.verification else ["It holds no module of its own to import."]
    return [f"A new process has imported: {', '.join(outcome.imported)}."]


def _undo(outcome: Outcome) -> str:
    """Return the line that takes it back, short enough to stand behind another sentence."""
    if outcome.transaction is None or not outcome.live:
        return ""
    if outcome.verb == "undo":
        return f"Redo: {outcome.frontend.line('undo', outcome.transaction)}"
    at_user_site = outcome.destination.scheme == "posix_user"
    return f"Undo: {outcome.frontend.line('undo', *(['--user'] if at_user_site else []))}"


def _stopped(outcome: Outcome) -> Message:
    finding = outcome.stopping
    if finding is None:
        return Message(mark="✗", headline="Nothing changed.")
    home = outcome.environment.home
    shown_context = finding.context.splitlines()
    told = shown_context[:_CONTEXT_LINES] if finding.code not in _SELF_EXPLAINING else []
    more = [f for f in outcome.findings if f is not finding and f.stops]
    return Message(
        mark="✗",
        headline=_opening(outcome, finding) + shown_in(finding.message, home),
        lines=tuple(shown_in(line.strip(), home) for line in told)
        + tuple(shown_in(other.message, home) for other in more)
        + _remarks(outcome),
        suggestions=finding.hint + tuple(way for other in more for way in other.hint),
        details="\n".join(shown_context) if len(shown_context) > len(told) else outcome.log,
    )


def _opening(outcome: Outcome, finding: Finding) -> str:
    if finding.code == "half-changed" or "nothing changed" in finding.message.lower():
        return ""
    return "Put back as it was. " if outcome.status == "rolled-back" else "Nothing changed. "


def _remarks(outcome: Outcome) -> tuple[str, ...]:
    """Return the findings that do not stop: warnings first."""
    remarks = [finding for finding in outcome.findings if not finding.stops]
    remarks.sort(key=lambda finding: finding.severity is not Severity.WARNING)
    home = outcome.environment.home
    return tuple(shown_in(finding.message, home) for finding in remarks)


def _joined(words: Sequence[str]) -> str:
    if len(words) > _NAMED:
        return f"{', '.join(words[: _NAMED - 1])} and {len(words) - _NAMED + 1} more"
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


MIME: Final = "application/vnd.safeinstall.outcome+json"
made_here: Final[dict[str, Mapping[str, str | None]]] = {}
"""What can be done about what this process has shown, by the ids that no file can know before."""


def _cell_number() -> int:
    shell = sys.modules["IPython"].get_ipython()
    return shell.execution_count if shell else 0


class Displayed:
    """A result that shows itself in a notebook or a terminal; the result answers all the rest."""

    def __init__(self, result: Any, message: Message, *, verbose: bool = False) -> None:
        self.result = result
        self.message = message
        self._verbose = verbose
        self._shown_in: int | None = None
        self._id = secrets.token_hex(16)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # IPython asks for many forms of everything
            raise AttributeError(name)
        return getattr(self.result, name)

    def show(self) -> None:
        """Show it now, because the cell will not: it is not its last expression."""
        # the command line shares this room, and knows no IPython
        from IPython.display import display

        display(self._repr_mimebundle_(), raw=True)
        self._shown_in = _cell_number()

    def _ipython_display_(self) -> None:
        """Show nothing when asked once more for what has just been shown; else, as any value."""
        if self._shown_in is None or self._shown_in != _cell_number():
            raise NotImplementedError
        self._shown_in = None

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        """Return every form of the result (IPython asks for it), fit to be saved and passed on."""
        home = str(Path("~").expanduser())
        text, html = (shown_in(form, home) for form in (str(self), as_html(self._shown)))
        made: dict[str, Any] = {"text/plain": text, "text/html": html}
        if isinstance(outcome := getattr(self.result, "outcome", self.result), Outcome):
            data = {**self.result.to_dict(), "message": self._shown.to_dict()}
            made[MIME] = {**json.loads(anonymous(json.dumps(data), home)), "id": self._id}
            ways = {"restart": outcome.restart, "transaction": outcome.transaction}
            made_here[self._id] = ways
        return made

    @property
    def _shown(self) -> Message:
        # an installer's log is for failures and for -v
        return self.message if self._verbose else replace(self.message, details="")

    def __str__(self) -> str:
        return as_text(self._shown, verbose=self._verbose)

    __repr__ = __str__


_FEW: Final = 5


def new_environment_message(made: NewEnvironment, environ: Mapping[str, str]) -> Message:
    """Return the message; `environ` tells which front end is in use."""
    outcome, kernel = made.outcome, made.kernel
    if kernel is None:
        return _planned_environment(made) if outcome.ok else outcome_message(outcome)
    requested = [change for change in outcome.changes if change.requested]
    named = ", ".join(f"{change.name} {change.after}" for change in requested)
    what = f"{made.place.shown} made{f' with {named}' if named else ''}"
    along = _along([change for change in outcome.changes if not change.requested])
    home = outcome.environment.home
    sees = f"It also sees what {shown(made.overlay_of, home)} holds." if made.overlay_of else ""
    imported = ", ".join(sorted(made.trial.imported)) if made.trial else ""
    proof = f"Its kernel was started once and imports {imported}." if imported else ""
    former = [each for each in outcome.findings if each.code == "unfinished-environment"]
    proof = proof or "Its kernel was started once and answers."
    lines = (along, sees, proof, *(each.message for each in former))
    return Message(
        mark="✓",
        headline=f"{what} — Python {outcome.environment.python}, a kernel of its own",
        seconds=outcome.seconds.get("total"),
        lines=tuple(line for line in lines if line),
        suggestions=(*_ways_to_kernel(made, environ), *(way for f in former for way in f.hint)),
    )


def _along(changes: Sequence[Change]) -> str:
    """Return what came along, in one line: the kernel's own thirty packages are one thing."""
    if len(changes) <= _FEW:
        return "   ".join(f"+ {change.name} {change.after}" for change in changes)
    kernel = next((c for c in changes if c.name == "ipykernel"), changes[0])
    return f"+ {kernel.name} {kernel.after} and {len(changes) - 1} more that they need"


def _planned_environment(made: NewEnvironment) -> Message:
    headline = f"Would make {made.place.shown} with a kernel of its own (nothing was left):"
    return replace(outcome_message(made.outcome), mark="·", headline=headline, details="")


def _ways_to_kernel(made: NewEnvironment, environ: Mapping[str, str]) -> tuple[Suggestion, ...]:
    if made.kernel is None:
        return ()
    name, display = made.kernel.name, made.kernel.display_name
    editor = any(key.startswith("VSCODE_") for key in environ)
    steps = "Select Kernel → Jupyter Kernel…" if editor else "Kernel → Change Kernel…"
    menu = f"{steps} → {display}"
    note = "switch (top right of the notebook)" if editor else "switch this notebook to it"
    console = Suggestion(f"jupyter console --kernel {name}", "in a terminal")
    if not made.outcome.frontend.in_notebook:
        return (console, Suggestion(menu, "in a notebook"))
    return (Suggestion(menu, note), console)
