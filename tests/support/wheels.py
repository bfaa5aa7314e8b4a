"""Wheels and source folders written by hand: no build tool, no network, always the same bytes."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["make_project", "make_sdist", "make_wheel"]

LONG_AGO = (2020, 1, 1, 0, 0, 0)

BACKEND = """
import os, sys, time
sys.path.insert(0, os.path.dirname(__file__))
from wheel_writer import make_wheel
NAME, VERSION, SLEEP, STARTED = {name!r}, {version!r}, {sleep!r}, {started!r}

def build_wheel(folder, config_settings=None, metadata_directory=None):
    if STARTED:
        open(STARTED, "w").close()
    time.sleep(SLEEP)
    return make_wheel(folder, NAME, VERSION).name

def build_editable(folder, config_settings=None, metadata_directory=None):
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "src")
    files = {{NAME + ".pth": here + "\\n"}}
    return make_wheel(folder, NAME, VERSION, modules={{}}, files=files).name

def build_sdist(folder, config_settings=None):
    raise NotImplementedError
"""
"""A build backend that lies in the folder itself, so that building needs nothing from anywhere."""


def make_wheel(
    folder: str | Path,
    name: str,
    version: str = "1.0",
    *,
    requires: Sequence[str] = (),
    extras: Mapping[str, Sequence[str]] | None = None,
    requires_python: str = "",
    modules: Mapping[str, str | bytes] | None = None,
    files: Mapping[str, str | bytes] | None = None,
    data: Mapping[str, str] | None = None,
    scripts: Mapping[str, str] | None = None,
    tag: str = "py3-none-any",
    lies_about: str = "",
    phantoms: str = "",
) -> Path:
    """Write `name-version` into `folder` and return the wheel's path.

    `modules` maps module paths to their text (the default is one module that knows its version),
    `files` adds any other member, `data` adds files below `.data/data`, `scripts` are console
    scripts, and `lies_about` names a member whose hash in RECORD is wrong.
    `phantoms` are further lines of RECORD.
    """
    distribution = name.replace("-", "_").replace(".", "_")
    info = f"{distribution}-{version}.dist-info"
    if modules is None:
        text = f"__version__ = {version!r}\n\n\ndef main():\n    print(__version__)\n"
        modules = {f"{distribution}.py": text}
    metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    metadata += [f"Requires-Python: {requires_python}"] if requires_python else []
    metadata += [f"Requires-Dist: {line}" for line in requires]
    for extra, lines in (extras or {}).items():
        metadata += [f"Provides-Extra: {extra}"]
        metadata += [f"Requires-Dist: {line} ; extra == '{extra}'" for line in lines]
    members: dict[str, str | bytes] = {**modules, **(files or {})}
    members |= {f"{distribution}-{version}.data/data/{p}": t for p, t in (data or {}).items()}
    members[f"{info}/METADATA"] = "\n".join(metadata) + "\n"
    members[f"{info}/WHEEL"] = (
        f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n"
    )
    if scripts:
        lines = [f"{command} = {target}" for command, target in scripts.items()]
        members[f"{info}/entry_points.txt"] = "\n".join(["[console_scripts]", *lines]) + "\n"
    members[f"{info}/RECORD"] = record(members, f"{info}/RECORD", lies_about) + phantoms
    path = Path(folder) / f"{distribution}-{version}-{tag}.whl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as wheel:
        for member, content in members.items():
            entry = zipfile.ZipInfo(member, LONG_AGO)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            wheel.writestr(entry, content)
    return path


def record(members: Mapping[str, str | bytes], own_name: str, lies_about: str) -> str:
    """Return the text of RECORD: every member with its hash and size, itself without."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for member, content in members.items():
        body = content if isinstance(content, bytes) else content.encode()
        digest = hashlib.sha256(body if member != lies_about else b"something else").digest()
        rows.writerow(
            [member, f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}", len(body)]
        )
    rows.writerow([own_name, "", ""])
    return text.getvalue()


def make_project(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    sleep: float = 0,
    started: str = "",
    says: str = "name",
) -> Path:
    """Write a source folder that builds itself offline; a build first touches `started`.

    `says`: what can be read without a build: `all`, `name`, or `nothing` (as with a `setup.py`).
    """
    module = name.replace("-", "_")
    (folder / "src").mkdir(parents=True)
    (folder / "src" / f"{module}.py").write_text(f"__version__ = {version!r}\n", "utf-8")
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        + {
            "all": f'[project]\nname = "{name}"\nversion = "{version}"\n',
            "name": f'[project]\nname = "{name}"\ndynamic = ["version"]\n',
            "nothing": "",
        }[says],
        "utf-8",
    )
    backend = BACKEND.format(name=name, version=version, sleep=sleep, started=started)
    (folder / "backend.py").write_text(backend, "utf-8")
    (folder / "wheel_writer.py").write_text(Path(__file__).read_text("utf-8"), "utf-8")
    return folder


def make_sdist(
    folder: Path, name: str, version: str = "1.0", *, sleep: float = 0, started: str = ""
) -> Path:
    """Write the source archive of such a folder."""
    root = f"{name}-{version}"
    path = folder / f"{root}.tar.gz"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        project = make_project(Path(scratch, root), name, version, sleep=sleep, started=started)
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        (project / "PKG-INFO").write_text(metadata, "utf-8")
        with tarfile.open(path, "w:gz") as archive:
            archive.add(project, arcname=root)
    return path
