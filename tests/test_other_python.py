"""A package that needs another Python is offered a new environment of one."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from safeinstall.errors import InstallerError
from safeinstall.frontend import NOTEBOOK, TERMINAL, Frontend
from safeinstall.operations.planning import resolver
from safeinstall.request import parse
from support.reports import intent


@pytest.mark.parametrize(
    ("frontend", "wanted", "hint"),
    [
        (NOTEBOOK, ">=3.12", "%safeinstall --new-env --python 3.13 newpy"),
        (NOTEBOOK, ">=3.9,<3.11", "%safeinstall --new-env --python 3.10 newpy"),
        (TERMINAL, ">=3.12", "safeinstall new-env .venv --python 3.13 newpy"),
        (NOTEBOOK, ">=3.99", ""),
    ],
)
def test_the_line_names_a_python_that_is_here_and_fits(
    monkeypatch: pytest.MonkeyPatch, frontend: Frontend, wanted: str, hint: str
) -> None:
    here = [SimpleNamespace(version=version) for version in ("3.9.2", "3.13", "", "3.10.14")]
    monkeypatch.setattr(resolver, "installed_pythons", lambda *_: here)
    monkeypatch.setattr(resolver, "managed_pythons", lambda *_: ())
    context: Any = SimpleNamespace(environ={}, frontend=frontend, settings_prefix="", run=None)
    met: Any = replace(intent("newpy"), request=parse("newpy", cwd="/w"), frontend=frontend)
    asked: Any = {"chosen": SimpleNamespace(installer=None), "state": None}
    asking = resolver.Resolver(intent=met, context=context, **asked)
    error = InstallerError(f"newpy needs Python {wanted}, and this kernel runs 3.11.2.")
    found = asking.with_other_python(error)
    assert found.hint == hint
    assert found.message.endswith("No such Python is found on this machine.") == (not hint)
    if frontend.in_notebook and hint:
        assert parse(hint.removeprefix("%safeinstall "), cwd="/w").new_env == "/w/.venv"
