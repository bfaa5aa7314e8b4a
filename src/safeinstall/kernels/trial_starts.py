"""Start a kernel, once, to see that it answers; the runner starts every process.

`try_kernel` starts one through its kernelspec, as a server would, and lets it import something.
`answer_command` is the proof behind every change of the kernel's own parts: a process of that
interpreter starts a second kernel and asks it 1 + 1, so that nothing half-replaced is imported into
the running one, and the end of that process is the end of the kernel. An answer is a value: a
kernel that does not start is nothing exceptional here.
"""

from __future__ import annotations

import ast
import json
import os
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from safeinstall.environment import Environment
from safeinstall.kernels import kernel_folders
from safeinstall.runner import Command, start

SECONDS: Final = 60.0
"""How long a kernel may take; a healthy one needs one to two."""
_MOST: Final = 6000
"""Characters kept of what a kernel that did not start wrote to standard error."""
_PORT_TAKEN: Final = "Address already in use"
_ATTEMPTS: Final = 3
"""A server gives a kernel free ports, which another program may take before it binds them."""
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
    timeout: float = SECONDS,
) -> Trial:
    """Start the kernel `name`, import `modules` in it, end it, and return what happened.

    `folders` are where the kernelspec is looked for (default: where a server looks).
    """
    places = list(folders or kernel_folders())
    specs = KernelSpecManager(kernel_dirs=places, ensure_native_kernel=False)
    more: dict[str, Any] = {"cwd": cwd} if cwd else {}
    more |= {} if environ is None else {"env": dict(environ)}
    for _ in range(_ATTEMPTS):
        manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)
        trial = _started(manager, tuple(modules), more, timeout)
        if trial.started or _PORT_TAKEN not in trial.stderr:
            break
    return trial


def _started(
    manager: KernelManager, modules: tuple[str, ...], more: dict[str, Any], timeout: float
) -> Trial:
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as noise:
        client = None
        try:
            manager.provisioner = _provisioner(manager)
            manager.start_kernel(stdout=noise, stderr=noise, **more)
            client = manager.client()
            client.start_channels()
            client.wait_for_ready(timeout=timeout)
            answer = _asked(client, modules, timeout)
        except Exception as error:
            noise.seek(0)
            why = noise.read().strip()[-_MOST:] or f"{type(error).__name__}: {error}"
            return Trial(started=False, stderr=why, seconds=time.perf_counter() - began)
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


class _ByRunner(LocalProvisioner):  # type: ignore[misc]
    """Starts the kernel through the runner; the rest is `jupyter_client`'s."""

    async def launch_kernel(self, cmd: Sequence[str], **options: Any) -> Any:
        """Start it as `jupyter_client.launcher.launch_kernel` does, and return how to reach it."""
        argv = tuple(map(os.path.expanduser, cmd))
        own = {"JPY_PARENT_PID": str(os.getpid())}  # it ends when we do
        command = Command(argv=argv, overrides=own, cwd=options.get("cwd"))
        self.process = start(command, options["stdout"], options["env"])
        self.pid = self.pgid = self.process.pid  # it leads a session of its own
        return self.connection_info


def _provisioner(manager: KernelManager) -> Any:
    """Return what starts the kernel: the runner, unless its kernelspec names somebody else.

    Somebody else need not start a process of this machine at all.
    """
    manager.kernel_id = str(uuid4())
    make = KernelProvisionerFactory.instance().create_provisioner_instance
    given = make(manager.kernel_id, manager.kernel_spec, parent=manager)
    if type(given) is not LocalProvisioner:
        return given
    return _ByRunner(kernel_id=manager.kernel_id, kernel_spec=given.kernel_spec, parent=manager)


def _asked(client: Any, modules: tuple[str, ...], timeout: float) -> dict[str, Any]:
    """Return what the kernel answers; raises when it does not."""
    question = {"answer": f"_tried({list(modules)!r})"}
    quiet = {"silent": True, "store_history": False, "allow_stdin": False}
    reply = client.execute(_IMPORT, user_expressions=question, reply=True, timeout=timeout, **quiet)
    told = reply["content"]["user_expressions"]["answer"]
    if told["status"] != "ok":
        raise RuntimeError(f"{told.get('ename')}: {told.get('evalue')}")
    data: dict[str, Any] = json.loads(ast.literal_eval(told["data"]["text/plain"]))
    return data


_SCRIPT: Final = """
import sys
if sys.path[:1] == [""]:
    del sys.path[0]  # who asks needs nothing of the folder; the kernel is started in it
import json, os, tempfile, time
cookie, seconds, argv = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
def say(**answer):
    print(cookie + json.dumps(answer) + cookie[::-1], flush=True)
def ask():
    global manager, client
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(argv=argv, display_name="second", language="python")
    with open(os.path.join(folder, "log"), "w+b") as log:
        manager.start_kernel(stdout=log, stderr=log)
        client = manager.client()
        client.start_channels()
        late, text = time.monotonic() + seconds, ""
        try:
            client.wait_for_ready(timeout=seconds)
            request = client.execute("print(1 + 1)", store_history=False, allow_stdin=False)
            while time.monotonic() < late:
                message = client.get_iopub_msg(timeout=seconds)
                if message["parent_header"].get("msg_id") != request:
                    continue
                if message["msg_type"] == "stream":
                    text += message["content"]["text"]
                if message["msg_type"] == "status" and (
                    message["content"]["execution_state"] == "idle"
                ):
                    break
            return text.strip() == "2", "it answered %r to 1 + 1" % text.strip()
        except BaseException as error:
            log.seek(0)
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
            return False, lines[-1] if lines else repr(error)
def end():
    if client is not None:
        client.stop_channels()
    if manager is not None:
        manager.shutdown_kernel(now=True)
folder = tempfile.mkdtemp(prefix="safeinstall-kernel-")
for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
    os.environ[name] = folder
manager = client = None
try:
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import KernelManager
    for attempt in range(3):
        fine, why = ask()
        if "Address already in use" not in why:
            break
        end()
    say(ok=fine, why=why)
except BaseException as error:
    say(ok=False, why="%s: %s" % (type(error).__name__, error))
finally:
    try:
        end()
    except BaseException:
        pass
    import shutil
    shutil.rmtree(folder, ignore_errors=True)
"""


def answer_command(
    environment: Environment, cookie: str, cwd: str, seconds: float = SECONDS
) -> Command:
    """Return the command that starts a second kernel of the environment and asks it 1 + 1."""
    python, flags = environment.executable, environment.flags.arguments()
    kernel = (python, *flags, "-m", "ipykernel_launcher", "-f", "{connection_file}")
    quiet = ("--HistoryManager.enabled=False",)
    argv = (python, *flags, "-c", _SCRIPT, cookie, str(seconds / 2), *kernel, *quiet)
    overrides = {"PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"}
    return Command(argv=argv, cwd=cwd, overrides=overrides)


def read_answer(stdout: str, cookie: str) -> str | None:
    """Return None when the second kernel answered as it should, or why it did not."""
    start, end = stdout.find(cookie), stdout.rfind(cookie[::-1])
    if start < 0 or end < start:
        return "its interpreter could not even ask"
    data = json.loads(stdout[start + len(cookie) : end])
    return None if data.get("ok") else str(data.get("why") or "it gave no reason")[:500]
