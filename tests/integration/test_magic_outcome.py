"""What `%safeinstall` gives back, and what it says about restarting."""

from __future__ import annotations

import json
import re

import pytest

from integration.conftest import Desk
from support.environments import changes, snapshot
from support.kernels import OUTCOME, Kernel
from support.wheels import make_wheel

pytestmark = pytest.mark.integration

KEYS = {
    "schema", "status", "environment", "destination", "plan", "findings", "verification",
    "restart", "stale_modules", "transaction", "seconds",
}  # fmt: skip


def test_the_outcome_is_complete_as_text_as_html_and_as_json(desk: Desk) -> None:
    with desk.kernel() as kernel:
        result = kernel.run(f"%safeinstall {desk.offline} tinypkg")
    outcome = result.outcome
    assert set(outcome) >= KEYS
    assert outcome["schema"] == 1
    assert outcome["status"] == "done"
    assert outcome["restart"] in ("none", "refreshed")
    assert outcome["stale_modules"] == []
    assert outcome["transaction"]
    assert set(outcome["plan"]["installer"]) == {"name", "version", "reason"}
    assert outcome["plan"]["installer"]["name"] == "uv"
    [change] = outcome["plan"]["changes"]
    assert {key: change[key] for key in ("name", "before", "after", "requested")} == {
        "name": "tinypkg", "before": None, "after": "1.0", "requested": True,
    }  # fmt: skip
    [verified] = outcome["verification"]
    assert verified["name"] == "tinypkg"
    assert verified["landed"] and verified["fresh"] and verified["kernel"]
    for words in (result.data["text/plain"], result.data["text/html"]):
        assert "tinypkg" in words
        assert "1.0" in words
        assert desk.environment.prefix.name in words
    assert "\x1b" not in result.data["text/plain"]
    assert set(result.data) == {"text/plain", "text/html", OUTCOME}


def test_the_first_line_says_what_happened_and_where(desk: Desk) -> None:
    with desk.kernel() as kernel:
        result = kernel.run(f"%safeinstall {desk.offline} tinypkg")
    first = result.data["text/plain"].splitlines()[0]
    assert "tinypkg 1.0" in first
    assert str(desk.environment.prefix) in first
    assert len(result.data["text/plain"].splitlines()) <= 6  # long paths wrap


def test_an_install_that_succeeds_shows_no_installer_log(desk: Desk) -> None:
    with desk.kernel() as kernel:
        result = kernel.run(f"%safeinstall {desk.offline} tinypkg")
    for words in (result.data["text/plain"], result.data["text/html"], result.stdout):
        assert "Resolved" not in words
        assert "Prepared" not in words
    assert result.stderr == ""


def test_a_request_that_already_holds_changes_nothing(desk: Desk) -> None:
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} tinypkg")
        before = snapshot(desk.environment.prefix)
        result = kernel.run("%safeinstall tinypkg")
    assert result.outcome["status"] == "satisfied"
    assert result.outcome["transaction"] is None
    assert changes(before, snapshot(desk.environment.prefix)) == []
    assert len(result.data["text/plain"].strip().splitlines()) == 1


def test_replacing_a_loaded_module_asks_for_a_restart_and_names_it(desk: Desk) -> None:
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} tinypkg")
        kernel.run("import tinypkg")
        make_wheel(desk.wheels, "tinypkg", "2.0")
        result = kernel.run(f"%safeinstall {desk.offline} -U tinypkg")
        assert result.outcome["status"] == "done"
        assert result.outcome["restart"] == "needed"
        assert result.outcome["stale_modules"] == ["tinypkg"]
        assert "estart" in result.data["text/plain"]
        [change] = result.outcome["plan"]["changes"]
        assert (change["before"], change["after"]) == ("1.0", "2.0")
        assert kernel.run("print(tinypkg.__version__)").stdout.strip() == "1.0"
        kernel.restart()
        assert kernel.run("import tinypkg; print(tinypkg.__version__)").stdout.strip() == "2.0"


def test_an_undo_that_brings_back_what_is_loaded_needs_no_restart(desk: Desk) -> None:
    make_wheel(desk.wheels, "tinypkg", "2.0")
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} tinypkg==1.0")
        kernel.run("import tinypkg")
        assert kernel.run(f"%safeinstall {desk.offline} -U tinypkg").outcome["restart"] == "needed"
        undone = kernel.run("%safeundo")
        assert undone.outcome["restart"] == "none", undone.everything
        assert "on disk" not in kernel.run("%kernelenv").data["text/plain"]


def test_replacing_a_module_that_is_not_loaded_needs_no_restart(desk: Desk) -> None:
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} tinypkg")
        make_wheel(desk.wheels, "tinypkg", "2.0")
        result = kernel.run(f"%safeinstall {desk.offline} -U tinypkg")
        assert result.outcome["status"] == "done"
        assert result.outcome["restart"] != "needed"
        assert "estart the kernel" not in result.data["text/plain"]
        assert kernel.run("import tinypkg; print(tinypkg.__version__)").stdout.strip() == "2.0"
    assert not desk.environment.distribution("tinypkg", "1.0").exists()


def test_a_package_that_failed_to_import_before_imports_after_it_is_installed(desk: Desk) -> None:
    with desk.kernel() as kernel:
        assert kernel.run("import tinypkg").ename == "ModuleNotFoundError"
        kernel.run(f"%safeinstall {desk.offline} tinypkg")
        assert kernel.run("import tinypkg").ok


def test_a_namespace_already_in_use_gains_the_new_part(desk: Desk) -> None:
    make_wheel(desk.wheels, "space-one", modules={"space/one.py": ""})
    make_wheel(desk.wheels, "space-two", modules={"space/two.py": ""})
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} space-one")
        assert kernel.run("import space.one").ok
        kernel.run(f"%safeinstall {desk.offline} space-two")
        imported = kernel.run("import space.one, space.two")
        assert imported.ok, imported.everything


def test_a_pth_file_takes_effect_without_a_restart(desk: Desk) -> None:
    make_wheel(
        desk.wheels,
        "elsewhere",
        modules={"_hidden/found_by_pth.py": ""},
        files={"elsewhere.pth": "_hidden\n"},
    )
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} elsewhere")
        imported = kernel.run("import found_by_pth")
        assert imported.ok, imported.everything


def test_loading_and_unloading_twice_leaves_nothing_behind(shared_kernel: Kernel) -> None:
    names = "sorted(get_ipython().magics_manager.magics['line'])"
    loaded = shared_kernel.run(f"print({names})").stdout
    shared_kernel.run("%load_ext safeinstall\n%unload_ext safeinstall")
    assert "safeinstall" not in shared_kernel.run(f"print({names})").stdout
    shared_kernel.run("%load_ext safeinstall")
    assert shared_kernel.run(f"print({names})").stdout == loaded


def test_the_magic_alone_shows_the_environment_and_how_to_go_on(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    result = shared_kernel.run("%safeinstall")
    assert result.ok
    words = result.stdout + result.data.get("text/plain", "")
    words += "".join(bundle["text/plain"] for bundle in result.displays)
    assert shared_desk.environment.prefix.name in words
    assert "%safeinstall" in words


def test_the_table_says_where_a_package_would_go_that_can_be_had(shared_desk: Desk) -> None:
    with shared_desk.kernel(PIP_NO_INDEX="1") as kernel:
        rows = kernel.run("%kernelenv").data["text/plain"].splitlines()
    [row] = [line.split() for line in rows if line.strip().startswith("%pip ")]
    assert row[1:3] == ["this", "environment"], row


def test_kernelenv_shows_the_interpreter_of_the_kernel(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    result = shared_kernel.run("%kernelenv")
    assert result.ok
    assert str(shared_desk.environment.prefix) in result.everything


def test_the_notebooks_own_names_are_left_alone(shared_kernel: Kernel) -> None:
    names = "print(sorted(n for n in globals() if not n.startswith('_')))"
    before = shared_kernel.run(names).stdout
    shared_kernel.run("%safeinstall tinypkg")
    assert shared_kernel.run(names).stdout == before


@pytest.mark.parametrize(
    "cell",
    [
        "{magic}",
        "{magic}\nx = 1",
        "x = 1\n{magic}",
        "if True:\n    {magic}",
        "for _ in [0]:\n    {magic}",
        "y = {magic}",
        "y = {magic}\ny",
        "%time {magic}",
        "%%time\n{magic}",
        "open('a.ipy', 'w').write('''{magic}\\nx = 1\\n''');\n%run a.ipy",
        "import asyncio\nawait asyncio.sleep(0)\n{magic}",
        "try:\n    {magic}\nfinally:\n    pass",
    ],
)
def test_an_outcome_is_shown_exactly_once_wherever_the_magic_stands(
    shared_desk: Desk, shared_kernel: Kernel, cell: str
) -> None:
    magic = f"%safeinstall {shared_desk.offline} tinypkg"
    shared_kernel.run(magic)
    result = shared_kernel.run(cell.replace("{magic}", magic))
    assert result.ok, result.everything
    bundles = [bundle for bundle in (result.data, *result.displays) if OUTCOME in bundle]
    assert len(bundles) == 1, result.everything
    assert "tinypkg 1.0 is already in" in bundles[0]["text/plain"]


def test_the_value_of_a_magic_is_returned_and_shows_itself_when_asked_for_later(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    shared_kernel.run(f"found = %safeinstall {shared_desk.offline} tinypkg")
    assert "tinypkg 1.0" in shared_kernel.run("found").data["text/plain"]
    assert shared_kernel.run("print(found.status)").stdout.strip() in ("done", "satisfied")


def test_what_is_saved_where_nobody_watches_is_the_same_text_at_each_run(
    shared_desk: Desk, shared_kernel: Kernel
) -> None:
    magic = f"%safeinstall {shared_desk.offline} tinypkg"
    shared_kernel.run(magic)
    first, second = (shared_kernel.run(magic).data["text/plain"] for _ in range(2))
    assert first == second
    assert not first.rstrip().endswith(" s"), "seconds differ at each run"


def test_what_the_other_doors_leave_in_a_notebook_is_the_same_at_each_run_too(desk: Desk) -> None:
    line = f"find_links={str(desk.wheels)!r}, no_index=True"
    with desk.kernel() as kernel:
        called = kernel.run(f"import safeinstall\nsafeinstall.install('tinypkg', {line})")
        assert not re.search(r"\d s\b", called.data["text/plain"]), called
        again = kernel.run(f"print(safeinstall.install('tinypkg', {line}))")
        assert not re.search(r"\d s\b", again.stdout), again.stdout
        words = f"-m safeinstall install {desk.offline} --force-reinstall tinypkg"
        typed = kernel.run(f"!{desk.environment.python} {words}")
        assert "\x1b" not in typed.stdout and "…" not in typed.stdout, typed.stdout
        assert not re.search(r"\d s\b", typed.stdout), typed.stdout


@pytest.mark.parametrize(
    ("call", "says", "line"),
    [
        ('undo("zzz")', "no transaction zzz", "safeinstall.history()"),
        ("install()", "nothing to install", 'safeinstall.install("pandas")'),
        ('install("six", upgrad=True)', "--upgrade", 'safeinstall.install("six", upgrade=True)'),
        ('install(["six"])', "one text", 'safeinstall.install("six")'),
    ],
)
def test_a_call_that_is_wrong_is_told_in_few_words_with_the_call_that_is_right(
    shared_kernel: Kernel, call: str, says: str, line: str
) -> None:
    result = shared_kernel.run(f"import safeinstall\nsafeinstall.{call}")
    assert says in result.traceback
    assert f"→ {line}" in result.traceback
    assert len(result.traceback.splitlines()) < 5, result.traceback


def test_the_transactions_can_be_asked_for_in_python_too(desk: Desk) -> None:
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} tinypkg")
        listed = kernel.run("import safeinstall\nsafeinstall.history()").data["text/plain"]
        assert "+ tinypkg 1.0" in listed
        assert "safeinstall.undo(" in listed


def test_what_is_saved_names_no_home_and_no_user(desk: Desk) -> None:
    home = str(desk.environment.prefix.parent)
    with desk.kernel(HOME=home, USER="ana-maria", LOGNAME="ana-maria") as kernel:
        for cell in (f"%safeinstall {desk.offline} tinypkg", "%kernelenv", "%kernelenv --doctor"):
            data = kernel.run(cell).data
            assert data["text/plain"]
            assert home not in json.dumps(data)
            assert "ana-maria" not in json.dumps(data)


@pytest.mark.parametrize(
    ("module", "said", "unsaid"),
    [
        ("sklearn", "%safeinstall scikit-learn", "known here"),
        ("tinypkg", "%safeinstall tinypkg", "known here"),
        ("quux_nowhere", "no package of that name is known here", "%safeinstall"),
        ("pandsa", "%safeinstall pandas", "%safeinstall pandsa"),
    ],
    ids=["in-the-table", "in-the-index", "nowhere", "slip"],
)
def test_a_missing_import_is_offered_only_by_a_name_that_somebody_knows(
    desk: Desk, module: str, said: str, unsaid: str
) -> None:
    with desk.kernel(PIP_NO_INDEX="1", PIP_FIND_LINKS=str(desk.wheels)) as kernel:
        result = kernel.run(f"import {module}")
    words = " ".join("".join(bundle["text/plain"] for bundle in result.displays).split())
    assert said in words, result.everything
    assert unsaid not in words, result.everything


def test_already_in_means_that_this_process_has_it(desk: Desk) -> None:
    make_wheel(desk.wheels, "tinypkg", "2.0")
    terminal = f"{desk.environment.python} -m safeinstall install {desk.offline}"
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} tinypkg==1.0")
        kernel.run("import tinypkg")
        kernel.run(f"import subprocess; subprocess.check_call('{terminal} tinypkg==2.0'.split())")
        result = kernel.run("%safeinstall tinypkg")
        assert result.outcome["status"] == "satisfied"
        assert result.outcome["restart"] == "needed"
        assert result.outcome["stale_modules"] == ["tinypkg"]
        assert "Restart the kernel" in result.data["text/plain"]
        assert "tinypkg" in kernel.run("%kernelenv").data["text/plain"]
        assert "tinypkg" in kernel.run("%kernelenv --doctor").data["text/plain"]
        kernel.restart()
        kernel.run("%load_ext safeinstall")
        kernel.run("import tinypkg")
        again = kernel.run("%safeinstall tinypkg")
        assert again.outcome["restart"] == "none", again.everything
        assert "tinypkg" not in kernel.run("%kernelenv").data["text/plain"]


def test_what_another_installer_replaced_under_this_kernel_is_said_once(desk: Desk) -> None:
    make_wheel(desk.wheels, "tinypkg", "2.0")
    with desk.kernel() as kernel:
        kernel.run(f"%safeinstall {desk.offline} tinypkg==1.0")
        kernel.run("import tinypkg")
        other = f"{desk.environment.python} -m safeinstall install {desk.offline}"
        said = kernel.run(f"!{other} -U tinypkg # pip install")
        words = "".join(bundle["text/plain"] for bundle in said.displays)
        assert "tinypkg on disk is not what this kernel has loaded" in " ".join(words.split())
        again = kernel.run("!true # pip install")
        assert "tinypkg" not in again.everything
