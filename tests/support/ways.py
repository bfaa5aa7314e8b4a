"""From what a message says to what a person does: type the printed line, start the new kernel."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from . import wheelhouse
from .environments import CACHE
from .kernels import Kernel, Result

__all__ = ["lines_to_type", "registered", "specs_folder", "typed_in_a_shell", "wheels_for"]

_LINE = re.compile(
    r"^\s*(?:→ )?\s*((?:%safe\w+|%kernelenv|%reload_ext|!mv|safeinstall) .+?)(?:\s{3,}\S.*)?$", re.M
)


def lines_to_type(result: Result | str) -> list[str]:
    """Return the lines a message offers, the default first."""
    text = result if isinstance(result, str) else result.traceback or result.stdout
    return [line.strip() for line in _LINE.findall(text)]


def typed_in_a_shell(line: str, folder: Path) -> None:
    """Type a line of the system's own words; it must succeed.

    Whoever runs the tests as root needs no `sudo`, and often has none: one that only starts what
    stands behind it is put on PATH.
    """
    sudo = folder / "sudo"
    sudo.write_text('#!/bin/sh\nexec "$@"\n')
    sudo.chmod(0o755)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", line], env={"PATH": path}, capture_output=True, text=True
    )
    sudo.unlink()
    assert done.returncode == 0, (line, done.stderr)


def specs_folder(home: Path) -> Path:
    """Return where the kernelspecs of the user with that home lie."""
    return home / ".local" / "share" / "jupyter" / "kernels"


@contextmanager
def registered(
    name: str, home: Path, settings: Mapping[str, str], cwd: Path, folder: Path | None = None
) -> Iterator[Kernel]:
    """Start a kernel by its name, as a server in these settings does; `folder`: it lies there."""
    folders = [str(folder or specs_folder(home))]
    known = KernelSpecManager(kernel_dirs=folders, ensure_native_kernel=False)
    manager = KernelManager(kernel_name=name, kernel_spec_manager=known)
    kernel = Kernel(manager, settings, cwd)
    try:
        kernel.begin()
        yield kernel
    finally:
        kernel.close()


def wheels_for(version: str) -> Path:
    """Return the folder with the wheels of a kernel for that Python; fetched once."""
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return CACHE / "wheelhouse"
    folder = CACHE / f"wheelhouse-{version}"
    if not any(folder.glob("ipykernel-*.whl")):
        needed = [line for line in wheelhouse.project_requirements() if "uv" in line]
        command = [sys.executable, "-m", "pip", "download", "-qq", "--only-binary", ":all:"]
        # pip evaluates markers for the Python it runs on, not for the one it downloads for.
        needed += ["exceptiongroup"] if version == "3.10" else []
        command += ["--python-version", version, "-d", str(folder), "ipykernel", "pip", *needed]
        subprocess.run(command, check=True)
    return folder
