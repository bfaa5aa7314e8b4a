"""Predictions in layouts of empty files: no interpreter is started, nothing is installed."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safeinstall.probe import predict
from safeinstall.probe.prediction import OUTCOMES
from support import privileges
from support.examples import examples
from support.layouts import XY, Kernel, lay_out, put, with_uv


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    return Kernel(tmp_path)


def test_pip_of_the_kernel_lands_in_its_environment(kernel: Kernel) -> None:
    found = kernel.predict("%pip install six")
    assert (found.outcome, found.path) == ("env-site", kernel.site(kernel.b))
    assert (found.importable_now, found.importable_after_restart) == (True, True)
    assert (found.installer_version, found.requirements) == ("26.2", ("six",))


def test_pip_of_the_server_lands_elsewhere(kernel: Kernel) -> None:
    found = kernel.predict("!pip install -U six", PATH=f"{kernel.a}/bin")
    assert (found.outcome, found.path) == ("wrong-interpreter", kernel.site(kernel.a))
    assert found.importable_after_restart is False
    assert (found.interpreter_prefix, found.options) == (str(kernel.a), ("-U",))


@pytest.mark.parametrize(
    "cell",
    [
        "!python -m pip install six",
        "!env X=1 pip install six",
        "!X=1 pip install six",
        "!cd / && pip install six",
        "!pip list; pip install six",
        "!bash -c 'pip install six'",
        "%%bash\necho\npip install six",
        "import os; os.system('pip install six')",
        "x = !pip install six",
    ],
)
def test_the_server_is_reached_in_many_ways(kernel: Kernel, cell: str) -> None:
    assert kernel.predict(cell, PATH=f"{kernel.a}/bin").outcome == "wrong-interpreter"


@pytest.mark.parametrize(
    ("cell", "environ", "outcome"),
    [
        ("%pip install --user six", {}, "refused-user-site-unavailable"),
        ("%pip install --user --target t six", {}, "refused-option-conflict"),
        ("%pip install six", {"PIP_USER": "0"}, "env-site"),
        ("%pip install six", {"PIP_USER": "who knows"}, "fails"),
        ("%pip install six", {"PIP_TARGET": "t"}, "target-dir"),
        ("%pip install --root r six", {}, "root-dir"),
        ("%pip install --prefix p six", {}, "prefix"),
        ("%pip install --dry-run six", {}, "no-change"),
        ("%pip download six", {}, "no-change"),
        ("%pip install --bogus six", {}, "fails"),
        ("%pip install -r none.txt", {}, "fails"),
        ("%pip install six<2.0", {}, "fails"),
        ("%uv pip install six", {}, "no-installer"),
        ("!pip install six", {}, "command-not-found"),
        ("!uv pip install six", {}, "command-not-found"),
        ("!source x/bin/activate && pip install six", {}, "command-not-found"),
        ("!conda activate x; pip install six", {}, "unknown"),
        ("!poetry run pip install six", {}, "unknown"),
        ("%pip install --target $(pwd) six", {}, "unknown"),
        ("%conda install six", {}, "fails"),
    ],
)
def test_options_and_variables_decide(
    kernel: Kernel, cell: str, environ: dict[str, str], outcome: str
) -> None:
    found = kernel.predict(cell, **environ)
    assert found.outcome == outcome, found.reason
    lands = outcome in ("env-site", "target-dir", "root-dir", "prefix")
    assert (found.path is not None) == lands


MAKES_FIRST = [
    "!python -m venv v && . v/bin/activate && pip install six",
    "!python3.9 -m venv v\n!v/bin/pip install six",
    "!virtualenv -p python3.9 v; . v/bin/activate; pip install six",
    "!virtualenv v; ./v/bin/python -m pip install six",
    "!uv venv v && uv pip install --python v/bin/python six",
    "!uv venv && uv pip install six",
    "!VIRTUAL_ENV=v; export VIRTUAL_ENV; python -m venv v; uv pip install six",
    "!source activate mine && pip install six",
    "!. activate mine; pip install six",
    '!eval "$(conda shell.bash hook)" && conda activate mine && pip install six',
    "!conda create -y -p ./e && conda install -y -p ./e six",
    "!workon mine && pip install six",
    "!module load python; pip install six",
    "!. $(poetry env info --path)/bin/activate && pip install six",
    "!export PATH=$(pwd)/v/bin:$PATH; pip install six",
    "!python -m venv v; export PATH=$PWD/v/bin:$PATH; pip install six",
    "%%bash\npython -m venv v\nsource v/bin/activate\npip install six",
    "%%bash\nif [ ! -d v ]; then\n  virtualenv v\nfi\nsource v/bin/activate\npip install six",
    "%%bash\ncat > r.txt <<END\nsix\nEND\npip install -r r.txt",
    "!git clone https://h.example/p.git && cd p && pip install -r requirements.txt",
    "!git clone https://h.example/p.git\n%cd p\n%pip install -r requirements.txt",
    "!echo six > r.txt\n%pip install -r r.txt",
    "!wget https://h.example/r.txt; pip install -r r.txt",
    "open('r.txt', 'w').write('six')\n%pip install -r r.txt",
    "import venv\nvenv.create('v', with_pip=True)\n!v/bin/pip install six",
    "import subprocess as s\ns.run(['virtualenv', 'v'])\ns.run(['v/bin/pip', 'install', 'x'])",
    "import os\nos.system('python -m venv v')\nos.system('v/bin/pip install six')",
    "import os\nos.environ['PATH'] = 'v/bin:' + os.environ['PATH']\n!pip install six",
    "exec(open('v/bin/activate_this.py').read())\n!pip install six",
    "%conda create -y -p ./e\n%conda install -p ./e six",
    "!conda create -y -p ./e; conda run -p ./e pip install six",
    "!bash miniconda.sh -b -p ./m; ./m/bin/pip install six",
    "!curl -LsSf https://h.example/install.sh | sh; /h/uv pip install six",
    "!source {conda}/activate mine && pip install six",
    "!mkvirtualenv v && pip install six",
    "%run get-uv.py\n!uv pip install six",
]


@pytest.mark.parametrize("cell", MAKES_FIRST)
@pytest.mark.parametrize("path", ["/nowhere", "{a}/bin"])
def test_what_the_cell_itself_makes_or_activates_first_is_not_foretold(
    kernel: Kernel, cell: str, path: str
) -> None:
    (kernel.home / "activate").write_text("#!/bin/sh\n. /opt/conda.sh && conda activate $1\n")
    names = {**kernel.environ, "PATH": path.format(a=kernel.a), "SHELL": "/bin/bash"}
    cell = cell.replace("{conda}", str(kernel.home))
    found = predict(cell, environ=names, cwd=str(kernel.cwd), facts=kernel.facts)
    assert found
    assert {prediction.outcome for prediction in found} == {"unknown"}, found


@pytest.mark.parametrize(
    "cell",
    [
        "!pip --version && pip install six",
        "!echo hello; ls; cd . && pip install six",
        "!which pip; python --version; pip install six",
        "print('pip'.replace('i', 'a'))\n!pip install six 2>&1 | tail -1",
        "!pip list > /dev/null; pip install six",
        "!pip install pandas\n!pip install six",
        "!conda list; apt update; pip install six",
    ],
)
def test_a_command_that_only_looks_leaves_no_doubt(kernel: Kernel, cell: str) -> None:
    names = {**kernel.environ, "SHELL": "/bin/bash"}
    found = predict(cell, environ=names, cwd=str(kernel.cwd), facts=kernel.facts)
    assert {prediction.outcome for prediction in found} == {"command-not-found"}


def test_an_environment_that_is_there_is_followed_and_left_again(kernel: Kernel) -> None:
    (kernel.a / "bin" / "activate").write_text(f"VIRTUAL_ENV='{kernel.a}'\nexport VIRTUAL_ENV\n")
    active = f"!python -m venv {kernel.a}; . {kernel.a}/bin/activate; pip install six"
    assert kernel.predict(active).path == kernel.site(kernel.a)
    left = active.replace("pip install", "deactivate; pip install")
    assert kernel.predict(left, PATH=f"{kernel.b}/bin").path == kernel.site(kernel.b)


@pytest.mark.parametrize(
    "text",
    [
        "for p in six yaml; do\n  pip install $p\ndone",
        'for p in $(cat r.txt); do pip install "$p"; done',
        "while read p; do pip install $p; done < /dev/null",
    ],
)
def test_what_a_loop_goes_through_is_not_known_and_where_it_goes_is(
    kernel: Kernel, text: str
) -> None:
    found = kernel.predict("%%bash\n" + text, PATH=f"{kernel.a}/bin")
    assert (found.outcome, found.requirements) == ("wrong-interpreter", ("{p}",)), found.reason


def test_what_is_downloaded_first_may_be_installed_from_there(kernel: Kernel) -> None:
    cell = "%pip download -d w six\n%pip install --no-index --find-links w six"
    found = predict(cell, environ=kernel.environ, cwd=str(kernel.cwd), facts=kernel.facts)
    assert [each.outcome for each in found] == ["no-change", "unknown"]


def test_a_refusal_that_the_cell_lifts_first_is_not_foretold(kernel: Kernel) -> None:
    kernel.prefix = kernel.base
    marker = kernel.base / "lib" / XY / "EXTERNALLY-MANAGED"
    marker.touch()
    refused = kernel.predict("!apt update\n%pip install six")
    assert refused.outcome == "refused-externally-managed"
    for cell in (f"!rm {marker}", "%pip config set global.break-system-packages true"):
        assert kernel.predict(cell + "\n%pip install six").outcome == "unknown"


def test_a_stale_script_stops_bash_and_lets_dash_go_on(kernel: Kernel, tmp_path: Path) -> None:
    stale = tmp_path / "stale"
    stale.mkdir()
    (stale / "pip").write_text("#!/nowhere/python\n")
    (stale / "pip").chmod(0o755)
    path = f"{stale}:{kernel.a}/bin"
    (tmp_path / "bash").touch()
    in_bash = kernel.predict("!pip install six", PATH=path, SHELL=str(tmp_path / "bash"))
    assert in_bash.outcome == "command-not-found"
    (tmp_path / "dash").touch()
    in_dash = kernel.predict("!pip install six", PATH=path, SHELL=str(tmp_path / "dash"))
    assert in_dash.outcome == "wrong-interpreter"


def test_the_first_line_of_a_script_decides_not_its_folder(kernel: Kernel) -> None:
    (kernel.b / "bin" / "pip").write_text(f"#!{kernel.a}/bin/python\n")
    found = kernel.predict("!pip install six", PATH=f"{kernel.b}/bin")
    assert found.path == kernel.site(kernel.a)


def test_the_two_line_form_of_a_script_is_read(kernel: Kernel) -> None:
    text = f"#!/bin/sh\n'''exec' \"{kernel.a}/bin/python\" \"$0\" \"$@\"\n' '''\n"
    (kernel.b / "bin" / "pip").write_text(text)
    found = kernel.predict("!pip install six", PATH=f"{kernel.b}/bin")
    assert found.path == kernel.site(kernel.a)


def test_a_shim_follows_the_chosen_version(kernel: Kernel, tmp_path: Path) -> None:
    root = tmp_path / "pyenv"
    (root / "shims").mkdir(parents=True)
    (root / "versions").mkdir()
    (root / "versions" / "mine").symlink_to(kernel.a)
    (root / "shims" / "pip").write_text('#!/usr/bin/env bash\nexec pyenv exec "$program" "$@"\n')
    (root / "shims" / "pip").chmod(0o755)
    (kernel.cwd / ".python-version").write_text("mine\n")
    path = f"{root}/shims:/usr/bin:/bin"
    found = kernel.predict("!pip install six", PATH=path, PYENV_ROOT=str(root))
    assert found.path == kernel.site(kernel.a)
    (root / "shims" / "python3.9").symlink_to("pip")
    other = kernel.predict("!python3.9 -m pip install six", PATH=path, PYENV_ROOT=str(root))
    assert other.outcome == "command-not-found"


def test_bash_reads_its_start_file_before_every_line(kernel: Kernel, tmp_path: Path) -> None:
    (tmp_path / "start").write_text(f"export PATH={kernel.a}/bin:$PATH\n")
    (tmp_path / "bash").touch()
    shell = {"SHELL": str(tmp_path / "bash"), "BASH_ENV": str(tmp_path / "start")}
    assert kernel.predict("!pip install six", **shell).outcome == "wrong-interpreter"


def test_a_local_folder_called_pip_is_in_the_way(kernel: Kernel) -> None:
    (kernel.cwd / "pip").mkdir()
    for name in ("__init__.py", "__main__.py"):
        (kernel.cwd / "pip" / name).touch()
    assert kernel.predict("%pip install six").outcome == "fails"


def test_an_environment_without_pip_has_no_installer(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path)
    (kernel.b / "lib" / XY / "site-packages" / "pip").rename(tmp_path / "away")
    assert kernel.predict("%pip install six").outcome == "no-installer"


def test_pip_can_be_sent_to_another_environment(kernel: Kernel) -> None:
    by_line = kernel.predict(f"%pip --python {kernel.a} install six")
    by_variable = kernel.predict("%pip install six", PIP_PYTHON=str(kernel.a))
    assert by_line.path == by_variable.path == kernel.site(kernel.a)


def test_an_older_pip_does_not_know_how(tmp_path: Path) -> None:
    kernel = Kernel(tmp_path)
    init = Path(kernel.site(kernel.b), "pip", "__init__.py")
    init.write_text('__version__ = "22.2"\n')
    assert kernel.predict("%pip install six", PIP_PYTHON=str(kernel.a)).outcome == "env-site"
    assert kernel.predict(f"%pip --python {kernel.a} install six").outcome == "fails"


def test_a_marker_refuses_unless_it_is_overridden(kernel: Kernel) -> None:
    kernel.prefix = kernel.base
    (kernel.base / "lib" / XY / "EXTERNALLY-MANAGED").touch()
    assert kernel.predict("%pip install six").outcome == "refused-externally-managed"
    override = "%pip install --break-system-packages six"
    assert kernel.predict(override).outcome == "env-site"
    assert kernel.predict("%pip install six", PIP_TARGET="t").outcome == "target-dir"


def test_the_user_site_that_did_not_exist_needs_a_restart(kernel: Kernel) -> None:
    kernel.prefix = kernel.base
    found = kernel.predict("%pip install --user six")
    assert (found.outcome, found.path) == ("user-site", kernel.user_site)
    assert (found.importable_now, found.importable_after_restart) == (False, True)


def test_what_is_there_is_not_installed_again(kernel: Kernel) -> None:
    put(kernel.site(kernel.b), "six", "1.16")
    assert kernel.predict("%pip install six").outcome == "already-satisfied"
    assert kernel.predict("%pip install 'six>=1.17'").outcome == "env-site"
    assert kernel.predict("%pip install --upgrade six").outcome == "env-site"


def test_a_copy_that_comes_first_is_what_gets_imported(kernel: Kernel) -> None:
    (kernel.cwd / "six.py").touch()
    found = kernel.predict("%pip install six")
    assert (found.outcome, found.importable_after_restart) == ("env-site", False)
    assert str(kernel.cwd) in found.notes[-1]


@pytest.mark.parametrize(
    ("variables", "outcome"),
    [
        (lambda k: {}, "fails"),
        (lambda k: {"VIRTUAL_ENV": str(k.a)}, "wrong-interpreter"),
        (lambda k: {"VIRTUAL_ENV": str(k.b)}, "env-site"),
        (lambda k: {"VIRTUAL_ENV": "/nowhere"}, "fails"),
        (lambda k: {"UV_PYTHON": str(k.a), "VIRTUAL_ENV": str(k.b)}, "wrong-interpreter"),
        (lambda k: {"CONDA_PREFIX": str(k.a)}, "wrong-interpreter"),
        (lambda k: {"UV_CACHE_DIR": "/proc/version/cache"}, "fails"),
    ],
    ids=["nothing", "active-a", "active-b", "broken", "named", "conda", "no-cache"],
)
def test_uv_follows_its_own_order(
    kernel: Kernel, tmp_path: Path, variables: Callable[[Kernel], dict[str, str]], outcome: str
) -> None:
    path = with_uv(kernel, tmp_path)
    found = kernel.predict("!uv pip install six", PATH=path, **variables(kernel))
    assert found.outcome == outcome, found.reason


def test_uv_takes_the_kernel_when_it_is_named(kernel: Kernel, tmp_path: Path) -> None:
    path = with_uv(kernel, tmp_path)
    cell = "!uv pip install --python {sys.executable} six"
    assert kernel.predict(cell, PATH=path, VIRTUAL_ENV=str(kernel.a)).outcome == "env-site"
    assert kernel.predict(cell.replace("install", "install --user"), PATH=path).outcome == "fails"


def test_uv_add_works_on_the_project(kernel: Kernel, tmp_path: Path) -> None:
    path = with_uv(kernel, tmp_path)
    assert kernel.predict("!uv add six", PATH=path).outcome == "fails"
    (kernel.cwd / "pyproject.toml").touch()
    (kernel.cwd / ".venv").symlink_to(kernel.a)
    found = kernel.predict("!uv add six", PATH=path)
    assert (found.outcome, found.path) == ("wrong-interpreter", kernel.site(kernel.a))


def test_conda_serves_a_conda_kernel_and_no_other(kernel: Kernel) -> None:
    meta = kernel.b / "conda-meta"
    meta.mkdir()
    (meta / "history").touch()
    assert kernel.predict("%conda install six").outcome == "command-not-found"
    (kernel.b / "bin" / "conda").touch(0o755)
    assert kernel.predict("%conda install six").outcome == "env-site"
    named = f"!conda install -p {kernel.a} six"
    (kernel.a / "conda-meta").mkdir()
    assert kernel.predict(named, PATH=f"{kernel.b}/bin").outcome == "wrong-interpreter"


def test_a_cell_may_hold_several_commands(kernel: Kernel) -> None:
    cell = "%pip install a\nx = 1\n!pip install b && uv add c\n"
    names = dict(kernel.environ)
    found = predict(cell, environ=names, cwd=str(kernel.cwd), facts=kernel.facts)
    assert [(p.tool, p.line, p.requirements) for p in found] == [
        ("pip", 1, ("a",)),
        ("pip", 3, ("b",)),
        ("uv", 3, ("c",)),
    ]


def test_nothing_given_means_the_running_process() -> None:
    (found,) = predict("%pip install safeinstall-has-no-such-dependency")
    assert found.outcome in OUTCOMES


def test_a_prediction_leaves_no_trace(kernel: Kernel, tmp_path: Path) -> None:
    before = sorted(map(str, tmp_path.rglob("*"))), copy.deepcopy(dict(os.environ))
    kernel.predict("%pip install --target new six")
    assert (sorted(map(str, tmp_path.rglob("*"))), dict(os.environ)) == before


PIECES = (
    *"!%${}()'\"\\\n|&;<>=`#~- ",
    *("pip", " install ", "uv ", "conda", "%%bash\n", "-m", "--target", "-r ", "sudo ", "[", "]"),
    *("{sys.executable}", "import subprocess\nsubprocess.run(", "<<EOF\n", "PIP_USER=1 "),
)
SNIPPETS = st.sampled_from(PIECES)


@settings(max_examples=examples(300), deadline=None, suppress_health_check=list(HealthCheck))
@given(st.one_of(st.text(max_size=300), st.lists(SNIPPETS, max_size=40).map("".join)))
def test_any_text_is_answered_without_an_error(cell: str) -> None:
    for found in predict("pip " + cell) + predict(cell):
        assert found.outcome in OUTCOMES
        assert not found.reason.startswith("the command could not be judged"), found.reason


@pytest.mark.parametrize(
    "cell",
    [
        "!pip install " + "x" * 90_000,
        "!pip install " + "'a' " * 20_000,
        "pip(" * 20_000,
        "%%bash\n" + "pip install a\n" * 5_000,
        "x = [\n" * 5_000 + "!pip install a",
        "!" + "$(" * 20_000 + "pip install a",
        "pip\n" + "a = 'b\n" * 10_000,
    ],
    ids=["long", "many", "deep", "script", "open", "nested", "quotes"],
)
def test_large_cells_cost_little(cell: str) -> None:
    predict(cell)
    start = time.perf_counter()
    predict(cell)
    assert time.perf_counter() - start < 0.5


def test_a_cell_without_an_installer_costs_next_to_nothing() -> None:
    cell = "total = sum(range(10))\n" * 200
    start = time.perf_counter()
    assert predict(cell) == ()
    assert time.perf_counter() - start < 0.005


def test_the_folder_that_decides_is_the_one_that_is_named(kernel: Kernel) -> None:
    other = lay_out(kernel.home.parent / "other")
    Path(kernel.site(other)).chmod(0o555)
    kernel.home.mkdir(exist_ok=True)
    with privileges.as_ordinary(kernel.home.parent, kernel.home):
        found = kernel.predict("!python -m pip install six", PATH=f"{other}/bin")
    assert kernel.site(other) in found.reason
