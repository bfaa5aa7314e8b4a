"""Installers that are neither pip, uv nor conda: which environment, importable here or not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from safeinstall.probe import predict
from support.layouts import XY, Kernel, lay_out, with_program

PROGRAMS = (
    "uv",
    "apt",
    "apt-get",
    "dnf",
    "brew",
    "pipx",
    "poetry",
    "pipenv",
    "pixi",
    "pdm",
    "conda",
    "pacman",
)


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    made = Kernel(tmp_path)
    made.environ["PATH"] = with_program(tmp_path / "usr" / "bin", *PROGRAMS)
    made.environ["XDG_DATA_HOME"] = str(tmp_path / "data")
    (tmp_path / "usr" / "lib" / "python3" / "dist-packages").mkdir(parents=True)
    return made


@pytest.mark.parametrize(
    ("cell", "outcome", "path"),
    [
        ("!apt install -y python3-numpy", "wrong-interpreter", "usr/lib/python3/dist-packages"),
        (
            "!apt-get -qq install python3-sklearn",
            "wrong-interpreter",
            "usr/lib/python3/dist-packages",
        ),
        ("!dnf install python3-numpy", "wrong-interpreter", "usr/lib/python3/dist-packages"),
        ("!brew install numpy", "wrong-interpreter", "usr/lib/python3/dist-packages"),
        ("!apt install ffmpeg libgl1 python3-venv", "no-change", None),
        ("!brew install graphviz", "no-change", None),
        (
            "!pacman -S --noconfirm python-numpy",
            "wrong-interpreter",
            "usr/lib/python3/dist-packages",
        ),
        ("!pacman -Syu python-numpy", "wrong-interpreter", "usr/lib/python3/dist-packages"),
        ("!pacman -Sy ffmpeg", "no-change", None),
        ("!pixi global install black", "wrong-interpreter", "home/.pixi/envs/black"),
        ("!py -3 -m pip install six", "command-not-found", None),
        ("!pipx install black", "wrong-interpreter", "data/pipx/venvs/black"),
        ("!pipx inject black six", "wrong-interpreter", "data/pipx/venvs/black"),
        ("!uv tool install black", "wrong-interpreter", "data/uv/tools/black"),
        ("!poetry add six", "fails", None),
        ("!pdm add six", "fails", None),
        ("!pixi add six", "fails", None),
        ("!pipenv install six", "unknown", None),
        ("!zypper install python3-numpy", "command-not-found", None),
        ("!rye add six", "command-not-found", None),
        ("!python setup.py install", "command-not-found", None),
        ("!easy_install six", "command-not-found", None),
        ("!conda run -n mine pip install six", "unknown", None),
        ("import os; os.system('apt-get install python3-six')", "wrong-interpreter", None),
    ],
)
def test_every_installer_is_judged(
    kernel: Kernel, tmp_path: Path, cell: str, outcome: str, path: str | None
) -> None:
    if (
        os.geteuid()
        and any(name in cell for name in ("apt", "dnf", "pacman"))
        and outcome == "wrong-interpreter"
    ):
        outcome, path = "refused-permission", None
    found = kernel.predict(cell)
    assert found.outcome == outcome, found.reason
    if path:
        assert found.path == str(tmp_path / path)
    assert found.importable_now is (None if outcome == "unknown" else False)


@pytest.mark.parametrize(
    "cell",
    [
        "!pacman -Ss python-six",
        "!pacman -Q",
        "!pixi global list",
        "!conda env list",
        "!apt update",
        "!apt list python3-six",
        "!poetry show",
        "!pipx run black",
        "%conda list",
    ],
)
def test_what_installs_nothing_is_no_install(kernel: Kernel, cell: str) -> None:
    with pytest.raises(ValueError, match="not enough values"):
        kernel.predict(cell)


PROJECTS = {"poetry": "pyproject.toml", "pdm": "pyproject.toml", "pipenv": "Pipfile"}


@pytest.mark.parametrize("tool", PROJECTS)
def test_a_project_is_worked_on_in_the_active_environment_or_its_own(
    kernel: Kernel, tool: str
) -> None:
    (kernel.cwd / PROJECTS[tool]).touch()
    cell = f"!{tool} {'install' if tool == 'pipenv' else 'add'} six"
    assert kernel.predict(cell).outcome == "unknown"
    active = kernel.predict(cell, VIRTUAL_ENV=str(kernel.b))
    assert (active.outcome, active.importable_now, active.records) == ("env-site", True, True)
    (kernel.cwd / ".venv").symlink_to(kernel.a)
    assert kernel.predict(cell).path == kernel.site(kernel.a)
    assert kernel.predict(cell, CONDA_PREFIX=str(kernel.b)).outcome == "env-site"


def test_pixi_has_an_environment_below_its_project(kernel: Kernel) -> None:
    (kernel.cwd / "pixi.toml").touch()
    place = lay_out(kernel.cwd / ".pixi" / "envs" / "default")
    found = kernel.predict(f"!cd / && pixi add --manifest-path {kernel.cwd} six")
    assert (found.outcome, found.path) == ("wrong-interpreter", kernel.site(place))
    assert found.requirements == ("six",)


def test_conda_run_is_followed_into_the_environment_it_names(kernel: Kernel) -> None:
    for cell in (
        f"!conda run -p {kernel.a} pip install six",
        f"!conda run --no-capture-output --prefix {kernel.a} python -m pip install six",
        f"%conda run -p {kernel.a} pip install six",
    ):
        found = kernel.predict(cell)
        assert (found.tool, found.path) == ("pip", kernel.site(kernel.a)), found.reason


def test_scripts_of_an_interpreter_install_for_it(kernel: Kernel) -> None:
    for cell in (
        "!easy_install six",
        "!python -m easy_install six",
        "!python setup.py install",
        "!python setup.py develop",
    ):
        (kernel.a / "bin" / "easy_install").write_text(f"#!{kernel.a}/bin/python\n")
        (kernel.a / "bin" / "easy_install").chmod(0o755)
        (kernel.cwd / "setup.py").touch()
        found = kernel.predict(cell, PATH=f"{kernel.a}/bin")
        assert (found.outcome, found.path) == ("wrong-interpreter", kernel.site(kernel.a))
    user = kernel.predict("!python setup.py install --user", PATH=f"{kernel.base}/bin")
    assert (user.outcome, user.path) == ("user-site", kernel.user_site)
    assert user.requirements == (str(kernel.cwd),)


def test_the_systems_packages_are_the_kernels_where_it_imports_them(
    kernel: Kernel, tmp_path: Path
) -> None:
    shared = str(tmp_path / "usr" / "lib" / "python3" / "dist-packages")
    facts = {**kernel.facts, "sys_path": [*kernel.facts["sys_path"], shared]}
    cell = "!brew install numpy"
    (found,) = predict(cell, environ=kernel.environ, cwd=str(kernel.cwd), facts=facts)
    assert found.importable_now is True


CODE = "import subprocess; subprocess.run(['{a}/bin/pip', 'install', 'six'])"


@pytest.mark.parametrize(
    "cell",
    [
        "!X=$({a}/bin/pip install six)",
        "!echo $({a}/bin/pip install six)",
        '!echo "done: $({a}/bin/pip install six)"',
        "!echo `{a}/bin/pip install six`",
        "%%bash\nout=$(cd /tmp && {a}/bin/pip install six)",
        f'!{{a}}/bin/python -c "{CODE}"',
        f'!python3 -c "{CODE}"',
        "!{a}/bin/python -c 'import sys, subprocess as s;"
        ' s.call([sys.executable, "-m", "pip", "install", "six"])\'',
        '!{a}/bin/python -c \'import pip; pip.main(["install", "six"])\'',
        "!{a}/bin/python -Ic 'import os; os.system(\"{a}/bin/pip install six\")'",
        "import subprocess\nsubprocess.run(['{a}/bin/python', '-c', \"import os;"
        " os.system('{a}/bin/pip install six')\"])",
        "%%python\n" + CODE,
        "%%python3\n" + CODE,
        "%%script {a}/bin/python\n" + CODE,
        "!$(which pip) install six",
        "!`which python` -m pip install six",
        "!$(command -v python) -m pip install six",
        "!bash -c '$(which pip) install six'",
    ],
)
def test_an_install_inside_another_command_is_seen(kernel: Kernel, cell: str) -> None:
    path = f"{kernel.a}/bin"
    (kernel.a / "bin" / "python3").symlink_to("python")
    found = kernel.predict(cell.replace("{a}", str(kernel.a)), PATH=path)
    assert (found.outcome, found.path) == ("wrong-interpreter", kernel.site(kernel.a)), found.reason
    assert found.requirements == ("six",)


@pytest.mark.parametrize(
    "cell",
    [
        "!echo $((1 + 2)) pip install",
        "!python -c 'print(\"pip install six\")'",
        "!echo '$(pip install six)'",
        "%%perl\nsystem('pip install six')",
    ],
)
def test_a_text_about_an_install_is_none(kernel: Kernel, cell: str) -> None:
    with pytest.raises(ValueError, match="not enough values"):
        kernel.predict(cell, PATH=f"{kernel.a}/bin")


@pytest.mark.parametrize("program", ["doas", "run0", "pkexec", "sudo", "su"])
def test_whatever_runs_it_as_root_is_told_why_not(
    kernel: Kernel, tmp_path: Path, program: str
) -> None:
    path = with_program(tmp_path / "usr" / "bin", program)
    line = f"{kernel.a}/bin/pip install six"
    cells = [f"!su -c '{line}'", f"!su - root -c '{line}'"]
    for cell in cells if program == "su" else [f"!{program} {line}"]:
        found = kernel.predict(cell, PATH=path)
        assert found.path == kernel.site(kernel.a), found.reason
        assert any(note.startswith(f"{program} runs it as root") for note in found.notes)
        gone = kernel.predict(cell, PATH="/nowhere")
        assert f"there is no program {program}" in gone.reason


@pytest.mark.parametrize(
    "cell",
    [
        "!poetry run pip install six",
        "!pipenv run python -m pip install six",
        "!uv run pip install six",
        "!docker exec box pip install six",
        "!podman run box pip install six",
        "!kubectl exec pod -- pip install six",
        "!hatch run pip install six",
    ],
)
def test_what_another_program_runs_elsewhere_is_named_without_that_programs_words(
    kernel: Kernel, cell: str
) -> None:
    found = kernel.predict(cell)
    assert (found.outcome, found.requirements) == ("unknown", ("six",))


@pytest.mark.parametrize(
    "cell",
    [
        "%pip install --help",
        "!{a}/bin/pip install -h",
        "!uv pip install --help",
        "%pip help install",
    ],
)
def test_asking_for_help_installs_nothing_and_does_not_fail(kernel: Kernel, cell: str) -> None:
    found = [p.outcome for p in predict(
        cell.replace("{a}", str(kernel.a)), environ=kernel.environ, cwd=str(kernel.cwd),
        facts=kernel.facts,
    )]  # fmt: skip
    assert found in ([], ["no-change"])


def test_the_folder_uv_is_told_is_its_reason(kernel: Kernel) -> None:
    told = {"VIRTUAL_ENV": str(kernel.a)}
    found = kernel.predict("!uv pip install --target t six", **told)
    assert (found.outcome, found.reason) == ("target-dir", "--target from the command line")
    found = kernel.predict("!uv pip install --prefix t six", **told)
    assert (found.outcome, found.reason) == ("prefix", "--prefix from the command line")


def test_conda_env_update_and_remove_are_an_install_and_a_removal(kernel: Kernel) -> None:
    (kernel.a / "conda-meta").mkdir()
    (kernel.cwd / "environment.yml").write_text("name: elsewhere\n")
    found = kernel.predict(f"!conda env update -p {kernel.a} -f environment.yml")
    assert (found.outcome, found.path) == ("wrong-interpreter", kernel.site(kernel.a))
    assert found.requirements == ()
    found = kernel.predict("!conda env update --file environment.yml")
    assert (found.outcome, found.requirements) == ("unknown", ())
    found = kernel.predict(f"!conda env remove -p {kernel.a}")
    assert (found.outcome, found.removes, found.requirements) == ("wrong-interpreter", True, ())
    assert kernel.predict("!conda env remove -n never").outcome == "unknown"


def test_what_python_fills_in_is_one_requirement(kernel: Kernel) -> None:
    found = kernel.predict(f"!{kernel.a}/bin/pip install {{' '.join(names)}} six")
    assert found.requirements == ("{' '.join(names)}", "six")
    assert found.outcome == "wrong-interpreter"


def test_sudo_is_said_why_not(kernel: Kernel, tmp_path: Path) -> None:
    path = with_program(tmp_path / "usr" / "bin", "sudo")
    found = kernel.predict(f"!sudo {kernel.a}/bin/pip install six", PATH=path)
    assert found.path == kernel.site(kernel.a)
    assert any("only root can change" in note for note in found.notes)
    assert XY in str(found.path)
