"""The registry of codes: whatever is raised is in it, and whatever is in it is raised."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from traitlets import TraitError

from safeinstall.findings.codes import CODES, closest_code
from safeinstall.magics import SafeInstall

SOURCE = Path(__file__).parent.parent / "src" / "safeinstall"
TREES = {
    path: ast.parse(path.read_text("utf-8"))
    for path in sorted(SOURCE.rglob("*.py"))
    if "labextension" not in path.parts and path != SOURCE / "findings" / "codes.py"
}
KEBAB = re.compile(r"[a-z]+(?:-[a-z]+)*")


def constants(node: ast.expr) -> Iterator[str]:
    """Yield the texts an expression may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)


def code_positions() -> dict[str, int]:
    """Return, by name of a function, which positional argument of it is a code."""
    found = {}
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                names = [each.arg for each in node.args.args if each.arg not in ("self", "cls")]
                annotated = [each for each in node.args.args if each.arg == "code"]
                if annotated and ast.unparse(annotated[0].annotation or node) == "str":
                    found[node.name] = names.index("code")
    return found


def raised() -> dict[str, Path]:
    """Return every code that is written as one: an argument, an attribute, a key of an answer."""
    positions = code_positions()
    found: dict[str, Path] = {}
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            places: list[ast.expr] = []
            if isinstance(node, ast.Call):
                name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
                name = node.func.id if isinstance(node.func, ast.Name) else name
                places += [each.value for each in node.keywords if each.arg == "code"]
                places += node.args[positions[name] :][:1] if name in positions else []
            elif isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                places += [v for k, v in pairs if isinstance(k, ast.Constant) and k.value == "code"]
            elif isinstance(node, ast.ClassDef):
                places += [
                    each.value
                    for each in node.body
                    if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "code"
                ]
            found |= {text: path for place in places for text in constants(place) if text}
    return found


def test_every_code_that_is_raised_is_registered() -> None:
    unknown = {code: path.name for code, path in raised().items() if code not in CODES}
    assert unknown == {}


def test_every_registered_code_can_be_raised() -> None:
    texts = {
        node.value
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(CODES) - texts == set()
    assert len(set(raised())) > 100


def test_codes_are_kebab_case_in_order_and_titles_differ() -> None:
    assert all(KEBAB.fullmatch(code) for code in CODES)
    assert list(CODES) == sorted(CODES)
    titles = [info.title.casefold() for info in CODES.values()]
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("info", CODES.values(), ids=list(CODES))
def test_a_code_says_what_it_means_in_whole_sentences(info: object) -> None:
    found = CODES[info.code]  # type: ignore[attr-defined]
    assert len(found.explanation) > 40
    assert found.explanation.endswith(".")
    assert not found.title.endswith(".")


def test_a_wrong_code_in_the_configuration_names_the_nearest() -> None:
    options = SafeInstall()
    options.guards = {"name-trap": "warning"}
    with pytest.raises(TraitError) as caught:
        options.guards = {"nametrap": "off"}
    assert str(caught.value) == "There is no finding nametrap; the nearest code is name-trap."
    assert options.guards == {"name-trap": "warning"}
    assert closest_code("old-pip") in CODES
