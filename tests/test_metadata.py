"""What installers write about a distribution is read in one place, once, and on Python 3.8 too."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path

import pytest

import safeinstall
from safeinstall.metadata.distribution import (
    DistInfo,
    distributions_in,
    metadata_in,
    normalized,
    split_name,
)
from safeinstall.metadata.record import (
    Record,
    RecordError,
    RecordRow,
    meant,
    public,
    read_record,
    roots,
    top_level,
)

SOURCE = Path(safeinstall.__file__).parent / "metadata"


@pytest.mark.parametrize(
    ("entry", "name", "version"),
    [
        ("six-1.16.0.dist-info", "six", "1.16.0"),
        ("zope.interface-5.0.egg-info", "zope.interface", "5.0"),
        ("old_thing-1.0-py3.8.egg-info", "old_thing", "1.0"),
        ("two-words-2.egg-info", "two-words", "2"),
        ("bare.egg-info", "bare", ""),
        ("local-1.0+cu118.dist-info", "local", "1.0+cu118"),
    ],
)
def test_the_name_of_an_entry_tells_name_and_version(entry: str, name: str, version: str) -> None:
    assert split_name(entry) == (name, version)


def test_a_name_has_one_spelling() -> None:
    assert normalized("Zope._Interface") == "zope-interface"


def test_a_record_is_read_as_csv_where_it_must_be() -> None:
    text = 'a.py,sha256=abc_-=,12\r\n"b, c.py",,\r\n'
    text += "\u2028d.py,sha256=x,no\r\n,,\r\n\r\n../../bin/e\r\n"
    rows = Record(text).rows
    assert rows == (
        RecordRow("a.py", "sha256", "abc_-", 12),
        RecordRow("b, c.py", "", "", None),
        RecordRow("\u2028d.py", "sha256", "x", None),
        RecordRow("../../bin/e", "", "", None),
    )
    plain = text.replace('"b, c.py"', "b.py")
    assert Record(plain).paths == [row.path for row in Record(plain).rows]
    assert Record(text).paths == [row.path for row in rows]


@pytest.mark.parametrize(
    "damage", [b"\xe9.py,,\n", b'"' + b"x" * 200_000], ids=["latin-1", "a quote that never ends"]
)
def test_a_damaged_record_is_an_error_or_what_is_left_of_it(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "RECORD").write_bytes(b"a.py,,\n" + damage)
    with pytest.raises(RecordError):
        read_record(str(tmp_path))
    assert read_record(str(tmp_path), strict=False).text.startswith("a.py")


def test_a_record_that_is_not_there_is_an_error_or_empty(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="RECORD"):
        read_record(str(tmp_path))
    assert read_record(str(tmp_path), strict=False).rows == ()


def test_each_file_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "METADATA").write_text("Name: Thing\nVersion: 2\n")
    (tmp_path / "RECORD").write_text("thing/__init__.py,,\nthing-2.dist-info/RECORD,,\n")
    info = DistInfo(str(tmp_path))
    assert (info.identity, info.modules) == (("thing", "2"), ("thing",))
    (tmp_path / "METADATA").unlink()
    (tmp_path / "RECORD").unlink()
    assert (info.name, info.version, len(info.record.rows)) == ("Thing", "2", 2)


def test_what_is_not_there_is_empty(tmp_path: Path) -> None:
    info = DistInfo(str(tmp_path / "gone-1.0.dist-info"))
    assert (info.name, info.version, info.headers) == ("gone", "1.0", None)
    assert (info.installer, info.requested, info.editable_source) == ("", False, None)
    assert (info.modules, info.requires, info.has_record) == ((), (), False)


def test_the_entries_of_a_folder_are_listed_in_order(tmp_path: Path) -> None:
    for name in ("b-1.dist-info", "a-1.egg-info", "a.py", "c"):
        (tmp_path / name).mkdir()
    assert metadata_in(str(tmp_path)) == ["a-1.egg-info", "b-1.dist-info"]
    found = distributions_in([str(tmp_path), "/no/such/place", str(tmp_path)])
    assert [info.entry for info in found] == ["a-1.egg-info", "b-1.dist-info"]


@pytest.mark.parametrize(
    ("data", "source"),
    [
        ({"url": "file:///a%20b", "dir_info": {"editable": True}}, "/a b"),
        ({"url": "file:///a", "dir_info": {}}, None),
        ([], None),
    ],
)
def test_an_editable_install_names_its_project(
    tmp_path: Path, data: object, source: str | None
) -> None:
    (tmp_path / "direct_url.json").write_text(json.dumps(data))
    assert DistInfo(str(tmp_path)).editable_source == source


def test_the_module_names_of_a_distribution_are_those_for_people(tmp_path: Path) -> None:
    rows = ["pkg/__init__.py,,", "pkg/data.txt,,", "_pkg.so,,", "tests/x.py,,", "one.py,,",
            "pkg-1.dist-info/RECORD,,", "../../../bin/x,,"]  # fmt: skip
    (tmp_path / "RECORD").write_text("\n".join(rows))
    assert list(public(meant(DistInfo(str(tmp_path)).modules))) == ["pkg", "one"]


def test_a_folder_without_code_counts_where_that_is_asked_for() -> None:
    paths = ["names/data.txt", "__pycache__/x.pyc", "mod.cpython-311.so", "note.txt", "a-b/x.py"]
    assert top_level(paths, with_code=False) == ("names", "mod")
    assert top_level(paths) == ("mod",)


def test_tests_alone_prove_what_can_be_proved() -> None:
    assert meant(["tests"]) == ("tests",)
    assert public(["_a", "__b"]) == ("_a",)


@pytest.mark.parametrize("module", ["__init__", "distribution", "record"])
def test_it_needs_only_the_standard_library_of_python_3_8(module: str) -> None:
    text = (SOURCE / f"{module}.py").read_text("utf-8")
    for node in ast.walk(ast.parse(text, feature_version=(3, 8))):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= sys.stdlib_module_names
        elif isinstance(node, ast.ImportFrom) and not node.level:
            assert str(node.module).split(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["pack/__init__.py", "pack/sub/part.py", "pack-1.dist-info/RECORD"], ("pack",)),
        (["alone.cpython-313-x86_64-linux-gnu.so", "_alone.so"], ("_alone", "alone")),
        (["built/__init__.cpython-313-x86_64-linux-gnu.so"], ("built",)),
        (
            ["google/cloud/storage/__init__.py", "google/cloud/_storage/__init__.py"],
            ("google.cloud.storage",),
        ),
        (["google/cloud/a/b/__init__.py", "google/cloud/x/__init__.py"], ("google.cloud.x",)),
        (["ns/one.py", "ns/two.py", "ns/deep/more/__init__.py"], ("ns.one",)),
        (["types-stubs/__init__.pyi", "data/table.csv", "__pycache__/x.py"], ()),
        ([f"ns/p{n:02}/__init__.py" for n in range(20)], tuple(f"ns.p{n:02}" for n in range(8))),
    ],
)
def test_what_an_import_proves_lies_below_folders_without_code(
    paths: list[str], names: tuple[str, ...]
) -> None:
    assert roots(paths) == names


def test_an_editable_project_is_imported_by_the_names_it_says_or_its_own(tmp_path: Path) -> None:
    info = tmp_path / "site" / "my_thing-1.dist-info"
    info.mkdir(parents=True)
    (info / "RECORD").write_text("_my_thing.pth,,\n__editable___my_thing_finder.py,,\n")
    url = {"url": "file:///src/my-thing", "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(url))
    (info / "METADATA").write_text("Name: my-thing\nVersion: 1\n")
    assert DistInfo(str(info)).importable == ()
    (tmp_path / "src" / "my_thing").mkdir(parents=True)
    (info.parent / "_my_thing.pth").write_text(f"{tmp_path / 'src'}\n")
    assert DistInfo(str(info)).importable == ("my_thing",)
    (info / "top_level.txt").write_text("thing\ntests\n")
    assert DistInfo(str(info)).importable == ("thing",)
