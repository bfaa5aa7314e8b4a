"""Write and take away kernelspecs: nobody else's is ever overwritten, an old file is kept."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeinstall.errors import SafeInstallError
from safeinstall.kernels.specs import Spec
from safeinstall.probe.facts.writability import describe_access

__all__ = ["Registered", "free_name", "register", "registry", "repair", "unregister"]

_ARGUMENTS = ("-m", "ipykernel_launcher", "-f", "{connection_file}")
_NOT_IN_NAMES = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """A kernelspec that was written."""

    name: str
    display_name: str
    folder: str
    python: str

    def to_dict(self) -> dict[str, str]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "display_name": self.display_name,
            "folder": self.folder,
            "python": self.python,
        }


def free_name(wanted: str, specs: Iterable[Spec], python: str) -> str:
    """Return a kernelspec name like `wanted` that nobody has, or that is this `python`'s already.

    The letters are those `jupyter_client.kernelspec` accepts (`_is_valid_kernel_name`).
    """
    taken = {
        spec.name for spec in specs if not spec.argv or os.path.abspath(spec.argv[0]) != python
    }
    base = _NOT_IN_NAMES.sub("-", wanted.lower()).strip("-.") or "python"
    name, count = base, 1
    while name in taken:
        count += 1
        name = f"{base}-{count}"
    return name


def registry(folders: Sequence[str], user: str) -> str:
    """Return the folder new kernelspecs go to: the user's own, or one that a server looks into.

    `folders` are those, `user` is the first choice. Raises `SafeInstallError` when none of them
    can be written; nothing is touched.
    """
    end = os.path.join("share", "jupyter", "kernels")
    for folder in (user, *(folder for folder in folders if folder.endswith(end))):
        if describe_access(folder)["writable"]:
            return folder
    raise SafeInstallError(
        f"No kernel can be registered in {user}: {describe_access(user)['detail']}.",
        code="kernelspec-not-written",
    )


def register(
    name: str, display_name: str, python: str, prefix: str, *, folder: str = ""
) -> Registered:
    """Write a kernelspec for the interpreter `python` of `prefix` into `folder` of a `registry`.

    Without a folder it goes among the user's own. The logos of the environment's ipykernel come
    along. Raises `SafeInstallError` when the folder cannot be written.
    """
    from jupyter_client.kernelspec import KernelSpecManager

    data: dict[str, Any] = {
        "argv": [python, *_ARGUMENTS],
        "display_name": display_name,
        "language": "python",
        "metadata": {"debugger": True},
    }
    with tempfile.TemporaryDirectory() as scratch:
        source = Path(scratch, name)
        logos = Path(prefix, "share", "jupyter", "kernels", "python3")
        if logos.is_dir():
            shutil.copytree(logos, source)
        else:
            source.mkdir()
        (source / "kernel.json").write_text(json.dumps(data, indent=1) + "\n", "utf-8")
        try:
            known = KernelSpecManager()
            if folder and folder != str(known.user_kernel_dir):
                above = str(Path(folder).parents[2])  # below it the manager adds share/jupyter/...
                made = known.install_kernel_spec(str(source), name, prefix=above)
            else:
                made = known.install_kernel_spec(str(source), name, user=True)
        except OSError as error:
            raise SafeInstallError(
                f"The kernel cannot be registered: {error.strerror or error}.",
                context=str(error.filename or ""),
                code="kernelspec-not-written",
            ) from error
    return Registered(name=name, display_name=display_name, folder=str(made), python=python)


def unregister(registered: Registered) -> None:
    """Take away a kernelspec written by `register`; one that is gone already is fine."""
    shutil.rmtree(registered.folder, ignore_errors=True)


def repair(spec: Spec, argv: Iterable[str], display_name: str = "") -> str:
    """Write `argv` into the kernelspec's file; return where the old one is kept.

    What stands there and is no file (a link to nowhere, a folder) is kept too. Raises
    `SafeInstallError` when the file cannot be written.
    """
    path = Path(spec.folder, "kernel.json")
    kept = path.with_name(f"kernel.json.{time.strftime('%Y%m%d-%H%M%S')}.old")
    try:
        data = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        data = {}
    if not isinstance(data, dict):
        data = {}
    data["argv"] = list(argv)
    data["display_name"] = display_name or spec.display_name or spec.name
    data["language"] = spec.language or "python"
    if spec.env_problem:
        data["env"] = dict(spec.env)
    if not isinstance(data.get("metadata", {}), dict):
        del data["metadata"]
    fresh = path.with_name("kernel.json.new")
    try:
        fresh.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
        if path.is_file():
            shutil.copy2(path, kept)
        else:
            path.rename(kept)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise SafeInstallError(
            f"{path} cannot be written: {error.strerror or error}.", code="kernelspec-not-written"
        ) from error
    return str(kept)
