"""RECORDs that are wrong but harmless: installers mend them, and undo takes every byte away."""

from __future__ import annotations

import shlex
import sys
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


def test_an_egg_that_lists_no_files_is_refused_with_a_way_that_goes_on(place: Place) -> None:
    make_wheel(place.wheels, "odd", "2.0")
    (place.site / "odd-1.0.egg-info").write_text("Metadata-Version: 1.0\nName: odd\nVersion: 1.0\n")
    (place.site / "odd.py").write_text("")
    before = tree(place.prefix)
    refused = place.safeinstall("install", "odd==2.0")
    said = " ".join(refused.stderr.split())
    assert "odd 1.0 was installed without a list of its files" in said
    assert "safeinstall new-env .venv" in said
    kept = place.safeinstall("uninstall", "odd")
    assert "has no list of its files" in " ".join(kept.stderr.split())
    assert "--force-reinstall" not in kept.stderr  # that could not know its files either
    assert (refused.returncode, kept.returncode) == (1, 1)
    assert differences(before, tree(place.prefix)) == []


def test_a_lost_list_is_made_anew_by_the_line_that_a_terminal_is_told(place: Place) -> None:
    make_wheel(place.wheels, "odd")
    place.installed("odd")
    next(place.site.glob("odd-*/RECORD")).unlink()
    refused = place.safeinstall("uninstall", "odd")
    line = next(text for text in refused.stderr.splitlines() if "force-reinstall" in text)
    words = shlex.split(line.partition("→ ")[2].partition("   ")[0])
    assert words[0] == "safeinstall"
    place.run([sys.executable, "-m", *words])
    assert place.safeinstall("uninstall", "odd").returncode == 0
