"""The layer rule: a module imports only from rows above it; one door for each effect."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "safeinstall"

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"metadata"}),
    frozenset({"probe", "errors", "findings", "redaction", "frontend", "changes"}),
    frozenset(
        {
            "environment",
            "distributions",
            "request",
            "command",
            "names",
            "realpaths",
        }
    ),
    frozenset({"installers", "requirements"}),
    frozenset({"plan"}),
    frozenset({"guards", "verification"}),
    frozenset({"outcome"}),
    frozenset({"runner", "inspection"}),
    frozenset({"interpreter", "importing", "transaction", "kernels", "ownership"}),
    frozenset({"doctor", "missing_imports"}),
    frozenset({"operations"}),
    frozenset({"render", "config"}),
    frozenset({"magics", "watch", "completion", "api", "cli"}),
    frozenset({"agent"}),
    frozenset({"__init__", "__main__"}),
)
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
PROCESS_STARTERS = frozenset(
    {"subprocess", "multiprocessing", "pexpect", "pty", "_posixsubprocess"}
)
OS_STARTERS = ("system", "popen", "fork", "forkpty", "posix_spawn", "posix_spawnp", "startfile")
OS_STARTER_PREFIXES = ("exec", "spawn")


def room_of(path: Path, root: Path = SOURCE) -> str:
    """Name the room a file belongs to: its module, or the package folder it lies in."""
    first = path.relative_to(root).parts[0]
    return first.removesuffix(".py")


def imported_rooms(path: Path, text: str, root: Path = SOURCE) -> Iterator[str]:
    """Yield every room of ours that the file imports, wherever in the file it does so."""
    package = ("safeinstall", *path.relative_to(root).parts[:-1])
    for node in ast.walk(ast.parse(text)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join((*base, *([node.module] if node.module else [])))
            names = [f"{module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "safeinstall" and len(parts) > 1 and parts[1] in LEVEL:
                yield parts[1]


def layer_faults(path: Path, text: str, root: Path = SOURCE) -> list[str]:
    """List the imports of the file that go upward or sideways."""
    room = room_of(path, root)
    if room == "__init__":
        return []  # resolves names lazily; its own test pins what it may import at the top
    return [
        f"{room} imports {other}"
        for other in imported_rooms(path, text, root)
        if other != room and LEVEL[other] >= LEVEL[room]
    ]


def process_faults(path: Path, text: str, root: Path = SOURCE) -> list[str]:
    """List what in the file could start a process, unless the file is the runner."""
    if room_of(path, root) == "runner":
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
    return sorted(p for p in SOURCE.rglob("*.py") if "labextension" not in p.parts)


@pytest.mark.parametrize("path", files(), ids=lambda p: str(p.relative_to(SOURCE)))
def test_every_room_has_a_layer_and_imports_only_from_rows_above(path: Path) -> None:
    assert room_of(path) in LEVEL, f"{room_of(path)} is in no layer: give it one in LAYERS"
    assert layer_faults(path, path.read_text("utf-8")) == []


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
    "ownership.py": "shows a path",
    "transaction/staging.py": "takes a mark away",
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


TRANSACTION = (
    {"moves.disk"},
    {"store.journal"},
    {"store.lock"},
    {"store.history", "moves.prefix"},
    {"moves.removals"},
    {"moves.additions"},
    {"moves.commit"},
    {"staging"},
    {"in_progress", "recover", "repair", "transaction", "undo"},
)
"""The rows of the room that writes: a module imports only from rows above its own."""


def test_inside_the_transaction_imports_go_one_way() -> None:
    room = SOURCE / "transaction"
    level = {name: number for number, names in enumerate(TRANSACTION) for name in names}
    inside = {
        ".".join(path.relative_to(room).with_suffix("").parts): path
        for path in room.rglob("*.py")
        if path.name != "__init__.py"
    }
    assert inside.keys() == level.keys()
    for name, path in inside.items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.ImportFrom):
                continue
            for alias in node.names:
                full = f"{node.module}.{alias.name}".removeprefix("safeinstall.transaction.")
                other = full if full in level else full.rpartition(".")[0]
                assert level.get(other, -1) < level[name], f"{name} imports {other}"


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
    ("room", "line"),
    [
        ("plan.py", "from safeinstall.operations import install"),
        ("plan.py", "from . import operations"),
        ("plan.py", "from .operations import install"),
        ("plan.py", "import safeinstall.operations"),
        ("runner.py", "from safeinstall.inspection import staged"),
        ("installers/uv.py", "from ..plan import Plan"),
        ("installers/uv.py", "def f():\n    from safeinstall import requirements"),
        ("findings.py", "from .errors import SafeInstallError"),
    ],
)
def test_the_rule_catches_upward_and_sideways_imports(room: str, line: str) -> None:
    assert layer_faults(SOURCE / room, line) != []


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
    assert layer_faults(SOURCE / "plan.py", "from .environment import Environment") == []
