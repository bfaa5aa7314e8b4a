"""Kernelspecs: read without believing any of them, written without overwriting anybody's.

`jupyter_client.kernelspec.KernelSpecManager.kernel_dirs` says where they lie and in which order
they win; the files are read here, because the manager stops at the first broken one. A file that
is written anew is kept beside itself.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any, Final, Literal

from jupyter_client.kernelspec import KernelSpecManager

from safeinstall.errors import SafeInstallError
from safeinstall.probe.facts.search_path import listed
from safeinstall.probe.facts.writability import describe_access

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
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # IPython's, about a home that cannot be written
        return tuple(map(str, KernelSpecManager().kernel_dirs))


def user_folder() -> str:
    """Return the folder of the user's own kernelspecs, made or not."""
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
    return [name for name in listed(folder) if os.path.lexists(os.path.join(folder, name, _FILE))]


def _read(name: str, folder: str, place: Place, hidden_by: str) -> Spec:
    known = Spec(name=name, folder=folder, place=place, hidden_by=hidden_by)
    spec = partial(replace, known)
    try:
        data = json.loads(Path(folder, _FILE).read_text("utf-8"))
    except OSError as error:
        return spec(problem=f"kernel.json cannot be read: {error.strerror or error}")
    except ValueError as error:
        return spec(problem=f"kernel.json is no JSON: {error}")
    except RecursionError:
        return spec(problem="kernel.json is no JSON: its brackets go too deep")
    if not isinstance(data, dict):
        return spec(problem="kernel.json is no JSON object")
    argv = data.get("argv")
    display, language = _text(data.get("display_name")), _text(data.get("language"))
    if not isinstance(argv, list) or not all(isinstance(word, str) for word in argv) or not argv:
        return spec(problem="kernel.json has no `argv`", display_name=display, language=language)
    if not argv[0] or not all(map(_passable, argv)):
        return spec(problem="no process can be started from its `argv`", display_name=display)
    env = data.get("env") or {}
    table = env if isinstance(env, dict) else {}
    pairs = tuple((key, value) for key, value in table.items() if isinstance(value, str))
    wrong = table is not env or len(pairs) < len(env)
    problem = "its `env` is no table of texts" if wrong else ""
    named = replace(known, display_name=display, language=language, problem=problem)
    return replace(named, argv=tuple(argv), env=pairs, env_problem=wrong)


def _text(value: Any) -> str:
    """Return a name as it can be shown: JSON may hold halves of characters."""
    return str(value or "").encode("utf-8", "replace").decode("utf-8")


def _passable(word: str) -> bool:
    """Return whether the system takes this word as an argument of a process."""
    try:
        return b"\0" not in os.fsencode(word)
    except UnicodeEncodeError:
        return False


ARGUMENTS: Final = ("-m", "ipykernel_launcher", "-f", "{connection_file}")
_NOT_IN_NAMES: Final = re.compile(r"[^a-z0-9._-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Registered:
    """A kernelspec that was written."""

    name: str
    display_name: str
    folder: str
    python: str

    def to_dict(self) -> dict[str, str]:
        """Return the JSON form."""
        return asdict(self)


def free_name(wanted: str, specs: Iterable[Spec], python: str, folder: str = "") -> str:
    """Return a kernelspec name like `wanted` that nobody has, or that is this `python`'s already.

    The letters are those `jupyter_client.kernelspec` accepts (`_is_valid_kernel_name`), which does
    not tell `A` from `a`. What lies in `folder` and is no kernelspec has its name, too.
    """
    known = tuple(specs)
    others = (s for s in known if not s.argv or os.path.abspath(s.argv[0]) != python)
    named = {os.path.basename(spec.folder) for spec in known}
    taken = {spec.name.lower() for spec in others} | (
        {*listed(folder)} - named if folder else set()
    )
    base = _NOT_IN_NAMES.sub("-", wanted.lower()).strip("-.") or "python"
    names = chain([base], (f"{base}-{number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def free_display_name(wanted: str, specs: Iterable[Spec], name: str, place: str) -> str:
    """Return what a kernel is called in menus: `wanted`, with its place where another is called so.

    `name` is the kernelspec's own, which may be there already; `place` is as people read it.
    """
    others = {spec.display_name for spec in specs if spec.name != name}
    return f"{wanted[:-1]}, {place})" if wanted in others else wanted


def registry(folders: Sequence[str], user: str) -> str:
    """Return the folder new kernelspecs go to: the user's own, or one that a server looks into.

    `folders` are those, `user` is the first choice. Raises `SafeInstallError` when none of them
    can be written; nothing is touched.
    """
    end = os.path.join("share", "jupyter", "kernels")
    for folder in (user, *(folder for folder in folders if folder.endswith(end))):
        if describe_access(folder)["writable"]:
            return folder
    words = f"No kernel can be registered in {user}: {describe_access(user)['detail']}."
    raise SafeInstallError(words, code="kernelspec-not-written")


def register(
    name: str, display_name: str, python: str, prefix: str, *, folder: str = ""
) -> Registered:
    """Write a kernelspec for the interpreter `python` of `prefix` into `folder` of a `registry`.

    Without a folder it goes among the user's own. The logos of the environment's ipykernel come
    along. Raises `SafeInstallError` when the folder cannot be written.
    """
    data: dict[str, Any] = {"argv": [python, *ARGUMENTS], "display_name": display_name}
    data |= {"language": "python", "metadata": {"debugger": True}}
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
            place: dict[str, Any] = {"user": True}
            if folder and folder != str(known.user_kernel_dir):
                place = {"prefix": str(Path(folder).parents[2])}  # it adds share/jupyter/kernels
            made = known.install_kernel_spec(str(source), name, **place)
        except OSError as error:
            words = f"The kernel cannot be registered: {error.strerror or error}."
            file, code = str(error.filename or ""), "kernelspec-not-written"
            raise SafeInstallError(words, context=file, code=code) from error
    return Registered(name=name, display_name=display_name, folder=str(made), python=python)


def unregister(registered: Registered) -> None:
    """Take away a kernelspec written by `register`; one that is gone already is fine."""
    shutil.rmtree(registered.folder, ignore_errors=True)


def kept_name(spec: Spec) -> str:
    """Return a name beside the kernelspec's file for the one that is kept of it."""
    start = os.path.join(spec.folder, f"{_FILE}.{time.strftime('%Y%m%d-%H%M%S')}")
    names = chain([f"{start}.old"], (f"{start}-{number}.old" for number in count(2)))
    return next(name for name in names if not os.path.lexists(name))


def repair(spec: Spec, argv: Iterable[str], display_name: str = "", kept_as: str = "") -> str:
    """Write `argv` into the kernelspec's file; return where the old one is kept (`kept_as`).

    What stands there and is no file (a link to nowhere, a folder) is kept too. Raises
    `SafeInstallError` when the file cannot be written.
    """
    path = Path(spec.folder, _FILE)
    kept = Path(kept_as or kept_name(spec))
    data = None
    with suppress(OSError, ValueError, RecursionError):
        data = json.loads(path.read_text("utf-8"))
    data = data if isinstance(data, dict) else {}
    data["argv"] = list(argv)
    data["display_name"] = display_name or spec.display_name or spec.name
    data["language"] = spec.language or "python"
    if spec.env_problem:
        data["env"] = dict(spec.env)
    if not isinstance(data.get("metadata", {}), dict):
        del data["metadata"]
    fresh, draft = path.with_name("kernel.json.new"), path.with_name("kernel.json.kept")
    try:
        fresh.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
        if path.is_file():
            try:
                os.link(path, kept)
            except (OSError, AttributeError):  # no links on this file system
                shutil.copy2(path, draft)
                draft.replace(kept)  # there as a whole, or not at all
        else:
            path.rename(kept)
        fresh.replace(path)
    except OSError as error:
        for file in (fresh, draft):
            with suppress(OSError):
                file.unlink()
        words = f"{path} cannot be written: {error.strerror or error}."
        raise SafeInstallError(words, code="kernelspec-not-written") from error
    return str(kept)
