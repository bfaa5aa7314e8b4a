"""The first line that a finding offers works: each code has a test that types it, or no line."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from safeinstall.findings.codes import CODES
from test_findings import SOURCE, TREES, code_positions, constants

TESTS = Path(__file__).parent

_NONE = """
    ambient-redirect bad-report build-failed busy command-not-found constraints-unreadable
    damaged-package duplicate-copy environment-busy environment-not-made ephemeral-prefix
    escapes-prefix extra-index extra-unknown failed file-missing hash-mismatch hash-missing
    incomplete-download
    files-left index-error index-refused index-unreachable index-untrusted installer-failed internal
    kernel-does-not-start kernelspec-hidden kernelspec-not-written
    kernelspec-unjudged loader locked no-environment no-folder no-method no-space not-a-python
    not-found not-fresh not-landed not-offline nothing-to-undo other-interpreter outdated-modules
    not-typed overridden settings-unreadable
    recovered replaces-loaded repository-missing repository-unreachable reserved-script
    shadows-standard-library shared-environment system-changed system-error undo-by-conda
    unknown-layout unsafe-area user-site-first user-site-leaks yanked
"""
WITHOUT_A_LINE = frozenset(_NONE.split())
"""What no line of ours could mend: the sentence says what to look at."""
CANNOT_BE_TYPED = {
    "no-processes": "the line is that of a kernel in the browser, where nothing of this suite runs",
    "pixi-project": "the line is pixi's own, which comes in no wheel",
    "wrong-platform": "as python-too-old: the line names another Python, if one is found",
}


def typed() -> dict[str, set[str]]:
    """Return, by code, the tests that type its first line: marked, or stops of the table."""
    found: dict[str, set[str]] = {}
    for path in TESTS.rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef):
                marks = [m for m in node.decorator_list if isinstance(m, ast.Call)]
                marks = [m for m in marks if ast.unparse(m.func).endswith("mark.first_line_of")]
                for word in (
                    text for mark in marks for arg in mark.args for text in constants(arg)
                ):
                    found.setdefault(word, set()).add(node.name)
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "Stop":
                names = {word.arg: word.value for word in node.keywords}
                for word in constants(names["code"]):
                    found.setdefault(word, set()).add("the table of stops")
    return found


def lines_offered() -> dict[str, str]:
    """Return, by code, a place in the source that raises it together with a line to type."""
    positions = code_positions()
    found = {}
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            name = node.func.id if isinstance(node.func, ast.Name) else name
            at = positions.get(name, len(node.args))
            named = [each.value for each in node.keywords if each.arg == "code"]
            codes = [text for arg in (*named, *node.args[at : at + 1]) for text in constants(arg)]
            ways = {each.arg for each in node.keywords} & {"hint", "command", "also", "fix"}
            more = name in ("refuse", "ask", "warn", "remark", "say") and len(node.args) > at + 2
            if ways or more:
                place = f"{path.relative_to(SOURCE)}:{node.lineno}"
                found.update(dict.fromkeys(codes, place))
    return found


def test_each_code_has_a_test_that_types_its_first_line_or_offers_none() -> None:
    known = typed()
    assert set(known) | WITHOUT_A_LINE | set(CANNOT_BE_TYPED) == set(CODES)
    assert set(known) & (WITHOUT_A_LINE | set(CANNOT_BE_TYPED)) == set()


def test_what_is_said_to_offer_no_line_offers_none() -> None:
    offered = lines_offered()
    assert len(offered) > 40
    assert {code: place for code, place in offered.items() if code in WITHOUT_A_LINE} == {}


@pytest.mark.parametrize("code", ["externally-managed", "no-such-version", "wrong-home"])
def test_a_code_is_found_where_it_is_typed(code: str) -> None:
    assert typed()[code]
