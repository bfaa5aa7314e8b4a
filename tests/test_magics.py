"""The magics in IPython's own shell; installs through real kernels are in tests/integration."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

from safeinstall import magics
from safeinstall.findings import Severity
from safeinstall.magics import door, options_of
from safeinstall.magics.door import OneLine
from safeinstall.operations import here


@pytest.fixture
def shell() -> Iterator[Any]:
    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "safeinstall")
    yield made
    made.run_line_magic("unload_ext", "safeinstall")
    InteractiveShell.clear_instance()


def test_unloading_leaves_no_trace() -> None:
    made = InteractiveShell.instance()
    try:
        before = {kind: set(names) for kind, names in made.magics_manager.magics.items()}
        made.run_line_magic("load_ext", "safeinstall")
        assert made.find_line_magic("safeinstall")
        made.run_line_magic("unload_ext", "safeinstall")
        assert before == {kind: set(names) for kind, names in made.magics_manager.magics.items()}
    finally:
        InteractiveShell.clear_instance()


def test_loading_imports_nothing_heavy() -> None:
    code = (
        "import sys; from IPython.core.interactiveshell import InteractiveShell as S\n"
        "s = S.instance(); s.run_line_magic('load_ext', 'safeinstall')\n"
        "print(sorted(m for m in sys.modules if m.startswith('safeinstall')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # what tells that an environment is gone cannot be imported when it is
    light = ["errors", "magics", "probe", "probe.facts", "probe.facts.lost", "watch"]
    assert done.stdout.strip() == str(["safeinstall", *(f"safeinstall.{n}" for n in light)])


def test_no_arguments_show_the_environment_and_how_to_go_on(shell: Any) -> None:
    shown = shell.run_line_magic("safeinstall", "")
    text = shown._repr_mimebundle_()["text/plain"]
    assert "This kernel runs Python" in text
    assert "%safeinstall pandas" in text


def test_kernelenv_shows_the_interpreter(shell: Any) -> None:
    assert "interpreter" in repr(shell.run_line_magic("kernelenv", ""))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--upgrad six", "--upgrade"),
        ("six=1", "six==1"),
        ("six; rm x", "runs no shell"),
        ("os", "part of Python itself"),
    ],
)
def test_a_mistake_fails_the_cell_with_a_short_message(shell: Any, line: str, words: str) -> None:
    with pytest.raises(magics.SafeInstallStopped) as stopped:
        shell.run_line_magic("safeinstall", line)
    (text,) = stopped.value._render_traceback_()
    assert words in text
    assert "Traceback" not in text


def test_a_body_without_a_requirement_says_what_to_type(shell: Any) -> None:
    with pytest.raises(magics.SafeInstallStopped, match="%safeinstall"):
        shell.run_cell_magic("safeinstall", "", "# nothing\n\n")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("%%safeinstall", "→ %safeinstall --help"),
        ("%%safeinstall --dry-run\n", "→ %safeinstall --help"),
        ("\n  %%safeinstall six==0.0.0", "→ %safeinstall six==0.0.0"),
    ],
)
def test_a_cell_without_a_body_says_what_to_type(
    shell: Any, capsys: pytest.CaptureFixture[str], cell: str, words: str
) -> None:
    done = shell.run_cell(cell)
    assert isinstance(done.error_in_exec, magics.SafeInstallStopped)
    assert words in str(done.error_in_exec)
    assert "UsageError" not in capsys.readouterr().err


def test_the_cells_of_other_magics_stay_as_they_are(shell: Any) -> None:
    shell.run_line_magic("load_ext", "safeinstall")
    transform = shell.input_transformer_manager.transform_cell
    assert "'safeinstall', '', '\\n'" in transform("%%safeinstall")
    assert "'safeinstall', '', 'six\\n'" in transform("%%safeinstall\nsix\n")
    assert "'time', '', ''" in transform("%%time")
    assert "'safeinstallx', '', ''" in transform("%%safeinstallx")
    shell.run_line_magic("unload_ext", "safeinstall")
    assert "'safeinstall', '', ''" in transform("%%safeinstall")


def test_guards_are_weighed_as_configured(shell: Any) -> None:
    shell.run_line_magic("config", 'SafeInstall.guards = {"name-trap": "off", "yanked": "refuse"}')
    assert door.configured(here(), options_of(shell)).policy == {
        "name-trap": None,
        "yanked": Severity.REFUSE,
    }
    shell.run_line_magic("unload_ext", "safeinstall")
    assert door.configured(here(), options_of(shell)).policy == {}
    shell.run_line_magic("load_ext", "safeinstall")


def test_as_much_is_kept_for_undo_as_configured(shell: Any) -> None:
    assert options_of(shell).keeping == options_of(None).keeping == (10, 2 * 2**30)
    shell.run_line_magic("config", "SafeInstall.undo_transactions = 3")
    shell.run_line_magic("config", "SafeInstall.undo_gigabytes = 0.5")
    assert options_of(shell).keeping == (3, 2**29)
    shell.run_line_magic("unload_ext", "safeinstall")
    shell.run_line_magic("load_ext", "safeinstall")


def test_variables_are_not_expanded(shell: Any) -> None:
    shell.user_ns["x"] = "six"
    with pytest.raises(magics.SafeInstallStopped):
        shell.run_line_magic("safeinstall", "{x}")


def test_help_prints_the_options(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run_line_magic("safeinstall", "--help") is None
    assert "--dry-run" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("magic", "line", "words"),
    [
        ("safeuninstall", "--help", "--allow-conflicts"),
        ("safeundo", "-h", "--force"),
        ("safeundo", "--list --help", "--prune"),
        ("kernelenv", "--help", "--doctor"),
        ("kernelenv", "--doctor --help", "--fix"),
        ("kernelenv", "--kernels -h", "--repair"),
    ],
)
def test_every_magic_has_its_help(
    shell: Any, capsys: pytest.CaptureFixture[str], magic: str, line: str, words: str
) -> None:
    assert shell.run_line_magic(magic, line) is None
    said = capsys.readouterr().out
    assert said.startswith(f"usage: %{magic}")
    assert words in said


def test_progress_is_silent_for_quick_work(capsys: pytest.CaptureFixture[str]) -> None:
    progress = OneLine()
    progress("looking up")
    progress.close()
    assert capsys.readouterr().out == ""


def test_progress_updates_one_display_and_is_gone_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown: list[str] = []

    class Handle:
        def update(self, data: dict[str, str], raw: bool) -> None:
            shown.append(data.get("text/plain", ""))

    def display(data: dict[str, str], raw: bool, display_id: bool) -> Handle:
        shown.append(data["text/plain"])
        return Handle()

    monkeypatch.setattr("safeinstall.magics.door.display", display)
    progress = OneLine()
    monkeypatch.setattr(OneLine, "patience", -1.0)
    monkeypatch.setattr(OneLine, "interval", -1.0)
    progress("downloading \x1b[31mnumpy")
    progress("moving into place")
    progress.close()
    assert shown == ["… downloading numpy", "… moving into place", ""]


def test_a_library_that_is_not_what_it_should_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "packaging").mkdir()
    (tmp_path / "packaging" / "__init__.py").write_text("__version__ = '16.0'")
    code = (
        "from IPython.core.interactiveshell import InteractiveShell as S; import sys\n"
        f"sys.path.insert(0, {str(tmp_path)!r}); s = S.instance()\n"
        "s.run_cell('%load_ext safeinstall'); s.run_cell('%safeinstall six')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "✗ Nothing changed. safeinstall cannot start" in done.stdout
    assert "-m safeinstall doctor" in done.stdout
    assert done.stdout.count("\n") < 12, done.stdout
