"""Interpreters and environments as the files they are known by: nothing in them runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safeinstall.probe import predict
from safeinstall.probe.prediction import Prediction

__all__ = ["XY", "Kernel", "lay_out", "put", "with_program", "with_uv"]

XY = "python3.11"


def lay_out(
    prefix: Path, pip: str = "26.2", base: Path | None = None, shared: str = "false"
) -> Path:
    """Make the files by which an interpreter, or an environment of *base*, is known."""
    site = prefix / "lib" / XY / "site-packages"
    site.mkdir(parents=True)
    (prefix / "bin").mkdir()
    if base is None:
        (prefix / "lib" / XY / "os.py").touch()
        (prefix / "bin" / XY).write_bytes(b"\x7fELF")
        (prefix / "bin" / XY).chmod(0o755)
        (prefix / "bin" / "python").symlink_to(XY)
    else:
        (prefix / "bin" / "python").symlink_to(base / "bin" / XY)
        cfg = f"home = {base}/bin\ninclude-system-site-packages = {shared}\nversion = 3.11.7\n"
        (prefix / "pyvenv.cfg").write_text(cfg)
    if pip:
        (site / "pip").mkdir()
        (site / "pip" / "__init__.py").write_text(f'__version__ = "{pip}"\n')
        (site / "pip" / "__main__.py").touch()
        script = prefix / "bin" / "pip"
        script.write_text(f"#!{prefix}/bin/python\n")
        script.chmod(0o755)
    return prefix


class Kernel:
    """A kernel in an environment B while the server's is A."""

    def __init__(self, folder: Path) -> None:
        self.base = lay_out(folder / "base")
        self.a = lay_out(folder / "a", base=self.base)
        self.b = lay_out(folder / "b", base=self.base)
        self.home, self.cwd = folder / "home", folder / "nb"
        self.home.mkdir(exist_ok=True)
        self.cwd.mkdir()
        self.prefix = self.b
        self.environ = {"PATH": "/nowhere", "HOME": str(self.home), "XDG_CONFIG_DIRS": "/nowhere"}

    def site(self, prefix: Path) -> str:
        return str(prefix / "lib" / XY / "site-packages")

    @property
    def user_site(self) -> str:
        return str(self.home / ".local" / "lib" / XY / "site-packages")

    @property
    def facts(self) -> dict[str, Any]:
        site, bin_ = self.site(self.prefix), str(self.prefix / "bin")
        stdlib = str(self.base / "lib" / XY)
        alone = self.prefix == self.base
        return {
            "executable": str(self.prefix / "bin" / "python"),
            "version_info": [3, 11, 7],
            "prefix": str(self.prefix),
            "base_prefix": str(self.base),
            "kind": "pyenv" if alone else "venv",
            "paths": {
                "stdlib": stdlib,
                "purelib": site,
                "platlib": site,
                "scripts": bin_,
                "data": str(self.prefix),
            },
            "sys_path": ["", stdlib, site],
            "user_site": {"path": self.user_site, "enabled": alone},
        }

    def predict(self, cell: str, **environ: str) -> Prediction:
        names = {**self.environ, **environ}
        (found,) = predict(cell, environ=names, cwd=str(self.cwd), facts=self.facts)
        return found


def put(site: str, name: str, version: str) -> None:
    folder = Path(site)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").touch()
    (folder / f"{name}-{version}.dist-info").mkdir()
    (folder / f"{name}-{version}.dist-info" / "RECORD").touch()


def with_program(folder: Path, *names: str) -> str:
    """Make files that can be run in `folder`, and return it as an entry of PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"\x7fELF")
        (folder / name).chmod(0o755)
    return str(folder)


def with_uv(kernel: Kernel, tmp_path: Path) -> str:
    """Return an entry of PATH that has uv."""
    return with_program(tmp_path / "uvbin", "uv")
