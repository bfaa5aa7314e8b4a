"""The layer rule: a module imports only from rows above it; one door for each effect."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from support import rooms
from support.rooms import SOURCE

PROCESS_STARTERS = frozenset(
    {"subprocess", "multiprocessing", "pexpect", "pty", "_posixsubprocess"}
)
OS_STARTERS = ("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile")
OS_STARTER_PREFIXES = ("exec", "spawn")


def layer_faults(module: str, text: str) -> list[str]:
    """List the imports of the module that go upward or sideways, in its room and out of it."""
    room = rooms.room_of(module)
    faults = []
    for other in rooms.imported(module, text):
        its = rooms.room_of(other)
        up = rooms.LEVEL[its] >= rooms.LEVEL[room] if its != room else not _below(other, module)
        faults += [f"{module} imports {other}"] if up else []
    return faults


def _below(other: str, module: str) -> bool:
    rows = [row.split() for row in rooms.INSIDE[rooms.room_of(module)]]
    level = {name: number for number, names in enumerate(rows) for name in names}
    return level[rooms.inside(other)] < level[rooms.inside(module)]


def process_faults(path: Path, text: str, root: Path = SOURCE) -> list[str]:
    """List what in the file could start a process, unless the file is the runner."""
    if path == root / "runner.py":
        return []
    faults = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            faults += [a.name for a in node.names if a.name.split(".")[0] in PROCESS_STARTERS]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in (
            PROCESS_STARTERS
        ):
            faults.append(str(node.module))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            starts = node.attr in OS_STARTERS or node.attr.startswith(OS_STARTER_PREFIXES)
            if node.value.id == "os" and starts:
                faults.append(f"os.{node.attr}")
    return faults


def files() -> list[Path]:
    return sorted(rooms.MODULES.values())


INNER = {name: path for name, path in rooms.MODULES.items() if name != "__init__"}
"""All but the package's own file, which resolves names lazily and has a test of its own."""


@pytest.mark.parametrize("module", INNER)
def test_a_module_imports_only_from_rows_above_it(module: str) -> None:
    assert rooms.room_of(module) in rooms.LEVEL, "it is in no layer: give it one in LAYERS"
    assert layer_faults(module, INNER[module].read_text("utf-8")) == []


def test_the_rows_inside_the_rooms_name_every_module_once() -> None:
    own: dict[str, list[str]] = {}
    for module in INNER:
        own.setdefault(rooms.room_of(module), []).append(rooms.inside(module))
    for room, modules in own.items():
        rows = " ".join(rooms.INSIDE.get(room, ["."]))
        assert sorted(rows.split()) == sorted(modules), room


def test_nothing_goes_in_a_circle() -> None:
    assert rooms.circles() == []


def test_the_map_shows_the_house_as_it_is() -> None:
    shown = rooms.MAP.read_text("utf-8").split(rooms.BEGIN)[1].split(rooms.END)[0]
    assert shown.strip().strip("`").strip("\n") == rooms.picture(), (
        "python -m support.rooms draws it"
    )


METADATA_FILES = re.compile(
    r"(.*/)?(RECORD|METADATA|PKG-INFO|INSTALLER|REQUESTED|direct_url\.json|top_level\.txt)"
    r"|.*(dist|egg)\\?-info.*",
    re.DOTALL,
)
OTHER_READERS = {
    "probe/facts/search_path.py": "still to be switched",
    "doctor/collect.py": "looks whether they may be read",
    "doctor/mend.py": "writes one anew",
    "operations/environments/unavailable.py": "writes a wheel",
    "guards/environment_state.py": "shows a path",
    "transaction/transaction.py": "takes a mark away",
    "transaction/undo.py": "looks at names",
}


def metadata_words(text: str) -> list[str]:
    """List the names of metadata files and folders that the code uses, docstrings aside."""
    tree = ast.parse(text)
    said = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said
        if METADATA_FILES.fullmatch(node.value)
    ]


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_only_metadata_reads_what_installers_write_about_a_distribution(path: Path) -> None:
    name = path.relative_to(SOURCE).as_posix()
    if not name.startswith("metadata/"):
        assert bool(metadata_words(path.read_text("utf-8"))) == (name in OTHER_READERS)


SPELLS_LINES = {
    "frontend.py": "the one place",
    "request/arguments.py": "usage of the command line, which is read in a terminal alone",
    "doctor/mend.py": "the name of a command in the journal",
    "agent/script_block.py": "writes cells",
}
"""Where a line to type, or its beginning, may stand as a literal."""


def spelled_lines(text: str) -> list[str]:
    """List the literals that begin as a line of ours does, docstrings aside."""
    tree = ast.parse(text)
    said = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    strings = (n for n in ast.walk(tree) if isinstance(n, ast.Constant) and id(n) not in said)
    commands = "install|uninstall|new-env|undo|history|recover|env|where|doctor|kernels"
    line = re.compile(rf"%(safe\w+|kernelenv)( |$)|!?(python -m )?safeinstall ({commands})\b")
    return [n.value for n in strings if isinstance(n.value, str) and line.match(n.value)]


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_only_the_frontend_spells_lines_to_type(path: Path) -> None:
    if path.relative_to(SOURCE).as_posix() not in SPELLS_LINES:
        assert spelled_lines(path.read_text("utf-8")) == []


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_nobody_reaches_into_a_transaction(path: Path) -> None:
    private = ("_journal", "_layout", "_disk", "_planned", "_lock", "_manifest")
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr in private:
            assert ast.unparse(node.value) == "self", ast.unparse(node)


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_only_the_runner_starts_processes(path: Path) -> None:
    assert process_faults(path, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("plan", "from safeinstall.operations import install"),
        ("plan", "from . import operations"),
        ("plan", "from .operations import install"),
        ("plan", "import safeinstall.operations"),
        ("runner", "from safeinstall.transaction import recover"),
        ("installers.uv", "from ..plan import Plan"),
        ("installers.uv", "def f():\n    from safeinstall import requirements"),
        ("installers.uv", "x = import_module('safeinstall.operations.install')"),
        ("installers", "from safeinstall.installers.uv import Uv"),
        ("transaction.store.journal", "from safeinstall.transaction.store.lock import Lock"),
        ("findings", "from safeinstall.errors import SafeInstallError"),
    ],
)
def test_the_rule_catches_upward_and_sideways_imports(module: str, line: str) -> None:
    assert layer_faults(module, line) != []


@pytest.mark.parametrize(
    "line",
    [
        "import subprocess",
        "from subprocess import run",
        "import os\nos.system('x')",
        "import os\nos.execv('x', [])",
        "import multiprocessing.pool",
    ],
)
def test_the_rule_catches_a_process_started_outside_the_runner(line: str) -> None:
    assert process_faults(SOURCE / "plan.py", line) != []
    assert process_faults(SOURCE / "runner.py", line) == []


def test_a_downward_import_is_no_fault() -> None:
    assert layer_faults("plan", "from .environment import Environment") == []
