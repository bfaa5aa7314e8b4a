"""What `%safeundo` and `%safeuninstall` do with their lines, and recovery when we are loaded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from IPython.core.getipython import get_ipython

from safeinstall import operations
from safeinstall.config import keeping
from safeinstall.errors import RequestError, SafeInstallError
from safeinstall.magics.display import Shown, result, usage_stop
from safeinstall.magics.progress import Progress
from safeinstall.operations import World, elsewhere
from safeinstall.render.report_words import history_message
from safeinstall.request import parse, tokenize

__all__ = ["recover", "undo", "uninstall"]


def undo(line: str) -> Any:
    """Carry out `%safeundo [ID] [--list] [--force] [--user]`."""
    progress = Progress()
    try:
        words = list(tokenize(line))
        here = elsewhere.outside(_here(progress))
        if "--user" in words:
            here = elsewhere.at_user_site(here)
        ids = [word for word in words if not word.startswith("-")]
        unknown = set(words) - {"--list", "--force", "--user", *ids}
        if unknown or len(ids) > 1:
            raise RequestError(
                f"%safeundo does not know {' '.join(sorted(unknown) or ids)}.",
                hint="%safeundo --list",
            )
        if "--list" in words:
            found = operations.history(here)
            message = history_message(found, here.environment, "%safeundo")
            return Shown(message, found.to_dict())
        outcome = operations.undo(here, ids[0] if ids else None, force="--force" in words)
    except SafeInstallError as error:
        raise usage_stop(error) from None
    finally:
        progress.close()
    return result(outcome)


def uninstall(line: str) -> Any:
    """Carry out `%safeuninstall NAME...`."""
    progress = Progress()
    try:
        request = parse(line, cwd=operations.folder(), prefix="%safeuninstall")
        here = replace(_here(progress), prefix="%safeuninstall")
        outcome = operations.uninstall(request, here)
    except SafeInstallError as error:
        raise usage_stop(error) from None
    finally:
        progress.close()
    return result(outcome, verbose=request.verbose, quiet=request.quiet)


def _here(progress: Progress) -> World:
    return replace(operations.here(progress), keeping=operations.Keeping(*keeping(get_ipython())))


def recover() -> None:
    """Finish or take back what died in this environment, and say so in one line."""
    try:
        found = operations.recover(operations.here())
    except SafeInstallError as error:
        print(f"! {error.message}")  # noqa: T201 - %load_ext has no value to show
        return
    if found is not None and found.direction != "litter":
        print(f"✓ {found.message}")  # noqa: T201
