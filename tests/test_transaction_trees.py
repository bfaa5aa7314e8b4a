"""Tiny environments and staging areas made by hand, for the tests of transactions."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from safeinstall.transaction.moves.commit import Committed
from safeinstall.transaction.moves.disk import Disk
from safeinstall.transaction.recover import recover_store
from safeinstall.transaction.store.history import Store
from safeinstall.transaction.transaction import Transaction, begin_transaction

SITE = "lib/python3.12/site-packages"
LONG_AGO = 1_500_000_000

Tree = dict[str, tuple[str, int, bytes]]


@dataclass(frozen=True)
class Package:
    """One distribution as an installer would lay it out; paths are relative to the prefix."""

    name: str
    version: str
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def dist_info(self) -> str:
        return f"{SITE}/{self.name}-{self.version}.dist-info"

    def write(self, root: Path) -> None:
        """Write the files and their RECORD below `root`."""
        own = {
            f"{self.dist_info}/METADATA": f"Name: {self.name}\nVersion: {self.version}\n",
            f"{self.dist_info}/INSTALLER": "hand\n",
            f"{self.dist_info}/REQUESTED": "",
        }
        rows = [(os.path.relpath(f"{self.dist_info}/RECORD", SITE), "", "")]
        for name, text in {**self.files, **own}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            if name.startswith("bin/"):
                path.chmod(0o755)
            os.utime(path, (LONG_AGO, LONG_AGO + len(self.version)))
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            rows.append(
                (
                    os.path.relpath(name, SITE),
                    f"sha256={digest.decode().rstrip('=')}",
                    str(len(text.encode())),
                )
            )
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows(sorted(rows))
        record = root / self.dist_info / "RECORD"
        record.write_text(buffer.getvalue(), "utf-8")
        os.utime(record, (LONG_AGO, LONG_AGO))


def package(name: str, version: str, **kinds: str) -> Package:
    """Make a package of modules (`mod="text"`) with a folder, a script and data of its own."""
    files = {
        f"{SITE}/{name}/__init__.py": f"version = {version!r}\n",
        f"{SITE}/{name}/deep/inner.py": f"inner = {version!r}\n",
        f"bin/{name}": f"#!python\n# {version}\n",
        f"share/{name}/data.txt": f"data of {version}\n",
    }
    return Package(name, version, {**files, **kinds})


def environment(prefix: Path, packages: Iterable[Package], *, lib64: bool = True) -> Path:
    """Make an environment that has `packages`, and a few things of nobody's."""
    (prefix / SITE).mkdir(parents=True)
    (prefix / "bin").mkdir()
    for name in ("bin/python", "pyvenv.cfg"):
        (prefix / name).write_text("of the environment itself\n")
        os.utime(prefix / name, (LONG_AGO, LONG_AGO))
    if lib64:
        (prefix / "lib64").symlink_to("lib")
    for one in packages:
        one.write(prefix)
    return prefix


def compiled(prefix: Path, source: str) -> Path:
    """Write what Python would: bytecode beside `source` (relative to the prefix)."""
    path = prefix / source
    cache = path.parent / "__pycache__"
    cache.mkdir(exist_ok=True)
    result = cache / f"{path.stem}.cpython-312.pyc"
    result.write_bytes(b"bytecode of " + path.read_bytes())
    return result


def tree(prefix: Path) -> Tree:
    """Return all that is in the environment except our own area: kind, mode and bytes by path."""
    found: Tree = {}
    for folder, subfolders, files in os.walk(prefix):
        if folder == str(prefix) and ".safeinstall" in subfolders:
            subfolders.remove(".safeinstall")
        for name in [*subfolders, *files]:
            path = Path(folder, name)
            status = path.lstat()
            relative = str(path.relative_to(prefix))
            mode = stat.S_IMODE(status.st_mode)
            if path.is_symlink():
                found[relative] = ("link", 0, str(path.readlink()).encode())
            elif path.is_dir():
                found[relative] = ("folder", mode, b"")
            else:
                content = path.read_bytes() + b" @%d" % status.st_mtime_ns
                found[relative] = ("file", mode, content)
    return found


def dist_infos(prefix: Path, packages: Iterable[Package]) -> list[str]:
    """Return the folders to hand over as `leaving`."""
    return [str(prefix / one.dist_info) for one in packages]


def begin(area: Store, packages: Iterable[Package], command: str = "install") -> Transaction:
    """Open a transaction with `packages` staged as an installer leaves them."""
    transaction = begin_transaction(area, command=command)
    stage = Path(transaction.stage)
    (stage / ".lock").touch()
    for one in packages:
        one.write(stage)
    return transaction


def install(
    prefix: Path,
    packages: Iterable[Package],
    leaving: Iterable[Package] = (),
    disk: Disk | None = None,
) -> Committed:
    """Install `packages` in place of `leaving`, all in one transaction."""
    area = Store.open(str(prefix), disk=disk)
    with area.lock():
        recover_store(area)
        return begin(area, packages).commit(leaving=dist_infos(prefix, leaving))


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for the platter, in every module that imports this: a killed process need not."""
    monkeypatch.setattr(Disk, "sync", lambda self, descriptor: None)


def test_an_environment_is_the_same_tree_as_itself(tmp_path: Path) -> None:
    prefix = environment(tmp_path / "env", [package("one", "1.0")])
    assert tree(prefix) == tree(prefix)
    assert tree(prefix)[f"{SITE}/one/__init__.py"][0] == "file"


def test_installing_by_hand_gives_what_a_commit_gives(tmp_path: Path) -> None:
    by_hand = environment(tmp_path / "hand", [package("one", "1.0")])
    by_commit = environment(tmp_path / "commit", [])
    install(by_commit, [package("one", "1.0")])
    assert tree(by_commit) == tree(by_hand)
