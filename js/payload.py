"""Write `src/generated/payload.json`: the Python package as the panel carries it into kernels.

The same files give the same bytes. Standard library only: it runs in the build.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import zipfile
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "safeinstall"
TARGET = Path(__file__).resolve().parent / "src" / "generated" / "payload.json"
LEFT_OUT = ("labextension", "cli.py", "__main__.py", "__pycache__")
"""What no kernel needs: the panel itself and the command line."""


def files() -> list[Path]:
    """List the files that are carried, in one order."""
    found = sorted(each for each in PACKAGE.rglob("*") if each.suffix in (".py", ".txt"))
    return [path for path in found if not set(path.relative_to(PACKAGE).parts) & set(LEFT_OUT)]


def digest(paths: list[Path]) -> str:
    """Return a name for exactly this content."""
    total = hashlib.sha256()
    for path in paths:
        total.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:16]


def archive(paths: list[Path]) -> bytes:
    """Return the zip of the package; no time of day is in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
        for path in paths:
            name = path.relative_to(PACKAGE.parent).as_posix()
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.external_attr = 0o600 << 16
            packed.writestr(info, path.read_bytes(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def payload() -> dict[str, str]:
    """Return what the panel sends."""
    paths = files()
    init = (PACKAGE / "__init__.py").read_text("utf-8")
    version = re.search(r'^__version__ = "(.+)"$', init, re.M)
    if version is None:
        raise SystemExit("no __version__ in the package")
    return {
        "version": version[1],
        "digest": digest(paths),
        "loader": (PACKAGE / "agent" / "loader.py").read_text("utf-8"),
        "archive": base64.b64encode(archive(paths)).decode("ascii"),
    }


def write() -> None:
    """Write the file, unless it says the same already."""
    text = json.dumps(payload())
    TARGET.parent.mkdir(exist_ok=True)
    if not TARGET.exists() or TARGET.read_text("utf-8") != text:
        TARGET.write_text(text, "utf-8")


if __name__ == "__main__":
    write()
