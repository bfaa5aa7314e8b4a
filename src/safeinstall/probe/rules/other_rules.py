"""Where installers that are neither pip, uv nor conda would install.

From their own documentation and source: poetry ``utils/env/env_manager.py`` (``get``), pdm
``project/core.py`` (``resolve_interpreter``), pipenv ``project.py`` (``virtualenv_location``), pixi
(``.pixi/envs``), pipx ``paths.py``, setuptools ``command/easy_install.py``. A package of the
operating system is for the Python of the operating system.
"""

from __future__ import annotations

import os
import re
from typing import Mapping

from ..facts.interpreter import Interpreter, read_interpreter, scheme_folders
from ..facts.search_path import canonical, home_folder, read_text, upward
from ..facts.writability import user_name, why_not_writable
from ..shell.option_grammar import OTHER, Line, read_line
from ..shell.reach import PACMAN, Invocation
from . import SITE, Verdict

_OF_PYTHON = re.compile(
    r"^(?:python3?|py3|python3\d+|python3\.\d+)-(?!.*(?:dev|venv|pip|full|dbg|doc|minimal|distutils|lib2to3)$)(.+)$"
)
_BREWED = re.compile(
    r"^(?:python-.*|numpy|scipy|pytorch|torchvision|opencv|pillow|cryptography|certifi|cffi|six"
    r"|pybind11|cython|libcython|pydantic|rpds-py|jupyterlab|ipython|pygments|pyqt)(?:@.*)?$"
)
_FILES = {
    **dict.fromkeys(("poetry", "pdm", "rye"), ("pyproject.toml",)),
    "pipenv": ("Pipfile",),
    "pixi": ("pixi.toml", "pyproject.toml"),
}


def decide_other(invocation: Invocation, kernel: Interpreter) -> Verdict:
    """Return what this command would do in a process of the kernel."""
    tool = invocation.tool
    line = read_line(invocation.words, OTHER)
    if tool in ("easy_install", "setup.py"):
        return _script(invocation, line)
    if line.has("dry-run") or line.has("simulate") or line.has("help"):
        return Verdict("no-change", "a dry run installs nothing")
    if tool == "pixi" and line.positional[:1] == ["global"]:
        return _global(invocation, line)
    if tool in _FILES:
        return _project(invocation, line)
    if tool == "pipx":
        return _pipx(invocation, line)
    return _system(invocation, line)


def python_name(tool: str, package: str) -> str:
    """Return the name behind a package of the system (``python3-NAME``), or nothing."""
    if tool == "brew":
        return re.sub(r"^python-|@.*$", "", package) if _BREWED.match(package) else ""
    found = _OF_PYTHON.match(re.sub(r"[:=].*$", "", package))
    return found.group(1) if found else ""


def _system(invocation: Invocation, line: Line) -> Verdict:
    """Packages of the system go to the Python beside the program, as root (brew as its owner)."""
    tool = invocation.tool
    packages = line.positional[0 if tool in PACMAN else 1 :]
    names = tuple(filter(None, (python_name(tool, word) for word in packages)))
    if not names:
        return Verdict("no-change", "no Python package is named, only programs of %s" % tool)
    prefix = os.path.dirname(os.path.dirname(invocation.program))
    prefix = "/usr" if os.path.realpath(prefix) == os.path.realpath("/") else prefix
    python = read_interpreter(os.path.join(prefix, "bin", "python3"))
    debian = os.path.join(prefix, "lib", "python3", "dist-packages")
    site = debian if os.path.isdir(debian) else ""
    site = site or (python.scheme(invocation.environ)["purelib"] if python else debian)
    root = not hasattr(os, "geteuid") or os.geteuid() == 0 or invocation.elevated
    if tool != "brew" and not root:
        reason = "%s needs root, and you are %s" % (tool, user_name(os.geteuid()))
        return Verdict("refused-permission", reason, interpreter=python, names=names)
    reason = "packages of %s are for the Python of %s" % (tool, prefix)
    return Verdict(SITE, reason, site, python, names=names)


def _pipx(invocation: Invocation, line: Line) -> Verdict:
    """Every program gets an environment of its own (``pipx/paths.py``)."""
    environ, home = invocation.environ, home_folder(invocation.environ)
    data = environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    older = os.path.join(home, ".local", "pipx")
    place = environ.get("PIPX_HOME") or (older if os.path.isdir(older) else data + "/pipx")
    if not (named := line.positional[1:2]):
        return Verdict("fails", "pipx is asked for nothing")
    name = re.split(r"[\[<>=!~ ;@]", named[0])[0]
    folder = os.path.join(place, "venvs", canonical(name))
    python = read_interpreter(os.path.join(folder, "bin", "python"))
    site = python.scheme(environ)["purelib"] if python else folder
    reason = "pipx makes an environment of its own for each program"
    return Verdict(SITE, reason, site, python, names=(name,))


def _global(invocation: Invocation, line: Line) -> Verdict:
    """``pixi global install``: every program gets an environment of its own (pixi's manual)."""
    environ, (name, *_) = invocation.environ, (*line.positional[2:], "")
    home = environ.get("PIXI_HOME") or os.path.join(home_folder(environ), ".pixi")
    folder = os.path.join(home, "envs", line.last("environment") or name)
    python = read_interpreter(os.path.join(folder, "bin", "python"))
    site = python.scheme(environ)["purelib"] if python else folder
    reason = "pixi makes an environment of its own for each program"
    return Verdict(SITE, reason, site, python, names=(name,))


def _project(invocation: Invocation, line: Line) -> Verdict:
    """Return the environment of the project that the folder lies in."""
    tool, environ = invocation.tool, invocation.environ
    start = line.last("directory") or line.last("project") or line.last("manifest-path") or "."
    start = os.path.normpath(os.path.join(invocation.cwd, start))
    start = os.path.dirname(start) if os.path.isfile(start) else start
    folders = (f for f in upward(start) for n in _FILES[tool] if os.path.isfile(os.path.join(f, n)))
    folder = next(folders, start if tool == "pipenv" else None)
    names = tuple(re.split(r"[\[<>=!~ ;@]", word)[0] for word in line.positional[1:])
    if folder is None:
        text = "there is no %s in this folder or above it" % " or ".join(_FILES[tool])
        return Verdict("fails", text, names=names)
    place, why = _environment_of(tool, folder, environ)
    if not place:
        reason = "%s chooses or makes the environment of the project in %s" % (tool, folder)
        return Verdict("unknown", reason, names=names)
    python = read_interpreter(os.path.join(place, "bin", "python"))
    site = python.scheme(environ)["purelib"] if python else place
    if refusal := why_not_writable(site, invocation.elevated):
        return Verdict(*refusal, interpreter=python, names=names)
    return Verdict(SITE, "%s works on %s" % (tool, why), site, python, names=names)


def _environment_of(tool: str, folder: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the environment of a project and what it is, or nothing where only a run shows it."""
    local = os.path.join(folder, ".venv")
    if tool == "pixi":
        return os.path.join(folder, ".pixi", "envs", "default"), "the environment of %s" % folder
    saved = (read_text(os.path.join(folder, ".pdm-python"), 4096) or "").strip()
    if tool == "pdm" and saved:
        return os.path.dirname(os.path.dirname(saved)), "the interpreter saved in .pdm-python"
    ignored = environ.get("PIPENV_IGNORE_VIRTUALENVS") or environ.get("PDM_IGNORE_ACTIVE_VENV")
    base = environ.get("CONDA_DEFAULT_ENV") in ("base", "root")
    active = environ.get("VIRTUAL_ENV") or ("" if base else environ.get("CONDA_PREFIX", ""))
    if active and tool != "rye" and not ignored:
        return active, "the environment that is active"
    if os.path.isfile(os.path.join(local, "pyvenv.cfg")):
        return local, "%s of the project" % local
    return "", ""


def _script(invocation: Invocation, line: Line) -> Verdict:
    """``easy_install`` and ``setup.py install``: no fallback, and no look at PEP 668."""
    interpreter, environ, cwd = invocation.interpreter, invocation.environ, invocation.cwd
    if interpreter is None:
        return Verdict("unknown", "the interpreter behind %s is not known" % invocation.tool)
    if invocation.tool == "setup.py" and not os.path.isfile(invocation.program):
        return Verdict("fails", "there is no %s" % invocation.program, interpreter=interpreter)
    scheme, outcome = interpreter.scheme(environ), SITE
    reason = "the default place of %s" % interpreter.executable
    target, prefix = line.last("install-dir"), line.last("prefix")
    if line.has("user"):
        scheme, outcome = interpreter.user_scheme(environ, cwd), "user-site"
        reason = "the user site was asked for by --user"
    elif target:
        folder = os.path.join(cwd, target)
        scheme, outcome = scheme_folders(folder, folder), "target-dir"
    elif prefix:
        base = os.path.join(cwd, prefix)
        scheme, outcome = scheme_folders(interpreter.site_below(base), base), "prefix"
    if refusal := why_not_writable(scheme["purelib"], invocation.elevated):
        return Verdict(*refusal, interpreter=interpreter)
    names = () if invocation.tool == "setup.py" else tuple(line.positional)
    return Verdict(outcome, reason, scheme["purelib"], interpreter, names=names)
