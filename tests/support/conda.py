"""Real conda environments, offline: a channel written by hand, solved and installed by rattler.

conda's own programs cannot be had from the registries the tests use. `py-rattler`, the library
below pixi, can: what it leaves in a prefix (`conda-meta/*.json`, history, linked files) is what
any conda tool leaves. Members of a package: https://docs.conda.io/projects/conda-build/en/stable/
resources/package-spec.html (index.json, paths.json, link.json for `noarch: python`).
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import platform
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import rattler
from rattler.index import index_fs

__all__ = ["Channel", "change", "installed", "solved"]

LONG_AGO = 1577836800


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel in a folder, and the package cache of those who install from it."""

    folder: Path

    @property
    def cache(self) -> Path:
        """Where packages are unpacked; environments share their files with it."""
        return self.folder.with_name(f"{self.folder.name}-cache")

    def add_python(self, interpreter: Path) -> None:
        """Repack the stand-alone interpreter in a folder as the package `python`."""
        files, links = {}, {}
        for place, _, names in os.walk(interpreter):
            for path in (Path(place, name) for name in names):
                inside = str(path.relative_to(interpreter))
                if path.is_symlink():
                    links[inside] = str(path.readlink())
                elif "site-packages" not in path.parts and path.suffix != ".pyc":
                    files[inside] = path.read_bytes()
        version = platform.python_version()
        self._write(str(rattler.Subdir.current()), "python", version, files, links=links)

    def add_wheel(
        self, wheel: Path, name: str = "", installer: str = "conda", placeholder: str = ""
    ) -> None:
        """Repack a pure wheel, as conda-build does: metadata and all, INSTALLER says who.

        `name` is for a project that conda knows by another name than PyPI. Where a file holds
        `placeholder`, conda writes the place of the environment.
        """
        files = {}
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                files[f"site-packages/{member}"] = archive.read(member)
        project, version, *_ = wheel.stem.split("-")
        files[f"site-packages/{project}-{version}.dist-info/INSTALLER"] = f"{installer}\n".encode()
        name = name or project.replace("_", "-")
        self._write("noarch", name, version, files, depends=["python"], placeholder=placeholder)

    def index(self) -> None:
        """Write the index that a solve reads."""
        asyncio.run(index_fs(self.folder, write_zst=False, write_shards=False))

    def install(self, prefix: Path, *specs: str) -> None:
        """Make the environment at `prefix`, or change it."""
        asyncio.run(change(prefix, asyncio.run(solved(self.folder, prefix, specs)), self.cache))

    def _write(
        self,
        subdir: str,
        name: str,
        version: str,
        files: Mapping[str, bytes],
        *,
        links: Mapping[str, str] | None = None,
        depends: Sequence[str] = (),
        placeholder: str = "",
    ) -> None:
        noarch = subdir == "noarch"
        index = {
            "name": name, "version": version, "build": "0", "build_number": 0,
            "depends": list(depends), "subdir": subdir, **({"noarch": "python"} if noarch else {}),
        }  # fmt: skip
        paths = [
            {
                "_path": path, "path_type": "hardlink", "size_in_bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
            }
            for path, content in files.items()
        ]  # fmt: skip
        for row in paths:
            if placeholder and placeholder.encode() in files[str(row["_path"])]:
                row |= {"file_mode": "text", "prefix_placeholder": placeholder}
        paths += [{"_path": path, "path_type": "softlink"} for path in links or {}]
        members = {
            "info/index.json": json.dumps(index).encode(),
            "info/paths.json": json.dumps({"paths": paths, "paths_version": 1}).encode(),
            **files,
        }
        if noarch:
            link = {"noarch": {"type": "python"}, "package_metadata_version": 1}
            members["info/link.json"] = json.dumps(link).encode()
        # bytecode of another version is believed where size and time of the source are the same
        time = LONG_AGO + sum(version.encode())
        target = self.folder / subdir / f"{name}-{version}-0.tar.bz2"
        target.parent.mkdir(parents=True, exist_ok=True)
        with tarfile.open(target, "w:bz2", compresslevel=1) as archive:
            for path, content in members.items():
                entry = tarfile.TarInfo(path)
                entry.size, entry.mtime = len(content), time
                entry.mode = 0o755 if path.startswith("bin/") or ".so" in path else 0o644
                archive.addfile(entry, io.BytesIO(content))
            for path, to in (links or {}).items():
                entry = tarfile.TarInfo(path)
                entry.type, entry.linkname, entry.mtime = tarfile.SYMTYPE, to, time
                archive.addfile(entry)


def installed(prefix: Path) -> list[rattler.PrefixRecord]:
    """Return what conda has installed at `prefix`, from its records."""
    return [rattler.PrefixRecord.from_path(path) for path in prefix.glob("conda-meta/*.json")]


async def solved(channel: Path, prefix: Path, specs: Sequence[str]) -> list[rattler.RepoDataRecord]:
    """Return the records of `prefix` after an install of `specs`: the others stay where they can.

    Raises `rattler.exceptions.SolverError` when there is no such set.
    """
    there = installed(prefix)
    asked = [rattler.MatchSpec(spec) for spec in specs]
    named = {spec.name.normalized for spec in asked if spec.name is not None}
    kept = [record.name.normalized for record in there]
    return await rattler.solve(
        [rattler.Channel(channel.as_uri())],
        [*asked, *(rattler.MatchSpec(name) for name in kept if name not in named)],
        locked_packages=[record for record in there if record.name.normalized not in named],
    )


async def change(
    prefix: Path,
    records: Sequence[rattler.RepoDataRecord],
    cache: Path,
    again: set[str] | None = None,
) -> None:
    """Bring the environment at `prefix` to exactly these records; `again`: link these anew."""
    await rattler.install(
        list(records),
        prefix,
        cache_dir=cache,
        show_progress=False,
        reinstall_packages=again or None,
    )
