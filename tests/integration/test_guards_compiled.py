"""Compiled code in a real kernel: once loaded it can never be replaced, and that is said."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from integration.conftest import Desk
from support.wheels import make_wheel

pytestmark = pytest.mark.integration

SUFFIX = str(sysconfig.get_config_var("EXT_SUFFIX"))
LIBRARIES = [
    path
    for name in ("_heapq", "_json", "_bisect")
    if (path := Path(sysconfig.get_path("stdlib"), "lib-dynload", f"{name}{SUFFIX}")).is_file()
]


@pytest.fixture
def compiled(desk: Desk) -> Desk:
    """Two versions of `speedy`, each with two real extension modules that have other bytes."""
    if len(LIBRARIES) < 2:
        pytest.skip("this interpreter has its extension modules built in")
    for version in ("1.0", "2.0"):
        modules: dict[str, str | bytes] = {"speedy/__init__.py": f"v = {version!r}\n"}
        for library in LIBRARIES[:2]:
            # what stands after the end of a shared library is not read by the loader
            modules[f"speedy/{library.name}"] = library.read_bytes() + version.encode()
        make_wheel(desk.wheels, "speedy", version, modules=modules)
    return desk


def test_compiled_modules_in_use_are_counted_before_and_after(compiled: Desk) -> None:
    one, two = sorted(library.name.removesuffix(SUFFIX) for library in LIBRARIES[:2])
    with compiled.kernel() as kernel:
        kernel.run(f"%safeinstall {compiled.offline} speedy==1.0")
        assert kernel.run(f"from speedy import {one}, {two}").ok
        assert kernel.run(f"{one}.__file__").data["text/plain"].endswith(f"{SUFFIX}'")
        planned = kernel.run(f"%safeinstall {compiled.offline} --dry-run speedy==2.0").outcome
        [finding] = planned["findings"]
        assert finding["code"] == "replaces-loaded"
        assert "speedy (3 modules, 2 of them compiled)" in finding["message"]
        done = kernel.run(f"%safeinstall {compiled.offline} speedy==2.0")
        assert done.outcome["restart"] == "needed"
        assert done.outcome["stale_modules"] == ["speedy", f"speedy.{one}", f"speedy.{two}"]
        assert "speedy is loaded (2 compiled modules)" in done.data["text/plain"]
        assert kernel.run(f"{one}").ok, "the kernel lives on with what it had loaded"
        kernel.restart()
        assert kernel.run("import speedy; speedy.v").data["text/plain"] == "'2.0'"


def test_compiled_modules_nobody_has_loaded_need_no_word(compiled: Desk) -> None:
    with compiled.kernel() as kernel:
        kernel.run(f"%safeinstall {compiled.offline} speedy==1.0")
        done = kernel.run(f"%safeinstall {compiled.offline} speedy==2.0")
        assert done.outcome["restart"] != "needed"
        assert (done.outcome["stale_modules"], done.outcome["findings"]) == ([], [])
        assert "no restart needed" in done.data["text/plain"]
        assert kernel.run("import speedy; speedy.v").data["text/plain"] == "'2.0'"
