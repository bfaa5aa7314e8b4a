"""JupyterLab and Notebook 7 as they are run: a server in an environment of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import privileges
from .environments import CACHE, CHECKOUT, Environment, Workshop, server_settings

__all__ = ["OLDEST_LAB", "chromium", "equip_server", "kernelspec", "notebook", "serving"]

PANEL = CACHE / "panel"
LAB = CACHE / "lab"
OLDEST_LAB = CACHE / "lab-oldest"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str:
    """Return a Chromium of this machine; where root may, Debian's is installed."""
    for _ in range(2):
        found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
        if found:
            return found
        if not (privileges.can_switch() and shutil.which("apt-get")):
            break
        subprocess.run(["apt-get", "update", "-qq"], check=False, timeout=300)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        subprocess.run([*install, "chromium", "fonts-dejavu-core"], check=False, timeout=600)
    raise RuntimeError("The tests in tests/ui need Chromium: sudo apt install chromium")


def equip_server(shop: Workshop, prefix: Path, wheels: Path = LAB) -> Environment:
    """Make an environment with JupyterLab, Notebook 7 and the panel in it.

    `wheels`: the folder that says which JupyterLab and Notebook.
    """
    wheel = next(iter(sorted(PANEL.glob("safeinstall-*.whl"))), None)
    if wheel is None:
        raise RuntimeError(f"The panel is not built: run make in {CHECKOUT}")
    shop.run(shop.uv, "venv", "-q", "--python", shop.base, prefix)
    links = ("--no-index", "--find-links", wheels, "--find-links", shop.wheels)
    shop.run(
        shop.uv, "pip", "install", "-q", *links, "--python", prefix / "bin" / "python",
        "jupyterlab", "notebook", wheel,
    )  # fmt: skip
    return Environment(prefix=prefix, kind="uv-venv", base=shop.base.parent.parent)


def kernelspec(
    share: Path,
    name: str,
    argv: list[str],
    *,
    language: str = "python",
    settings: Mapping[str, str] | None = None,
    uid: int | None = None,
) -> None:
    """Write a kernelspec below `share`; `uid` is the user the kernel runs as."""
    if uid is not None:
        argv = [sys.executable, privileges.__file__, str(uid), "{connection_file}", *argv]
    folder = share / "kernels" / name
    folder.mkdir(parents=True)
    spec = {"argv": argv, "display_name": name, "language": language, "env": settings or {}}
    (folder / "kernel.json").write_text(json.dumps(spec), "utf-8")


def notebook(
    path: Path, kernel: str, *cells: str, outputs: Mapping[int, Mapping[str, Any]] | None = None
) -> Path:
    """Write a notebook for that kernel; `outputs`: what is saved below a cell, by its number."""
    saved = {
        number: {"output_type": "display_data", "metadata": {}, "data": dict(data)}
        for number, data in (outputs or {}).items()
    }
    document: dict[str, Any] = {
        "cells": [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {},
                "source": source,
                "outputs": [saved[number]] if number in saved else [],
                "execution_count": None,
            }
            for number, source in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": kernel, "display_name": kernel}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(document), "utf-8")
    return path


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(
    server: Environment,
    folder: Path,
    notebooks: Path,
    *more: str,
    app: str = "lab",
    settings: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Start a server on this machine only; the value is its address.

    `app` is `lab`, `notebook`, or `jupyter_server` (which has kernels and no pages).
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    home = folder / "home"
    known = server_settings(server, home) | {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        **(settings or {}),
    }
    (folder / "runtime").mkdir()
    (folder / "runtime").chmod(0o711)  # kernels of another user find their connection file
    options = [
        "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}", "--port-retries=0",
        "--IdentityProvider.token=", "--ServerApp.password=",
        "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={notebooks}", *more,
    ]  # fmt: skip
    if app != "jupyter_server":
        options += _for_a_page(folder, app)
    module = "jupyterlab" if app == "lab" else app
    with (folder / f"{app}.log").open("w") as log:
        process = subprocess.Popen(
            [str(server.python), "-m", module, *options],
            env=known,
            cwd=notebooks,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _until_ready(url, process, folder / f"{app}.log")
        yield url
    finally:
        process.terminate()
        try:
            process.wait(3)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait(10)


def _for_a_page(folder: Path, app: str) -> list[str]:
    """Let tests reach into the page, and the page be quiet about news."""
    quiet = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false"}}
    overrides = folder / "data" / "overrides.json"
    overrides.parent.mkdir(exist_ok=True)
    overrides.write_text(json.dumps(quiet), "utf-8")
    name = "LabApp" if app == "lab" else "JupyterNotebookApp"
    return [
        f"--{name}.expose_app_in_browser=True",
        f"--LabServerApp.app_settings_dir={overrides.parent}",
    ]


def _until_ready(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/api/status", timeout=2):
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.2)
    raise RuntimeError(f"The server did not start:\n{log.read_text()[-3000:]}")
