"""Environments of every kind, with a kernel and safeinstall in them, made offline in a second."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from . import wheelhouse

__all__ = ["KINDS", "Environment", "Workshop", "changes", "server_settings", "snapshot"]

CHECKOUT = wheelhouse.CHECKOUT
CACHE = CHECKOUT / ".cache"
CLOSED_PORT = "http://127.0.0.1:9"
"""Nobody listens there: what a test does not serve itself cannot be reached."""

Snapshot = dict[str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """One environment that was really made."""

    prefix: Path
    kind: str
    base: Path
    """The prefix of the interpreter it was made from."""

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return self.prefix / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where its packages lie."""
        return next(self.prefix.glob("lib/python3*")) / "site-packages"

    def distribution(self, name: str, version: str = "1.0") -> Path:
        """The dist-info folder that an installed `name` has."""
        return self.site_packages / f"{name.replace('-', '_')}-{version}.dist-info"

    def run(
        self, *arguments: str | Path, settings: Mapping[str, str], cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run its interpreter in exactly these settings."""
        command = [str(self.python), *map(str, arguments)]
        return subprocess.run(
            command, env=dict(settings), cwd=cwd, capture_output=True, text=True, timeout=120
        )

    def version_of(self, name: str, settings: Mapping[str, str]) -> str:
        """Tell the version of a module in a process of its own, or why it cannot be imported."""
        code = f"import {name}; print({name}.__version__)"
        done = self.run("-c", code, settings=settings)
        return (done.stdout or done.stderr).strip().splitlines()[-1]


def snapshot(folder: Path) -> Snapshot:
    """Describe every file so that any write to it shows; bytecode and our own folder aside."""
    seen: Snapshot = {}
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in ("__pycache__", ".safeinstall")]
        for name in [*folders, *files]:
            path = Path(root, name)
            state = path.lstat()
            content = f" {state.st_ino} {state.st_size} {state.st_mtime_ns}"
            seen[str(path.relative_to(folder))] = (
                f"{state.st_mode:o}{content if name in files else ''}"
            )
    return seen


def changes(before: Snapshot, after: Snapshot) -> list[str]:
    """List the paths that differ."""
    return sorted(
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    )


def server_settings(server: Environment, home: Path) -> dict[str, str]:
    """The process environment of a Jupyter server started in `server`, activated as usual."""
    home.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": f"{server.prefix}/bin:/usr/local/bin:/usr/bin:/bin",
        "VIRTUAL_ENV": str(server.prefix),
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "TMPDIR": str(home),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "XDG_CONFIG_DIRS": str(home / "xdg"),
        "HTTP_PROXY": CLOSED_PORT,
        "HTTPS_PROXY": CLOSED_PORT,
        "NO_PROXY": "127.0.0.1",
    }


class Workshop:
    """Makes environments of every kind below one folder, from one wheelhouse."""

    def __init__(self, folder: Path, cache: Path = CACHE) -> None:
        self.folder = folder
        self.cache = cache
        self.settings = {
            "PATH": os.defpath,
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "UV_CACHE_DIR": str(cache / "uv"),
            "UV_NO_CONFIG": "1",
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(cache / "wheelhouse"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "SAFEINSTALL_SKIP_JS": "1",  # kernels need no panel, and tests no Node
        }

    def run(self, *command: str | Path) -> None:
        """Run a command in settings that reach nothing but the wheelhouse; it must succeed."""
        done = subprocess.run(
            list(map(str, command)),
            env=self.settings,
            capture_output=True,
            text=True,
            cwd=self.folder,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"

    @cached_property
    def wheels(self) -> Path:
        """The wheelhouse; fetched here only when `make` has not done it."""
        folder = self.cache / "wheelhouse"
        if not any(folder.glob("ipykernel-*.whl")):
            wheelhouse.fetch(folder, wheelhouse.project_requirements())
        return folder

    @cached_property
    def old_wheels(self) -> Path:
        """The oldest kernel there may be, and what it needs; fetched as the others."""
        folder = self.cache / "old"
        if not any(folder.glob("ipykernel-*.whl")):
            wheelhouse.fetch(folder, list(wheelhouse.OLDEST))
        return folder

    @cached_property
    def uv(self) -> Path:
        """The uv that belongs to the tests' own interpreter."""
        from uv import find_uv_bin

        return Path(find_uv_bin())

    @cached_property
    def ours(self) -> Path:
        """The folder with the wheel of safeinstall as it is in the checkout now."""
        folder = self.folder / "dist"
        offline = ("--no-index", "--find-links", self.wheels)
        self.run(self.uv, "build", "-q", "--wheel", *offline, "-o", folder, CHECKOUT)
        return folder

    @cached_property
    def base(self) -> Path:
        """The interpreter environments are made from: the one below the tests' own."""
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        return Path(os.path.realpath(Path(sys.base_prefix, "bin", version)))

    @cached_property
    def standalone(self) -> Environment:
        """A whole interpreter in a folder of its own, readable by all, writable by its owner."""
        prefix = self.folder / "standalone"
        version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
        library = Path(os.__file__).parent
        unneeded = shutil.ignore_patterns(
            "test", "tests", "idlelib", "tkinter", "turtledemo", "config-*", "site-packages",
            "dist-packages", "EXTERNALLY-MANAGED",
        )  # fmt: skip
        shutil.copytree(library, prefix / "lib" / version, ignore=unneeded, symlinks=False)
        (prefix / "lib" / version / "site-packages").mkdir()
        for shared in Path(sys.base_prefix, "lib").glob("libpython*.so*"):
            shutil.copy2(shared, prefix / "lib" / shared.name)
        (prefix / "bin").mkdir()
        shutil.copy2(self.base, prefix / "bin" / version)
        (prefix / "bin" / "python").symlink_to(version)
        (prefix / "bin" / "python3").symlink_to(version)
        return Environment(prefix=prefix, kind="standalone", base=prefix)

    @cached_property
    def template(self) -> Environment:
        """The environment whose copies the tests work in: a venv with pip, byte-compiled."""
        template = self.make("venv", self.folder / "template")
        self.run(template.python, "-m", "compileall", "-q", "-j", "2", template.site_packages)
        return template

    @cached_property
    def server(self) -> Environment:
        """The environment the Jupyter server runs in: never the kernel's."""
        prefix = self.folder / "server"
        self.run(self.base, "-m", "venv", prefix)
        return Environment(prefix=prefix, kind="venv", base=self.base.parent.parent)

    def make(self, kind: str, prefix: Path) -> Environment:
        """Make an environment of that kind, with a kernel and safeinstall in it."""
        base = KINDS[kind](self, prefix)
        environment = Environment(prefix=prefix, kind=kind, base=base)
        self.equip(environment)
        return environment

    def equip(self, environment: Environment) -> None:
        """Install the kernel and safeinstall as it is in the checkout."""
        fresh = ("--refresh-package", "safeinstall")  # the same version, and other code each time
        links = ("--find-links", self.ours)
        self.bring(environment.python, *fresh, *links, "ipykernel", "safeinstall")

    def bring(self, python: Path, *words: str | Path) -> None:
        """Install packages of the wheelhouse; what the oldest kernel is made of can be had too."""
        links: list[str | Path] = ["--no-index", "--find-links", self.wheels]
        if not {*wheelhouse.OLDEST}.isdisjoint(words):
            links += ["--find-links", self.old_wheels]
        self.run(self.uv, "pip", "install", "-q", *links, "--python", python, *words)

    def copy(self, prefix: Path) -> Environment:
        """Return a copy of the template at `prefix`, as if it had been made there."""
        old, new = os.fsencode(self.template.prefix), os.fsencode(prefix)
        shutil.copytree(self.template.prefix, prefix, symlinks=True, copy_function=os.link)
        for path in [prefix / "pyvenv.cfg", *(prefix / "bin").iterdir()]:
            if not path.is_symlink() and path.is_file() and old in (text := path.read_bytes()):
                mode = path.stat().st_mode
                path.unlink()  # the copy shares its files with the template
                path.write_bytes(text.replace(old, new))
                path.chmod(mode)
        return Environment(prefix=prefix, kind="venv", base=self.template.base)

    def libraries_of(self, environment: Environment) -> dict[str, str]:
        """What a user who cannot read the original interpreter needs to start a copy of it."""
        return {"LD_LIBRARY_PATH": str(environment.base / "lib")}


def _venv(shop: Workshop, prefix: Path, *options: str) -> Path:
    shop.run(shop.base, "-m", "venv", *options, prefix)
    return shop.base.parent.parent


def _uv_venv(shop: Workshop, prefix: Path) -> Path:
    shop.run(shop.uv, "venv", "-q", "--python", shop.base, prefix)
    return shop.base.parent.parent


def _virtualenv(shop: Workshop, prefix: Path) -> Path:
    shop.run(sys.executable, "-m", "virtualenv", "-q", "--no-download", "-p", shop.base, prefix)
    return shop.base.parent.parent


def _system_site(shop: Workshop, prefix: Path) -> Path:
    shop.run(shop.standalone.python, "-m", "venv", "--system-site-packages", prefix)
    return shop.standalone.prefix


KINDS: dict[str, Callable[[Workshop, Path], Path]] = {
    "venv": _venv,
    "venv-without-pip": lambda shop, prefix: _venv(shop, prefix, "--without-pip"),
    "uv-venv": _uv_venv,
    "virtualenv": _virtualenv,
    "system-site-venv": _system_site,
}
"""How each kind is made; the value returned is the prefix of the interpreter below it."""
