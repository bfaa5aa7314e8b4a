"""False alarms are defects: widely used packages raise no question, in any environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeinstall.findings import Finding
from safeinstall.operations import there
from safeinstall.operations.install import install
from safeinstall.request import parse
from support.environments import CACHE, Workshop

pytestmark = pytest.mark.integration

SMALL = (
    "attrs", "build", "filelock", "hypothesis", "ipython", "jedi", "jsonschema", "mypy", "nbclient",
    "nbformat", "packaging", "platformdirs", "psutil", "pygments", "pytest", "python-dateutil",
    "pyzmq", "referencing", "ruff", "tornado", "traitlets", "virtualenv",
)  # fmt: skip
"""Real wheels that the tests need anyway."""
STACK = ("numpy", "pandas", "scipy", "matplotlib", "scikit-learn", "seaborn", "pillow")
"""Present when the benchmark of the five packages has been prepared."""


def available() -> tuple[str, ...]:
    return SMALL + (STACK if any((CACHE / "stack").glob("seaborn-*.whl")) else ())


def said(python: Path, workshop: Workshop, line: str) -> tuple[str, list[Finding]]:
    links = f"--no-index --find-links {workshop.wheels} --find-links {CACHE / 'stack'}"
    (CACHE / "stack").mkdir(exist_ok=True)
    outcome = install(parse(f"{links} {line}", cwd="/"), there(str(python)))
    return outcome.status, [f for f in outcome.findings if f.code != "ambient-redirect"]


def test_widely_used_packages_raise_nothing_in_an_empty_environment(
    workshop: Workshop, tmp_path: Path
) -> None:
    empty = tmp_path / "empty"
    workshop.run(workshop.uv, "venv", "-q", "--python", workshop.base, empty)
    python = empty / "bin" / "python"
    for name in available():
        assert said(python, workshop, f"--dry-run {name}") == ("planned", []), name
    assert len(available()) >= 20
    status, findings = said(python, workshop, " ".join(available()))
    assert (status, [f for f in findings if f.severity != "info"]) == ("done", []), findings


def test_widely_used_packages_raise_nothing_beside_a_kernel(
    workshop: Workshop, tmp_path: Path
) -> None:
    environment = workshop.copy(tmp_path / "b")
    for name in available():
        status, findings = said(environment.python, workshop, name)
        assert status in ("done", "satisfied"), (name, findings)
        assert [f for f in findings if f.severity != "info"] == [], name
