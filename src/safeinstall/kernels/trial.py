"""Start a kernel through its kernelspec, as a server would, and let it import something.

An answer is a value: a kernel that does not start is nothing exceptional here.
"""

from __future__ import annotations

import ast
import json
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from safeinstall.kernels.specs import kernel_folders

__all__ = ["Trial", "try_kernel"]

_SECONDS: Final = 60.0
_MOST: Final = 6000
"""Characters kept of what a kernel that did not start wrote to standard error."""

_IMPORT: Final = """
def _tried(names):
    import importlib, json, sys
    found = {}
    for name in names:
        try:
            module = importlib.import_module(name)
        except BaseException as error:
            found[name] = [False, "%s: %s" % (type(error).__name__, error)]
        else:
            found[name] = [True, str(getattr(module, "__file__", "") or "")]
    return json.dumps({"executable": sys.executable, "modules": found})
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class Trial:
    """What came of starting a kernel."""

    started: bool
    executable: str = ""
    """The interpreter that answered."""
    imported: Mapping[str, str] = field(default_factory=dict)
    """Module -> the file it came from."""
    failed: Mapping[str, str] = field(default_factory=dict)
    """Module -> why it could not be imported."""
    stderr: str = ""
    """What it said, when it did not start."""
    seconds: float = 0.0


def try_kernel(
    name: str,
    modules: Iterable[str] = (),
    *,
    environ: Mapping[str, str] | None = None,
    cwd: str | None = None,
    folders: Sequence[str] = (),
    timeout: float = _SECONDS,
) -> Trial:
    """Start the kernel `name`, import `modules` in it, end it, and return what happened.

    `folders` are where the kernelspec is looked for (default: where a server looks).
    """
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import KernelManager

    specs = KernelSpecManager(
        kernel_dirs=list(folders or kernel_folders()), ensure_native_kernel=False
    )
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as noise:
        manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)
        client = None
        try:
            more: dict[str, Any] = {"cwd": cwd} if cwd else {}
            if environ is not None:
                more["env"] = dict(environ)
            manager.start_kernel(stdout=noise, stderr=noise, **more)
            client = manager.client()
            client.start_channels()
            client.wait_for_ready(timeout=timeout)
            answer = _asked(client, tuple(modules), timeout)
        except Exception as error:
            return Trial(
                started=False,
                stderr=_said(noise) or f"{type(error).__name__}: {error}",
                seconds=time.perf_counter() - began,
            )
        finally:
            if client is not None:
                client.stop_channels()
            if manager.has_kernel:
                manager.shutdown_kernel(now=True)
            manager.cleanup_resources()
    found = answer["modules"]
    return Trial(
        started=True,
        executable=str(answer["executable"]),
        imported={module: why for module, (fine, why) in found.items() if fine},
        failed={module: why for module, (fine, why) in found.items() if not fine},
        seconds=time.perf_counter() - began,
    )


def _asked(client: Any, modules: tuple[str, ...], timeout: float) -> dict[str, Any]:
    """Return what the kernel answers; raises when it does not."""
    question = {"answer": f"_tried({list(modules)!r})"}
    reply = client.execute(
        _IMPORT,
        silent=True,
        store_history=False,
        user_expressions=question,
        allow_stdin=False,
        reply=True,
        timeout=timeout,
    )
    told = reply["content"]["user_expressions"]["answer"]
    if told["status"] != "ok":
        raise RuntimeError(f"{told.get('ename')}: {told.get('evalue')}")
    data: dict[str, Any] = json.loads(ast.literal_eval(told["data"]["text/plain"]))
    return data


def _said(noise: Any) -> str:
    noise.seek(0)
    return str(noise.read()).strip()[-_MOST:]
