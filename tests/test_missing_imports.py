from __future__ import annotations

import linecache
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeinstall.frontend import NOTEBOOK
from safeinstall.magics.missing_imports import (
    _ADDED,
    _REMOVED,
    Facts,
    Missing,
    elsewhere_in_python,
    missing_from,
    remark,
)

FACTS = Facts(python="3.12", environment="~/proj/.venv")


def not_found(name: str, text: str = "") -> ModuleNotFoundError:
    return ModuleNotFoundError(text or f"No module named {name!r}", name=name)


def caused(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "module", "hint"),
    [
        (not_found("sklearn.cluster"), "sklearn.cluster", ""),
        (ImportError("x requires y: run `pip install y-thing[all]`"), "y_thing", "y-thing[all]"),
        (
            ImportError("Missing optional dependency 'openpyxl'. Use pip or conda to install it."),
            "openpyxl",
            "openpyxl",
        ),
        (caused(ImportError("use pip install lxml"), not_found("lxml")), "lxml", "lxml"),
        (caused(ImportError("cannot load"), not_found("cv2")), "cv2", ""),
        (ImportError("cannot import name 'x' from 'y'", name="y"), None, ""),
        (ValueError("No module named 'x'"), None, ""),
        (None, None, ""),
    ],
    ids=["plain", "pip-hint", "optional", "cause-and-hint", "cause", "no-name", "other", "none"],
)
def test_what_is_missing_is_read_from_the_exception_and_its_causes(
    error: BaseException | None, module: str | None, hint: str
) -> None:
    found = missing_from(error)
    assert (found and found.module, found.hint if found else "") == (module, hint)


@pytest.mark.parametrize(
    ("module", "facts", "kind", "said"),
    [
        ("sklearn", {}, "install", "%safeinstall scikit-learn"),
        ("pandas", {}, "install", "%safeinstall pandas"),
        ("some_thing", {}, "unknown", "no package of that name is known"),
        ("pandsa", {}, "slip", "%safeinstall pandas"),
        ("numpyy.linalg", {}, "slip", "Did you mean numpy?"),
        ("urllib2", {}, "stdlib", "urllib.request"),
        ("distutils", {}, "stdlib", "until 3.12"),
        ("tomllib", {"python": "3.10"}, "stdlib", "from 3.11"),
        ("_sqlite3", {"built_without": True}, "stdlib", "built without"),
        ("os.pathx", {"in_python": True}, "stdlib", "os is part of Python 3.12 and has no pathx"),
        ("json.x.y", {"in_python": True}, "stdlib", "json is part of Python 3.12 and has no x.y"),
        ("utils.x", {"own_package": "~/p/utils"}, "own-file", "your own ~/p/utils, and has no x"),
        ("numpy.x", {"own_package": "~/p/numpy.py"}, "own-file", "your own ~/p/numpy.py"),
        ("mine", {"own_file": "~/p/src/mine.py", "own_folder": "/p/src"}, "own-file", "/p/src"),
        ("numpy", {"installed": "numpy 2.3.3"}, "broken", "doctor"),
        ("numpy.new", {"installed": "numpy 1.0"}, "no-submodule", "--upgrade numpy"),
        ("pandas", {"other_interpreter": "~/lab/.venv"}, "elsewhere", "~/lab/.venv"),
        ("pandas", {"found_now": "/s/pandas"}, "run-again", "run the cell again"),
        ("numpy.new", {"found_now": "/s/n.py", "loaded": True}, "stale", "restart the kernel"),
    ],
)
def test_the_line_says_what_is_true(
    module: str, facts: dict[str, Any], kind: str, said: str
) -> None:
    found = remark(Missing(module=module), replace(FACTS, **facts))
    assert found is not None
    assert found.kind == kind
    assert said in f"{found.sentence} {found.command}"


@pytest.mark.parametrize(
    ("statement", "module"),
    [
        ("import google.cloud.storage", "google.cloud.storage"),
        ("from google.cloud import bigquery", "google.cloud.bigquery"),
        ("from google.cloud import nothing, bigquery as b", "google.cloud.bigquery"),
        ("from google.cloud.bigquery import Client", "google.cloud.bigquery.Client"),
        ("from google.cloud import (\n    storage,\n)", "google.cloud.storage"),
        ("import os, google.protobuf as p", "google.protobuf"),
        ("import google.nothing", "google"),
        ("__import__('google')", "google"),
    ],
)
def test_of_a_namespace_the_statement_tells_what_was_wanted(statement: str, module: str) -> None:
    linecache.cache["<cell>"] = (len(statement), None, statement.splitlines(True), "<cell>")
    with pytest.raises(ModuleNotFoundError) as raised:
        exec(compile(statement, "<cell>", "exec"), {})
    found = missing_from(raised.value)
    assert found is not None and found.module == module


def test_what_a_namespace_lacks_is_missing_as_any_other_module() -> None:
    words = "cannot import name 'storage' from 'google.cloud' (unknown location)"
    found = missing_from(ImportError(words, name="google.cloud"))
    assert found is not None
    said = remark(found, FACTS)
    assert said is not None and said.command == "%safeinstall google-cloud-storage"
    words = "cannot import name 'x' from 'mine' (unknown location)"
    assert missing_from(ImportError(words, name="mine")) is None


def test_a_name_that_failed_is_not_offered_again() -> None:
    failed = replace(FACTS, failed=frozenset({"scikit-learn"}))
    assert remark(Missing(module="sklearn"), failed) is None


def test_a_message_that_names_the_package_wins_over_the_table() -> None:
    found = remark(Missing(module="cv2", hint="opencv-python-headless"), FACTS)
    assert found is not None and found.command == "%safeinstall opencv-python-headless"


def test_modules_of_this_python_are_in_no_list_of_another() -> None:
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for names in (*_REMOVED.values(), *_ADDED.values()):
        for name in names.split():
            absent = elsewhere_in_python(name, here, NOTEBOOK) is not None
            assert absent == (name not in sys.stdlib_module_names), name


def test_a_private_module_does_not_tell_whose_it_is() -> None:
    for name in ("_", "_speedups", "__what__"):
        assert remark(Missing(module=name), FACTS) is None
    there = replace(FACTS, installed="tiny 1.0")
    assert remark(Missing(module="_tiny.speedups"), there) is None
    told = remark(Missing(module="_tiny", hint="tiny"), FACTS)
    assert told is not None and told.command == "%safeinstall tiny"


@given(st.text(max_size=300), st.text(max_size=30))
def test_no_message_disturbs_it_or_becomes_an_option(text: str, name: str) -> None:
    found = missing_from(ModuleNotFoundError(text, name=name))
    if found is None:
        return
    said = remark(found, FACTS)
    assert said is None or not said.command.removeprefix("%safeinstall ").startswith("-")


def test_a_chain_without_end_ends() -> None:
    one, other = ImportError("a"), ImportError("b")
    one.__cause__, other.__cause__ = other, one
    assert missing_from(one) is None
