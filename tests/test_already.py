"""What is "already in" is proved: every way in which it is not, and the ways in which it is."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
import sys
import types
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from safeinstall.operations import carry_out
from safeinstall.outcome import Outcome
from safeinstall.request import parse
from safeinstall.runner import Completed
from support.recorder import Recorder, context_with
from support.wheels import make_wheel

LOADED: dict[str, Any] = sys.modules
EXTENSION = importlib.machinery.EXTENSION_SUFFIXES[0]


@dataclass(frozen=True)
class Place:
    """An environment whose `site-packages` this process imports from."""

    folder: Path
    program: Recorder

    @property
    def site(self) -> Path:
        return self.program.site

    @property
    def info(self) -> Path:
        return self.site / "alphapkg-1.0.dist-info"

    def front(self, name: str = "front") -> Path:
        """Make a folder that comes first in the path."""
        folder = self.folder / name
        folder.mkdir()
        sys.path.insert(0, str(folder))
        return folder

    def ask(self, line: str = "alphapkg") -> Outcome:
        context = context_with(self.program, self.folder / "env")
        here = replace(context.environment, sys_path=tuple(sys.path))
        request = parse(f"--no-index {line}", cwd="/w")
        outcome = carry_out(request, replace(context, environment=here, live=True))
        assert isinstance(outcome, Outcome)
        return outcome


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """`alphapkg`, which needs `betapkg` and a part of a namespace, as an installer lays them."""
    modules: dict[str, str | bytes] = {
        "alphapkg/__init__.py": "x = 1\n",
        "alphapkg/core.py": "y = 2\n",
        "alphapkg/sub/__init__.py": "",
        "alphapkg/sub/deep.py": "z = 3\n",
        "alphapkg/tests/__init__.py": "",
        f"alphapkg/_fast{EXTENSION}": b"\x7fELF and so on",
        "alphapkg.libs/libfast.so.5": b"\x7fELF too",
    }
    wheels = [
        make_wheel(tmp_path, "alphapkg", requires=["betapkg", "nspart"], modules=modules),
        make_wheel(tmp_path, "betapkg", modules={"betapkg.py": "b = 1\n"}),
        make_wheel(tmp_path, "nspart", modules={"nspace/part/__init__.py": "n = 1\n"}),
    ]
    program = Recorder(site=tmp_path / "env" / "lib" / "python3.12" / "site-packages", wheels=())
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(program.site)
    for info in program.site.glob("*.dist-info"):
        (info / "INSTALLER").write_text("uv")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(program.site)])
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    before = set(sys.modules)
    importlib.invalidate_caches()
    yield Place(tmp_path, program)
    for name in set(sys.modules) - before:
        if name.split(".")[0] in ("alphapkg", "betapkg", "nspace"):
            del sys.modules[name]
    importlib.invalidate_caches()


class Claiming:
    """A finder that answers for one name before all others."""

    def __init__(self, name: str, file: str | None = None, error: BaseException | None = None):
        self.name, self.file, self.error = name, file, error

    def find_spec(self, name: str, path: object = None, target: object = None) -> Any:
        if name != self.name:
            return None
        if self.error:
            raise self.error
        if self.file:
            return importlib.util.spec_from_file_location(name, self.file)
        return importlib.util.spec_from_loader(name, loader=None, is_package=False)


def write(file: Path, text: str = "mine = True\n") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def zipped(place: Place) -> None:
    with zipfile.ZipFile(place.folder / "front.zip", "w") as archive:
        archive.writestr("alphapkg.py", "")
    sys.path.insert(0, str(place.folder / "front.zip"))


def local_file(place: Place) -> None:
    sys.path.insert(0, "")
    write(place.folder / "alphapkg.py")


def by_pth_file(place: Place) -> None:
    write(place.folder / "other" / "betapkg.py")
    write(
        place.folder / "pths" / "early.pth",
        f"import sys; sys.path.insert(0, {str(place.folder / 'other')!r})\n",
    )
    import site

    site.addsitedir(str(place.folder / "pths"))


def editable_gone(place: Place) -> None:
    place_of = place.folder / "project"
    write(
        place.info / "direct_url.json",
        f'{{"url": "file://{place_of}", "dir_info": {{"editable": true}}}}',
    )


def loaded_elsewhere(place: Place) -> None:
    file = write(place.folder / "old" / "betapkg.py")
    spec = importlib.util.spec_from_file_location("betapkg", file)
    assert spec is not None
    sys.modules["betapkg"] = importlib.util.module_from_spec(spec)


def portion_in_front(place: Place) -> None:
    write(place.front() / "nspace" / "part" / "__init__.py")


def second_info(place: Place) -> None:
    shutil.copytree(place.info, place.site / "alphapkg-0.9.dist-info")
    metadata = place.site / "alphapkg-0.9.dist-info" / "METADATA"
    metadata.write_text(metadata.read_text().replace("1.0", "0.9"))


def damaged_record(place: Place) -> None:
    with (place.info / "RECORD").open("ab") as record:
        record.write(b'"' + b"x" * 200_000)


def of_the_user_site(place: Place) -> None:
    write(place.front("user") / "betapkg.py", "__version__ = '0.1'\n")


def finder(name: str, file: str | None = None, error: BaseException | None = None) -> None:
    sys.meta_path.insert(0, Claiming(name, file, error))


def only_init(place: Place) -> None:
    shutil.rmtree(place.site / "alphapkg" / "sub")
    (place.site / "alphapkg" / "core.py").unlink()


def only_metadata(place: Place) -> None:
    shutil.rmtree(place.site / "alphapkg")
    shutil.rmtree(place.site / "alphapkg.libs")


def link_to_nothing(place: Place) -> None:
    (place.site / "betapkg.py").unlink()
    (place.site / "betapkg.py").symlink_to("/nowhere")


def file_became_folder(place: Place) -> None:
    (place.site / "betapkg.py").unlink()
    (place.site / "betapkg.py").mkdir()


def useless_finder(place: Place) -> None:
    finders: list[Any] = sys.meta_path
    finders.insert(0, object())


Attack = Callable[[Place], object]
BROKEN: dict[str, tuple[Attack, str]] = {
    "a module is deleted": (lambda p: (p.site / "alphapkg" / "core.py").unlink(), "files-missing"),
    "a file is truncated": (
        lambda p: write(p.site / "alphapkg" / "core.py", ""),
        "record-mismatch",
    ),
    "a file has grown": (
        lambda p: write(p.site / "alphapkg" / "core.py", "a" * 99),
        "record-mismatch",
    ),
    "a file of what it needs is deleted": (
        lambda p: (p.site / "betapkg.py").unlink(),
        "code-missing",
    ),
    "a file of what it needs is truncated": (
        lambda p: write(p.site / "betapkg.py", ""),
        "record-mismatch",
    ),
    "its metadata has another name": (
        lambda p: write(p.info / "METADATA", "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n"),
        "misnamed-metadata",
    ),
    "its metadata has another version": (
        lambda p: write(p.info / "METADATA", "Metadata-Version: 2.1\nName: alphapkg\nVersion: 3\n"),
        "empty-metadata",
    ),
    "its metadata is empty": (lambda p: write(p.info / "METADATA", ""), "empty-metadata"),
    "its folder of metadata was renamed": (
        lambda p: p.info.rename(p.site / "alphapkg-2.0.dist-info"),
        "empty-metadata",
    ),
    "there are two dist-infos": (second_info, "two-versions"),
    "its RECORD is missing": (lambda p: (p.info / "RECORD").unlink(), "no-record"),
    "its RECORD is empty": (lambda p: write(p.info / "RECORD", ""), "no-record"),
    "its RECORD cannot be read": (damaged_record, "no-record"),
    "the RECORD of what it needs is missing": (
        lambda p: (p.site / "betapkg-1.0.dist-info" / "RECORD").unlink(),
        "no-record",
    ),
    "the project of an editable install is gone": (editable_gone, "code-missing"),
    "an extension module is deleted": (
        lambda p: (p.site / "alphapkg" / f"_fast{EXTENSION}").unlink(),
        "files-missing",
    ),
    "a shared library is deleted": (
        lambda p: shutil.rmtree(p.site / "alphapkg.libs"),
        "files-missing",
    ),
    "a sub-package is deleted": (
        lambda p: shutil.rmtree(p.site / "alphapkg" / "sub"),
        "files-missing",
    ),
    "only __init__ is left": (
        only_init,
        "files-missing",
    ),
    "only metadata is left": (
        only_metadata,
        "code-missing",
    ),
    "a portion of a namespace is missing": (
        lambda p: shutil.rmtree(p.site / "nspace" / "part"),
        "code-missing",
    ),
    "a file became a link to nothing": (
        link_to_nothing,
        "code-missing",
    ),
    "a file became a folder": (
        file_became_folder,
        "record-mismatch",
    ),
}
SHADOWED: dict[str, tuple[Attack, str]] = {
    "a file beside the notebook": (local_file, "alphapkg.py"),
    "a package in a folder put in front": (
        lambda p: write(p.front() / "alphapkg" / "__init__.py"),
        "front/alphapkg/__init__.py",
    ),
    "a module in front of what it needs": (lambda p: write(p.front() / "betapkg.py"), "betapkg.py"),
    "compiled code in front": (lambda p: write(p.front() / "betapkg.pyc"), "betapkg.pyc"),
    "an extension module in front": (
        lambda p: write(p.front() / f"betapkg{EXTENSION}"),
        f"betapkg{EXTENSION}",
    ),
    "a folder that a .pth file puts in front": (by_pth_file, "other/betapkg.py"),
    "a module of the user site": (of_the_user_site, "user/betapkg.py"),
    "a zip on the path": (zipped, "front.zip/alphapkg.py"),
    "a portion of the namespace in front": (portion_in_front, "front/nspace/part/__init__.py"),
    "a package in the place of the namespace": (
        lambda p: write(p.front() / "nspace" / "__init__.py"),
        "front/nspace/__init__.py",
    ),
    "a finder that claims the name": (lambda p: finder("alphapkg"), "Claiming"),
    "a finder that names another file": (
        lambda p: finder("betapkg", "/elsewhere/b.py"),
        "Claiming",
    ),
    "a finder that claims a part of a namespace": (lambda p: finder("nspace.part"), "Claiming"),
    "a finder that fails": (lambda p: finder("alphapkg", error=RuntimeError("no")), "Claiming"),
    "a finder that forbids the import": (
        lambda p: finder("alphapkg", error=ImportError("no")),
        "Claiming",
    ),
    "a made-up module in sys.modules": (
        lambda p: LOADED.__setitem__("alphapkg", types.ModuleType("alphapkg")),
        "This kernel has a alphapkg that is no file",
    ),
    "None in sys.modules": (
        lambda p: LOADED.__setitem__("betapkg", None),
        "This kernel has a betapkg that is no file",
    ),
    "a value of another type in sys.modules": (
        lambda p: LOADED.__setitem__("betapkg", types.SimpleNamespace()),
        "This kernel has a betapkg that is no file",
    ),
    "a copy that was loaded from elsewhere": (loaded_elsewhere, "old/betapkg.py"),
}


@pytest.mark.attack("already in, and is not")
@pytest.mark.parametrize(("attack", "code"), BROKEN.values(), ids=BROKEN)
@pytest.mark.parametrize("first", [False, True], ids=["at once", "after it was whole"])
def test_what_is_not_whole_is_not_already_in(
    place: Place, attack: Attack, code: str, first: bool
) -> None:
    assert not first or place.ask().status == "satisfied"
    attack(place)
    outcome = place.ask()
    assert (outcome.status, place.program.kinds) == ("refused", [])
    stopping = outcome.stopping
    assert stopping is not None
    assert stopping.code == code, stopping.message
    [way] = stopping.hint
    others = {"misnamed-metadata": "%safeuninstall"}
    assert way.command.startswith(others.get(code, "%safeinstall --force-reinstall"))


@pytest.mark.attack("already in, and is not")
@pytest.mark.parametrize(("attack", "by"), SHADOWED.values(), ids=SHADOWED)
@pytest.mark.parametrize("first", [False, True], ids=["at once", "after it was seen"])
def test_what_another_one_answers_for_is_not_already_in(
    place: Place, attack: Attack, by: str, first: bool
) -> None:
    assert not first or place.ask().status == "satisfied"
    attack(place)
    outcome = place.ask()
    assert (outcome.status, place.program.kinds) == ("refused", [])
    stopping = outcome.stopping
    assert stopping is not None
    assert stopping.code == "shadowed"
    assert by in stopping.message


def self_made(place: Place) -> None:
    made = type("Wrapper", (types.ModuleType,), {"__module__": "alphapkg"})
    sys.modules["alphapkg"] = made("alphapkg")


def shared_with_another(place: Place) -> None:
    """One file of two distributions, as both had it installed: the last one's content."""
    write(place.site / "betapkg.py", "both = True\n")
    write(place.site / "gamma-1.0.dist-info" / "METADATA", "Name: gamma\nVersion: 1.0\n")
    write(place.site / "gamma-1.0.dist-info" / "RECORD", "betapkg.py,,12\n")


def conda_changed_it(place: Place) -> None:
    (place.site / "betapkg-1.0.dist-info" / "INSTALLER").write_text("conda")
    write(place.site / "betapkg.py", "prefix = '/opt/conda'\n")


def editable(place: Place) -> None:
    project = place.folder / "project"
    write(project / "alphapkg" / "__init__.py")
    write(
        place.info / "direct_url.json",
        f'{{"url": "file://{project}", "dir_info": {{"editable": true}}}}',
    )
    write(place.info / "top_level.txt", "alphapkg\n")
    write(place.site / "_alphapkg.pth", f"{project}\n")
    write(place.info / "RECORD", f"_alphapkg.pth,,{len(str(project)) + 1}\n")
    shutil.rmtree(place.site / "alphapkg")
    sys.path.append(str(project))


def waits_to_be_loaded(place: Place) -> None:
    found = importlib.util.find_spec("betapkg")
    assert found is not None
    assert found.loader is not None
    found.loader = importlib.util.LazyLoader(found.loader)
    lazy = LOADED["betapkg"] = importlib.util.module_from_spec(found)
    found.loader.exec_module(lazy)
    (place.site / "betapkg.py").write_text("1/0#!\n")  # as long, and says whether it is loaded


WHOLE: dict[str, Attack] = {
    "nothing was done": lambda p: None,
    "it was imported": lambda p: importlib.import_module("alphapkg.core"),
    "its tests were taken out of the image": lambda p: shutil.rmtree(p.site / "alphapkg" / "tests"),
    "bytecode came": lambda p: write(p.site / "__pycache__" / "betapkg.cpython-312.pyc"),
    "a folder without code is in front": lambda p: (p.front() / "alphapkg").mkdir(),
    "another portion of the namespace is in front": lambda p: write(
        p.front() / "nspace" / "other" / "__init__.py"
    ),
    "a module has put itself in its place": self_made,
    "another distribution shares a file": shared_with_another,
    "conda has changed a file when it was linked": conda_changed_it,
    "a lazy module waits to be loaded": waits_to_be_loaded,
    "a finder knows other names": lambda p: finder("gamma"),
    "a finder without find_spec": useless_finder,
    "an editable install": editable,
    "the list of the folder is old": lambda p: sys.path_importer_cache.update({str(p.site): None}),
}


@pytest.mark.parametrize("change", WHOLE.values(), ids=WHOLE)
def test_what_is_whole_is_already_in(place: Place, change: Attack) -> None:
    change(place)
    for _ in range(2):
        outcome = place.ask()
        assert (outcome.status, outcome.stopping, outcome.findings) == ("satisfied", None, ())
        assert [found.name for found in outcome.satisfied] == ["alphapkg"]
    assert place.program.kinds == []


def test_without_what_it_needs_only_itself_is_looked_at(place: Place) -> None:
    (place.site / "betapkg.py").unlink()
    assert place.ask("--no-deps alphapkg").status == "satisfied"
    assert place.ask("alphapkg").status == "refused"


def test_the_line_that_mends_keeps_what_was_typed(place: Place) -> None:
    (place.site / "betapkg.py").unlink()
    stopping = place.ask("--find-links wheels --dry-run alphapkg").stopping
    assert stopping is not None
    line = stopping.hint[0].command
    assert line.startswith("%safeinstall ")
    assert "--force-reinstall" in line
    assert line.endswith(" betapkg==1.0")
    assert "--find-links" in line
    assert "--dry-run" not in line


def test_of_two_that_are_listed_the_line_names_one_that_was_installed(place: Place) -> None:
    left = place.site / "alphapkg-9.9.dist-info"
    left.mkdir()
    metadata = (place.info / "METADATA").read_text()
    (left / "METADATA").write_text(metadata.replace("1.0", "9.9"))
    stopping = place.ask("alphapkg").stopping
    assert stopping is not None
    assert stopping.code == "two-versions"
    assert stopping.hint[0].command.endswith(" alphapkg==1.0")


def test_what_the_next_start_would_import_is_said(place: Place) -> None:
    importlib.import_module("alphapkg")
    sys.path.insert(0, "")
    write(place.folder / "alphapkg.py")
    importlib.invalidate_caches()
    outcome = place.ask()
    assert outcome.status == "satisfied"
    [finding] = outcome.findings
    assert finding.message.startswith("After a restart import alphapkg would find ")


def test_nothing_is_imported_by_the_proof(place: Place) -> None:
    before = set(sys.modules)
    assert place.ask().status == "satisfied"
    assert not {name for name in set(sys.modules) - before if "pkg" in name or "nspace" in name}


def test_an_egg_is_proved_by_the_folder_that_it_lies_in(place: Place) -> None:
    write(place.site / "oldpkg-1.0.egg-info" / "PKG-INFO", "Name: oldpkg\nVersion: 1.0\n")
    write(place.site / "oldpkg-1.0.egg-info" / "top_level.txt", "oldpkg\n")
    module = write(place.site / "oldpkg.py")
    importlib.invalidate_caches()
    assert place.ask("oldpkg").status == "satisfied"
    module.unlink()
    importlib.invalidate_caches()
    stopping = place.ask("oldpkg").stopping
    assert stopping is not None
    assert stopping.code == "not-importable"


def test_a_process_that_does_not_start_proves_nothing(place: Place) -> None:
    context = context_with(place.program, place.folder / "env")

    def broken(*command: object, **options: object) -> Completed:
        return Completed(returncode=1, stdout="", stderr="Fatal Python error")

    outcome = carry_out(parse("alphapkg", cwd="/w"), replace(context, run=broken))
    assert isinstance(outcome, Outcome)
    assert (outcome.status, outcome.findings[-1].code) == ("failed", "not-fresh")
