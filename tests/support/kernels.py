"""Real kernels, started as a Jupyter server starts them: a kernelspec in the server's settings."""

from __future__ import annotations

import json
import queue
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from . import privileges

__all__ = ["OUTCOME", "Kernel", "Result", "start"]

OUTCOME = "application/vnd.safeinstall.outcome+json"
COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(slots=True)
class Result:
    """What one cell sent back."""

    stdout: str = ""
    stderr: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    """The MIME bundle of the cell's value."""
    displays: list[dict[str, Any]] = field(default_factory=list)
    ename: str = ""
    evalue: str = ""
    traceback: str = ""
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether the cell ended without an error."""
        return not self.ename

    @property
    def everything(self) -> str:
        """All a reader of the notebook could see."""
        bundles = [json.dumps(bundle) for bundle in (self.data, *self.displays)]
        return "\n".join(
            [self.stdout, self.stderr, *bundles, self.ename, self.evalue, self.traceback]
        )

    @property
    def outcome(self) -> dict[str, Any]:
        """The outcome that the magic returned; the cell must have succeeded."""
        assert self.ok, self.everything
        assert OUTCOME in self.data, self.everything
        outcome: dict[str, Any] = self.data[OUTCOME]
        return outcome


class Kernel:
    """One running kernel."""

    def __init__(self, manager: Any, settings: Mapping[str, str], cwd: Path) -> None:
        self._manager = manager
        self._settings = dict(settings)
        self._cwd = cwd
        self._client: Any = None

    def begin(self, *, quiet: bool = False) -> None:
        """Start the process and wait until it answers; `quiet` drops what it logs."""
        log = subprocess.DEVNULL if quiet else None
        self._manager.start_kernel(env=self._settings, cwd=str(self._cwd), stderr=log)
        self._connect()

    def _connect(self) -> None:
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=60)

    def send(self, code: str, *, watched: bool = False) -> str:
        """Ask for a cell to be run and return at once with the request's id.

        `watched`: as a front end asks, where somebody could answer a question.
        """
        # else a kernel drops what comes right after an error, an old one for a tenth of a second
        given = {"store_history": True, "stop_on_error": False, "allow_stdin": watched}
        return str(self._client.execute(code, **given))

    def result(self, request: str, timeout: float = 90) -> Result:
        """Collect what a cell sends until the kernel is idle again."""
        begun, result = time.perf_counter(), Result()
        end = begun + timeout
        while True:
            try:
                message = self._client.get_iopub_msg(timeout=max(0.1, end - time.perf_counter()))
            except queue.Empty:
                raise TimeoutError(
                    f"no answer in {timeout} s; so far: {result.everything}"
                ) from None
            if message["parent_header"].get("msg_id") != request:
                continue
            content = message["content"]
            match message["msg_type"]:
                case "stream":
                    setattr(
                        result, content["name"], getattr(result, content["name"]) + content["text"]
                    )
                case "execute_result":
                    result.data = content["data"]
                case "display_data" | "update_display_data":
                    result.displays.append(content["data"])
                case "error":
                    result.ename, result.evalue = (
                        content["ename"],
                        COLOURS.sub("", content["evalue"]),
                    )
                    result.traceback = COLOURS.sub("", "\n".join(content["traceback"]))
                case "status" if content["execution_state"] == "idle":
                    result.seconds = time.perf_counter() - begun
                    return result

    def run(self, code: str, timeout: float = 90) -> Result:
        """Run one cell."""
        return self.result(self.send(code), timeout)

    def message(self, timeout: float) -> dict[str, Any]:
        """Return the next thing the kernel says to everybody."""
        found: dict[str, Any] = self._client.get_iopub_msg(timeout=max(0.1, timeout))
        return found

    def kill(self) -> None:
        """Let the process die at once, as when the machine runs out of memory."""
        self._manager.provisioner.process.kill()

    def interrupt(self) -> None:
        """Press the stop button."""
        self._manager.interrupt_kernel()

    def restart(self) -> None:
        """Press the restart button."""
        self._client.stop_channels()
        self._manager.restart_kernel(now=True)
        self._connect()

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._client is not None:
            self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()


@contextmanager
def start(
    python: Path,
    settings: Mapping[str, str],
    cwd: Path,
    *,
    uid: int | None = None,
    extra_settings: Mapping[str, str] | None = None,
    quiet: bool = False,
) -> Iterator[Kernel]:
    """Start a kernel on that interpreter in the server's settings, as user `uid` if given."""
    argv = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    if uid is not None:
        argv = [sys.executable, privileges.__file__, str(uid), "{connection_file}", *argv]
    specs = cwd / ".specs"
    (specs / "scratch").mkdir(parents=True, exist_ok=True)
    spec = {
        "argv": argv,
        "display_name": "scratch",
        "language": "python",
        "env": extra_settings or {},
    }
    (specs / "scratch" / "kernel.json").write_text(json.dumps(spec), "utf-8")
    known = KernelSpecManager(kernel_dirs=[str(specs)], ensure_native_kernel=False)
    manager = KernelManager(
        kernel_name="scratch",
        kernel_spec_manager=known,
        connection_file=str(cwd / ".specs" / "connection.json"),
    )
    kernel = Kernel(manager, settings, cwd)
    try:
        kernel.begin(quiet=quiet)
        yield kernel
    finally:
        kernel.close()
