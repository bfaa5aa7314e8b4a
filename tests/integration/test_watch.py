"""The warning before an install goes wrong, in real kernels whose server is another environment."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from integration.conftest import Desk, set_up
from support.environments import Workshop, changes, server_settings, snapshot

pytestmark = pytest.mark.integration


@pytest.fixture
def desk(workshop: Workshop, tmp_path: Path) -> Desk:
    """A desk whose server's environment may be spoiled: the installs here go wrong on purpose."""
    made = set_up(workshop, tmp_path, workshop.copy(tmp_path / "b"))
    server = workshop.make("venv", tmp_path / "server")
    made.settings.update(server_settings(server, tmp_path / "home"))
    return made


def test_the_warning_stands_above_the_first_line_of_pip_once(desk: Desk) -> None:
    cell = f"!pip install {desk.offline} tinypkg"
    with desk.kernel() as kernel:
        first = kernel.run(cell)
        assert "not this kernel's" in first.displays[0]["text/plain"]
        instead = f"%safeinstall --find-links {desk.wheels} --no-index tinypkg"
        assert instead in first.displays[0]["text/plain"]
        assert kernel.run("import tinypkg").ename == "ModuleNotFoundError"
        again = kernel.run(cell)
        assert not any("not this kernel's" in shown["text/plain"] for shown in again.displays)


def test_what_landed_elsewhere_is_said_afterwards(desk: Desk) -> None:
    with desk.kernel() as kernel:
        done = kernel.run(f"!pip install {desk.offline} tinypkg")
        assert "tinypkg 1.0 landed in" in done.displays[-1]["text/plain"]
        assert "does not import from" in done.displays[-1]["text/plain"]


def test_an_install_that_goes_right_is_not_talked_about(desk: Desk) -> None:
    python = desk.environment.python
    with desk.kernel() as kernel:
        done = kernel.run(f"!uv pip install --python {python} {desk.offline} tinypkg")
        assert done.displays == []


def test_redirect_runs_the_line_here_and_leaves_the_others_alone(desk: Desk) -> None:
    with desk.kernel() as kernel:
        kernel.run('%config SafeInstall.shell_installs = "redirect"')
        done = kernel.run(f'print("a")\n!pip install {desk.offline} tinypkg\nprint("b")')
        assert done.ok
        assert done.stdout.split() == ["a", "b"]
        assert "is run instead" in done.displays[0]["text/plain"]
        assert kernel.run("import tinypkg").ok


def test_redirect_runs_the_address_as_typed_and_shows_it_without_its_password(desk: Desk) -> None:
    cell = f"!pip install --extra-index-url http://me:s3cr3t@127.0.0.1:9/ {desk.offline} tinypkg"
    with desk.kernel() as kernel:
        kernel.run('%config SafeInstall.shell_installs = "redirect"')
        done = kernel.run(cell)
        kernel.run("import tinypkg")
        assert done.ok
        assert "s3cr3t" not in repr(done)
        seen = kernel.run(f"print(get_ipython().transform_cell({cell!r}))")
        assert "me:s3cr3t@" in seen.stdout


def test_block_stops_the_cell_at_that_line(desk: Desk) -> None:
    before = snapshot(desk.environment.prefix)
    with desk.kernel() as kernel:
        kernel.run('%config SafeInstall.shell_installs = "block"')
        done = kernel.run(f'print("a")\n!pip install {desk.offline} tinypkg\nprint("b")')
        assert done.ename == "SafeInstallStopped"
        assert done.stdout.split() == ["a"]
        assert f"%safeinstall --find-links {desk.wheels} --no-index tinypkg" in done.traceback
        line = f"pip install {desk.offline} tinypkg"
        for cell in (f"!ls && {line}", f"%%bash\n{line}", f"import os\nos.system({line!r})"):
            assert kernel.run(cell).ename == "SafeInstallStopped"
    assert changes(before, snapshot(desk.environment.prefix)) == []


def test_off_and_unloaded_mean_silence(desk: Desk) -> None:
    with desk.kernel() as kernel:
        kernel.run('%config SafeInstall.shell_installs = "off"')
        assert kernel.run(f"!pip install --dry-run {desk.offline} tinypkg").displays == []
        kernel.run('%config SafeInstall.shell_installs = "warn"')
        kernel.run("%unload_ext safeinstall")
        assert kernel.run(f"!pip install --dry-run {desk.offline} tinypkg").displays == []
        left = kernel.run(
            "print([n for n in vars(get_ipython()) if 'safeinstall' in n], "
            "'safeinstall' in get_ipython().magics_manager.magics['line'])"
        )
        assert left.stdout.strip() == "[] False"


def test_a_fault_of_the_watch_never_fails_a_cell(desk: Desk) -> None:
    with desk.kernel() as kernel:
        kernel.run(
            "import safeinstall.watch.session as s\n"
            "def broken(*a, **k): raise RuntimeError('broken')\n"
            "s.Session.before = s.Session.after = s.Session.rewritten = broken"
        )
        done = kernel.run("!echo pip install x")
        assert done.ok
        assert done.stdout.strip() == "pip install x"


def test_a_cell_without_an_install_command_waits_for_nothing(desk: Desk) -> None:
    code = (
        "import time; ip = get_ipython(); w = ip._safeinstall_watch\n"
        "class Info: pass\n"
        "def cost(text):\n"
        "    i = Info(); i.raw_cell = text; best = 9\n"
        "    for _ in range(20):\n"
        "        t = time.process_time(); w.pre_run_cell(i)\n"
        "        best = min(best, time.process_time()-t)\n"
        "    return best * 1000\n"
        "print(cost('x = 1\\n' * 2000), cost('!pip install some-package-xyz'))"
    )
    with desk.kernel() as kernel:
        plain, install = map(float, kernel.run(code).stdout.split())
    assert plain < 5
    assert install < 20


def test_a_headless_run_has_the_warning_in_its_outputs(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = tmp_path / "jupyter" / "kernels" / "b" / "kernel.json"
    spec.parent.mkdir(parents=True)
    argv = [str(desk.environment.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.write_text(json.dumps({"argv": argv, "display_name": "b", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    cells = ["%load_ext safeinstall", f"!pip install --dry-run {desk.offline} tinypkg"]
    cells.append(f"!pip install {desk.offline} tinypkg")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    client = NotebookClient(notebook, kernel_name="b", timeout=90)
    client.execute(env=desk.settings, cwd=str(desk.notebooks))
    outputs = notebook.cells[2].outputs
    assert outputs[0].output_type == "display_data"
    assert "not this kernel's" in outputs[0].data["text/plain"]
    assert outputs[1].output_type == "stream"


def test_a_terminal_shows_the_warning_before_pips_first_line(desk: Desk) -> None:
    code = f"%load_ext safeinstall\n!pip install {desk.offline} tinypkg\n"
    # IPython in a terminal imports from an active environment too: nothing would go wrong
    desk.settings.pop("VIRTUAL_ENV", None)
    done = subprocess.run(
        [desk.environment.python, "-m", "IPython", "--simple-prompt", "--colors=NoColor"],
        input=code,
        env=desk.settings,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    warning = done.stdout.find("not this kernel's")
    pip = done.stdout.find("Processing")
    assert 0 <= warning < pip, done.stdout + done.stderr
