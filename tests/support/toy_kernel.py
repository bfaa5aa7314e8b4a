"""A kernel that is no Python: it repeats what it is told."""

from __future__ import annotations

from typing import Any

from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel


class Parrot(Kernel):  # type: ignore[misc]
    """Answers like a kernel of another language."""

    implementation = "parrot"
    implementation_version = "1.0"
    language = "parrot"
    language_info = {"name": "parrot", "mimetype": "text/plain", "file_extension": ".txt"}  # noqa: RUF012
    banner = "Parrot"

    def do_execute(self, code: str, silent: bool, *_: Any, **__: Any) -> dict[str, Any]:
        """Say it again."""
        if not silent:
            content = {"name": "stdout", "text": code}
            self.send_response(self.iopub_socket, "stream", content)
        return {
            "status": "ok",
            "execution_count": self.execution_count,
            "payload": [],
            "user_expressions": {},
        }


if __name__ == "__main__":
    IPKernelApp.launch_instance(kernel_class=Parrot)
