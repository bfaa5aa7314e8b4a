"""Run the demo notebook for real and print it, or open it in JupyterLab.

`python demo.py` runs it headless and offline, `python demo.py --lab` opens it, and
`python demo.py --prepare` only makes the kernel (what binder does). Everything made lies in
`.cache/demo`.
"""

# ruff: noqa: T201 (a program for a terminal prints)

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / "tests"))

from support.environments import CACHE, Environment, Workshop, server_settings  # noqa: E402
from support.wheels import make_wheel  # noqa: E402

FOLDER = CACHE / "demo"
NOTEBOOK = CHECKOUT / "binder" / "demo.ipynb"
NOT_YOURS = CHECKOUT / "binder" / "not-yours.ipynb"
WHEELS = FOLDER / "wheels"
SHARE = FOLDER / "share" / "jupyter"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")
MARKER = """[externally-managed]
Error=This Python belongs to the operating system, and its packages to the system's package manager.
"""
MODULE = """
__version__ = "{version}"


def greet():
    print("Hello from", __file__)
"""


def prepare(shop: Workshop) -> Environment:
    """Make the kernel's environment (without pip), the demo's wheels and a kernelspec."""
    shutil.rmtree(FOLDER / "kernel", ignore_errors=True)
    kernel = shop.make("uv-venv", FOLDER / "kernel")
    for version in ("1.0", "2.0"):
        module = {"hello_kernel.py": MODULE.format(version=version)}
        make_wheel(WHEELS, "hello-kernel", version, modules=module)
    register(kernel, "safeinstall demo", {"PIP_FIND_LINKS": str(WHEELS)})
    return kernel


def prepare_locked(shop: Workshop) -> None:
    """Make a Python that says it is its distributor's, as Debian's does, with a kernel."""
    shutil.rmtree(FOLDER / "standalone", ignore_errors=True)
    python = shop.standalone
    links = ("--no-index", "--find-links", shop.wheels)
    shop.run(shop.uv, "pip", "install", "-q", *links, "--python", python.python, "ipykernel")
    library = next((python.prefix / "lib").glob("python3.*"))
    (library / "EXTERNALLY-MANAGED").write_text(MARKER, "utf-8")
    settings = {
        "PIP_FIND_LINKS": f"{WHEELS} {shop.wheels}",  # what the new environment is made from
        "LD_LIBRARY_PATH": str(python.prefix / "lib"),
    }
    register(python, "safeinstall demo, not yours", settings)


def register(kernel: Environment, name: str, settings: dict[str, str]) -> None:
    """Write a kernelspec."""
    spec = {
        "argv": [str(kernel.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": name,
        "language": "python",
        "env": settings,
    }
    folder = SHARE / "kernels" / name.replace(",", "").replace(" ", "-")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "kernel.json").write_text(json.dumps(spec, indent=1), "utf-8")


def serve(shop: Workshop) -> Environment:
    """Make the server's environment, with the pip that `!pip` reaches."""
    server = Environment(prefix=FOLDER / "server", kind="venv", base=shop.base.parent.parent)
    if not server.python.exists():
        shop.run(shop.base, "-m", "venv", server.prefix)
    return server


def execute(server: Environment) -> Any:
    """Run the notebook as that server would, offline, and return it with its outputs."""
    import nbformat
    from nbclient import NotebookClient

    settings = server_settings(server, FOLDER) | {"PIP_NO_INDEX": "1"}
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDER)}})
    client.execute(env=settings, stderr=subprocess.DEVNULL)
    return notebook


def show(notebook: Any) -> None:
    """Print the notebook for a terminal."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            print("\n" + prose(cell.source))
            continue
        print("\n" + textwrap.indent(cell.source, "  > ", lambda line: True))
        for output in cell.outputs:
            print(textwrap.indent(words_of(output), "    "))


def prose(text: str) -> str:
    """Return markdown as plain words, headings underlined."""
    lines = []
    for line in text.splitlines():
        heading = line.lstrip("#").strip() if line.startswith("#") else ""
        lines += [heading, "─" * len(heading)] if heading else [line]
    return "\n".join(lines)


def words_of(output: Any) -> str:
    """Return what an output says, with the demo's folder as home."""
    if output.output_type == "stream":
        words = output.text
    elif output.output_type == "error":
        words = "\n".join(output.traceback)
    else:
        words = output.data.get("text/plain", "")
    return COLOURS.sub("", words).replace(str(FOLDER), "~").strip("\n")


def open_lab(shop: Workshop, server: Environment) -> None:
    """Start JupyterLab with the panel, on this machine only, until it is stopped."""
    folders = (CACHE / "lab", CACHE / "panel", shop.wheels)
    links = [part for folder in folders for part in ("--find-links", folder)]
    options = ("-q", "--no-index", *links, "--refresh-package", "safeinstall")
    shop.run(
        shop.uv, "pip", "install", *options, "--reinstall-package", "safeinstall",
        "--python", server.python, "jupyterlab", "safeinstall",
    )  # fmt: skip
    prepare_locked(shop)
    copy = FOLDER / "notebooks" / NOTEBOOK.name
    shutil.rmtree(copy.parent, ignore_errors=True)
    copy.parent.mkdir()
    for notebook in (NOTEBOOK, NOT_YOURS):
        shutil.copy(notebook, copy.parent)
    program = server.prefix / "bin" / "jupyter-lab"
    path = os.pathsep.join([str(program.parent), os.environ["PATH"]])
    settings = {"PATH": path, "VIRTUAL_ENV": str(server.prefix), "JUPYTER_PATH": str(SHARE)}
    arguments = ["--ip=127.0.0.1", *(["--allow-root"] if os.geteuid() == 0 else [])]
    os.chdir(copy.parent)
    os.execve(program, [str(program), *arguments, *sys.argv[2:], copy.name], os.environ | settings)


def main() -> None:
    """Do what the command line says."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    os.environ["JUPYTER_PATH"] = str(SHARE)
    shop = Workshop(FOLDER)
    prepare(shop)
    if sys.argv[1:] == ["--prepare"]:
        return
    server = serve(shop)
    if sys.argv[1:2] == ["--lab"]:
        open_lab(shop, server)
    print("The notebook's kernel: ~/kernel. The server's environment: ~/server, first on PATH.")
    print(f"(~ is {FOLDER.relative_to(CHECKOUT)})")
    show(execute(server))
    print("\nThe same in JupyterLab: make lab")


if __name__ == "__main__":
    main()
