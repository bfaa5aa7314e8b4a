"""The rooms of the house as the code shows them: who imports whom, and the picture of it.

`PYTHONPATH=tests .venv/bin/python -m support.rooms` writes the picture into the map
(.github/CONTRIBUTING.md).
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).parent.parent.parent
SOURCE = PROJECT / "src" / "safeinstall"
MAP = PROJECT / ".github" / "CONTRIBUTING.md"
BEGIN, END = "<!-- picture: begin -->", "<!-- picture: end -->"

LAYERS: tuple[tuple[str, ...], ...] = (
    ("metadata",),
    ("probe", "errors", "findings", "frontend"),
    ("environment", "distributions", "request", "runner", "importing"),
    ("installers", "requirements"),
    ("plan",),
    ("guards", "outcome"),
    ("interpreter", "transaction", "kernels"),
    ("doctor",),
    ("operations",),
    ("render",),
    ("magics", "api", "cli"),
    ("watch",),
    ("agent",),
    ("__init__", "__main__"),
)
"""A room imports only from rows above its own."""
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}

INSIDE: Mapping[str, Sequence[str]] = {
    "agent": (
        "jobs loader older script_block",
        "attention",
        "cells",
        "facts",
        "operate",
        "packages",
        ".",
    ),
    "doctor": (
        "diagnosis",
        "collect mend",
        ".",
    ),
    "findings": (
        ".",
        "codes",
    ),
    "guards": (
        "environment_state files",
        "request",
        "kernel_stack",
        "conflicts",
        ".",
    ),
    "installers": (
        "uv_settings",
        "sources",
        ". credentials failures",
        "conda pip uv",
    ),
    "kernels": (
        ".",
        "kernel_state trial_starts",
    ),
    "magics": (
        "missing_imports",
        "door",
        ".",
    ),
    "metadata": (
        ". record",
        "distribution",
    ),
    "operations": (
        "context",
        "autoload diagnose planning.builds planning.installer_choice",
        "staging.trial_import survey undo",
        "planning.resolver",
        "environments.overlay environments.unavailable history planning",
        "conda staging.verify",
        "already staging",
        "install",
        "environments uninstall",
        ".",
    ),
    "probe": (
        "cell facts facts.search_path shell shell.effects shell.option_grammar shell.syntax",
        "facts.writability rules.local_candidates",
        "facts.interpreter",
        "facts.lost rules shell.reach",
        "rules.removals shell.prefixes",
        "rules.conda_rules rules.other_rules rules.pip_settings rules.uv_rules shell.walk",
        "rules.pip_rules",
        "prediction",
        ".",
    ),
    "render": (
        "layout",
        "outcome_words",
        "report_words",
        ".",
    ),
    "request": (
        "names options cutoff",
        "commands",
        "corrections",
        "line requirement",
        "option_parser toml_files",
        "lock_file",
        "requirements_file",
        "reader",
        ". arguments",
    ),
    "transaction": (
        ". moves moves.disk store",
        "store.journal",
        "moves.prefix store.lock",
        "in_progress moves.additions moves.claims store.history",
        "moves.commit",
        "recover transaction undo",
    ),
    "watch": (
        "removals",
        "advice",
        "session",
        ".",
    ),
}
"""The rows inside a room, modules separated by blanks; `.` is the room's own file."""


def modules() -> dict[str, Path]:
    """Return every module by its name within the package: `guards.files`, `guards`, `__init__`."""
    found = {}
    for path in sorted(SOURCE.rglob("*.py")):
        if "labextension" not in path.parts:
            parts = path.relative_to(SOURCE).with_suffix("").parts
            name = ".".join(parts).removesuffix(".__init__")
            found[name] = path
    return found


MODULES = modules()


def room_of(module: str) -> str:
    """Name the room a module belongs to."""
    return module.split(".")[0]


def inside(module: str) -> str:
    """Name a module within its room; `.` for the room's own file."""
    return module.partition(".")[2] or "."


def imported(module: str, text: str, path: Path | None = None) -> Iterator[str]:
    """Yield every module of ours that the text imports: at the top, in functions, by string."""
    path = path or MODULES[module]
    package = ["safeinstall", *path.relative_to(SOURCE).parts[:-1]]
    for node in ast.walk(ast.parse(text)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*base, *([node.module] if node.module else [])])
            names = [f"{start}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names = [node.value] if re.fullmatch(r"safeinstall(\.\w+)+", node.value) else []
        for name in names:
            if name.partition(".")[0] == "safeinstall":
                other = _nearest(name.partition(".")[2])
                if other and other != module:
                    yield other


def _nearest(name: str) -> str:
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def circles() -> list[list[str]]:
    """Return the groups of modules that import each other; the package's own file stands apart."""
    graph = {
        name: {o for o in imported(name, path.read_text("utf-8")) if o != "__init__"}
        for name, path in MODULES.items()
        if name != "__init__"
    }
    found = []
    reach = {name: _reachable(name, graph) for name in graph}
    for name in graph:
        group = sorted(other for other in reach[name] if name in reach[other])
        if group and group[0] == name:
            found.append(group)
    return found


def _reachable(start: str, graph: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += graph[name]
    return seen


def picture() -> str:
    """Return the house as text: what stands in a row uses only what stands above it."""
    lines = []
    for number, row_of_rooms in enumerate(LAYERS[:-1], start=1):
        for room in row_of_rooms:
            docstring = ast.get_docstring(ast.parse(MODULES[room].read_text("utf-8"))) or ""
            lines.append(f"{number:>2}  {room:<16} {docstring.splitlines()[0]}")
            rows = ([name for name in row.split() if name != "."] for row in INSIDE.get(room, ()))
            within = " < ".join(", ".join(names) for names in rows if names)
            lines += [f"{'':<21}{within}"] if within else []
    return "\n".join(lines)


def main() -> None:
    """Write the picture into the map."""
    text = MAP.read_text("utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    MAP.write_text(f"{before}{BEGIN}\n```\n{picture()}\n```\n{END}{after}", "utf-8")


if __name__ == "__main__":
    main()
