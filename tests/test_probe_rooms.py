"""The order inside the probe: its sub-rooms import downward only, and nothing goes in a circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from safeinstall import probe

PROBE = Path(probe.__file__).parent
ORDER = ("facts", "cell", "shell", "rules", "prediction", "")
"""From the lowest room to the room's own door."""


def name_of(path: Path) -> str:
    """Name a module within the probe: `rules.uv_rules`, `rules` for its `__init__`."""
    parts = path.relative_to(PROBE).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


MODULES = {name_of(path): path for path in sorted(PROBE.rglob("*.py"))}


def imported(module: str, path: Path, text: str) -> Iterator[str]:
    """Yield every module of the probe that *text* imports, wherever in it that stands."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [part for part in package if part][: len(package) - node.level + 1]
            start = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                name = f"{start}.{alias.name}".strip(".")
                yield name if name in MODULES else start


def faults(module: str, path: Path, text: str) -> list[str]:
    rank = ORDER.index(module.split(".")[0])
    others = (other for other in imported(module, path, text) if other != module)
    return [other for other in others if ORDER.index(other.split(".")[0]) > rank]


@pytest.mark.parametrize("module", MODULES)
def test_a_sub_room_imports_only_from_those_below_it(module: str) -> None:
    path = MODULES[module]
    assert faults(module, path, path.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("facts.search_path", "from ..rules import Verdict"),
        ("facts.search_path", "def f():\n    from ..shell import reach"),
        ("shell.reach", "from ..rules.pip_rules import decide_pip"),
        ("rules", "from ..prediction import Prediction"),
        ("cell", "from ..shell.syntax import split_shell"),
    ],
)
def test_the_rule_catches_an_import_from_above(module: str, line: str) -> None:
    assert faults(module, MODULES[module], line) != []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        name: set(imported(name, path, path.read_text("utf-8"))) - {name}
        for name, path in MODULES.items()
    }
    while free := [name for name, needs in graph.items() if not needs & graph.keys()]:
        for name in free:
            del graph[name]
    assert graph == {}


def test_no_module_is_long_and_no_name_stands_twice() -> None:
    assert max(len(path.read_text("utf-8").splitlines()) for path in MODULES.values()) <= 500
    names = [path.stem for path in MODULES.values() if path.stem != "__init__"]
    assert len(names) == len(set(names))
