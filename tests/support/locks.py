"""Locks (PEP 751) of wheels that a test has made."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

__all__ = ["entry", "lock_of"]


def lock_of(*files: Path, top: str = "", more: str = "", digest: str = "") -> str:
    """Return a lock of these wheels and archives; `top` stands at its head.

    `more` stands in every package, `digest` in the place of the real one.
    """
    head = f'lock-version = "1.0"\ncreated-by = "tests"\n{top}\n'
    head += "" if files else "packages = []\n"
    return head + "".join(entry(file, more=more, digest=digest) for file in files)


def entry(file: Path, *, more: str = "", digest: str = "", url: str = "") -> str:
    """Return the package of one file, found by its path or at `url`."""
    name, version = file.name.removesuffix(".tar.gz").split("-")[:2]
    sha = digest or hashlib.sha256(file.read_bytes()).hexdigest()
    place = f'url = "{url}"' if url else f"path = {json.dumps(str(file))}"
    table = f'{{ name = "{file.name}", {place}, hashes = {{ sha256 = "{sha}" }} }}'
    form = f"wheels = [{table}]" if file.suffix == ".whl" else f"sdist = {table}"
    keys = (f'name = "{name.replace("_", "-")}"', f'version = "{version}"', more, form)
    return "\n".join(("[[packages]]", *keys, ""))
