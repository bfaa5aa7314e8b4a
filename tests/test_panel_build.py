"""What the panel is built from: one version, no address of a registry, always the same bytes."""

from __future__ import annotations

import io
import json
import re
import runpy
import zipfile
from typing import Any

import safeinstall
from support.environments import CHECKOUT

JS = CHECKOUT / "js"


def builder() -> dict[str, Any]:
    return runpy.run_path(str(JS / "payload.py"))


def test_the_panel_has_the_version_of_the_package() -> None:
    assert json.loads((JS / "package.json").read_text("utf-8"))["version"] == (
        safeinstall.__version__
    )


def test_the_lock_file_names_no_host() -> None:
    assert re.findall(r"https?://|__archiveUrl", (JS / "yarn.lock").read_text("utf-8")) == []


def test_the_payload_is_the_package_without_panel_and_command_line() -> None:
    module = builder()
    packed = module["archive"](module["files"]())
    assert packed == module["archive"](module["files"]())
    names = zipfile.ZipFile(io.BytesIO(packed)).namelist()
    assert "safeinstall/agent/loader.py" in names
    assert "safeinstall/probe/facts/interpreter.py" in names
    assert {"safeinstall/request/names.txt", "safeinstall/findings/codes.txt"} <= set(names)
    assert not [name for name in names if "cli.py" in name or "labextension" in name]


def test_every_part_of_the_panel_that_others_rely_on_has_its_name() -> None:
    promised = {"executable", "environment", "verdict", "findings", "requirements", "install"}
    promised |= {"plan", "confirm", "cancel", "status", "progress", "restart", "packages"}
    promised |= {"new-environment", "undo"}
    text = "".join(path.read_text("utf-8") for path in (JS / "src").rglob("*.tsx"))
    hooks = set(re.findall(r'(?:data-safeinstall|hook)="([a-z-]+)"', text))
    assert promised <= hooks
