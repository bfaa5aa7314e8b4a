"""Each file call of each operation fails once, or Ctrl-C comes there: old or new, and truly said.

A sample of the calls here, all of them in `make torture`.
"""

from __future__ import annotations

import errno
import shlex
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from support.examples import examples
from support.failing import INTERRUPT, KILL, Attempt, attempt
from support.places import Place, Tree, differences, tree
from support.wheels import make_wheel

pytestmark = pytest.mark.integration

ERRORS = [errno.EIO, errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EXDEV, INTERRUPT]
NAMES = [errno.errorcode.get(error, "interrupt") for error in ERRORS]
OPERATIONS = ("install", "uninstall", "undo", "recover", "history", "autoload", "doctor")
PARTS = {
    "set gone-1.0.dist-info aside": ("gone-1.0.dist-info",),
    "set ~any aside": ("~any",),
    "let many start": ("bin/many", "many-1.0.dist-info/RECORD"),
    "let the activate scripts": ("bin/activate", "bin/deactivate"),
}
"""What the doctor puts right, each as a whole: the words, and what is in the paths."""


@dataclass
class Bench:
    """An environment as it was before an operation, put back for each attempt at it."""

    place: Place
    words: list[str]
    old: Tree = field(default_factory=dict)
    new: Tree = field(default_factory=dict)
    calls: tuple[str, ...] = ()

    def try_it(self, at: int = 0, error: int = INTERRUPT) -> tuple[Attempt, Tree]:
        """Put the environment back, and carry out the operation with a failure at a call."""
        shutil.rmtree(self.place.prefix)
        shutil.copytree(self.place.folder / "kept", self.place.prefix, symlinks=True)
        return self.run(self.words, at, error), tree(self.place.prefix)

    def run(self, words: list[str], at: int = 0, error: int = INTERRUPT) -> Attempt:
        """Run a command line of ours on the environment."""
        folder = self.place.folder
        roots, scratch = [self.place.prefix], folder / "scratch"
        (folder / "notebooks").mkdir(exist_ok=True)
        words = [*words, "--python", str(self.place.python)]
        settings = self.place.settings
        return attempt(words, settings, roots, folder / "notebooks", scratch, at=at, error=error)


def break_it(place: Place) -> None:
    """Let an environment need all that the doctor puts right."""
    for name in ("~any", "gone-1.0.dist-info"):
        (place.site / name).mkdir()
    (place.site / "~any" / "x.py").write_text("1")
    for script in [*(place.prefix / "bin").glob("activate*"), place.prefix / "bin" / "many"]:
        script.write_text(script.read_text().replace(str(place.prefix), "/elsewhere/env"))
    code = "import os, sys; from safeinstall.transaction.store.history import Store; "
    code += "from safeinstall.transaction.transaction import begin_transaction as b; "
    code += "s = Store.open(sys.argv[1]); s.lock().__enter__(); b(s, 'x'); os._exit(0)"
    place.run([sys.executable, "-c", code, place.prefix])


def half_uninstall(bench: Bench) -> None:
    """Kill an uninstall between its moves."""
    prefix, whole, words = bench.place.prefix, bench.place.folder / "whole", ["uninstall", "many"]
    shutil.copytree(prefix, whole, symlinks=True)
    calls = bench.run(words).calls
    leaving = next(n for n, call in enumerate(calls, 1) if call.endswith("/state.staging"))
    for at in range(leaving, len(calls)):
        shutil.rmtree(prefix)
        shutil.copytree(whole, prefix, symlinks=True)
        assert bench.run(words, at, KILL).status == 9
        if not (bench.place.site / "many").exists():
            return


@pytest.fixture(scope="module", params=OPERATIONS)
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """An environment for one operation, and what the operation makes of it when nothing fails."""
    place = Place(tmp_path_factory.mktemp(request.param))
    place.make()
    for version in ("1.0", "2.0"):
        modules = {"many/__init__.py": f"x = {version}\n", "many/a.py": "y = 1\n"}
        modules |= {"shared/m.py": f"x = {version}\n"}
        make_wheel(place.wheels, "many", version, modules=modules, scripts={"many": "many:main"})
    make_wheel(place.wheels, "other", modules={"other.py": "x = 1\n", "shared/o.py": "x = 1\n"})
    place.installed("many==1.0", "other")
    operation: str = request.param
    if operation == "autoload":
        make_wheel(place.wheels, "safeinstall")
        place.installed("--no-deps", "safeinstall")
    more = {"install": ["many==2.0"], "uninstall": ["many"], "doctor": ["--fix"]}
    made = Bench(place, [operation, *more.get(operation, [])])
    if operation == "doctor":
        break_it(place)
    if operation == "recover":
        half_uninstall(made)
    shutil.copytree(place.prefix, place.folder / "kept", symlinks=True)
    made.old = tree(place.prefix)
    whole, made.new = made.try_it()
    assert whole.status == 0, whole.said
    made.calls = whole.calls
    assert (made.old != made.new) == (operation != "history")
    yield made
    shutil.rmtree(place.folder)


def sampled(number: int, error: int) -> list[int]:
    """Return which calls are tried: some, each kind of error others; in the end all of them."""
    most = examples(14)
    step = max(1, number // most)
    return list(range(1 + ERRORS.index(error) % step, number + 1, step))


def parts(now: Tree, paths: tuple[str, ...]) -> Tree:
    return {name: what for name, what in now.items() if any(path in name for path in paths)}


def wrong(bench: Bench, done: Attempt, now: Tree) -> str:
    """Return what is wrong with an end, or nothing."""
    said = " ".join(done.said.split())
    if done.status not in (0, 1) or "Traceback" in said:
        return f"status {done.status}"
    if "othing changed" in said and now != bench.old:
        return "it says that nothing changed"
    if bench.words[0] == "doctor":
        for words, paths in PARTS.items():
            states = [parts(each, paths) for each in (now, bench.old, bench.new)]
            if states[0] not in states[1:]:
                return f"neither old nor new: {words}"
            if f"✓ {words}" in said and states[0] != states[2]:
                return f"it says: {words}"
        return "it says 0 and is not done" if done.status == 0 and now != bench.new else ""
    if "run it again" in said:  # what was half done before is so still, until that line is typed
        assert bench.run(bench.words).status == 0
        now = tree(bench.place.prefix)
    if now not in (bench.old, bench.new):
        return f"neither old nor new: {differences(now, bench.new)}"
    if done.status == 0 and now != bench.new:
        return "it says that it is done"
    return ""


@pytest.mark.attack("file calls that fail, and interrupts")
@pytest.mark.parametrize("error", ERRORS, ids=NAMES)
def test_wherever_a_file_call_fails_it_is_old_or_new_and_truly_said(
    bench: Bench, error: int
) -> None:
    failures = []
    for at in sampled(len(bench.calls), error):
        done, now = bench.try_it(at, error)
        if problem := wrong(bench, done, now):
            call = done.calls[at - 1] if len(done.calls) >= at else ""
            failures.append(f"{at} {call}: {problem}\n{done.said[-600:]}")
    assert not failures, "\n".join(failures[:5])


@pytest.mark.first_line_of("interrupted")
@pytest.mark.parametrize("bench", ["uninstall"], indirect=True)
def test_an_interrupt_that_came_too_late_offers_what_takes_it_back(bench: Bench) -> None:
    arriving = next(n for n, call in enumerate(bench.calls, 1) if call.endswith("/state.arriving"))
    done, now = bench.try_it(arriving, INTERRUPT)
    assert (done.status, now == bench.new) == (1, True), done.said
    [line] = [line for line in done.said.splitlines() if line.lstrip().startswith("→")]
    words = shlex.split(line.partition("safeinstall ")[2])
    assert bench.run(words[: words.index("--python")]).status == 0
    assert tree(bench.place.prefix) == bench.old
