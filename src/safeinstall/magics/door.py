"""What a magic does: its line becomes a request, `carry_out` does it, the result shows itself."""

from __future__ import annotations

import dis
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from html import escape
from types import FrameType
from typing import Any, Final, Protocol

from IPython.core.getipython import get_ipython
from IPython.display import display

from safeinstall import render
from safeinstall.errors import SafeInstallError, SafeInstallStopped
from safeinstall.findings import Severity, Suggestion
from safeinstall.frontend import NOTEBOOK
from safeinstall.magics.missing_imports import Remark, remark_about
from safeinstall.operations import (
    Context,
    Keeping,
    Proving,
    carry_out,
    context_for,
    folder,
    here,
)
from safeinstall.outcome import Outcome
from safeinstall.probe.rules.local_candidates import LocalFolders, best_local, parse_requirement
from safeinstall.request import (
    InstallRequest,
    RecoverRequest,
    Request,
    parse,
    parse_uninstall,
    tokenize,
)
from safeinstall.request.arguments import command_help, parse_command

told: set[str] = set()
"""Remarks this kernel has already made: each is made once."""
failed: set[str] = set()
"""Canonical names whose install has failed in this kernel: not offered again."""
COLAB: Final = "application/vnd.colab-display-data+json"
"""Google Colab draws its own restart button when it is handed this."""
_BETWEEN: Final = ("safeinstall.", "IPython.", "decorator")
"""Modules whose frames lie between a cell and its magic."""
_PRINT_INTRINSIC: Final = ("CALL_INTRINSIC_1", 1)
"""What `PRINT_EXPR` is called from Python 3.12 on."""
_LOOKS: Final = {"--where": "where", "--doctor": "doctor", "--kernels": "kernels"}


class Options(Protocol):
    """What a user has configured."""

    @property
    def guards(self) -> Mapping[str, str]:
        """How much a finding weighs, by its code."""
        ...

    @property
    def keeping(self) -> tuple[int, int]:
        """How many transactions are kept for undo, and how many bytes of them."""
        ...

    @property
    def time_limit(self) -> float:
        """Minutes an installer may work at once; 0 for what is usual."""
        ...

    @property
    def proving(self) -> tuple[bool, float]:
        """Whether what is installed is imported before it counts, and how long that may take."""
        ...


def install(options: Options, line: str, cell: str | None) -> Any:
    """Carry out `%safeinstall`; a bare one says where one is."""
    if cell is None and not line.strip():
        from safeinstall.render.report_words import short_environment_message  # else not needed

        context = here()
        way = context.first_line(context.meet(parse("pandas", cwd=context.cwd)))
        return _displayed(None, short_environment_message(context.environment, way))
    return _run(options, lambda: parse(line, cell, cwd=folder()))


def uninstall(options: Options, line: str) -> Any:
    """Carry out `%safeuninstall NAME...`."""
    return _run(options, lambda: parse_uninstall(line, cwd=folder()))


def undo(options: Options, line: str) -> Any:
    """Carry out `%safeundo [ID] [--force] [--user]`, or `--list`."""
    return _run(options, lambda: _parsed(line, "undo", {"--list": "history"}))


def kernelenv(options: Options, line: str) -> Any:
    """Carry out `%kernelenv`, and what else it looks at."""
    return _run(options, lambda: _parsed(line, "env", _LOOKS))


def recover() -> None:
    """Finish or take back what died in this environment, and say so in one line."""
    try:
        found: Any = carry_out(RecoverRequest(), here())
    except SafeInstallError as error:
        print(f"! {error.message}")  # noqa: T201 - %load_ext has no value to show
        return
    except OSError:
        return  # whoever installs something is told
    if found.recovery is not None and found.recovery.direction != "litter":
        print(f"✓ {found.message}")  # noqa: T201


def remark(error: BaseException) -> None:
    """Show one line below the traceback of a missing import, where there is one to say."""
    context = here()
    found = remark_about(
        error, context.environment, cwd=context.cwd, environ=context.environ, failed=failed
    )
    if found is not None and found.wanted:
        found = _with_a_line_that_works(found, context)
    if found is not None:
        ways = (Suggestion(command=found.command),) if found.command else ()
        message = render.Message(mark="!", headline=found.sentence, suggestions=ways)
        display(render.Displayed(None, message))


def _with_a_line_that_works(found: Remark, context: Context) -> Remark:
    """Return the remark with the line that installs what it wants here, or without one.

    A name in no table of ours is looked for in the local folders of packages alone: cells that
    wait behind a failed one are dropped, so no program is started and no index asked.
    """
    request = parse([found.wanted], cwd=context.cwd, frontend=context.frontend)
    intent = context.meet(request)
    line = context.first_line(intent).command
    if found.kind != "unknown":
        return replace(found, command=line)
    wanted = parse_requirement(found.wanted)
    folders = LocalFolders(intent.sources.find_links, context.cwd, pre=True)
    known = wanted and best_local(wanted, folders)
    return replace(found, command=line, sentence=found.if_known) if known else found


def _parsed(line: str, command: str, others: Mapping[str, str]) -> Request:
    """Return what a line asks for: `command`, or another one that an option of it stands for."""
    words: Sequence[str] = tokenize(line)
    if option := next((word for word in words if word in others), ""):
        command, words = others[option], [word for word in words if word != option]
    return parse_command(command, words, cwd=folder(), frontend=NOTEBOOK)


def _run(options: Options, read: Callable[[], Request]) -> Any:
    """Return what is to be shown; raise `SafeInstallStopped` otherwise: the cell fails."""
    watched = render.is_watched()
    line = OneLine(watched)
    try:
        request = read()
        if request.help:
            print(command_help(request.command, NOTEBOOK))  # noqa: T201 - as everywhere
            return None
        context = configured(context_for(request, line), options)
        result = carry_out(request, context)
    except SafeInstallError as error:
        text = render.as_text(render.error_message(error, NOTEBOOK))
        raise SafeInstallStopped(text, code=error.code) from None
    finally:
        line.close()
    if isinstance(result, Outcome):
        if isinstance(request, InstallRequest) and not result.ok:
            failed.update(_unknown_names(request, result))
        result = result.without_repeats(told)
    message = render.message_of(result, context, quiet=request.quiet)
    if not getattr(result, "ok", True):
        text = render.as_text(message, verbose=request.verbose)
        raise SafeInstallStopped(text, getattr(result, "outcome", result))
    if getattr(result, "restart", "") == "needed" and "google.colab" in sys.modules:
        # Colab's restart button for the stale modules (google/colab/_pip.py reads this shape)
        packages = sorted({name.split(".")[0] for name in getattr(result, "stale_modules", ())})
        display({COLAB: {"pip_warning": {"packages": packages}}}, raw=True)
    if not watched:
        message = replace(message, seconds=None)  # a saved notebook is the same at each run
    return _displayed(result, message, verbose=request.verbose)


def _displayed(result: Any, message: render.Message, *, verbose: bool = False) -> render.Displayed:
    """Return what shows itself where the cell hands it on, and show it now where it does not."""
    made = render.Displayed(result, message, verbose=verbose)
    if not _is_last_expression(sys._getframe(1)):
        made.show()
    return made


def _is_last_expression(frame: FrameType | None) -> bool:
    """Tell whether the value of a magic goes to the display hook, whichever magic was called.

    IPython compiles the last expression of a cell in mode `single` (`run_ast_nodes`): the call is
    followed by the instruction that prints. Not so within `if`, a loop, `%run`, an assignment.
    """
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_BETWEEN):
        frame = frame.f_back
    if frame is None:
        return False
    after = (i for i in dis.get_instructions(frame.f_code) if i.offset > frame.f_lasti)
    step = next((i for i in after if i.opname != "CACHE"), None)
    return step is not None and (step.opname, step.arg) in (("PRINT_EXPR", None), _PRINT_INTRINSIC)


def configured(context: Context, options: Options) -> Context:
    """Return the context with what the user has set, and with what this process has loaded."""
    policy = {code: None if w == "off" else Severity(w) for code, w in options.guards.items()}
    watch = getattr(get_ipython(), "_safeinstall_watch", None)
    loaded = watch.loaded if watch else context.loaded
    keeping, proving = Keeping(*options.keeping), Proving(*options.proving)
    given = replace(context, policy=policy, keeping=keeping, proving=proving, loaded=loaded)
    return replace(given, minutes=options.time_limit)


def _unknown_names(request: InstallRequest, outcome: Outcome) -> set[str]:
    """Return the names of an install that failed because there is no such package."""
    if not any(found.code in ("not-found", "no-such-version") for found in outcome.findings):
        return set()
    return {item.name for item in request.items if item.name}


class OneLine:
    """Progress in a notebook: a line that updates while work goes on, and is gone at the end.

    Nothing for quick work, and nothing where nobody watches.
    """

    patience = 0.7
    """Seconds without a word: most installs from a warm cache are over by then."""
    interval = 0.15
    """Seconds between updates: a front end redraws the output for each."""

    def __init__(self, watched: bool = True) -> None:
        self._watched = watched
        self._clock = time.monotonic
        self._start = self._last = self._clock()
        self._handle: Any = None
        self._words = ""

    def __call__(self, words: str) -> None:
        """Take note of where the work is; show it when it has taken long enough."""
        self._words = render.clean(words)[:90]
        now = self._clock()
        early = now - self._start < self.patience or now - self._last < self.interval
        if early or not self._watched:
            return
        self._last = now
        self._show(f"… {self._words}")

    def close(self) -> None:
        """Take the line away, where one was shown at all."""
        if self._handle is not None:
            self._handle.update({}, raw=True)

    def _show(self, text: str) -> None:
        data = {"text/plain": text, "text/html": f'<div aria-live="polite">{escape(text)}</div>'}
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)
