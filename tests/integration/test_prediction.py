"""Predict, really install, compare: every case is run by the installer it names, in its own folder.

A case is a cell in a kernel of some kind, as the owner of everything or as an ordinary user, with a
release of pip. The prediction is made in that kernel before the command runs; what is compared is
what appeared on disk. What this machine cannot run (no older Python, a release of pip that cannot
be fetched) is printed and skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pytest

import safeinstall.probe
from support.environments import CACHE
from support.privileges import ORDINARY, can_switch, give
from support.wheels import make_wheel

pytestmark = pytest.mark.integration

HOME = Path.home()  # of whoever runs the tests: a fixture hides it later
PROBE = Path(safeinstall.probe.__file__).parent
INSTALL = "--no-index --find-links {wheels}"

DRIVER = r"""
import json, os, shlex, site, subprocess, sys, sysconfig
sys.path[0:1] = [""]
spec = json.load(open(sys.argv[1]))
sys.path.insert(0, spec["carried"])
from probe import predict
del sys.path[0]
found = predict(spec["cell"])
cell = spec["cell"].replace("{sys.executable}", sys.executable)
if cell.startswith("%"):
    cell = shlex.quote(sys.executable) + " -m " + cell[1:]
done = subprocess.run([os.environ.get("SHELL", "sh"), "-c", cell.lstrip("!")],
                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
json.dump({"found": [p._asdict() for p in found], "code": done.returncode,
           "output": done.stdout.decode("utf-8", "replace"),
           "user_site": site.getusersitepackages(),
           "own": [sysconfig.get_path("purelib"), sysconfig.get_path("platlib")],
           "executable": sys.executable}, open(sys.argv[2], "w"))
"""

SPOKEN = (
    ("externally.managed", "refused-externally-managed"),
    ("activated virtualenv", "refused-require-virtualenv"),
    ("Can ?not combine", "refused-option-conflict"),
    ("Can not perform a '--user'", "refused-user-site-unavailable"),
    ("no RECORD file|uninstall-no-record", "refused-cannot-uninstall"),
    ("Permission denied|os error 13", "refused-permission"),
    ("No module named '?(pip|uv)\\b", "no-installer"),
    ("Would install", "no-change"),
    ("Successfully downloaded", "no-change"),
    (
        "bad interpreter|required file not found|(pip[\\d.]*|python|uv): not found",
        "command-not-found",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One cell in one kernel."""

    id: str
    cell: str = f"%pip install {INSTALL} quince"
    kind: str = "alone"
    user: str = "owner"
    pip: str = "newest"
    old: bool = False
    flags: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()
    place: str = ""
    """What an option of the cell says about the place, where the disk alone does not tell."""


class Lab:
    """Interpreters, releases of pip and wheels that the cases share."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="safeinstall-predict-"))
        self.folder.chmod(0o755)
        self.could_not: dict[str, str] = {}
        self.numbers = iter(range(10_000))
        shutil.copytree(PROBE, self.folder / "carried" / "probe")
        (self.folder / "driver.py").write_text(DRIVER)
        for version in ("1.0", "2.0"):
            scripts = {"quince": "quince:main"}
            make_wheel(self.wheels, "quince", version, scripts=scripts)
            make_wheel(self.wheels, "medlar", version)
        for path in (self.folder / "carried", self.wheels):
            subprocess.run(["chmod", "-R", "a+rX", str(path)], check=True)

    @property
    def wheels(self) -> Path:
        return self.folder / "wheels"

    def library(self, old: bool) -> Path | None:
        """Return a copy of a whole interpreter that every user can read."""
        return self.old_library if old else self.new_library

    @cached_property
    def new_library(self) -> Path | None:
        return self._copied(Path(sys.base_prefix), f"{sys.version_info[0]}.{sys.version_info[1]}")

    @cached_property
    def old_library(self) -> Path | None:
        root = Path(os.environ.get("PYENV_ROOT", HOME / ".pyenv"))
        for version in ("3.8", "3.9"):
            found = sorted(root.glob(f"versions/{version}.*/bin/python{version}"))
            on_path = shutil.which(f"python{version}")
            for python in [*found, *([Path(on_path)] if on_path else [])]:
                code = "import sys, ensurepip; print(sys.base_prefix)"
                done = subprocess.run([python, "-c", code], capture_output=True, text=True)
                if done.returncode == 0:
                    return self._copied(Path(done.stdout.strip()), version)
        self.could_not["old pips"] = "no Python 3.8 or 3.9 on this machine"
        return None

    def _copied(self, base: Path, version: str) -> Path | None:
        name = f"python{version}"
        prefix = self.folder / f"library-{version}"
        unneeded = shutil.ignore_patterns(
            "test", "idlelib", "tkinter", "lib2to3", "config-*", "site-packages", "dist-packages"
        )
        shutil.copytree(base / "lib" / name, prefix / "lib" / name, ignore=unneeded)
        for shared in (base / "lib").glob("libpython*.so*"):
            shutil.copy2(shared, prefix / "lib")
        (prefix / "bin").mkdir()
        shutil.copy2(os.path.realpath(base / "bin" / name), prefix / "bin" / name)
        (prefix / "lib" / name / "EXTERNALLY-MANAGED").unlink(missing_ok=True)
        subprocess.run(["chmod", "-R", "a+rX", str(prefix)], check=True)
        return prefix

    def pip_release(self, release: str) -> Path | None:
        """Return a folder that holds this release of pip, fetched once per checkout."""
        target = self.folder / f"pip-{release}"
        if target.is_dir():
            return target
        cache = CACHE / "pip-releases" / release
        if not list(cache.glob("pip-*.whl")):
            wanted = "pip" if release == "newest" else f"pip=={release}"
            fetch = (sys.executable, "-m", "pip", "download", "-q", "--no-deps")
            options = ("--ignore-requires-python", "--no-binary=:none:", "-d", str(cache))
            subprocess.run([*fetch, *options, wanted], capture_output=True, check=False)
        wheels = list(cache.glob("pip-*.whl"))
        if not wheels:
            self.could_not[f"pip {release}"] = "this release cannot be fetched here"
            return None
        with zipfile.ZipFile(wheels[0]) as archive:
            archive.extractall(target)
        subprocess.run(["chmod", "-R", "a+rX", str(target)], check=True)
        return target


class Desk:
    """The folder of one case: its interpreter, home, notebook folder and what it says."""

    def __init__(self, lab: Lab, case: Case, library: Path) -> None:
        self.lab, self.case, self.library = lab, case, library
        self.folder = lab.folder / f"{next(lab.numbers):03d}"
        self.home, self.notebooks = self.folder / "home", self.folder / "nb"
        for folder in (self.home, self.notebooks):
            folder.mkdir(parents=True)
        self.version = next(path.name for path in (library / "bin").iterdir())
        self.alone = self.folder / "alone"
        self.settings = {
            "PATH": f"{self.folder / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "LD_LIBRARY_PATH": str(library / "lib"),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "UV_CACHE_DIR": str(self.home / "uv"),
            "UV_PYTHON_DOWNLOADS": "never",
            "UV_NO_CONFIG": "1",
        }

    def site(self, prefix: Path) -> Path:
        return prefix / "lib" / self.version / "site-packages"

    def make_alone(self) -> None:
        """Lay an interpreter out whose library is links, whose prefix is its own."""
        home = self.alone / "lib" / self.version
        home.mkdir(parents=True)
        (self.alone / "bin").mkdir()
        for entry in (self.library / "lib" / self.version).iterdir():
            (home / entry.name).symlink_to(entry)
        self.site(self.alone).mkdir()
        shutil.copy2(self.library / "bin" / self.version, self.alone / "bin" / self.version)
        for name in ("python", "python3"):
            (self.alone / "bin" / name).symlink_to(self.version)
        self.put_pip(self.alone)

    def put_pip(self, prefix: Path) -> None:
        release = self.lab.pip_release(self.case.pip)
        assert release is not None
        for entry in release.iterdir():
            (self.site(prefix) / entry.name).symlink_to(entry)
        script = prefix / "bin" / "pip"
        start = "from pip._internal.cli.main import main\nimport sys\nsys.exit(main())\n"
        script.write_text(f"#!{prefix}/bin/python\n{start}")
        script.chmod(0o755)

    def make(self, kind: str, name: str) -> Path:
        """Make the environment *name* of that *kind* and return its prefix."""
        base = self.alone / "bin" / "python"
        prefix = self.folder / name
        options: tuple[str, ...] = ()
        if kind == "virtualenv":
            maker: tuple[str, ...] = (sys.executable, "-m", "virtualenv", "-q", "--no-seed")
            options = ("--no-periodic-update", "-p", str(base))
        elif kind == "uv-venv":
            maker = (str(uv_program()), "venv", "-q", "--no-project", "-p", str(base))
        else:
            maker = (str(base), "-m", "venv", "--without-pip")
            options = ("--system-site-packages",) if kind == "system-venv" else ()
        done = subprocess.run(
            [*maker, *options, str(prefix)], env=self.settings, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout + done.stderr
        if kind != "uv-venv":
            self.put_pip(prefix)
        return prefix

    def filled(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    @cached_property
    def names(self) -> dict[str, str]:
        return {
            "wheels": str(self.lab.wheels),
            "home": str(self.home),
            "nb": str(self.notebooks),
            "here": str(self.folder),
            "alone": str(self.alone),
            "version": self.version,
            "user": str(self.home / ".local" / "lib" / self.version / "site-packages"),
        }

    def run(self) -> tuple[dict[str, object], tuple[str, str | None]]:
        """Run the case; return the prediction and what was measured."""
        case = self.case
        self.make_alone()
        kernel = self.alone if case.kind == "alone" else self.make(case.kind, "env")
        for name in case.before:
            BEFORE[name](self)
        for name, text in case.files.items():
            path = Path(self.filled(name))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self.filled(text))
        identity: dict[str, object] = {}
        if case.user == "ordinary":
            give(self.home)
            give(self.notebooks)
            identity = {"user": ORDINARY, "group": ORDINARY, "extra_groups": []}
        out = self.folder / "out"
        out.mkdir()
        out.chmod(0o777)
        spec = {"cell": self.filled(case.cell), "carried": str(self.lab.folder / "carried")}
        (out / "spec.json").write_text(json.dumps(spec))
        env = {**self.settings, **{k: self.filled(v) for k, v in case.env.items()}}
        start = (str(kernel / "bin" / "python"), *case.flags, str(self.lab.folder / "driver.py"))
        before = self.landed()
        done = subprocess.run(
            [*start, str(out / "spec.json"), str(out / "told.json")],
            env={name: value for name, value in env.items() if value != "UNSET"},
            cwd=self.notebooks,
            capture_output=True,
            text=True,
            timeout=120,
            **identity,  # type: ignore[call-overload]
        )
        assert done.returncode == 0, done.stdout + done.stderr
        told = json.loads((out / "told.json").read_text())
        assert len(told["found"]) == 1, told
        return told["found"][0], self.measured(told, self.landed() - before)

    def landed(self) -> set[Path]:
        """List every metadata folder of our distributions below this desk."""
        found = set()
        for folder, names, _ in os.walk(self.folder):
            for name in list(names):
                if re.match(r"(quince|medlar)-[\d.]+\.dist-info$", name):
                    found.add(Path(folder, name))
        return {path for path in found if "uv" not in path.parts}

    def measured(self, told: dict[str, object], new: set[Path]) -> tuple[str, str | None]:
        output, own = str(told["output"]), told["own"]
        assert isinstance(own, list)
        if told["code"] == 0 and new:
            site = str(min(new).parent)
            if self.case.place:
                return self.case.place, site
            if site in own:
                return "env-site", site
            return ("user-site" if site == told["user_site"] else "wrong-interpreter"), site
        for pattern, outcome in SPOKEN:
            if re.search(pattern, output):
                return outcome, None
        if told["code"] == 0 and re.search("already satisfied|Audited|Checked", output):
            return "already-satisfied", None
        return "fails", None


def uv_program() -> Path:
    from uv import find_uv_bin

    return Path(find_uv_bin())


def _uv_on_path(desk: Desk) -> None:
    (desk.folder / "bin").mkdir(exist_ok=True)
    target = desk.lab.folder / "uv"
    if not target.exists():
        shutil.copy2(uv_program(), target)
    (desk.folder / "bin" / "uv").symlink_to(target)


def _other_first_on_path(desk: Desk) -> None:
    other = desk.make("venv", "other")
    (desk.folder / "bin").symlink_to(other / "bin")


def _other(desk: Desk) -> None:
    desk.make("venv", "other")


def _old_copy(place: str) -> Callable[[Desk], None]:
    def put(desk: Desk) -> None:
        site = Path(desk.filled(place))
        site.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(next(desk.lab.wheels.glob("quince-1.0*"))) as archive:
            archive.extractall(site)
        if desk.case.user == "ordinary":
            subprocess.run(["chmod", "-R", "a+rX", str(site)], check=True)

    return put


def _open(place: str) -> Callable[[Desk], None]:
    return lambda desk: subprocess.run(  # type: ignore[return-value]
        ["chmod", "-R", "a+rwX", desk.filled(place)], check=True
    )


def _managed(desk: Desk) -> None:
    marker = desk.alone / "lib" / desk.version / "EXTERNALLY-MANAGED"
    marker.write_text("[externally-managed]\nError=Ask the keeper of this machine.\n")


def _no_record(desk: Desk) -> None:
    _old_copy("{alone}/lib/{version}/site-packages")(desk)
    (desk.site(desk.alone) / "quince-1.0.dist-info" / "RECORD").unlink()


def _capital(desk: Desk) -> None:
    path = desk.folder / "env" / "pyvenv.cfg"
    path.write_text(path.read_text().replace("= false", "= False").replace("= true", "= True"))


def _moved(desk: Desk) -> None:
    """Leave a script whose interpreter is gone at the head of PATH."""
    _other_first_on_path(desk)
    script = desk.folder / "other" / "bin" / "pip"
    script.write_text("#!/nowhere/at/all/python\n")


def _project(desk: Desk) -> None:
    _uv_on_path(desk)
    desk.make("venv", "nb/.venv")


def _link(desk: Desk) -> None:
    (desk.folder / "link").mkdir()
    (desk.folder / "link" / "python").symlink_to(desk.folder / "env" / "bin" / "python")


SITE = "{alone}/lib/{version}/site-packages"
BEFORE: dict[str, Callable[[Desk], None]] = {
    "uv on PATH": _uv_on_path,
    "another environment first on PATH": _other_first_on_path,
    "another environment": _other,
    "an old copy in the interpreter": _old_copy(SITE),
    "an old copy in the user site": _old_copy("{user}"),
    "an old copy on PYTHONPATH": _old_copy("{here}/extra"),
    "an old copy in the target": _old_copy("{home}/lib"),
    "an old copy in the environment": _old_copy("{here}/env/lib/{version}/site-packages"),
    "modules open to all": _open(SITE),
    "the environment open to all": _open("{here}/env"),
    "a marker": _managed,
    "no list of files": _no_record,
    "capital letters": _capital,
    "a stale script first on PATH": _moved,
    "a .venv beside the notebook": _project,
    "a link to the environment's python": _link,
}

CONF = "{home}/.config/pip/pip.conf"
UV = f"!uv pip install {INSTALL} quince"
UV_HERE = f"!uv pip install --python {{sys.executable}} {INSTALL} quince"


def pip(options: str, name: str = "quince") -> str:
    return f"%pip install {options} {INSTALL} {name}"


SCRIPT = '# /// script\n# dependencies = ["quince"]\n# ///\n'
PROJECT = {
    "{nb}/pyproject.toml": '[project]\nname = "n"\nversion = "1"\ndependencies = ["quince"]\n'
    '[dependency-groups]\ndev = ["quince"]\n'
}

CASES = [
    Case(id="own interpreter"),
    Case(id="somebody else's interpreter", user="ordinary"),
    Case(
        id="somebody else's interpreter, user site switched off",
        user="ordinary",
        env={"PYTHONNOUSERSITE": "1"},
    ),
    Case(id="kernel with -s, installer without", user="ordinary", flags=("-s",)),
    Case(id="kernel with -I, installer without", user="ordinary", flags=("-I",)),
    Case(id="asked for the user site", cell=pip("--user")),
    Case(
        id="asked for the user site that is switched off",
        cell=pip("--user"),
        env={"PYTHONNOUSERSITE": "1"},
    ),
    Case(
        id="the same with an older pip",
        cell=pip("--user"),
        env={"PYTHONNOUSERSITE": "1"},
        pip="25.0.1",
    ),
    Case(id="variable says user", env={"PIP_USER": "yes"}),
    Case(id="variable says not user", user="ordinary", env={"PIP_USER": "off"}),
    Case(id="variable no-user means the opposite", env={"PIP_NO_USER": "true"}),
    Case(id="no-user on the line", user="ordinary", cell=pip("--no-user")),
    Case(id="no-user on the line beats the variable", cell=pip("--no-user"), env={"PIP_USER": "1"}),
    Case(id="variable is no truth value", env={"PIP_USER": "perhaps"}),
    Case(id="variable is empty", env={"PIP_USER": ""}),
    Case(
        id="target by variable",
        user="ordinary",
        env={"PIP_TARGET": "{home}/lib"},
        place="target-dir",
    ),
    Case(
        id="target on the line",
        user="ordinary",
        cell=pip("--target={home}/lib"),
        place="target-dir",
    ),
    Case(id="target in short", user="ordinary", cell=pip("-t {home}/lib"), place="target-dir"),
    Case(
        id="target that holds an old copy",
        cell=pip("--target {home}/lib", "quince==2.0"),
        place="target-dir",
        before=("an old copy in the target",),
    ),
    Case(id="target that cannot be written", user="ordinary", cell=pip("--target {alone}/lib")),
    Case(id="target is a file", cell=pip("--target {home}/lib"), files={"{home}/lib": "x"}),
    Case(id="user and target", cell=pip("--user --target {home}/lib")),
    Case(id="user and prefix", cell=pip("--user --prefix {home}/p")),
    Case(id="prefix on the line", user="ordinary", cell=pip("--prefix {home}/p"), place="prefix"),
    Case(
        id="prefix by file",
        user="ordinary",
        files={CONF: "[install]\nprefix = {home}/p\n"},
        place="prefix",
    ),
    Case(id="root on the line", user="ordinary", cell=pip("--root {home}/r"), place="root-dir"),
    Case(id="file says user", files={CONF: "[install]\nuser = true\n"}),
    Case(
        id="file says target, empty variable does not help",
        files={CONF: "[global]\ntarget = {home}/lib\n"},
        env={"PIP_TARGET": ""},
        place="target-dir",
    ),
    Case(
        id="no file at all",
        files={CONF: "[global]\ntarget = {home}/lib\n"},
        env={"PIP_CONFIG_FILE": "/dev/null"},
    ),
    Case(
        id="own file switches the user's off",
        files={CONF: "[global]\nuser=1\n", "{nb}/c": "[global]\npre=1\n"},
        env={"PIP_CONFIG_FILE": "{nb}/c"},
    ),
    Case(
        id="section beats file",
        files={CONF: "[install]\nuser = false\n", "{alone}/pip.conf": "[global]\nuser = true\n"},
    ),
    Case(id="file of the interpreter", files={"{alone}/pip.conf": "[global]\nuser = true\n"}),
    Case(
        id="isolated",
        cell=pip("--isolated"),
        env={"PIP_USER": "1"},
        files={CONF: "[global]\nuser=1\n"},
    ),
    Case(id="virtual environment required", env={"PIP_REQUIRE_VIRTUALENV": "1"}),
    Case(
        id="virtual environment required and there",
        kind="venv",
        env={"PIP_REQUIRE_VIRTUALENV": "1"},
    ),
    Case(id="marked", before=("a marker",)),
    Case(id="marked, user does not help", cell=pip("--user"), before=("a marker",)),
    Case(id="marked, but overridden", cell=pip("--break-system-packages"), before=("a marker",)),
    Case(
        id="marked, overridden by a file, not mine",
        user="ordinary",
        files={CONF: "[install]\nbreak-system-packages=on\n"},
        before=("a marker",),
    ),
    Case(id="marked, old pip does not know", old=True, before=("a marker",), pip="22.3.1"),
    Case(
        id="marked, old pip does not know the way out",
        cell=pip("--break-system-packages"),
        old=True,
        before=("a marker",),
        pip="22.3.1",
    ),
    Case(
        id="marked, a target is another matter",
        cell=pip("--target {home}/lib"),
        before=("a marker",),
        place="target-dir",
    ),
    Case(id="dry run", cell=pip("--dry-run")),
    Case(id="download", cell="%pip download -d {home} " + INSTALL + " quince"),
    Case(id="unknown option", cell=pip("--install-it-now")),
    Case(id="nothing asked for", cell="%pip install"),
    Case(id="nobody has it", cell=pip("", "mirabelle")),
    Case(id="there already", before=("an old copy in the interpreter",)),
    Case(
        id="there already in the user site",
        user="ordinary",
        before=("an old copy in the user site",),
    ),
    Case(
        id="there already on PYTHONPATH",
        before=("an old copy on PYTHONPATH",),
        env={"PYTHONPATH": "{here}/extra"},
    ),
    Case(
        id="an exact version that is not there",
        cell=pip("", "quince==2.0"),
        before=("an old copy in the interpreter",),
    ),
    Case(
        id="upgrade over somebody else's copy",
        user="ordinary",
        cell=pip("--upgrade"),
        before=("an old copy in the interpreter",),
    ),
    Case(id="upgrade without a list of files", cell=pip("-U"), before=("no list of files",)),
    Case(id="modules open, scripts closed", user="ordinary", before=("modules open to all",)),
    Case(
        id="modules open, no scripts",
        user="ordinary",
        cell=pip("", "medlar"),
        before=("modules open to all",),
    ),
    Case(id="user base elsewhere", user="ordinary", env={"PYTHONUSERBASE": "{home}/base"}),
    Case(id="home that is not there", user="ordinary", env={"HOME": "/nowhere/at/all"}),
    Case(id="user base is a file", user="ordinary", files={"{home}/.local": "x"}),
    Case(id="a folder called pip", files={"{nb}/pip/__init__.py": "", "{nb}/pip/__main__.py": ""}),
    Case(
        id="requirements file",
        cell=pip("-r {nb}/r.txt", ""),
        files={"{nb}/r.txt": "quince==1.0  # old\n"},
    ),
    Case(
        id="a script's block",
        cell=pip("--requirements-from-script {nb}/s.py", ""),
        files={"{nb}/s.py": SCRIPT},
    ),
    Case(id="a project is no list to pip", cell=pip("-r {nb}/pyproject.toml", ""), files=PROJECT),
    Case(id="a group", cell=pip("--group {nb}/pyproject.toml:dev", ""), files=PROJECT),
    *(
        Case(
            id=f"uv, {words}",
            kind="venv",
            cell=UV_HERE.replace(" quince", f" {words}"),
            files={**PROJECT, "{nb}/s.py": SCRIPT},
            before=("uv on PATH",),
        )
        for words in ("-r pyproject.toml", "-r s.py", "--group dev")
    ),
    Case(id="redirection", cell=pip("", "quince>=1.0")),
    Case(id="input that is not there", cell=pip("", "quince<2.0")),
    Case(id="venv of one's own", kind="venv"),
    Case(id="venv of somebody else", kind="venv", user="ordinary"),
    Case(id="venv, user site asked for", kind="venv", cell=pip("--user")),
    Case(
        id="venv, capital letters, older pip",
        kind="venv",
        cell=pip("--user"),
        before=("capital letters",),
        pip="25.0.1",
    ),
    Case(id="venv, capital letters", kind="venv", cell=pip("--user"), before=("capital letters",)),
    Case(id="venv that sees the system, of somebody else", kind="system-venv", user="ordinary"),
    Case(
        id="venv that sees the system, satisfied below",
        kind="system-venv",
        before=("an old copy in the interpreter",),
    ),
    Case(
        id="venv that sees the system, upgrade",
        kind="system-venv",
        cell=pip("-U"),
        before=("an old copy in the interpreter",),
    ),
    Case(id="virtualenv", kind="virtualenv"),
    Case(id="environment of uv has no pip", kind="uv-venv"),
    Case(
        id="another environment first on PATH",
        kind="venv",
        cell="!pip install " + INSTALL + " quince",
        before=("another environment first on PATH",),
    ),
    Case(
        id="the same, but the kernel by name",
        kind="venv",
        cell="!{sys.executable} -m pip install " + INSTALL + " quince",
        before=("another environment first on PATH",),
    ),
    Case(
        id="python of another environment",
        kind="venv",
        cell="!python -m pip install " + INSTALL + " quince",
        before=("another environment first on PATH",),
    ),
    Case(
        id="variable on the line",
        cell="!PIP_USER=1 {sys.executable} -m pip install " + INSTALL + " quince",
    ),
    Case(
        id="pip sent elsewhere",
        kind="venv",
        cell="%pip --python {here}/other install " + INSTALL + " quince",
        before=("another environment",),
    ),
    Case(
        id="pip sent elsewhere by a variable",
        kind="venv",
        env={"PIP_PYTHON": "{here}/other"},
        before=("another environment",),
    ),
    Case(
        id="stale script, bash",
        kind="venv",
        cell="!pip install " + INSTALL + " quince",
        env={"SHELL": "/bin/bash"},
        before=("a stale script first on PATH",),
    ),
    Case(id="no program", kind="venv", cell="!pip3.99 install " + INSTALL + " quince"),
    Case(
        id="link to the interpreter of an environment",
        kind="venv",
        cell="!{here}/link/python -m pip install " + INSTALL + " quince",
        before=("a link to the environment's python",),
    ),
    Case(id="uv, kernel named", kind="venv", cell=UV_HERE, before=("uv on PATH",)),
    Case(
        id="uv, kernel named, not mine",
        kind="venv",
        user="ordinary",
        cell=UV_HERE,
        before=("uv on PATH",),
    ),
    Case(
        id="uv, active environment",
        kind="venv",
        cell=UV,
        env={"VIRTUAL_ENV": "{here}/other"},
        before=("uv on PATH", "another environment"),
    ),
    Case(
        id="uv, .venv beside the notebook",
        kind="venv",
        cell=UV,
        before=("a .venv beside the notebook",),
    ),
    Case(id="uv, no environment", kind="alone", cell=UV, before=("uv on PATH",)),
    Case(
        id="uv, named by a variable",
        kind="venv",
        cell=UV,
        env={"UV_PYTHON": "{here}/other"},
        before=("uv on PATH", "another environment"),
    ),
    Case(
        id="uv has no user site",
        cell=UV_HERE.replace("install", "install --user"),
        before=("uv on PATH",),
    ),
    Case(id="uv, marked", cell=UV_HERE, before=("uv on PATH", "a marker")),
    Case(
        id="uv, marked, overridden",
        cell=UV_HERE + " --break-system-packages",
        before=("uv on PATH", "a marker"),
    ),
    Case(
        id="uv, target",
        cell=UV_HERE.replace("install", "install --target {home}/lib"),
        before=("uv on PATH",),
        place="target-dir",
    ),
    Case(
        id="uv, prefix",
        cell=UV_HERE.replace("install", "install --prefix {home}/p"),
        before=("uv on PATH",),
        place="prefix",
    ),
    Case(
        id="uv knows nothing of pip's settings",
        cell=UV_HERE,
        before=("uv on PATH",),
        env={"PIP_USER": "1"},
    ),
    Case(
        id="uv, there already",
        kind="venv",
        cell=UV_HERE,
        before=("uv on PATH", "an old copy in the environment"),
    ),
    Case(
        id="uv does not see the user site",
        cell=UV_HERE,
        before=("uv on PATH", "an old copy in the user site"),
    ),
    Case(
        id="uv, cache not writable",
        kind="venv",
        user="ordinary",
        cell=UV_HERE,
        before=("uv on PATH", "the environment open to all"),
        env={"UV_CACHE_DIR": "/nowhere/cache"},
    ),
    Case(id="uv as a module that is not there", kind="venv", cell="%uv pip install quince"),
    Case(id="pip 9", old=True, pip="9.0.3"),
    Case(id="pip 9, not mine", old=True, pip="9.0.3", user="ordinary"),
    Case(id="pip 19, not mine", old=True, pip="19.3.1", user="ordinary"),
    Case(
        id="pip 19, user site asked for",
        old=True,
        pip="19.3.1",
        user="ordinary",
        cell=pip("--user"),
    ),
    Case(
        id="pip 19, its own random",
        old=True,
        pip="19.3.1",
        files={"{nb}/random.py": "raise ValueError\n"},
    ),
    Case(id="pip 20.3, not mine", old=True, pip="20.3.4", user="ordinary"),
    Case(
        id="pip 20.3, user and target",
        old=True,
        pip="20.3.4",
        cell=pip("--user --target {home}/lib"),
    ),
    Case(id="pip 22.3, not mine", old=True, pip="22.3.1", user="ordinary"),
    Case(id="pip 22.3 on this interpreter", pip="22.3.1"),
    Case(id="pip 25, not mine", pip="25.0.1", user="ordinary"),
]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    made = Lab()
    yield made
    for what, why in made.could_not.items():
        if sys.__stdout__:
            sys.__stdout__.write(f"\nnot run here: {what} ({why})\n")
    shutil.rmtree(made.folder, ignore_errors=True)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_prediction_is_what_the_installer_does(lab: Lab, case: Case) -> None:
    library = lab.library(case.old)
    if library is None or lab.pip_release(case.pip) is None:
        pytest.skip("an interpreter or a release of pip is missing: see the last lines")
    if case.user == "ordinary" and not can_switch():
        pytest.skip("only root can become an ordinary user")
    predicted, measured = Desk(lab, case, library).run()
    assert (predicted["outcome"], predicted["path"]) == measured, predicted["reason"]
