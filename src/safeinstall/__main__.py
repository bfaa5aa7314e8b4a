"""`python -m safeinstall` and the console script: the command line of `safeinstall.cli`.

It starts where other things do not: a file of the user's that stands in the place of a library, or
a library that is too old for us, is left out of the import path and named. Standard library only.
"""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    if not getattr(sys.flags, "safe_path", False) and os.path.abspath(sys.path[0]) == os.getcwd():
        del sys.path[0]  # `-m` puts the folder there: no file in it is ours

# below that line, so that no file of the folder (typing.py, re.py) is imported for these either
import sysconfig
from collections.abc import Callable, Sequence
from importlib import import_module

__all__ = ["main"]

_PATIENCE = 8
"""Places left out before it is given up."""
_OWN = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")} | {
    os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
}
"""Folders that are never left out: what stands there is the interpreter's, or installed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    for _ in range(_PATIENCE):
        try:
            run = _command_line(words)
        except Exception as error:  # what stands in a library's place may raise anything
            file, entry = _culprit(error)
            if not entry:
                return _given_up(error)
            _leave_out(entry)
            print(f"! {_sentence(file, entry)}", file=sys.stderr)
        else:
            return run(words)
    return 1


def _command_line(words: Sequence[str]) -> Callable[[Sequence[str]], int]:
    """Return what runs a command, with everything imported that it needs."""
    run: Callable[[Sequence[str]], int] = import_module("safeinstall.cli").main
    stories: dict[str, str] = import_module("safeinstall.operations").STORIES
    for word in words:
        if word in stories:
            import_module(stories[word])
    return run


def _culprit(error: BaseException) -> tuple[str, str]:
    """Return the file that is not what it should be, and the entry of the path that has it.

    Both are empty when everything comes from where it should.
    """
    named = sys.modules.get(str(getattr(error, "name", "") or "").split(".")[0])
    files = [str(getattr(named, "__file__", None) or "")]
    trace = error.__traceback__
    while trace is not None:
        files.insert(1, trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    files += [str(getattr(module, "__file__", None) or "") for module in sys.modules.values()]
    for file in files:
        for entry in sys.path:
            place = os.path.abspath(entry)
            if place not in _OWN and file.startswith(os.path.join(place, "")):
                return file, entry
    return "", ""


def _leave_out(entry: str) -> None:
    sys.path[:] = [each for each in sys.path if each != entry]
    below = os.path.join(os.path.abspath(entry), "")
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file.startswith(below) or (name.startswith("safeinstall.") and name != __name__):
            del sys.modules[name]


def _sentence(file: str, entry: str) -> str:
    what = f"{file} stands in the place of a library that safeinstall needs, and is left out"
    if os.path.abspath(entry) in map(os.path.abspath, os.environ.get("PYTHONPATH", "").split(":")):
        return f"{what}: PYTHONPATH names its folder."
    if "site-packages" in entry:
        return f"{what}: it is in your user site, which every Python of this version looks into."
    return f"{what}: rename it."


def _given_up(error: BaseException) -> int:
    """Say what is broken, in one sentence, and the line that mends it."""
    name = str(getattr(error, "name", "") or "safeinstall").split(".")[0]
    what = f"{type(error).__name__}: {error}".splitlines()[0]
    print(f"✗ Nothing changed. safeinstall cannot start: {what}", file=sys.stderr)
    print(f"  → {sys.executable} -m pip install --force-reinstall {name}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
