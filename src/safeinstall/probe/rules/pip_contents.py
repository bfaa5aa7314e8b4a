"""What pip does once it has chosen a place: is the request met, what is replaced, what is written.

Written after ``resolution/resolvelib`` (what counts as satisfied), ``operations/install/wheel.py``
(scripts come last) and ``req/req_uninstall.py``.
"""

from __future__ import annotations

from typing import NamedTuple

from ..facts.installed import Found
from ..facts.search_path import module_origin
from ..facts.writability import why_not_replaceable, why_not_writable
from . import Verdict
from .local_candidates import Candidate, Request, best_local, read_request, standing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..facts.interpreter_files import Interpreter
    from ..shell.invocation import Invocation
    from .pip_options import PipOptions

__all__ = ["Place", "judge_contents"]

_LEFT = "the modules would be left behind without their scripts"


class Place(NamedTuple):
    """An install whose folders are chosen."""

    invocation: Invocation
    interpreter: Interpreter
    options: PipOptions
    version: tuple[int, ...]
    """Of pip."""
    pip_folder: str
    scheme: dict[str, str]
    outcome: str
    reason: str


class _Sorted(NamedTuple):
    """The requirements of a command, sorted by what pip would do with each."""

    met: bool
    replaced: tuple[Found, ...]
    chosen: tuple[Candidate, ...]
    missing: str


def judge_contents(place: Place) -> Verdict:
    """Return the verdict on *place* after a look at what is asked for and what stands there."""
    options, cwd = place.options, place.invocation.cwd
    line = options.line
    request = read_request(
        line.positional[1:], options.values("requirement"), options.values("editable"), cwd
    )
    if request.problem and not (line.has("group") and request.problem == "nothing is asked for"):
        return Verdict("fails", request.problem, names=request.names)
    return _judge(place, request)._replace(names=request.names)


def _judge(place: Place, request: Request) -> Verdict:
    path = _search_path(place)
    found = _sort(place, request, path)
    if found.missing:
        return Verdict("fails", "no local folder has %s" % found.missing)
    if found.met:
        name = request.wanted[0].name
        copy, _ = standing(request.wanted[0], path)
        where = copy.folder if copy else None
        return Verdict("already-satisfied", "%s is already satisfied in %s" % (name, where), where)
    if place.options.flag("dry-run"):
        return Verdict("no-change", "a dry run installs nothing")
    removed, notes = [], []
    for copy in found.replaced:
        from .pip_replacing import STAYS, refusal_to_replace

        stop = refusal_to_replace(copy, place)
        if stop == STAYS:
            notes.append("the copy of %s in %s stays" % (copy.name, copy.folder))
            continue
        stop = stop or why_not_replaceable(copy, place.invocation.elevated)
        if stop:
            return Verdict(*stop)
        removed.append(copy.folder)
    verdict = _written(place, found.chosen)
    if verdict.outcome == place.outcome:
        target = place.options.value("target")
        if target and not place.options.flag("upgrade"):
            verdict = verdict._replace(kept_old=_holds(place.scheme["purelib"], request))
    return verdict._replace(removed=tuple(removed), notes=(*notes, *verdict.notes))


def _search_path(place: Place) -> list[str]:
    invocation = place.invocation
    # from 20.3 on `python -m pip` takes its folder off sys.path again
    stays = invocation.first != invocation.cwd or place.version < (20, 3)
    return place.interpreter.search_path(
        invocation.environ,
        invocation.cwd,
        invocation.first if stays else None,
        invocation.no_user_site,
    )


def _sort(place: Place, request: Request, path: list[str]) -> _Sorted:
    """Compare each requirement with what is installed and what lies in local folders."""
    options = place.options
    again, ignore = options.flag("force-reinstall"), options.flag("ignore-installed")
    ignore = ignore or bool(options.value("target"))
    links, offline = options.values("find-links"), options.flag("no-index")
    upgrade, pre = options.flag("upgrade"), options.flag("pre")
    met = bool(request.wanted) and not (request.files or request.opaque)
    replaced, chosen = [], list(request.files)
    for wanted in request.wanted:
        found, holds = standing(wanted, path)
        best = best_local(wanted, links, place.invocation.cwd, pre) if links else None
        if offline and best is None and not (holds and not upgrade):
            return _Sorted(False, (), (), wanted.name)
        # only without an index is the newest version known
        newest = offline and best is not None and found and best.version == found.version
        if holds and not (upgrade and not newest) and not again and not ignore:
            continue
        met = False
        if best is not None and (offline or not upgrade):
            chosen.append(best)
        if found and not ignore:
            replaced.append(found)
    return _Sorted(met, tuple(replaced), tuple(chosen), "")


def _holds(site: str, request: Request) -> bool:
    modules = (name.replace("-", "_") for name in request.names)
    return any(module_origin(module, [site]) is not None for module in modules)


def _written(place: Place, chosen: tuple[Candidate, ...]) -> Verdict:
    """Return what stops the files from being written, where it can be seen beforehand."""
    elevated, scheme = place.invocation.elevated, place.scheme
    contents = [candidate.inside() for candidate in chosen]
    size = sum(candidate.size() for candidate in chosen)
    wanted = {"platlib" if platlib else "purelib" for _, platlib in contents} or {"purelib"}
    for name in sorted(wanted):
        stop = why_not_writable(scheme[name], elevated, size)
        if stop:
            return Verdict(*stop)
    notes: tuple[str, ...] = ()
    stop = why_not_writable(scheme["scripts"], elevated)
    if stop and stop[0] == "refused-permission":
        if any(scripts for scripts, _ in contents):
            # scripts come last: the modules and their metadata are there by then, and stay
            return Verdict(*stop, path=scheme["purelib"], notes=(_LEFT,))
        if not contents:
            notes = ("scripts could not be written: " + stop[1],)
    site = scheme["platlib" if wanted == {"platlib"} else "purelib"]
    return Verdict(place.outcome, place.reason, site, notes=notes)
