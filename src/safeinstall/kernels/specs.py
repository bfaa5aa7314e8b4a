"""The kernelspecs of this machine, read without believing any of them.

`jupyter_client.kernelspec.KernelSpecManager.kernel_dirs` says where they lie and in which order
they win; the files are read here, because the manager stops at the first broken one.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

__all__ = ["Place", "Spec", "find_specs", "kernel_folders", "user_folder"]

Place = Literal["user", "environment", "machine"]

_FILE: Final = "kernel.json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Spec:
    """One kernelspec as it stands on disk."""

    name: str
    """What a server and `jupyter console --kernel` call it."""
    folder: str
    place: Place
    argv: tuple[str, ...] = ()
    display_name: str = ""
    language: str = ""
    env: tuple[tuple[str, str], ...] = ()
    problem: str = ""
    """Why its file says nothing, or empty."""
    env_problem: bool = False
    """True when its `env` holds what no process can be given."""
    hidden_by: str = ""
    """The folder of another spec of this name that a server finds first, or empty."""

    @property
    def is_python(self) -> bool:
        """True for a Python kernel, as far as can be told."""
        return self.language.lower() == "python" or any("ipykernel" in word for word in self.argv)


def kernel_folders() -> tuple[str, ...]:
    """Return the folders a server started here would look into, the first one wins."""
    from jupyter_client.kernelspec import KernelSpecManager

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # IPython's, about a home that cannot be written
        return tuple(map(str, KernelSpecManager().kernel_dirs))


def user_folder() -> str:
    """Return the folder of the user's own kernelspecs, made or not."""
    from jupyter_client.kernelspec import KernelSpecManager

    return str(KernelSpecManager().user_kernel_dir)


def find_specs(folders: Sequence[str], user: str) -> tuple[Spec, ...]:
    """Read every kernelspec in `folders`; one that a server would not see says what hides it."""
    seen: dict[str, str] = {}
    found: list[Spec] = []
    for folder in dict.fromkeys(map(os.path.abspath, folders)):
        for name in _names(folder):
            path = os.path.join(folder, name)
            key = name.lower()  # the manager compares lower-cased names
            found.append(_read(key, path, place_of(folder, user), hidden_by=seen.get(key, "")))
            seen.setdefault(key, path)
    return tuple(found)


def place_of(folder: str, user: str) -> Place:
    """Return whose kernelspecs lie in `folder`."""
    if os.path.abspath(folder) == os.path.abspath(user):
        return "user"
    return "machine" if folder.startswith(("/usr/", "/etc/")) else "environment"


def _names(folder: str) -> list[str]:
    try:
        entries = sorted(os.listdir(folder))
    except OSError:
        return []
    return [name for name in entries if os.path.lexists(os.path.join(folder, name, _FILE))]


def _read(name: str, folder: str, place: Place, hidden_by: str) -> Spec:
    def spec(problem: str = "", **values: Any) -> Spec:
        return Spec(
            name=name, folder=folder, place=place, hidden_by=hidden_by, problem=problem, **values
        )

    try:
        data = json.loads(Path(folder, _FILE).read_text("utf-8"))
    except OSError as error:
        return spec(f"kernel.json cannot be read: {error.strerror or error}")
    except ValueError as error:
        return spec(f"kernel.json is no JSON: {error}")
    except RecursionError:
        return spec("kernel.json is no JSON: its brackets go too deep")
    if not isinstance(data, dict):
        return spec("kernel.json is no JSON object")
    argv = data.get("argv")
    display, language = _text(data.get("display_name")), _text(data.get("language"))
    if not isinstance(argv, list) or not all(isinstance(word, str) for word in argv) or not argv:
        return spec("kernel.json has no `argv`", display_name=display, language=language)
    if not argv[0] or not all(map(_passable, argv)):
        return spec("no process can be started from its `argv`", display_name=display)
    env = data.get("env") or {}
    pairs = _pairs(env) if isinstance(env, dict) else ()
    wrong = not isinstance(env, dict) or len(pairs) < len(env)
    return spec(
        "its `env` is no table of texts" if wrong else "",
        argv=tuple(argv),
        display_name=display,
        language=language,
        env=pairs,
        env_problem=wrong,
    )


def _text(value: Any) -> str:
    """Return a name as it can be shown: JSON may hold halves of characters."""
    return str(value or "").encode("utf-8", "replace").decode("utf-8")


def _passable(word: str) -> bool:
    """Return whether the system takes this word as an argument of a process."""
    try:
        return b"\0" not in os.fsencode(word)
    except UnicodeEncodeError:
        return False


def _pairs(env: dict[Any, Any]) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in env.items() if isinstance(value, str))
