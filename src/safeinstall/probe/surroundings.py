"""What is around an interpreter: the uv that could serve it, a container, a hosted service."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

__all__ = ["container_facts", "find_uv"]

_HOSTED = (
    ("BINDER_", "Binder"),
    ("COLAB_", "Colab"),
    ("JUPYTERHUB_", "JupyterHub"),
)
_FORGETFUL = ("Binder", "Colab", "Kubernetes")
"""Services that throw the machine away after the session."""


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def find_uv(
    executable: str, prefix: str, user_base: str | None, environ: Mapping[str, str]
) -> dict[str, str] | None:
    """Return ``{"path", "found"}`` of the uv program nearest to the interpreter, or None."""
    name = "uv.exe" if os.name == "nt" else "uv"
    folders = [(os.path.dirname(executable), "beside the interpreter")]
    for scripts in ("bin", "Scripts"):
        folders.append((os.path.join(prefix, scripts), "in the environment"))
    if user_base:
        folders.append((os.path.join(user_base, "bin"), "in the user base"))
    folders += [(folder, "on PATH") for folder in environ.get("PATH", "").split(os.pathsep)]
    home = environ.get("HOME", "")
    if home:
        folders += [
            (os.path.join(home, *parts), "in a common place")
            for parts in ((".local", "bin"), (".cargo", "bin"))
        ]
    folders += [(f, "in a common place") for f in ("/usr/local/bin", "/opt/homebrew/bin")]
    for folder, found in folders:
        path = os.path.join(folder, name)
        if folder and _is_program(path):
            return {"path": path, "found": found}
    return None


def _root_is_overlay() -> bool:
    try:
        with open("/proc/mounts", encoding="utf-8", errors="replace") as file:
            lines = file.read(256 * 1024).splitlines()
    except OSError:
        return False
    # The last mount on a point is the one that is seen.
    kinds = [words[2] for words in (line.split() for line in lines) if words[1:2] == ["/"]]
    return bool(kinds) and kinds[-1] in ("overlay", "overlayfs", "aufs")


def container_facts(environ: Mapping[str, str]) -> dict[str, Any]:
    """List the signs of a container, and say whether what is installed will be forgotten."""
    hints = []
    for marker in ("/.dockerenv", "/run/.containerenv"):
        if os.path.exists(marker):
            hints.append("%s exists" % marker)
    try:
        with open("/proc/1/cgroup", encoding="utf-8", errors="replace") as file:
            cgroup = file.read(4096)
    except OSError:
        cgroup = ""
    for word in ("docker", "kubepods", "containerd", "libpod", "lxc"):
        if word in cgroup:
            hints.append("the control group of process 1 names %s" % word)
            break
    marked = bool(hints)
    if "KUBERNETES_SERVICE_HOST" in environ:
        hints.append("Kubernetes: KUBERNETES_SERVICE_HOST is set")
    for start, service in _HOSTED:
        names = sorted(name for name in environ if name.startswith(start))
        if names:
            hints.append("%s: %s is set" % (service, names[0]))
    overlay = _root_is_overlay()
    if overlay:
        hints.append("the root file system is an overlay")
    ephemeral = (marked and overlay) or any(hint.startswith(_FORGETFUL) for hint in hints)
    return {"hints": hints, "ephemeral": ephemeral}
