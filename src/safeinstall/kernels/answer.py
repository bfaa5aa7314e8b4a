"""Does a kernel of this environment start and answer? The proof behind every change of its parts.

The question is put by a process of that interpreter, which the runner starts: in it jupyter_client
starts the second kernel, so that nothing half-replaced is imported into the running one, and the
end of that process is the end of the kernel.
"""

from __future__ import annotations

import json
from typing import Final

from safeinstall.command import Command
from safeinstall.environment import Environment

__all__ = ["SECONDS", "answer_command", "read_answer"]

SECONDS: Final = 60.0
"""How long a kernel may take; a healthy one needs one to two."""

_SCRIPT: Final = """
import json, os, sys, tempfile, time
cookie, seconds, argv = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
def say(**answer):
    print(cookie + json.dumps(answer) + cookie[::-1], flush=True)
folder = tempfile.mkdtemp(prefix="safeinstall-kernel-")
for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR"):
    os.environ[name] = folder
manager = client = None
try:
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import KernelManager
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(argv=argv, display_name="second", language="python")
    with open(os.path.join(folder, "log"), "w+b") as log:
        manager.start_kernel(stdout=log, stderr=log)
        client = manager.client()
        client.start_channels()
        end = time.monotonic() + seconds
        text = ""
        try:
            client.wait_for_ready(timeout=seconds)
            request = client.execute("print(1 + 1)", store_history=False, allow_stdin=False)
            while time.monotonic() < end:
                message = client.get_iopub_msg(timeout=seconds)
                if message["parent_header"].get("msg_id") != request:
                    continue
                if message["msg_type"] == "stream":
                    text += message["content"]["text"]
                if message["msg_type"] == "status" and (
                    message["content"]["execution_state"] == "idle"
                ):
                    break
            say(ok=text.strip() == "2", why="it answered %r to 1 + 1" % text.strip())
        except BaseException as error:
            log.seek(0)
            lines = log.read().decode("utf-8", "replace").strip().splitlines()
            say(ok=False, why=lines[-1] if lines else repr(error))
except BaseException as error:
    say(ok=False, why="%s: %s" % (type(error).__name__, error))
finally:
    try:
        if client is not None:
            client.stop_channels()
        if manager is not None:
            manager.shutdown_kernel(now=True)
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
    return Command(
        argv=(python, *flags, "-c", _SCRIPT, cookie, str(seconds / 2), *kernel, *quiet),
        cwd=cwd,
        overrides={"PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"},
    )


def read_answer(stdout: str, cookie: str) -> str | None:
    """Return None when the second kernel answered as it should, or why it did not."""
    start, end = stdout.find(cookie), stdout.rfind(cookie[::-1])
    if start < 0 or end < start:
        return "its interpreter could not even ask"
    data = json.loads(stdout[start + len(cookie) : end])
    return None if data.get("ok") else str(data.get("why") or "it gave no reason")[:500]
