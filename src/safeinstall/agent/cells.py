"""What the notebook's cells need and do: imports that are missing, installs that go wrong."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from safeinstall import operations
from safeinstall.agent.attention import install_actions, without_secrets
from safeinstall.environment import Environment
from safeinstall.probe import predict
from safeinstall.probe.prediction import Prediction
from safeinstall.render import clean
from safeinstall.watch.advice import goes_wrong, line_to_run, replaceable, replaced, warning_message


def cells(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the imports of the `cells` ({id, source}) and the install lines that go wrong."""
    modules: dict[str, str] = {}
    asked = params.get("cells", ())
    for cell in asked:
        for module in _imported(str(cell["source"])):
            modules.setdefault(module, str(cell["id"]))
    missing = [
        {"module": module, "cell": identifier, "distribution": _distribution_of(module)}
        for module, identifier in modules.items()
        if not _present(module)
    ]
    return {
        "present": sorted(set(modules) - {item["module"] for item in missing}),
        "missing": missing,
        "wrong": wrong_installs(asked),
    }


def wrong_installs(cells: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the install lines of the cells that would not go right, in words."""
    here = operations.this_environment()
    return [each for c in cells for each in _wrong(str(c["source"]), str(c["id"]), here)]


def rewrite(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the `source` of a cell with its wrong installs written as `%safeinstall`."""
    source = str(params.get("source", ""))
    found = [prediction for prediction in predict(source) if goes_wrong(prediction)]
    here = operations.this_environment()
    new = replaceable(source, found, lambda prediction: _instead(prediction, here))
    lines = source.splitlines(keepends=True)
    return {"source": "".join(replaced(lines, new)), "changed": bool(new)}


def _wrong(source: str, cell: str, environment: Environment) -> Iterator[dict[str, Any]]:
    for prediction in predict(source):
        if goes_wrong(prediction):
            message = warning_message(prediction, environment, str(Path.cwd()))
            commands = [way.command for way in message.suggestions]
            new = replaceable(source, [prediction], lambda p: _instead(p, environment))
            instead = new.get(prediction.line - 1, "")
            if instead:  # what is run has its secrets
                commands = [instead, *commands]
            yield {
                "cell": cell,
                "line": prediction.line,
                "outcome": prediction.outcome,
                "message": clean(message.headline),
                "actions": install_actions("Install here", commands)[:1],
                "rewritable": bool(instead),
                "instead": clean(without_secrets(instead)),
            }


def _instead(prediction: Prediction, environment: Environment) -> str | None:
    """Return the line that does the same here, None where it would be refused."""
    if environment.locked or environment.externally_managed:
        return None
    return line_to_run(prediction, str(Path.cwd()))


def _imported(source: str) -> list[str]:
    """Return the top-level modules a cell imports; lines that are no Python are left out."""
    plain = "\n".join(
        "pass" if line.lstrip().startswith(("%", "!", "?")) else line
        for line in source.splitlines()
    )
    if source.lstrip().startswith("%%"):
        return []
    try:
        tree = ast.parse(plain)
    except (SyntaxError, ValueError):
        return []
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    modules = dict.fromkeys(name.split(".")[0] for name in names)
    return [module for module in modules if module.isidentifier()]


def _present(module: str) -> bool:
    if module in sys.modules or module in sys.stdlib_module_names:
        return True
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _distribution_of(module: str) -> str:
    """Return the name to install for a module; the module's own where nothing else is known."""
    try:
        from safeinstall.request.names import distribution_of
    except ImportError:
        return module
    return distribution_of(module) or module
