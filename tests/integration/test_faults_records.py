"""RECORDs that are wrong but harmless: installers mend them, and undo takes every byte away."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from integration.test_faults_wheels import rewritten
from support.places import Place, differences, tree
from support.wheels import make_wheel

pytestmark = pytest.mark.integration


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.make()
    return place


@pytest.mark.parametrize("installer", ["uv", "pip"])
@pytest.mark.parametrize("fault", ["phantom", "unlisted"])
def test_a_record_that_lists_too_much_or_too_little(
    place: Place, installer: str, fault: str
) -> None:
    extra = {"odd/data.bin": "here"} if fault == "unlisted" else {}
    wheel = make_wheel(place.wheels, "odd", modules={"odd/__init__.py": ""}, files=extra)
    record = "odd-1.0.dist-info/RECORD"
    with zipfile.ZipFile(wheel) as archive:
        lines = archive.read(record).decode().splitlines()
    lines = [line for line in lines if not line.startswith("odd/data.bin")]
    if fault == "phantom":
        lines.insert(0, "odd/phantom.py,sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0")
    rewritten(wheel, record, "\n".join([*lines, ""]).encode())
    before = tree(place.prefix)
    place.installed("--installer", installer, "odd")
    assert place.imports("import odd; print('yes')") == "yes"
    assert place.safeinstall("undo").returncode == 0
    assert differences(before, tree(place.prefix)) == []
